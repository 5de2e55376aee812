"""The workflows as examples/fargate changes them: tasks of a service instead of the mapping."""

import json
from typing import Any

import pytest

from examples.fargate.service import OnService
from tests.workflows import world as worlds
from tests.workflows.scenarios import SCENARIOS
from tests.workflows.test_any_fault import test_after_a_release_nothing_runs_on  # noqa: F401
from tests.workflows.test_ends_from_outside import test_an_aborted_run_is_released  # noqa: F401
from tests.workflows.world import THROTTLED, Settings, World, the_world

Json = dict[str, Any]


class ServiceWorld(World):
    """The mapping's tap turned by the number of tasks."""

    def state_changes(self, workflow: str) -> Json:
        return OnService("vision", "poller").state_changes(workflow)

    def _answer(self, boto_name: str, operation: str, request: Json) -> Json:
        if boto_name != "ecs":
            return super()._answer(boto_name, operation, request)
        if operation == "UpdateService":
            assert (request["cluster"], request["service"]) == ("vision", "poller")
            self.mapping.set(enabled=request["desiredCount"] > 0)
            return {"service": {}}
        assert (request["cluster"], request["services"]) == ("vision", ["poller"])
        running = 0 if self.mapping.state == "Disabled" else 2
        return {"services": [{"desiredCount": 2 * self.mapping.enabled, "runningCount": running}]}


@pytest.fixture(autouse=True)
def _service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "World", ServiceWorld)
    monkeypatch.setitem(THROTTLED, "ecs", "ThrottlingException")


def test_a_run_starts_tasks_for_its_inference_units_and_ends_them() -> None:
    with the_world(Settings(max_inference_units=3, target_drain_minutes=10, model_start_minutes=0.5)) as world:
        world.upload(20_000)

        run = world.run()

        assert run.status == "SUCCEEDED"
        assert [request["desiredCount"] for request in world.called("UpdateService")] == [6, 0]
        assert not world.called("UpdateEventSourceMapping")
        assert "aws-sdk:lambda:" not in json.dumps(world.definitions)
        world.assert_released()


def test_tasks_that_nobody_ended_are_ended_by_the_next_tick() -> None:
    with SCENARIOS["the mapping was left open"].world() as world:
        world.run()

        assert [request["desiredCount"] for request in world.called("UpdateService")] == [0]
        world.assert_released()
