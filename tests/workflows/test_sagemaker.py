"""The workflows as examples/sagemaker changes them: what holds for a model of Rekognition's holds for an endpoint.

The tests that come by import are the other files' own; they run here in a world with an endpoint.
"""

import json
from copy import deepcopy

import pytest

from custom_labels_batch.components.workflow import changed
from examples.sagemaker.endpoint import SageMakerEndpoint
from sandbox.asl_definition import problems
from tests.pretended_sagemaker import ARN
from tests.workflows import test_ends_from_outside as ends
from tests.workflows import world as worlds
from tests.workflows.definitions import NAMES, State, definition, states
from tests.workflows.sagemaker_world import SageMakerWorld
from tests.workflows.scenarios import SCENARIOS
from tests.workflows.test_any_fault import test_after_a_release_nothing_runs_on  # noqa: F401
from tests.workflows.test_ends_from_outside import (  # noqa: F401
    moments,
    test_a_release_that_dies_is_taken_over_by_the_next,
    test_a_run_that_times_out_is_released,
)
from tests.workflows.test_failing_calls import (  # noqa: F401
    test_a_release_goes_on_to_its_next_step_or_is_finished_by_the_next_release,
    test_a_task_around_the_work_that_fails_for_good_leaves_nothing_after_a_release,
    test_a_task_that_only_helps_fails_for_good_and_the_run_succeeds,
    test_calls_that_are_throttled_twice_change_nothing,
)
from tests.workflows.world import BATCH, Fault, Settings, World, the_world

SPEAKING = {
    "batch_inference": {
        "Look the pinned version up",
        "Look for the newest usable version",
        "Start the model",
        "Look at the starting model",
        "Look at the running model",
    },
    "release_model": {"Look for models in service", "Look at the model", "Stop the model"},
}
"""The states that speak to the model: docs/adapt.md names them."""

UNVISITED = {"Is a version pinned?", "Look the pinned version up", "Was the pinned version found?"}
"""There is one endpoint, and no versions of it: these states are gone, or no Choice any more."""

both = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def _endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "World", SageMakerWorld)


def adapted(name: str) -> State:
    machine = deepcopy(definition(name))
    changed(machine, SageMakerEndpoint().state_changes(name), set())
    return machine


@both
def test_these_states_speak_to_the_model_and_no_others(name: str) -> None:
    tasks = states(name, "Task")

    assert {key for key, task in tasks.items() if "rekognition" in task["Resource"]} == SPEAKING[name]


@both
def test_an_adapted_workflow_is_one_that_step_functions_takes(name: str) -> None:
    assert problems(adapted(name)) == []


@both
def test_an_adapted_workflow_does_not_know_rekognition(name: str) -> None:
    assert "rekognition" not in json.dumps(adapted(name)).lower()


@pytest.mark.parametrize(
    ("state", "kind"),
    # Looked for before it exists, the endpoint is not there: that call does not succeed.
    [
        each
        for each in moments(BATCH)
        if each[0] not in UNVISITED and each != ("Look for the newest usable version", "TaskSucceeded")
    ],
)
def test_an_aborted_run_is_released(state: str, kind: str) -> None:
    ends.test_an_aborted_run_is_released(state, kind)


@pytest.mark.parametrize("state", [task for task in states(BATCH, "Task") if task not in UNVISITED])
def test_a_call_that_takes_effect_after_its_run_was_aborted_does_no_harm(state: str) -> None:
    ends.test_a_call_that_takes_effect_after_its_run_was_aborted_does_no_harm(state)


def test_a_run_creates_the_endpoint_and_deletes_it() -> None:
    with SCENARIOS["images wait"].world() as world:
        run = world.run()

        assert run.status == "SUCCEEDED"
        assert world.called("CreateEndpoint") == [{"EndpointName": "surfaces", "EndpointConfigName": "surfaces-1"}]
        assert world.called("DeleteEndpoint") == [{"EndpointName": "surfaces"}]
        assert (world.record["outcome"], world.record["processed"]) == ("DRAINED", 100)
        assert world.record["projectVersionArn"] == ARN
        assert world.record["billedInferenceUnitMinutes"] == pytest.approx(world.billed_minutes, abs=16 / 60)
        assert "Model: surfaces, 1 inference unit" in world.mails[0]["Message"].splitlines()
        world.assert_released()


def test_a_large_backlog_gets_the_configuration_with_as_many_instances() -> None:
    with the_world(Settings(max_inference_units=4, target_drain_minutes=60, model_start_minutes=0.5)) as world:
        world.upload(50_000)

        world.run()

        assert world.called("CreateEndpoint")[0]["EndpointConfigName"] == "surfaces-3"
        world.assert_released()


def test_an_endpoint_that_a_person_created_is_used_and_left() -> None:
    with SCENARIOS["a person runs the model"].world() as world:
        world.run()

        assert not world.called("CreateEndpoint")
        assert not world.called("DeleteEndpoint")
        assert world.model.status == "RUNNING"
        assert world.record["processed"] == 100


def test_an_endpoint_that_fails_is_deleted_and_the_run_says_why() -> None:
    with SCENARIOS["the model fails to start"].world() as world:
        run = world.run()

        assert (run.status, run.error) == ("FAILED", "ModelDidNotStart")
        assert "went to Failed instead of RUNNING (No.)" in run.cause
        assert world.called("DeleteEndpoint")
        world.assert_released()


def test_a_quota_without_an_instance_fails_the_run_in_its_own_words() -> None:
    with SCENARIOS["the account has no inference unit left"].world() as world:
        run = world.run()

        assert run.error == "SageMaker.ResourceLimitExceededException"
        assert "not even with one instance: The account-level service limit is 0 Instances." in run.cause
        world.assert_released()


def test_a_configuration_that_is_not_there_fails_the_run_in_sagemakers_words() -> None:
    with the_world(Settings(max_inference_units=0)) as world:
        world.upload(100)

        run = world.run()

        assert run.error == "ModelDidNotStart"
        assert 'Could not find endpoint configuration "surfaces-1".' in run.cause
        world.assert_released()


@pytest.mark.parametrize("api", ["CreateEndpoint", "DeleteEndpoint"])
@pytest.mark.parametrize("after", range(2))
def test_a_change_whose_answer_is_lost_is_not_made_twice(api: str, after: int) -> None:
    with SCENARIOS["images wait"].world() as world:
        world.faults = [Fault("lost", api=api, times=1, after=after)]

        run = world.run()
        world.finish_all()

        assert run.status == "SUCCEEDED"
        assert len(world.model.sessions) == 1
        world.assert_released()


@pytest.mark.parametrize("status", ["RUNNING", "STARTING"])
def test_the_guard_measures_an_endpoint_that_serves_without_a_run(world: World, status: str) -> None:
    world.person_starts_model(units=2)
    world.timeline.pass_time(300 if status == "RUNNING" else 1)

    world.release()

    assert world.model.status == status
    assert world.measured("IdleInferenceUnits") == [2 if status == "RUNNING" else 0]


def test_the_guard_measures_nothing_where_there_is_no_endpoint(world: World) -> None:
    world.release()

    assert world.measured("IdleInferenceUnits") == [0]


def test_the_guard_says_nothing_where_it_may_not_look(world: World) -> None:
    world.faults = [Fault("AccessDeniedException", api="DescribeEndpoint")]

    world.release()

    assert world.measured("IdleInferenceUnits") == []


def test_an_endpoint_that_nobody_can_look_at_is_deleted_and_the_release_says_it_is_not_sure() -> None:
    with SCENARIOS["images wait"].world() as world:
        world.faults = [Fault("AccessDeniedException", state="Look at the model")]

        run = world.run()

        assert run.error == "ModelNotReleased"
        assert world.model.status == "STOPPED"
