"""`clb run`."""

from collections.abc import Callable
from io import StringIO

import pytest
from rich.console import Console

from custom_labels_batch.cli import run_watch
from custom_labels_batch.cli.run_view import RunView
from custom_labels_batch.cli.stack import Stack
from tests.unit.cli.aws_stack import AwsStack, milliseconds_ago
from tests.unit.cli.conftest import Cli, interrupt


def test_it_starts_a_run_and_does_not_wait(aws: AwsStack, cli: Cli) -> None:
    said = cli("run", "--outputs", aws.file())
    (execution,) = aws.executions()
    assert (said.code, execution["status"]) == (0, "RUNNING")
    assert f"Started run {execution['name']}." in said.words


def test_where_a_run_is_active_it_starts_no_other(aws: AwsStack, cli: Cli) -> None:
    aws.start(name="tick-1")
    said = cli("run", "--outputs", aws.file())
    assert "Run tick-1 is active; no other is started." in said.words
    assert len(aws.executions()) == 1


def test_waiting_tells_what_the_run_does_and_what_it_cost(
    aws: AwsStack, cli: Cli, meanwhile: Callable[..., None]
) -> None:
    run = aws.start()

    def begins() -> None:
        aws.lock(run, projectVersionArn="")

    def starts() -> None:
        aws.lock(run)
        aws.versions = [aws.version("STARTING", units=2)]

    def labels() -> None:
        aws.lock(run, modelRunningAt=milliseconds_ago(2))
        aws.versions = [aws.version("RUNNING", units=2)]

    def releases() -> None:
        aws.lock(run, executionArn="release", releaseStartedAt=milliseconds_ago(0))
        aws.versions = [aws.version("STOPPING", units=2)]

    def ends() -> None:
        aws.unlock()
        aws.record(run)
        aws.end(run)

    meanwhile(begins, starts, labels, releases, ends)
    said = cli("run", "--wait", "--outputs", aws.file())
    assert said.code == 0
    assert [line.split("  ")[-1] for line in said.out.splitlines()[1:]] == [
        "looks whether there is work",
        "chooses a version",
        "waits for the model to start, model STARTING",
        "labels images, model RUNNING",
        "closes the mapping and releases the model, model STOPPING",
        "SUCCEEDED, model STOPPING",
        "DRAINED: 90 images labelled, 10 rejected; 6.00 inference-unit minutes billed, 0.40 USD",
    ]


def test_ctrl_c_stops_watching_and_not_the_run(aws: AwsStack, cli: Cli, meanwhile: Callable[..., None]) -> None:
    run = aws.start()
    meanwhile(interrupt)
    said = cli("run", "--wait", "--outputs", aws.file())
    assert said.code == 130
    assert "Stopped watching; the run goes on." in said.words
    assert aws.executions()[0]["status"] == "RUNNING", run


def test_a_run_that_failed_is_exit_code_1_with_its_cause(
    aws: AwsStack, cli: Cli, meanwhile: Callable[..., None]
) -> None:
    run = aws.start()
    meanwhile(lambda: aws.end(run, "FAILED", "ModelDidNotStart", "v2 went to FAILED"))
    said = cli("run", "--wait", "--outputs", aws.file())
    assert said.code == 1
    assert said.err.startswith("error: run tick-1 FAILED: ModelDidNotStart: v2 went to FAILED; ")


def test_a_run_that_finds_another_one_active_is_left_for_that_one(
    aws: AwsStack, cli: Cli, meanwhile: Callable[..., None]
) -> None:
    run = aws.start()
    other = aws.start(name="tick-2")

    def loses() -> None:
        aws.lock(other)
        aws.end(run)

    def wins() -> None:
        aws.unlock()
        aws.record(other)
        aws.end(other)

    meanwhile(lambda: None, loses, wins)
    said = cli("run", "--wait", "--outputs", aws.file())
    assert "Another run is active: tick-2" in said.words
    assert "DRAINED: 90 images labelled" in said.words


def test_a_run_that_is_outgrown_is_followed_by_the_bigger_one(
    aws: AwsStack, cli: Cli, meanwhile: Callable[..., None]
) -> None:
    run = aws.start()

    def outgrown() -> None:
        aws.record(run, outcome="OUTGROWN")
        aws.end(run)
        aws.start(name="bigger")

    def drained() -> None:
        bigger = next(execution["executionArn"] for execution in aws.executions() if execution["name"] == "bigger")
        aws.record(bigger)
        aws.end(bigger)

    meanwhile(outgrown, drained)
    said = cli("run", "--wait", "--outputs", aws.file())
    assert "It was outgrown, and is followed by bigger" in said.words
    assert "DRAINED" in said.words


def test_a_run_without_work_says_so(aws: AwsStack, cli: Cli, meanwhile: Callable[..., None]) -> None:
    run = aws.start()
    meanwhile(lambda: aws.end(run))
    said = cli("run", "--wait", "--outputs", aws.file())
    assert said.code == 0
    assert "There was nothing to do" in said.words


def test_a_run_that_came_during_a_release_did_nothing_and_says_so(
    aws: AwsStack, cli: Cli, meanwhile: Callable[..., None]
) -> None:
    run = aws.start()
    aws.lock("arn:aws:states:eu-west-1:123456789012:execution:run:earlier", executionArn="release")
    meanwhile(lambda: aws.end(run))
    said = cli("run", "--wait", "--outputs", aws.file())
    assert said.code == 1
    assert "the model of the earlier run earlier is being released" in said.err


def test_a_stack_without_a_workflow_has_no_runs(aws: AwsStack, cli: Cli) -> None:
    aws.outputs["stateMachineArn"] = None
    said = cli("run", "--outputs", aws.file())
    assert said.code == 2
    assert "its trigger is upload" in said.err


def test_rate_time_left_and_bill_are_of_the_time_the_model_runs(aws: AwsStack) -> None:
    run = aws.start()
    aws.lock(run, modelRunningAt=milliseconds_ago(20))
    aws.send("imageQueueUrl", 60)
    stack = Stack("it", aws.outputs)
    look = next(run_watch.follow(stack, run))
    assert look.images_a_minute == pytest.approx(2, rel=0.05)
    assert look.minutes_left == pytest.approx(30, rel=0.05)
    assert look.billed_minutes == pytest.approx(40, rel=0.05)


def test_on_a_terminal_it_draws_how_far_the_run_is(aws: AwsStack) -> None:
    run = aws.start()
    aws.lock(run, modelRunningAt=milliseconds_ago(20))
    aws.send("imageQueueUrl", 60)
    terminal = Console(file=StringIO(), force_terminal=True, color_system=None, width=80)
    with RunView(terminal) as view:
        view.show(next(run_watch.follow(Stack("it", aws.outputs), run)))
    drawn = terminal.file.getvalue()  # type: ignore[attr-defined]
    for told in ("v2 STOPPED", "60 images left, 40 done", "2 images a minute", "30 min left", "minutes so far"):
        assert told in " ".join(drawn.split())


def test_a_model_somebody_else_started_is_not_billed_to_the_run(aws: AwsStack) -> None:
    run = aws.start()
    aws.lock(run, modelRunningAt=milliseconds_ago(20), startedByRun="false")
    assert next(run_watch.follow(Stack("it", aws.outputs), run)).billed_minutes == 0
