"""How a command finds its stack."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from custom_labels_batch.cli.errors import InputError
from custom_labels_batch.cli.stack import SANDBOX_OUTPUTS, find_stack
from custom_labels_batch.cli.tagged_stack import _prefix
from custom_labels_batch.components.uploads import image_keys
from tests.unit.cli.aws_stack import AwsStack

OUTPUTS = {"imageQueueUrl": "q", "predictionsTopicArn": "arn:aws:sns:eu-west-1:123456789012:predictions"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, and no Pulumi."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


@pytest.fixture
def listening() -> Iterator[str]:
    """Something that answers where a sandbox would."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def pulumi(folder: Path, script: str) -> None:
    program = folder / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def sandbox(endpoint: str) -> None:
    SANDBOX_OUTPUTS.parent.mkdir(parents=True)
    SANDBOX_OUTPUTS.write_text(json.dumps({**OUTPUTS, "endpointUrl": endpoint, "region": "us-east-1"}))


class TestAFileOfOutputs:
    def test_is_the_stack(self, folder: Path) -> None:
        file = folder / "outputs.json"
        file.write_text(json.dumps(OUTPUTS))
        assert find_stack(file, None).outputs == OUTPUTS

    def test_gives_the_region_of_its_topic(self, folder: Path) -> None:
        file = folder / "outputs.json"
        file.write_text(json.dumps(OUTPUTS))
        assert find_stack(file, None).client("s3").meta.region_name == "eu-west-1"

    @pytest.mark.parametrize(
        ("text", "told"), [("{", "is not JSON"), ("[]", "no imageQueueUrl"), ('{"a": 1}', "no imageQueueUrl")]
    )
    def test_of_something_else_is_refused(self, folder: Path, text: str, told: str) -> None:
        file = folder / "outputs.json"
        file.write_text(text)
        with pytest.raises(InputError, match=told):
            find_stack(file, None)

    def test_that_is_not_there_is_refused_with_how_to_write_it(self, folder: Path) -> None:
        with pytest.raises(InputError, match=r"No such file.*pulumi stack output --json > "):
            find_stack(folder / "none.json", None)

    def test_and_a_name_together_are_refused(self, folder: Path) -> None:
        with pytest.raises(InputError, match="leave one of them out"):
            find_stack(folder / "outputs.json", "dev")


class TestPulumi:
    def test_is_asked_for_the_stack_that_is_named(self, folder: Path) -> None:
        pulumi(folder, f"""[ "$6 $7" = "" ] || [ "$5 $6" = "--stack prod" ] && echo '{json.dumps(OUTPUTS)}'""")
        assert find_stack(None, "prod").outputs == OUTPUTS

    def test_is_asked_for_its_current_stack_if_nothing_is_named(self, folder: Path) -> None:
        pulumi(folder, f"""[ -z "$5" ] && echo '{json.dumps(OUTPUTS)}'""")
        assert find_stack(None, None).outputs == OUTPUTS

    def test_that_fails_is_told_in_its_own_words(self, folder: Path) -> None:
        pulumi(folder, "echo \"error: no stack named 'prod' found\" >&2; exit 255")
        with pytest.raises(InputError, match=r"no stack named 'prod' found\); choose one with --stack NAME"):
            find_stack(None, "prod")

    def test_that_is_not_installed_is_told_with_what_to_do(self) -> None:
        with pytest.raises(InputError, match="the Pulumi CLI is not installed here; choose one with"):
            find_stack(None, None)


class TestTags:
    def test_need_a_region(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "none"))
        with pytest.raises(InputError, match="--stack tags:prod: a stack is found by its tags with a region: set AWS"):
            find_stack(None, "tags:prod")

    def test_need_a_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        with pytest.raises(InputError, match="with a name, as in --stack tags:prod"):
            find_stack(None, "tags:")

    def test_that_nothing_has_are_named(self, aws: AwsStack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        tags = {"Project": "custom-labels-batch", "Stack": "dev"}
        aws.client("sqs").tag_queue(QueueUrl=aws.outputs["imageQueueUrl"], Tags=tags)
        with pytest.raises(InputError, match="and Stack=prod; stacks of that project there: dev; are the region"):
            find_stack(None, "tags:prod")

    def test_of_a_stack_without_its_function_say_what_is_missing(
        self, aws: AwsStack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        tags = {"Project": "custom-labels-batch", "Stack": "dev"}
        aws.client("sqs").tag_queue(QueueUrl=aws.outputs["imageQueueUrl"], Tags=tags)
        with pytest.raises(
            InputError, match=r"no function that labels images with the tags .* there should be one; name"
        ):
            find_stack(None, "tags:dev")

    @pytest.mark.parametrize("prefix", ["line-1/", "a*b\\c/"])
    def test_give_the_prefix_that_the_rule_has_escaped(self, prefix: str) -> None:
        keys = [key for keys in image_keys(prefix).values() for key in keys]
        assert {_prefix(key["wildcard"]) for key in keys if isinstance(key, dict)} == {prefix}


class TestASandbox:
    def test_that_is_up_is_the_stack_if_nothing_is_named(self, listening: str) -> None:
        sandbox(listening)
        assert find_stack(None, None).name == f"the sandbox at {listening}"

    def test_that_is_down_is_not(self, folder: Path) -> None:
        sandbox("http://127.0.0.1:9")
        pulumi(folder, f"echo '{json.dumps(OUTPUTS)}'")
        assert find_stack(None, None).endpoint_url is None

    def test_gets_test_credentials_and_aws_does_not(self, listening: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
        sandbox(listening)
        in_sandbox = find_stack(None, None)
        SANDBOX_OUTPUTS.write_text(json.dumps(OUTPUTS))
        on_aws = find_stack(SANDBOX_OUTPUTS, None)
        keys = [stack._session.get_credentials().access_key for stack in (in_sandbox, on_aws)]  # type: ignore[union-attr]
        assert keys == ["test", "real"]
        assert in_sandbox.client("sqs").meta.endpoint_url == listening
