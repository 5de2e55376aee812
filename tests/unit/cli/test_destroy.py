"""`clb destroy`."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from custom_labels_batch.cli.removal import Removal
from sandbox.deploy import REPOSITORY
from tests.unit.cli.aws_stack import VERSION, AwsStack
from tests.unit.cli.conftest import Cli, interrupt
from tests.unit.cli.test_stop import Terminal

Meanwhile = Callable[..., None]

PULUMI = """#!{python}
import pathlib, sys
here = pathlib.Path({folder!r})
arguments = [word for word in sys.argv[1:] if word != "--non-interactive"]
(here / "asked.txt").open("a").write(" ".join(arguments) + "\\n")
if arguments[0] == "destroy":
    print("Pulumi is at work")
    sys.exit(int((here / "exit_code").read_text()))
if arguments[:2] == ["stack", "--show-name"]:
    print("dev")
elif arguments[1] == "output":
    print((here / "outputs.json").read_text())
else:
    print((here / "export.json").read_text())
"""


@dataclass
class Pulumi:
    """A Pulumi CLI that knows one stack, dev, and notes what it is asked."""

    folder: Path

    def knows(
        self,
        outputs: dict[str, Any],
        forced: tuple[str, ...] = (),
        own: tuple[str, ...] = ("source", "final", "analytics"),
        retained: tuple[str, ...] = (),
        protected: tuple[str, ...] = (),
    ) -> None:
        (self.folder / "outputs.json").write_text(json.dumps(outputs))
        buckets = [
            {
                "urn": f"urn:pulumi:dev::custom-labels-batch::{type_}::batch-{kind}",
                "type": type_,
                "outputs": {"bucket": outputs[f"{kind}BucketName"], "forceDestroy": kind in forced},
                # As Pulumi's state has them: left out where they are not set.
                **({"retainOnDelete": True} if kind in retained else {}),
                **({"protect": True} if kind in protected else {}),
            }
            for kind in own
            for type_ in ("aws:s3/bucket:Bucket", "aws:s3/bucketPolicy:BucketPolicy")
        ]
        (self.folder / "export.json").write_text(json.dumps({"deployment": {"resources": buckets}}))

    def fails(self) -> None:
        (self.folder / "exit_code").write_text("255")

    @property
    def destroyed(self) -> list[str]:
        asked = (self.folder / "asked.txt").read_text().splitlines()
        return [line for line in asked if line.startswith("destroy")]


@pytest.fixture
def pulumi(aws: AwsStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pulumi:
    folder = tmp_path / "pulumi"
    folder.mkdir()
    program = folder / "pulumi"
    program.write_text(PULUMI.format(python=sys.executable, folder=str(folder)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "exit_code").write_text("0")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    aws.client("s3").create_bucket(Bucket="analytics", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    made = Pulumi(folder)
    made.knows(aws.outputs)
    return made


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """What happens between two looks at the release; asking Pulumi waits too, and is let."""

    def happens(*steps: Callable[[], Any]) -> None:
        left = list(steps)
        monkeypatch.setattr(
            "custom_labels_batch.cli.release.time",
            SimpleNamespace(sleep=lambda _: left.pop(0)(), monotonic=time.monotonic),
        )

    return happens


def schedule(aws: AwsStack) -> dict[str, Any]:
    found = aws.client("scheduler").get_schedule(GroupName="batch", Name="batch-run")
    return dict(found)


def test_an_idle_stack_is_destroyed_with_its_schedule_off_first(aws: AwsStack, cli: Cli, pulumi: Pulumi) -> None:
    said = cli("destroy", "--yes")
    assert (said.code, said.err) == (0, "")
    assert schedule(aws)["State"] == "DISABLED"
    assert pulumi.destroyed == ["destroy --stack dev --yes"]
    assert (
        "Switched the schedule off. Running pulumi destroy --stack dev --yes Destroyed Pulumi's current stack."
        in said.words
    )


def test_the_schedule_is_otherwise_as_it_was(aws: AwsStack, cli: Cli, pulumi: Pulumi) -> None:
    before = schedule(aws)
    cli("destroy", "--yes")
    changed = {key for key, value in schedule(aws).items() if before.get(key) != value}
    assert changed - {"ResponseMetadata", "LastModificationDate"} == {"State"}


def test_a_run_is_ended_and_its_model_stopped_before_pulumi_begins(
    aws: AwsStack, cli: Cli, pulumi: Pulumi, meanwhile: Meanwhile, labelling: str, released: Callable[[], None]
) -> None:
    def nothing_is_destroyed_yet() -> None:
        assert pulumi.destroyed == []
        assert schedule(aws)["State"] == "DISABLED"

    meanwhile(nothing_is_destroyed_yet, released)
    said = cli("destroy", "--yes")
    assert (said.code, said.err) == (0, "")
    assert "ended: run tick-1, and its model stopped" in said.words
    assert "Ended run tick-1. Released the model" in said.words
    assert len(pulumi.destroyed) == 1


def test_a_run_that_began_a_moment_before_is_ended_too(
    aws: AwsStack, cli: Cli, pulumi: Pulumi, meanwhile: Meanwhile, labelling: str, released: Callable[[], None]
) -> None:
    def released_while_a_tick_begins() -> None:
        released()
        aws.start(name="tick-2")

    meanwhile(released_while_a_tick_begins)
    assert cli("destroy", "--yes").code == 0
    assert [found["status"] for found in aws.executions()] == ["ABORTED", "ABORTED"]


def test_where_the_model_cannot_be_released_nothing_is_destroyed(
    aws: AwsStack, cli: Cli, pulumi: Pulumi, meanwhile: Meanwhile, labelling: str
) -> None:
    def fails() -> None:
        release = aws.executions("releaseStateMachineArn")[0]["executionArn"]
        aws.end(release, "FAILED", "ModelNotStopped", "v2 is STOPPING 90 minutes after it was to be stopped.")

    meanwhile(fails)
    said = cli("destroy", "--yes")
    assert said.code == 1
    assert said.err.startswith("error: nothing is destroyed: the release ")
    assert "clb destroy goes on where it was; to keep the stack instead, pulumi up --refresh switches" in said.err
    assert pulumi.destroyed == []


def test_ctrl_c_while_the_model_is_stopped_says_that_the_schedule_is_off(
    aws: AwsStack, cli: Cli, pulumi: Pulumi, meanwhile: Meanwhile, labelling: str
) -> None:
    meanwhile(interrupt)
    said = cli("destroy", "--yes")
    assert said.code == 130
    assert "Nothing is destroyed, but the schedule is off. clb destroy goes on where it was" in said.words
    assert pulumi.destroyed == []


def test_where_pulumi_fails_the_way_on_is_told(aws: AwsStack, cli: Cli, pulumi: Pulumi) -> None:
    pulumi.fails()
    said = cli("destroy", "--yes")
    assert said.code == 1
    assert said.err == (
        "error: pulumi destroy --stack dev --yes failed with exit code 255, see above. No run of the stack holds a "
        "model, and the schedule is off; clb destroy goes on where it was; to keep the stack instead, pulumi up "
        "--refresh switches the schedule on again\n"
    )


def test_it_says_what_is_lost_and_asks(
    aws: AwsStack, cli: Cli, pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.send("imageQueueUrl", 3)
    aws.send("imageDeadLetterQueueUrl", 1)
    aws.record("tick-0")
    aws.client("s3").put_object(Bucket="source", Key="a.jpg", Body=b"image")
    pulumi.knows(aws.outputs, forced=("source",))
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    said = cli("destroy")
    assert said.code == 130
    assert "lost: 4 messages of images that wait or failed" in said.words
    assert "lost: 1 record of runs; DynamoDB keeps a backup of the table for 35 days" in said.words
    assert "bucket source: deleted with 1 version of objects" in said.words
    assert "bucket final: deleted; it is empty" in said.words
    assert "stays: the Custom Labels project and its 1 version" in said.words
    assert schedule(aws)["State"] == "ENABLED"
    assert pulumi.destroyed == []


def test_a_bucket_that_will_be_in_the_way_is_told_before_and_after(aws: AwsStack, cli: Cli, pulumi: Pulumi) -> None:
    aws.client("s3").put_object(Bucket="final", Key="images/a.jpg", Body=b"image")
    pulumi.fails()
    said = cli("destroy", "--yes")
    assert "bucket final: stays, 1 version of objects" in said.words
    assert "fails at final when all else is gone; to keep them, set dataBuckets to retain and pulumi up" in said.words
    assert "final held objects." in said.err


def test_what_is_kept_is_told_before_and_after_with_what_it_holds(aws: AwsStack, cli: Cli, pulumi: Pulumi) -> None:
    for key in ("images/a.jpg", "images/a.jpg.json"):
        aws.client("s3").put_object(Bucket="final", Key=key, Body=b"image")
    pulumi.knows(aws.outputs, own=("final", "analytics"), retained=("final",))
    said = cli("destroy", "--yes")
    before, _, after = said.words.partition("Running pulumi destroy")
    assert "bucket final: stays, 2 versions of objects: dataBuckets retains it, private as it is" in before
    assert "stays: the Custom Labels project and its 1 version" in before
    assert after.endswith(
        "Destroyed Pulumi's current stack. Kept the Custom Labels project and its 1 version. Kept bucket source, "
        "0 versions of objects. Kept bucket final, 2 versions of objects."
    )


def test_where_a_bucket_is_protected_nothing_is_stopped_or_destroyed(
    aws: AwsStack, cli: Cli, pulumi: Pulumi, labelling: str
) -> None:
    pulumi.knows(aws.outputs, retained=("final", "analytics"), protected=("final", "analytics"))
    said = cli("destroy", "--yes")
    assert said.code == 1
    assert said.err.startswith(
        "error: nothing is destroyed and nothing was stopped: analytics, final are protected; to keep"
    )
    assert "set dataBuckets to retain and pulumi up" in said.err
    assert schedule(aws)["State"] == "ENABLED"
    assert [found["status"] for found in aws.executions()] == ["RUNNING"]
    assert pulumi.destroyed == []


def test_a_bucket_that_is_not_the_stacks_stays(aws: AwsStack, cli: Cli, pulumi: Pulumi) -> None:
    pulumi.knows(aws.outputs, own=("final", "analytics"))
    said = cli("destroy", "--yes")
    assert "bucket source: stays, 0 versions of objects: it is not the stack's own" in said.words


def test_a_model_that_a_person_started_is_left_and_told_with_how_to_stop_it(
    aws: AwsStack, cli: Cli, pulumi: Pulumi
) -> None:
    aws.versions = [aws.version("RUNNING", units=1)]
    said = cli("destroy", "--yes")
    assert said.code == 0
    assert said.words.count(f"aws rekognition stop-project-version --project-version-arn {VERSION}") == 2


def test_a_stack_without_runs_is_just_destroyed(aws: AwsStack, cli: Cli, pulumi: Pulumi) -> None:
    for name in ("stateMachineArn", "releaseStateMachineArn", "scheduleArn", "runsTableName"):
        aws.outputs[name] = None
    pulumi.knows(aws.outputs)
    assert cli("destroy", "--yes").code == 0
    assert len(pulumi.destroyed) == 1


def test_what_an_earlier_destroy_took_away_is_no_obstacle(aws: AwsStack, cli: Cli, pulumi: Pulumi) -> None:
    aws.client("scheduler").delete_schedule(GroupName="batch", Name="batch-run")
    aws.client("stepfunctions").delete_state_machine(stateMachineArn=aws.outputs["stateMachineArn"])
    aws.client("dynamodb").delete_table(TableName="runs")
    aws.client("s3").delete_bucket(Bucket="analytics")
    aws.client("sqs").delete_queue(QueueUrl=aws.outputs["imageQueueUrl"])
    said = cli("destroy", "--yes")
    assert (said.code, said.err) == (0, "")
    assert len(pulumi.destroyed) == 1


def test_another_stack_than_the_one_of_the_file_is_never_destroyed(aws: AwsStack, cli: Cli, pulumi: Pulumi) -> None:
    pulumi.knows({**aws.outputs, "imageQueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/another"})
    said = cli("destroy", "--yes", "--outputs", aws.file())
    assert said.code == 2
    assert "the Pulumi stack dev of this directory is not the stack of" in said.err
    assert schedule(aws)["State"] == "ENABLED"


def test_without_a_terminal_it_asks_nobody_and_destroys_nothing(aws: AwsStack, cli: Cli, pulumi: Pulumi) -> None:
    said = cli("destroy")
    assert said.code == 2
    assert "say --yes" in said.err
    assert pulumi.destroyed == []


def test_ctrl_c_reaches_pulumi_and_whoever_waits_for_it_goes_on_waiting(tmp_path: Path) -> None:
    """Pulumi ends tidily at Ctrl-C, which takes a while."""
    tidy = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: (time.sleep(0.5), pathlib.Path('tidy').touch(), sys.exit(3)))\n"
        "pathlib.Path('up').touch()\n"
        "time.sleep(60)\n"
    )
    wait = (
        "import sys; from custom_labels_batch.cli.removal import Removal; "
        f"sys.exit(Removal([sys.executable, '-c', {tidy!r}], []).run())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", wait],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        start_new_session=True,
    ) as process:
        while not (tmp_path / "up").exists():
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 3
    assert (tmp_path / "tidy").exists()


def test_the_command_is_told_as_people_type_it() -> None:
    assert Removal([sys.executable, "-m", "sandbox"], []).told == "python -m sandbox"
