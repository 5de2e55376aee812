"""A batch from a queue that is subscribed to the predictions topic."""

import doctest
import importlib
import io
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, cast

import boto3
import pytest
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from moto import mock_aws

from custom_labels_batch.functions.shared import predictions_batch
from custom_labels_batch.functions.shared.image_version import ImageVersion
from custom_labels_batch.functions.shared.observability import logger
from custom_labels_batch.functions.shared.prediction import Prediction
from custom_labels_batch.functions.shared.predictions_batch import Delivery, Effect, process
from custom_labels_batch.functions.shared.work_queue import MOST_IN_ONE_CALL, Wait, WorkQueue
from tests.unit.functions.events import predictions_event, sqs_record
from tests.unit.functions.predictions import prediction
from tests.unit.functions.world import REGION

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def image(number: int) -> ImageVersion:
    return ImageVersion("photographs", f"{number}.png", str(number), "5d41402a", "0061", 12, NOON)


ONE, TWO = prediction(image(1)), prediction(image(2))


class Remembering:
    """Does nothing but remember what it was given, and fails as it is told to."""

    def __init__(self, *failing: str) -> None:
        self.given: list[Prediction] = []
        self.failing = failing

    def __call__(self, deliveries: Sequence[Delivery]) -> Mapping[str, Exception]:
        self.given += [delivery.prediction for delivery in deliveries]
        return {message_id: ConnectionError("no network") for message_id in self.failing}


def fail(deliveries: Sequence[Delivery]) -> Mapping[str, Exception]:
    """Fail with everything, for one reason."""
    return {delivery.message_id: ConnectionError("no network") for delivery in deliveries}


class Queue(WorkQueue):
    """Remembers for how long each message is hidden, and in how many calls."""

    def __init__(self) -> None:
        self.hidden: dict[str, int] = {}
        self.calls = 0

    def hide_together(self, waits: Sequence[Wait]) -> dict[str, str]:
        assert 0 < len(waits) <= MOST_IN_ONE_CALL
        self.calls += 1
        self.hidden |= {wait.record.message_id: wait.seconds for wait in waits}
        return {}


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the batch logs."""
    handler = cast(logging.StreamHandler[Any], logger.registered_handler)
    found = io.StringIO()
    before = handler.setStream(found)
    yield found
    if before:
        handler.setStream(before)


def lines(log: io.StringIO, level: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in found if line["level"] == level]


def answer(event: dict[str, Any], queue: WorkQueue, effect: Effect, seconds: float = 120) -> list[str]:
    """The ids of the messages that come again, of a function that has so many seconds left."""
    response: PartialItemFailureResponse = process(event, queue, effect, lambda: seconds)
    return [str(item["itemIdentifier"]) for item in response["batchItemFailures"]]


def many(count: int) -> dict[str, Any]:
    return predictions_event(*(prediction(image(number)) for number in range(count)))


class TestABatch:
    def test_is_handed_over_whole(self, queue: Queue) -> None:
        effect = Remembering()

        assert answer(predictions_event(ONE, TWO), queue, effect) == []
        assert effect.given == [ONE, TWO]
        assert queue.calls == 0

    @pytest.mark.parametrize("body", ["", "{}", "[]", '{"imageId": 1}', "not JSON", '{"Type": "Notification"}'])
    def test_goes_on_without_a_malformed_message_which_comes_back_at_once(self, queue: Queue, body: str) -> None:
        event = predictions_event(ONE, TWO)
        event["Records"].insert(1, sqs_record(body, "malformed"))
        effect = Remembering()

        assert answer(event, queue, effect) == ["malformed"]
        assert effect.given == [ONE, TWO]
        assert queue.hidden == {"malformed": 0}

    def test_of_malformed_messages_alone_has_no_effect(self, queue: Queue) -> None:
        effect = Remembering()

        assert answer({"Records": [sqs_record("", "0")]}, queue, effect) == ["0"]
        assert effect.given == []

    def test_gives_back_the_messages_that_failed_and_no_other(self, queue: Queue) -> None:
        assert answer(predictions_event(ONE, TWO), queue, Remembering("1")) == ["1"]
        assert 9 <= queue.hidden["1"] <= 16

    def test_comes_back_whole_when_what_is_done_with_it_breaks(self, queue: Queue) -> None:
        def broken(_: Sequence[Delivery]) -> Mapping[str, Exception]:
            raise KeyError("a mistake")

        assert answer(predictions_event(ONE, TWO), queue, broken) == ["0", "1"]


class TestABatchThatFailed:
    def test_is_hidden_ten_messages_a_call(self, queue: Queue) -> None:
        assert len(answer(many(1000), queue, fail)) == 1000
        assert queue.calls == 100
        assert len(queue.hidden) == 1000
        assert len(set(queue.hidden.values())) > 1, "they would all come back at the same moment"

    def test_is_hidden_only_while_there_is_time(self, queue: Queue, log: io.StringIO) -> None:
        assert len(answer(many(25), queue, fail, seconds=9.9)) == 25
        assert queue.calls == 0
        (warning,) = lines(log, "WARNING")
        assert warning["messages"] == 25
        assert warning["error"].startswith("Too little of the function's timeout is left")

    def test_is_a_line_in_the_log_for_each_reason(self, queue: Queue, log: io.StringIO) -> None:
        event = many(30)
        event["Records"] += [sqs_record("not JSON", "malformed"), sqs_record("not JSON", "too")]

        answer(event, queue, fail)

        found = {line["error"]: (line["messages"], line["message_ids"]) for line in lines(log, "ERROR")}
        assert len(lines(log, "ERROR")) == 2
        assert found["no network"] == (30, [str(number) for number in range(30)])
        assert ["malformed", "too"] in [message_ids for _, message_ids in found.values()]

    def test_comes_back_even_if_the_queue_cannot_be_told_when(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
    ) -> None:
        calls = []

        def refuse(waits: Sequence[Wait]) -> dict[str, str]:
            calls.append(waits)
            raise ConnectionError("no queue")

        monkeypatch.setattr(queue, "hide_together", refuse)

        assert len(answer(many(25), queue, fail)) == 25
        assert len(calls) == 1, "every other call would take as long"
        (warning,) = lines(log, "WARNING")
        assert (warning["error"], warning["messages"]) == ("no queue", 25)


class TestTheQueue:
    @pytest.fixture
    def sqs(self) -> "Iterator[SQSClient]":
        with mock_aws():
            yield boto3.client("sqs", REGION)

    @pytest.fixture
    def event(self, sqs: "SQSClient") -> dict[str, Any]:
        """Twelve messages of a real queue, received and hidden."""
        queue_url = sqs.create_queue(QueueName="images")["QueueUrl"]
        records = []
        for number in range(12):
            sqs.send_message(QueueUrl=queue_url, MessageBody="any")
            (message,) = sqs.receive_message(QueueUrl=queue_url, VisibilityTimeout=600)["Messages"]
            receipt = message["ReceiptHandle"]
            records.append(sqs_record(prediction(image(number)).to_json(), str(number), receipt_handle=receipt))
        return {"Records": records}

    def test_shows_messages_again_when_it_is_told_to(self, sqs: "SQSClient", event: dict[str, Any]) -> None:
        queue = WorkQueue(sqs)
        for record in event["Records"]:
            record["body"] = "malformed"

        assert len(answer(event, queue, fail)) == 12
        assert visible(sqs) == 12

    def test_does_so_for_the_others_where_it_refuses_one(
        self, sqs: "SQSClient", event: dict[str, Any], log: io.StringIO
    ) -> None:
        for record in event["Records"]:
            record["body"] = "malformed"
        event["Records"][4]["receiptHandle"] = "of nobody"

        assert len(answer(event, WorkQueue(sqs), fail)) == 12
        assert visible(sqs) == 11
        (warning,) = lines(log, "WARNING")
        assert (warning["error"], warning["messages"]) == ("ReceiptHandleIsInvalid", 1)

    def test_says_which_it_refused(self, sqs: "SQSClient", event: dict[str, Any]) -> None:
        event["Records"][1]["receiptHandle"] = "of nobody"
        waits = [Wait(SQSRecord(record), 0) for record in event["Records"][:3]]

        assert WorkQueue(sqs).hide_together(waits) == {"1": "ReceiptHandleIsInvalid"}


def visible(sqs: "SQSClient") -> int:
    url = sqs.get_queue_url(QueueName="images")["QueueUrl"]
    name: Literal["ApproximateNumberOfMessages"] = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def test_the_examples_in_the_docstrings_hold() -> None:
    # Other tests import the module afresh; doctest looks into the one that is imported now.
    result = doctest.testmod(importlib.import_module(predictions_batch.__name__))
    assert result.attempted
    assert not result.failed
