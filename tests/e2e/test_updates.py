"""`pulumi up` again, on the sandbox: other settings for a stack that is in use."""

import json
from typing import Any

import pytest

from sandbox.deployer.changes import Step
from sandbox.deployer.cloud import Cloud
from sandbox.fates import Fate
from tests.e2e.conftest import Update
from tests.e2e.deployed_stack import Stack
from tests.e2e.test_pipeline import assert_released, pictures

pytestmark = pytest.mark.xdist_group("updates")

FUNCTION, RUN = "Function batch-analyze-image", "StateMachine batch-run"


@pytest.fixture
def calls(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every call of a deployment that changes something, from here on."""
    made: list[str] = []
    client = Cloud.client

    def note(model: Any, **_: Any) -> None:
        if not model.name.startswith(("Get", "Head", "List", "Describe")):
            made.append(model.name)

    def listening(cloud: Cloud, service: str) -> Any:
        listened_to = client(cloud, service)
        listened_to.meta.events.register("before-call", note)
        return listened_to

    monkeypatch.setattr(Cloud, "client", listening)
    return made


def labels(stack: Stack, key: str) -> dict[str, Any]:
    name = f"images/{key}.json"
    body = stack.cloud.s3.get_object(Bucket=stack.outputs["finalBucketName"], Key=name)["Body"].read()
    return dict(json.loads(body))


@pytest.mark.usefixtures("stack")
class TestWithoutAChange:
    def test_nothing_is_touched(self, update_stack: Update, calls: list[str]) -> None:
        assert update_stack() == {}
        assert calls == []


class TestOtherSettings:
    @pytest.mark.usefixtures("stack")
    def test_change_just_what_they_are_in(self, update_stack: Update, calls: list[str]) -> None:
        assert update_stack(minConfidence="20") == {FUNCTION: Step.UPDATED}
        assert calls == ["UpdateFunctionConfiguration"]

    def test_hold_for_the_next_run(self, stack: Stack, update_stack: Update) -> None:
        first, second = pictures(2)
        stack.upload(first)
        assert stack.run()["status"] == "SUCCEEDED"

        changed = update_stack(minConfidence="100", maxRunMinutes="600", notificationMode="image")

        assert {FUNCTION, RUN, "Function notification-notify-labels"} <= changed.keys()
        assert set(changed.values()) == {Step.UPDATED}
        stack.upload(second)
        assert stack.run()["status"] == "SUCCEEDED"
        assert_released(stack)
        assert [len(labels(stack, picture.key)["labels"]) for picture in (first, second)] == [1, 0]

    @pytest.mark.usefixtures("stack")
    def test_take_away_what_belonged_to_the_old_ones(self, update_stack: Update) -> None:
        made = update_stack(notificationEmails='["people@example.com"]')
        assert set(made.values()) == {Step.CREATED}

        assert update_stack() == dict.fromkeys(made, Step.DELETED)


class TestAnotherTrigger:
    def test_removes_the_workflows_and_keeps_the_images(self, stack: Stack, update_stack: Update) -> None:
        stack.upload(*pictures(2))

        changed = update_stack(trigger="upload")

        assert changed[RUN] == Step.DELETED
        assert changed["EventSourceMapping batch-images"] == Step.UPDATED
        assert "Queue batch-images" not in changed
        assert stack.mapping_state() == "Enabled"
        assert {image.fate for image in stack.fates()} == {Fate.WAITING}
