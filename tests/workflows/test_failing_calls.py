"""Every call can fail: a while, for good, or with its answer lost. The model is released all the same."""

import pytest

from tests.workflows.definitions import body_tasks, states
from tests.workflows.scenarios import SCENARIOS, scenario_with
from tests.workflows.world import BATCH, RELEASE, Fault, World

GOES_ON = {
    "Close the mapping",
    "Look at the mapping",
    "Look at what is in flight",
    "Read the counts",
    "Record the run",
    "Look at what still waits",
    "Count what was billed",
    "Announce the end of the run",
    "Mail the summary",
    "Look for models in service",
    "Say what runs without a run",
    "Say that a run is active",
}
"""Tasks of release_model whose failure is no reason not to do the next."""

HELPFUL = {
    "Look up its usual start time",
    "Note its start time",
    "Start a run of the right size",
    "Note that the rest came since",
    "Forget since when images waited",
}
"""Tasks of batch_inference that a run succeeds without."""

every_way = pytest.mark.parametrize("way", SCENARIOS)


@every_way
def test_calls_that_are_throttled_twice_change_nothing(way: str) -> None:
    with SCENARIOS[way].world() as calm:
        expected = calm.run()
        calm.finish_all()
        outcomes = [record["outcome"] for record in calm.records]

    with SCENARIOS[way].world() as world:
        world.faults = [Fault("throttled", times=2, each_visit=True)]
        run = world.run()
        world.finish_all()

        assert "TaskFailed" in run.history
        assert (run.status, run.error) == (expected.status, expected.error)
        assert [record["outcome"] for record in world.records] == outcomes
        world.assert_released()


@pytest.mark.parametrize("task", sorted(HELPFUL))
def test_a_task_that_only_helps_fails_for_good_and_the_run_succeeds(task: str) -> None:
    with scenario_with(task).world() as world:
        world.faults = [fault := Fault("AccessDeniedException", state=task, machine=BATCH)]

        run = world.run()

        assert fault.struck
        assert (run.status, world.records[0]["outcome"]) == ("SUCCEEDED", scenario_with(task).outcome)
        world.assert_released()


@pytest.mark.parametrize("task", sorted({*body_tasks()} - HELPFUL))
def test_a_task_of_the_work_that_fails_for_good_fails_the_run_with_its_error(task: str) -> None:
    with scenario_with(task).world() as world:
        world.faults = [fault := Fault("AccessDeniedException", state=task, machine=BATCH)]

        run = world.run()

        assert fault.struck
        assert run.status == "FAILED"
        assert run.error.startswith(("Rekognition.", "DynamoDB.", "Lambda.", "Sqs."))
        assert "as the test wanted" in run.cause
        assert world.record["outcome"] == "FAILED"
        assert world.record["cause"] == f"{run.error}: {run.cause}"
        world.assert_released()


@pytest.mark.parametrize("task", sorted(states(BATCH, "Task").keys() - set(body_tasks()) - HELPFUL))
def test_a_task_around_the_work_that_fails_for_good_leaves_nothing_after_a_release(task: str) -> None:
    with scenario_with(task).world() as world:
        world.faults = [fault := Fault("AccessDeniedException", state=task, machine=BATCH)]

        run = world.run()
        world.release()
        if way_left_open(world):
            world.faults = []
            world.run()

        assert fault.struck
        assert run.status == "FAILED"
        world.assert_released()


@pytest.mark.parametrize("task", states(RELEASE, "Task"))
def test_a_release_goes_on_to_its_next_step_or_is_finished_by_the_next_release(task: str) -> None:
    with scenario_with(task).world() as world:
        world.faults = [fault := Fault("AccessDeniedException", state=task, machine=RELEASE)]

        run = world.run()

        assert fault.struck
        if task in GOES_ON:
            assert run.error == ""
            assert world.lock is None
        else:
            assert run.error == "ModelNotReleased"
            assert "stop the model by hand" in run.cause
        world.faults = []
        world.release()
        if way_left_open(world):
            assert world.run().status == "SUCCEEDED"
        world.assert_released()


@pytest.mark.parametrize(
    "api",
    [
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "StartExecution",
        "StartProjectVersion",
        "StopProjectVersion",
        "UpdateEventSourceMapping",
    ],
)
@pytest.mark.parametrize("after", range(3))
def test_a_change_whose_answer_is_lost_is_not_made_twice(api: str, after: int) -> None:
    with SCENARIOS["images wait"].world() as world:
        world.faults = [Fault("lost", api=api, times=1, after=after)]

        run = world.run()
        world.finish(world.start_release(), *world.step_functions.executions.values())

        assert run.status == "SUCCEEDED"
        assert world.queue.done == 100
        assert len(world.records) == 1
        assert len(world.model.sessions) == 1
        world.assert_released()


def test_a_model_that_nobody_can_look_at_is_stopped_and_the_release_says_it_is_not_sure() -> None:
    with SCENARIOS["images wait"].world() as world:
        world.faults = [Fault("AccessDeniedException", state="Look at the model")]

        run = world.run()

        assert run.error == "ModelNotReleased"
        assert world.model.status == "STOPPED"
        assert world.billed_minutes < 5


def test_a_model_that_cannot_be_stopped_fails_the_release_after_ninety_minutes() -> None:
    with SCENARIOS["images wait"].world() as world:
        world.faults = [Fault("AccessDeniedException", api="StopProjectVersion")]

        run = world.run()

        release = world.step_functions.executions[run.cause.split()[2]]
        assert (run.error, release.error) == ("ModelNotReleased", "ModelNotStopped")
        assert "is RUNNING 90 minutes after it was to be stopped" in release.cause
        assert world.lock is not None
        world.faults = []
        world.release()
        assert world.record["outcome"] == "DRAINED"
        assert world.record["billedInferenceUnitMinutes"] == pytest.approx(world.billed_minutes, abs=16 / 60)
        world.assert_released()


def way_left_open(world: World) -> bool:
    """Whether the mapping is for the next run to close, as it may be where nobody could close it."""
    world.timeline.pass_time(60)
    return world.mapping.state == "Enabled"
