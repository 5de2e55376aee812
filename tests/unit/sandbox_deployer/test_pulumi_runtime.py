"""The runtime: what a program gets, what is recorded of it, and how it fails."""

import asyncio
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import record_program

STACK_URN = "urn:pulumi:test::project::pulumi:pulumi:Stack::project-test"


def test_records_inputs_as_the_wire_has_them() -> None:
    def program() -> None:
        aws.sqs.Queue("images", sqs_managed_sse_enabled=True, visibility_timeout_seconds=360)

    queue = record_program(program).named("images")

    assert queue.inputs == {"sqsManagedSseEnabled": True, "visibilityTimeoutSeconds": 360}
    assert isinstance(queue.inputs["visibilityTimeoutSeconds"], int)
    assert queue.parent == STACK_URN


def test_exports_resolved_outputs_and_secrets_in_plain() -> None:
    def program() -> None:
        queue = aws.sqs.Queue("images")
        pulumi.export("arn", queue.arn)
        pulumi.export("secret", pulumi.Output.secret("hush"))
        pulumi.export("region", aws.get_region().region)

    outputs = record_program(program).outputs

    assert outputs["arn"].startswith("arn:aws:sqs:us-east-1:123456789012:images-")
    assert outputs["secret"] == "hush"
    assert outputs["region"] == "us-east-1"


def test_marks_which_inputs_were_secret() -> None:
    def program() -> None:
        aws.sns.Topic("alerts", display_name=pulumi.Output.secret("Alerts"))

    topic = record_program(program).named("alerts")

    assert topic.inputs["displayName"] == "Alerts"
    assert topic.secret_inputs == {"displayName"}


def test_records_property_and_explicit_dependencies() -> None:
    def program() -> None:
        dead_letters = aws.sqs.Queue("dead-letters")
        topic = aws.sns.Topic("topic")
        aws.sqs.Queue(
            "images",
            redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": dead_letters.arn}),
            opts=pulumi.ResourceOptions(depends_on=[topic]),
        )

    result = record_program(program)
    images, topic, dead_letters = (result.named(name) for name in ("images", "topic", "dead-letters"))

    assert images.property_dependencies["redrivePolicy"] == {dead_letters.urn}
    assert images.explicit_dependencies == {topic.urn}
    assert {topic.urn, dead_letters.urn} <= result.created_before(images)
    assert images.urn not in result.created_before(dead_letters)


def test_records_resource_options() -> None:
    def program() -> None:
        aws.sqs.Queue(
            "images",
            opts=pulumi.ResourceOptions(
                protect=True,
                retain_on_delete=True,
                delete_before_replace=True,
                ignore_changes=["visibilityTimeoutSeconds"],
                replace_on_changes=["name"],
                aliases=[pulumi.Alias(name="pictures")],
                custom_timeouts=pulumi.CustomTimeouts(create="5m"),
            ),
        )

    options = record_program(program).named("images").options

    assert (options.protect, options.retain_on_delete, options.delete_before_replace) == (True, True, True)
    assert options.ignore_changes == ("visibilityTimeoutSeconds",)
    assert options.replace_on_changes == ("name",)
    assert options.aliases[0]["name"] == "pictures"
    assert options.custom_timeouts == {"create": "5m"}


def test_a_child_of_components_has_all_their_types_in_its_urn() -> None:
    class Box(pulumi.ComponentResource):
        def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
            super().__init__("test:index:Box", name, None, opts)
            aws.sqs.Queue(f"{name}-queue", opts=pulumi.ResourceOptions(parent=self))
            self.register_outputs({"size": 3})

    def program() -> None:
        outer = Box("outer")
        Box("inner", pulumi.ResourceOptions(parent=outer))

    result = record_program(program)

    queue_type = "test:index:Box$test:index:Box$aws:sqs/queue:Queue"
    assert result.named("inner-queue").urn == f"urn:pulumi:test::project::{queue_type}::inner-queue"
    assert result.named("outer").outputs == {"size": 3}


def test_the_same_type_and_name_twice_is_an_error() -> None:
    def program() -> None:
        aws.sqs.Queue("images")
        aws.sqs.Queue("images")

    with pytest.raises(SandboxError, match=r"Duplicate resource URN .*::images'"):
        record_program(program)


def test_an_output_inside_text_is_an_error() -> None:
    def program() -> None:
        queue = aws.sqs.Queue("images")
        aws.sns.Topic("topic", display_name=f"for {queue.name}")

    with pytest.raises(SandboxError, match=r"Output.* is not supported"):
        record_program(program)


def test_a_programs_own_error_is_told_with_its_place() -> None:
    def program() -> None:
        raise ValueError("schedule: 'often' is not a rate")

    with pytest.raises(SandboxError, match=r"ValueError: schedule: 'often' .*test_pulumi_runtime\.py:\d+"):
        record_program(program)


class SettingsError(Exception):
    """An error class of the program's own."""


@pytest.mark.parametrize("error", [pulumi.RunError, SettingsError])
def test_an_error_for_the_user_is_told_as_it_is(error: type[Exception]) -> None:
    def program() -> None:
        raise error("projectArn is missing")

    with pytest.raises(SandboxError, match=r"^projectArn is missing$"):
        record_program(program)


def test_an_error_inside_apply_fails_the_program() -> None:
    def program() -> None:
        aws.sqs.Queue("images").arn.apply(lambda arn: {"found": arn}["missing"])

    with pytest.raises(SandboxError, match=r"KeyError: 'missing'"):
        record_program(program)


def test_a_program_that_does_not_end_is_given_up() -> None:
    release = threading.Event()
    started = time.monotonic()

    with pytest.raises(SandboxError, match=r"did not end within 0\.3 s"):
        record_program(release.wait, timeout=0.3)

    release.set()
    assert time.monotonic() - started < 5


def test_a_program_that_waits_forever_for_an_output_is_given_up() -> None:
    def program() -> None:
        # What an await that nothing resolves looks like from outside.
        pulumi.export("never", pulumi.Output.from_input(asyncio.get_event_loop().create_future()))

    with pytest.raises(SandboxError, match=r"did not end within"):
        record_program(program, timeout=0.3)


def test_a_failed_program_leaves_the_next_one_alone() -> None:
    def failing() -> None:
        aws.sqs.Queue("x" * 80)

    def working() -> None:
        aws.sqs.Queue("images")

    with pytest.raises(SandboxError):
        record_program(failing)

    assert [r.name for r in record_program(working).resources] == ["images"]


def test_preview_names_are_the_same_in_every_run() -> None:
    def program() -> None:
        aws.sqs.Queue("images")

    names = {record_program(program).named("images").outputs["name"] for _ in range(2)}

    assert len(names) == 1


def test_reads_configuration_as_text() -> None:
    seen: dict[str, Any] = {}

    def program() -> None:
        config = pulumi.Config()
        seen["schedule"] = config.get("schedule")
        seen["labels"] = config.get_object("labels")
        seen["confidence"] = config.get_float("confidence")

    record_program(program, config={"schedule": "rate(1 hour)", "labels": ["grass"], "confidence": 70.5})

    assert seen == {"schedule": "rate(1 hour)", "labels": ["grass"], "confidence": 70.5}


def test_a_folder_runs_as_the_cli_runs_it(tmp_path: Path) -> None:
    _write_program(
        tmp_path,
        main="import os, pulumi, helpers\nhelpers.export()\npulumi.export('here', os.path.basename(os.getcwd()))",
        helpers="import pulumi\ndef export():\n    pulumi.export('size', pulumi.Config().require_int('size'))",
    )

    outputs = record_program(tmp_path, config={"size": 3}).outputs

    assert outputs == {"here": tmp_path.name, "size": 3}
    assert "helpers" not in sys.modules


def test_two_folders_with_modules_of_the_same_name_do_not_mix(tmp_path: Path) -> None:
    for name in ("one", "two"):
        _write_program(
            tmp_path / name,
            main="import pulumi, helpers\npulumi.export('name', helpers.NAME)",
            helpers=f"NAME = {name!r}",
        )

    names = [record_program(tmp_path / name).outputs["name"] for name in ("one", "two", "one")]

    assert names == ["one", "two", "one"]


def test_a_lazy_import_inside_apply_fails_as_under_the_cli(tmp_path: Path) -> None:
    _write_program(
        tmp_path,
        main=(
            "import pulumi, pulumi_aws as aws\n"
            "def late(arn):\n    import helpers\n    return helpers.NAME\n"
            "pulumi.export('name', aws.sqs.Queue('q').arn.apply(late))"
        ),
        helpers="NAME = 'late'",
    )

    with pytest.raises(SandboxError, match=r"No module named 'helpers'"):
        record_program(tmp_path)


def test_a_folder_without_a_program_is_named(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: empty\nruntime: python\n")

    with pytest.raises(SandboxError, match=r"no __main__\.py"):
        record_program(tmp_path)


def _write_program(folder: Path, main: str, helpers: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (folder / "__main__.py").write_text(main)
    (folder / "helpers.py").write_text(helpers)
