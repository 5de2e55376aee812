"""`clb stop`."""

import json
from collections.abc import Callable
from io import StringIO

import pytest

from tests.unit.cli.aws_stack import VERSION, AwsStack
from tests.unit.cli.conftest import Cli, interrupt

Meanwhile = Callable[..., None]


class Terminal(StringIO):
    """Somebody who has typed an answer."""

    def isatty(self) -> bool:
        return True


def mapping_state(aws: AwsStack) -> str:
    found = aws.client("lambda").get_event_source_mapping(UUID=aws.outputs["eventSourceMappingUuid"])
    return str(found["State"])


def statuses(aws: AwsStack, machine: str = "stateMachineArn") -> list[str]:
    return [execution["status"] for execution in aws.executions(machine)]


def test_it_ends_the_run_and_waits_until_the_model_is_released(
    aws: AwsStack, cli: Cli, meanwhile: Meanwhile, labelling: str, released: Callable[[], None]
) -> None:
    meanwhile(lambda: None, released)
    said = cli("stop", "--yes", "--outputs", aws.file())
    assert (said.code, said.err) == (0, "")
    assert statuses(aws) == ["ABORTED"]
    assert "Ended run tick-1. Released the model" in said.words
    assert "Now no model runs, the mapping is closed and no run is active." in said.words


def test_it_tells_the_release_which_run_ended(
    aws: AwsStack, cli: Cli, meanwhile: Meanwhile, labelling: str, released: Callable[[], None]
) -> None:
    meanwhile(lambda: None, released)
    cli("stop", "--yes", "--outputs", aws.file())
    (release,) = aws.executions("releaseStateMachineArn")
    found = aws.client("stepfunctions").describe_execution(executionArn=release["executionArn"])
    assert json.loads(found["input"]) == {"endedExecutionArn": labelling, "endedStatus": "ABORTED"}


def test_a_run_that_step_functions_has_forgotten_is_released_too(
    aws: AwsStack, cli: Cli, meanwhile: Meanwhile, labelling: str, released: Callable[[], None]
) -> None:
    aws.end(labelling)
    aws.lock(labelling.replace("tick-1", "long-ago"))
    meanwhile(lambda: None, released)
    said = cli("stop", "--yes", "--outputs", aws.file())
    assert (said.code, said.err) == (0, "")
    assert len(aws.executions("releaseStateMachineArn")) == 1


def test_a_release_that_is_at_work_is_waited_for_and_not_doubled(
    aws: AwsStack, cli: Cli, meanwhile: Meanwhile, labelling: str, released: Callable[[], None]
) -> None:
    aws.end(labelling)
    aws.lock(labelling, executionArn=aws.start("releaseStateMachineArn", "release-1"))
    meanwhile(released)
    assert cli("stop", "--yes", "--outputs", aws.file()).code == 0
    assert len(aws.executions("releaseStateMachineArn")) == 1


def test_a_run_that_begins_meanwhile_is_ended_too(
    aws: AwsStack, cli: Cli, meanwhile: Meanwhile, labelling: str, released: Callable[[], None]
) -> None:
    def another_tick() -> None:
        aws.end(aws.executions("releaseStateMachineArn")[0]["executionArn"])
        aws.lock(aws.start(name="tick-2"))

    meanwhile(another_tick, released)
    assert cli("stop", "--yes", "--outputs", aws.file()).code == 0
    assert statuses(aws) == ["ABORTED", "ABORTED"]


def test_a_release_that_fails_is_exit_code_1_with_its_cause(
    aws: AwsStack, cli: Cli, meanwhile: Meanwhile, labelling: str
) -> None:
    def fails() -> None:
        release = aws.executions("releaseStateMachineArn")[0]["executionArn"]
        aws.end(release, "FAILED", "ModelNotStopped", "v2 is STOPPING 90 minutes after it was to be stopped.")

    meanwhile(fails)
    said = cli("stop", "--yes", "--outputs", aws.file())
    assert said.code == 1
    assert "FAILED: v2 is STOPPING 90 minutes after it was to be stopped." in said.err


def test_releases_that_leave_the_lock_are_not_started_for_ever(
    aws: AwsStack, cli: Cli, meanwhile: Meanwhile, labelling: str
) -> None:
    def ends() -> None:
        for release in aws.executions("releaseStateMachineArn"):
            aws.end(release["executionArn"])

    meanwhile(*[ends] * 3)
    said = cli("stop", "--yes", "--outputs", aws.file())
    assert said.code == 1
    assert "3 releases left the lock of" in said.err


def test_where_nothing_runs_it_says_so_and_changes_nothing(aws: AwsStack, cli: Cli) -> None:
    said = cli("stop", "--outputs", aws.file())
    assert said.code == 0
    assert "There is nothing to stop" in said.words
    assert aws.executions("releaseStateMachineArn") == []


def test_a_mapping_left_open_without_a_run_is_closed(aws: AwsStack, cli: Cli) -> None:
    aws.client("lambda").update_event_source_mapping(UUID=aws.outputs["eventSourceMappingUuid"], Enabled=True)
    said = cli("stop", "--yes", "--outputs", aws.file())
    assert said.code == 0
    assert mapping_state(aws) == "Disabled"


def test_a_model_that_a_person_started_is_left_and_told_with_how_to_stop_it(aws: AwsStack, cli: Cli) -> None:
    aws.versions = [aws.version("RUNNING", units=1)]
    said = cli("stop", "--yes", "--outputs", aws.file())
    assert said.code == 1
    assert f"aws rekognition stop-project-version --project-version-arn {VERSION}" in said.err


def test_without_a_terminal_it_asks_nobody_and_stops_nothing(aws: AwsStack, cli: Cli, labelling: str) -> None:
    said = cli("stop", "--outputs", aws.file())
    assert said.code == 2
    assert "say --yes" in said.err
    assert statuses(aws) == ["RUNNING"]


@pytest.mark.parametrize(("answer", "code", "status"), [("n", 130, "RUNNING"), ("y", 0, "ABORTED")])
def test_it_asks_first(
    aws: AwsStack,
    cli: Cli,
    meanwhile: Meanwhile,
    labelling: str,
    released: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
    status: str,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))
    meanwhile(released)
    said = cli("stop", "--outputs", aws.file())
    assert said.code == code
    assert statuses(aws) == [status]
    assert "Run tick-1 is active" in said.words


def test_ctrl_c_stops_watching_and_not_the_release(
    aws: AwsStack, cli: Cli, meanwhile: Meanwhile, labelling: str
) -> None:
    meanwhile(interrupt)
    said = cli("stop", "--yes", "--outputs", aws.file())
    assert said.code == 130
    assert "the release goes on" in said.words
    assert statuses(aws, "releaseStateMachineArn") == ["RUNNING"]
