"""A run is aborted, times out, begins twice or too early, or cannot release the model; a person takes a hand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.cases import always, case
from tests.faults.invariants import Place, assert_heals, assert_holds, counts
from tests.faults.pipeline import Pipeline

pytestmark = pytest.mark.xdist_group("faults")


@contextmanager
def time_limit(pipeline: Pipeline, seconds: int) -> Iterator[None]:
    """Runs that begin inside time out so soon."""
    states, machine = pipeline.cloud.stepfunctions, pipeline.outputs["stateMachineArn"]
    definition = states.describe_state_machine(stateMachineArn=machine)["definition"]
    limited = json.dumps({**json.loads(definition), "TimeoutSeconds": seconds})
    states.update_state_machine(stateMachineArn=machine, definition=limited)
    try:
        yield
    finally:
        states.update_state_machine(stateMachineArn=machine, definition=definition)


def abort(pipeline: Pipeline, execution: str) -> None:
    pipeline.cloud.stepfunctions.stop_execution(executionArn=execution)


@always
@case(
    "The run is aborted while the model is STARTING, or while it runs",
    "The rule on its end starts the release: the mapping is closed, the model stopped. The next run goes on.",
)
@pytest.mark.parametrize("status", ["STARTING", "RUNNING"])
def test_an_aborted_run_is_released_and_the_next_one_goes_on(pipeline: Pipeline, status: str) -> None:
    pipeline.upload_pictures(4)
    run = pipeline.start_run()
    pipeline.until_model(status)

    abort(pipeline, run)

    assert_holds(pipeline)
    assert pipeline.outcomes() == ["ABORTED"]
    assert_heals(pipeline)


@case(
    "The run times out while the model runs",
    "The rule on its end starts the release; the images wait for the next run.",
)
def test_a_run_that_times_out_is_released(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(4)
    pipeline.break_calls(errorRate={"InternalServerError": 1.0})
    with time_limit(pipeline, seconds=90):
        run = pipeline.start_run()
        assert pipeline.finish(run)["status"] == "TIMED_OUT"

    assert_holds(pipeline)
    assert pipeline.outcomes() == ["TIMED_OUT"]
    assert_heals(pipeline)


@always
@case("Three runs are started at once", "One gets the lock, the others end at once; the model is started once.")
def test_of_runs_started_at_once_one_works(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(4)
    sessions = len(pipeline.model()["sessions"])

    runs = [pipeline.start_run() for _ in range(3)]

    assert {pipeline.finish(run)["status"] for run in runs} == {"SUCCEEDED"}
    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: 4}
    assert (pipeline.outcomes(), len(pipeline.model()["sessions"]) - sessions) == (["DRAINED"], 1)


@case(
    "A run is started while another one's model is being stopped",
    "It ends at once; what waits is for the next run.",
)
def test_a_run_started_during_a_release_leaves_it_alone(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(2)
    first = pipeline.start_run()
    pipeline.until_model("STOPPING")
    pipeline.upload_pictures(2)

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert pipeline.finish(first)["status"] == "SUCCEEDED"
    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: 2, Place.WAITING: 2}
    assert_heals(pipeline)


@case(
    "A release is aborted while it stops the model",
    "The guard's next tick releases it once more.",
)
def test_a_release_that_is_aborted_is_done_by_the_guard(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(3)
    pipeline.break_calls(neverStops=True)
    run = pipeline.start_run()
    pipeline.until_model("STOPPING")

    for execution in pipeline.running_executions():
        if execution != run:
            abort(pipeline, execution)
    pipeline.lift()

    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "Rekognition refuses to stop the model for twenty minutes",
    "The release asks again and again, and keeps the lock; the model is stopped as soon as it can be. "
    "These minutes are billed.",
)
def test_a_model_that_cannot_be_stopped_is_stopped_as_soon_as_it_can(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(3)
    run = pipeline.start_run()
    pipeline.until_model("RUNNING")
    pipeline.break_calls(stopError="InternalServerError")

    pipeline.skip_hours(1 / 3)
    assert (pipeline.model_status(), len(pipeline.items("lock"))) == ("RUNNING", 1)
    pipeline.lift()

    pipeline.finish(run)
    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "Lambda refuses to close the mapping for half an hour",
    "The release gives that up after ten minutes and stops the model nevertheless. The schedule's next tick closes the "
    "mapping.",
    "Left: until that tick the mapping is open. The guard does not close it, since the lock is gone. Images that are "
    "received meanwhile are given back for minutes, which ten receives outlast.",
)
def test_a_mapping_that_cannot_be_closed_keeps_no_model_running(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(3)
    pipeline.start_run()
    pipeline.wait_for(lambda: pipeline.mapping_state() == "Enabled", "the open mapping")
    change = {"service": "lambda", "operation": "UpdateEventSourceMapping", "do": "error", "caller": "assumed-role"}
    pipeline.break_calls(change)

    pipeline.skip_hours(0.5)
    assert (pipeline.model_status(), pipeline.mapping_state()) == ("STOPPED", "Enabled")
    pipeline.lift()
    assert pipeline.run()["status"] == "SUCCEEDED"

    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "A person stops the model in the middle of a run",
    "The mapping is closed at once and the run ends; the images that were not labelled wait.",
)
def test_a_model_that_a_person_stops_in_a_run_stays_stopped(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(40)
    answered = pipeline.model()["calls"]["ok"]
    slowly = {"service": "rekognition", "operation": "DetectCustomLabels", "do": "delay", "seconds": 3.0}
    pipeline.break_calls(slowly)
    run = pipeline.start_run()
    pipeline.wait_for(lambda: pipeline.model()["calls"]["ok"] > answered, "the first answers")

    pipeline.stop_model()

    assert pipeline.finish(run)["status"] == "FAILED"
    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "A run that uses a person's model is aborted",
    "The mapping is closed, the lock dropped, and the model is left running, as the person left it.",
)
def test_an_aborted_run_leaves_a_persons_model_running(pipeline: Pipeline) -> None:
    pipeline.start_model()
    pipeline.upload_pictures(30)
    run = pipeline.start_run()
    pipeline.wait_for(lambda: pipeline.mapping_state() == "Enabled", "the open mapping")

    abort(pipeline, run)

    assert_holds(pipeline)
    assert_heals(pipeline)
    assert pipeline.model_status() == "RUNNING"
