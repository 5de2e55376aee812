"""examples/fargate/poller.py: the function's handler, fed from a queue without Lambda."""

import importlib
import json
import logging
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from tests.unit.functions.events import object_created
from tests.unit.functions.execution_environment import forget_the_functions
from tests.unit.functions.test_handler import Lambda, environment, runs_table, start  # noqa: F401
from tests.unit.functions.world import RefusalError, World, png

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:images"


@pytest.fixture
def poller(
    world: World,
    runs_table: None,  # noqa: F811
    start: Callable[[], Lambda],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ModuleType]:
    start()
    module = importlib.reload(importlib.import_module("examples.fargate.poller"))
    monkeypatch.setattr(logging.getLogger("analyze-image"), "disabled", True)
    yield module
    forget_the_functions()


@pytest.fixture
def queue_url(world: World) -> str:
    return world.sqs.create_queue(QueueName="images", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]


def send(world: World, queue_url: str, *keys: str) -> None:
    for key in keys:
        world.sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps(object_created(world.upload(key, png()))))


def waiting(world: World, queue_url: str) -> int:
    attributes = world.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


def test_images_are_labelled_and_their_messages_deleted(world: World, poller: ModuleType, queue_url: str) -> None:
    send(world, queue_url, "a.png", "b.png")

    assert poller.poll(world.sqs, queue_url, QUEUE_ARN) == 2

    assert world.document("images/a.png.json")["labels"][0]["name"] == "brick"
    assert len(world.published()) == 2
    assert waiting(world, queue_url) == 0


def test_a_message_that_failed_stays(world: World, poller: ModuleType, queue_url: str) -> None:
    send(world, queue_url, "a.png", "b.png")
    world.rekognition.refusals = [RefusalError("AccessDeniedException")]

    poller.poll(world.sqs, queue_url, QUEUE_ARN)

    assert len(world.published()) == 1
    assert waiting(world, queue_url) == 1
