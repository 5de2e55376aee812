"""Runs and releases that somebody or a time limit ends, at any moment: the next release clears up."""

import json

import pytest

from tests.workflows.definitions import NAMES, states
from tests.workflows.executions import Execution
from tests.workflows.scenarios import SCENARIOS, scenario_with
from tests.workflows.world import BATCH, RELEASE, Settings, World, the_world

MOMENTS = {
    "Task": ("TaskStateEntered", "TaskStarted", "TaskSucceeded"),
    "Wait": ("WaitStateEntered",),
    "Parallel": ("ParallelStateEntered",),
    "Choice": ("ChoiceStateEntered",),
    "Pass": ("PassStateEntered",),
}
"""When an execution can be ended inside a state: before a call, while it is under way, once it is answered."""


def end_at(world: World, machine: str, state: str, kind: str, status: str = "ABORTED") -> None:
    """End the first execution of a workflow that comes to this moment."""
    ended: list[Execution] = []

    def maybe(execution: Execution, event: str) -> None:
        if not ended and execution.machine == machine and execution.states[-1:] == [state] and event == kind:
            ended.append(execution)
            world.step_functions.end(execution, status)

    world.step_functions.on_event = maybe


def took_the_lock(run: Execution, world: World) -> bool:
    """Whether a run came as far as being the model's owner."""
    return any(request["Item"].get("executionArn") == {"S": run.arn} for request in world.called("PutItem"))


def release_of(run: Execution, world: World) -> bool:
    """Whether a run came as far as starting its own release."""
    return any(run.arn in execution.input for execution in world.step_functions.executions.values())


def moments(machine: str) -> list[tuple[str, str]]:
    """Every state of a workflow with every moment it can be ended at."""
    found = states(machine, *MOMENTS)
    return [(name, kind) for name, state in found.items() for kind in MOMENTS[state["Type"]]]


@pytest.mark.parametrize(("state", "kind"), moments(BATCH))
def test_an_aborted_run_is_released(state: str, kind: str) -> None:
    with scenario_with(state).world() as world:
        end_at(world, BATCH, state, kind)

        run = world.run()
        outcome = scenario_with(state).outcome if release_of(run, world) else "ABORTED"
        world.release()
        world.finish(*world.step_functions.executions.values())

        assert run.status == "ABORTED"
        records = [record for record in world.records if record["runExecutionArn"] == run.arn]
        assert [record["outcome"] for record in records] == [outcome] * took_the_lock(run, world)
        if world.mapping.enabled and not records:
            world.run()  # a mapping left open before the run took the lock
        world.assert_released()


@pytest.mark.parametrize("state", states(BATCH, "Task"))
def test_a_call_that_takes_effect_after_its_run_was_aborted_does_no_harm(state: str) -> None:
    with scenario_with(state).world() as world:
        world.step_functions.calls_land_late = True
        end_at(world, BATCH, state, "TaskStarted")

        run = world.run()
        world.timeline.pass_time(1)
        world.release()
        world.timeline.pass_time(10)
        world.release()  # the guard's next one
        if world.mapping.enabled:
            world.run()  # the next tick
        world.finish_all()

        assert run.status == "ABORTED"
        world.assert_released()


@pytest.mark.parametrize("seconds", [1, 5, 20, 40, 41, 42, 43, 44, 45, 60, 75, 90, 120])
def test_a_run_that_times_out_is_released(seconds: int) -> None:
    with the_world(Settings(model_start_minutes=0.5, timeout_seconds=seconds)) as world:
        world.upload(10_000)

        run = world.run()
        world.release()

        assert (run.status, run.error) == ("TIMED_OUT", "States.Timeout")
        assert world.record["outcome"] == "TIMED_OUT"
        assert world.record["cause"] == "States.Timeout"
        world.assert_released()


@pytest.mark.parametrize("name", NAMES)
def test_an_aborted_execution_does_nothing_more(name: str) -> None:
    with SCENARIOS["images wait"].world() as world:
        state = "Open the mapping" if name == BATCH else "Close the mapping"
        end_at(world, name, state, "TaskStateEntered")
        execution = world.start_run()
        while world.timeline.step() and not any(
            each.status == "ABORTED" for each in world.step_functions.executions.values()
        ):
            pass
        before = len(world.called("UpdateEventSourceMapping"))
        world.abort(execution)

        world.timeline.pass_time(3600)

        assert len(world.called("UpdateEventSourceMapping")) == before


@pytest.mark.parametrize(("state", "kind"), moments(RELEASE))
def test_a_release_that_dies_is_taken_over_by_the_next(state: str, kind: str) -> None:
    with scenario_with(state).world() as world:
        end_at(world, RELEASE, state, kind)
        run = world.run()
        records_before = len(world.records)

        world.release()

        assert run.status in {"FAILED", "SUCCEEDED"}
        assert len(world.records) >= max(1, records_before)
        assert {record["outcome"] for record in world.records} <= {
            "DRAINED",
            "GONE",
            "MAX_RUN_MINUTES",
            "FAILED",
            "ABORTED",
        }
        world.assert_released()


def test_the_release_goes_on_when_its_run_is_aborted() -> None:
    with SCENARIOS["images wait"].world() as world:
        run = world.start_run()
        world.wait_for(run, "Wait for the release")
        world.timeline.pass_time(5)
        world.abort(run)

        guard = world.release()
        assert guard.states[-1] == "The run is active"
        world.finish(*world.step_functions.executions.values())

        assert world.record["outcome"] == "DRAINED"
        world.assert_released()


class TestReleases:
    def test_a_release_leaves_a_live_run_alone(self, world: World) -> None:
        world.upload(1000)
        run = world.start_run()
        world.wait_for(run, "Wait while images are labelled")

        release = world.release()

        assert (release.status, release.states[-1]) == ("SUCCEEDED", "The run is active")
        assert world.finish(run).status == "SUCCEEDED"
        assert world.record["outcome"] == "DRAINED"

    def test_a_release_with_nothing_to_release_does_nothing(self, world: World) -> None:
        assert world.release().states[-1] == "Nothing to release"
        assert {api for api, _ in world.calls} == {"GetItem", "DescribeProjectVersions", "PutMetricData"}

    def test_a_person_may_give_any_object_as_input(self, world: World) -> None:
        world.upload(1000)
        run = world.start_run()
        world.wait_for(run, "Wait while images are labelled")
        world.abort(run)

        release = world.finish(world.start_release({"comment": "stop it, please"}))

        assert release.status == "SUCCEEDED"
        world.assert_released()

    @pytest.mark.parametrize("apart", [0, 0.1, 0.3, 0.5, 1, 5, 20, 70])
    def test_of_two_releases_only_one_acts(self, world: World, apart: float) -> None:
        world.upload(1000)
        run = world.start_run()
        world.wait_for(run, "Wait while images are labelled")
        world.abort(run)

        first = world.start_release()
        world.timeline.pass_time(apart)
        second = world.start_release()
        world.finish(first, second)

        assert sum("Close the mapping" in release.states for release in (first, second)) == 1
        assert {first.status, second.status} == {"SUCCEEDED"}
        assert len(world.called("StopProjectVersion")) == 1
        world.assert_released()

    @pytest.mark.parametrize("delayed_at", ["Look at the holder", "Take the lock over"])
    def test_a_release_that_comes_late_never_stops_the_model_of_a_new_run(self, world: World, delayed_at: str) -> None:
        world.upload(3000)
        dead = world.start_run()
        world.wait_for(dead, "Wait while images are labelled")
        world.abort(dead)
        late = world.start_release()
        world.wait_for(late, delayed_at)
        world.hold(late)
        world.release()
        run = world.start_run()
        world.wait_for(run, "Wait while images are labelled")

        world.let_go(late)
        world.finish(late)

        assert late.status == "SUCCEEDED"
        assert world.model.status == "RUNNING"
        assert world.mapping.enabled
        assert world.finish(run).status == "SUCCEEDED"
        assert world.queue.waiting == 0
        world.assert_released()

    def test_a_dead_releases_last_call_never_drops_the_lock_of_a_new_run(self, world: World) -> None:
        world.upload(3000)
        dead = world.start_run()
        world.wait_for(dead, "Wait while images are labelled")
        world.abort(dead)
        late = world.start_release()
        world.wait_for(late, "Drop the lock")
        world.hold(late)
        world.abort(late)
        world.release()
        run = world.start_run()
        world.wait_for(run, "Wait while images are labelled")

        world.step_functions.calls_land_late = True
        world.let_go(late)
        world.timeline.pass_time(10)

        assert world.lock is not None
        assert world.lock["executionArn"] == {"S": run.arn}

    def test_the_record_of_a_run_whose_release_died_counts_no_minute_after_the_stop(self, world: World) -> None:
        world.upload(1000)
        end_at(world, RELEASE, "Wait for the model to stop", "WaitStateEntered")
        world.run()
        world.timeline.pass_time(6 * 3600)

        world.release()

        assert world.record["billedInferenceUnitMinutes"] == pytest.approx(world.billed_minutes, abs=16 / 60)

    def test_what_a_failed_run_was_told_reaches_its_record(self, world: World) -> None:
        world.upload(10)
        run = world.start_run()
        world.wait_for(run, "Wait for the model to start")
        world.step_functions.end(run, "ABORTED", cause="wrong project")

        world.release()

        assert (world.record["outcome"], world.record["cause"]) == ("ABORTED", "wrong project")

    def test_the_event_of_an_end_is_believed_before_describe_execution(self, world: World) -> None:
        world.upload(1000)
        run = world.start_run()
        world.wait_for(run, "Wait while images are labelled")
        world.abort(run)
        run.status = "RUNNING"  # what an eventually consistent DescribeExecution may still say

        release = world.start_release({"endedExecutionArn": run.arn, "endedStatus": "ABORTED"})
        world.wait_for(release, "The model is released")

        assert world.record["outcome"] == "ABORTED"

    def test_the_event_of_another_runs_end_releases_nobody(self, world: World) -> None:
        world.upload(1000)
        run = world.start_run()
        world.wait_for(run, "Wait while images are labelled")

        release = world.finish(world.start_release({"endedExecutionArn": "another", "endedStatus": "FAILED"}))

        assert release.states[-1] == "The run is active"
        assert world.finish(run).status == "SUCCEEDED"

    def test_a_caller_that_lost_its_lock_releases_nobody_elses_model(self, world: World) -> None:
        world.upload(1000)
        run = world.start_run()
        world.wait_for(run, "Wait while images are labelled")

        release = world.finish(world.start_release({"executionArn": "somebody", "outcome": "DRAINED", "drained": True}))

        assert release.states[-1] == "The run is active"
        assert world.finish(run).status == "SUCCEEDED"
        assert json.loads(release.input)["drained"]
