"""`python -m sandbox deploy`: a folder in, outputs and state written, a second deployment an update."""

import json
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.deploy import deploy, destroy, main
from sandbox.errors import SandboxError
from sandbox.settings import SandboxSettings

pytestmark = pytest.mark.xdist_group("sandbox_deployer")

PROGRAM = """
import pulumi
import pulumi_aws as aws

queue = aws.sqs.Queue("images")
pulumi.export("imageQueueUrl", queue.url)
pulumi.export("projectArn", pulumi.Config().require("projectArn"))
pulumi.export("trigger", pulumi.Config().get("trigger"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: labels\nruntime: python\nconfig:\n  projectArn:\n    type: string\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    return tmp_path


@pytest.fixture
def settings(endpoint_url: str) -> SandboxSettings:
    return SandboxSettings(port=urlsplit(endpoint_url).port or 0)


def test_outputs_are_written_with_the_endpoint(folder: Path, settings: SandboxSettings, tmp_path: Path) -> None:
    outputs = deploy(folder, "sandbox", {"trigger": "upload"}, settings, build=tmp_path / "build")

    assert outputs["imageQueueUrl"].startswith(settings.endpoint_url)
    assert outputs["endpointUrl"] == settings.endpoint_url
    assert outputs["region"] == "us-east-1"
    assert outputs["trigger"] == "upload"
    assert outputs["projectArn"] == "arn:aws:rekognition:us-east-1:000000000000:project/surfaces/1793491200000"
    assert json.loads((tmp_path / "build" / "outputs.json").read_text()) == outputs


def test_a_stack_that_is_up_is_updated(folder: Path, settings: SandboxSettings, tmp_path: Path) -> None:
    build = tmp_path / "build"
    first = deploy(folder, "sandbox", {}, settings, build=build)

    second = deploy(folder, "sandbox", {"trigger": "upload"}, settings, build=build)

    assert second == {**first, "trigger": "upload"}
    assert destroy(settings, build=build) == 1


def test_another_stack_than_the_one_that_is_up_is_refused_until_that_is_destroyed(
    folder: Path, settings: SandboxSettings, tmp_path: Path
) -> None:
    build = tmp_path / "build"
    deploy(folder, "sandbox", {}, settings, build=build)

    with pytest.raises(SandboxError, match=r"^Stack sandbox of labels is up at http"):
        deploy(folder, "other", {}, settings, build=build)
    assert destroy(settings, build=build) == 1

    deploy(folder, "other", {}, settings, build=build)


def test_the_command_says_what_became_of_which_resource(
    folder: Path,
    settings: SandboxSettings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SANDBOX_PORT", str(settings.port))
    command = [str(folder), "--build", str(tmp_path / "build")]
    main(command)
    (folder / "__main__.py").write_text(PROGRAM.replace('"images"', '"images", delay_seconds=5'))
    capsys.readouterr()

    main(command)
    main(command)

    said = capsys.readouterr()
    assert re.fullmatch(r" ~  aws:sqs/queue:Queue +images +updated +[\d.]+ s \[delaySeconds\]\n", said.err)
    resources = [line for line in said.out.splitlines() if line.startswith("Resources:")]
    assert resources == ["Resources: 1 updated.", "Resources: 1 unchanged."]


def test_a_state_left_by_an_emulator_that_is_gone_is_no_obstacle(
    folder: Path, settings: SandboxSettings, tmp_path: Path
) -> None:
    build = tmp_path / "build"
    deploy(folder, "sandbox", {}, settings, build=build)
    state = json.loads((build / "state.json").read_text())
    state["resources"][0]["id"] = f"{settings.endpoint_url}/000000000000/of-an-older-emulator"
    (build / "state.json").write_text(json.dumps(state))

    deploy(folder, "sandbox", {}, settings, build=build)


def test_destroy_touches_no_other_endpoint_than_the_deployment_went_to(
    folder: Path, settings: SandboxSettings, tmp_path: Path
) -> None:
    build = tmp_path / "build"
    deploy(folder, "sandbox", {}, settings, build=build)
    state = json.loads((build / "state.json").read_text())
    state["endpointUrl"] = "http://127.0.0.1:1"
    (build / "state.json").write_text(json.dumps(state))

    with pytest.raises(SandboxError, match=r"went to http://127.0.0.1:1, not to"):
        destroy(settings, build=build)


def test_a_sandbox_that_is_not_up_is_said_at_once(folder: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(SandboxError, match=rf"Nothing answers at http://127\.0\.0\.1:{port}"):
        deploy(folder, "sandbox", {}, SandboxSettings(port=port), build=tmp_path / "build")


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(SandboxError, match="takes KEY=VALUE, not trigger"):
        main(["--config", "trigger"])
