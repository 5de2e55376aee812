"""A batch from a queue that is subscribed to the predictions topic."""

import doctest
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.shared import predictions_batch
from functions.shared.image_version import ImageVersion
from functions.shared.prediction import Prediction
from functions.shared.predictions_batch import Delivery, process
from functions.shared.work_queue import WorkQueue
from tests.unit.functions.events import predictions_event, sqs_record
from tests.unit.functions.predictions import prediction

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def image(number: int) -> ImageVersion:
    return ImageVersion("photographs", f"{number}.png", str(number), "5d41402a", "0061", 12, NOON)


ONE, TWO = prediction(image(1)), prediction(image(2))


class Effect:
    """Does nothing but remember what it was given, and fails as it is told to."""

    def __init__(self, *failing: str) -> None:
        self.given: list[Prediction] = []
        self.failing = failing

    def __call__(self, deliveries: Sequence[Delivery]) -> Mapping[str, Exception]:
        self.given += [delivery.prediction for delivery in deliveries]
        return {message_id: ConnectionError("no network") for message_id in self.failing}


class Queue(WorkQueue):
    """Remembers for how long each message is hidden."""

    def __init__(self) -> None:
        self.hidden: dict[str, int] = {}

    def hide(self, record: SQSRecord, seconds: int) -> None:
        self.hidden[record.message_id] = seconds


@pytest.fixture
def queue() -> Queue:
    return Queue()


def failed(response: PartialItemFailureResponse) -> list[str]:
    return [str(item["itemIdentifier"]) for item in response["batchItemFailures"]]


class TestABatch:
    def test_is_handed_over_whole(self, queue: Queue) -> None:
        effect = Effect()

        response = process(predictions_event(ONE, TWO), queue, effect)

        assert failed(response) == []
        assert effect.given == [ONE, TWO]

    @pytest.mark.parametrize("body", ["", "{}", "[]", '{"imageId": 1}', "not JSON", '{"Type": "Notification"}'])
    def test_goes_on_without_a_malformed_message_which_comes_back_at_once(self, queue: Queue, body: str) -> None:
        event = predictions_event(ONE, TWO)
        event["Records"].insert(1, sqs_record(body, "malformed"))
        effect = Effect()

        response = process(event, queue, effect)

        assert failed(response) == ["malformed"]
        assert effect.given == [ONE, TWO]
        assert queue.hidden == {"malformed": 0}

    def test_of_malformed_messages_alone_has_no_effect(self, queue: Queue) -> None:
        effect = Effect()

        assert failed(process({"Records": [sqs_record("", "0")]}, queue, effect)) == ["0"]
        assert effect.given == []

    def test_gives_back_the_messages_that_failed_and_no_other(self, queue: Queue) -> None:
        response = process(predictions_event(ONE, TWO), queue, Effect("1"))

        assert failed(response) == ["1"]
        assert 9 <= queue.hidden["1"] <= 16

    def test_comes_back_whole_when_what_is_done_with_it_breaks(self, queue: Queue) -> None:
        def broken(_: Sequence[Delivery]) -> Mapping[str, Exception]:
            raise KeyError("a mistake")

        assert failed(process(predictions_event(ONE, TWO), queue, broken)) == ["0", "1"]

    def test_comes_back_even_if_the_queue_cannot_be_told_when(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise ConnectionError("no queue")

        queue = Queue()
        monkeypatch.setattr(queue, "hide", refuse)

        assert failed(process(predictions_event(ONE), queue, Effect("0"))) == ["0"]


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(predictions_batch)
    assert result.attempted
    assert not result.failed
