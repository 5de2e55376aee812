"""record-predictions as Lambda calls it: a batch of messages in, files in S3 out."""

import gzip
import importlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from custom_labels_batch.functions.record_predictions.recording import LONGEST_PUT_SECONDS
from custom_labels_batch.functions.shared.environment import WrongEnvironmentError
from custom_labels_batch.functions.shared.image_version import ImageVersion
from custom_labels_batch.functions.shared.prediction import Label, Prediction, Reason
from custom_labels_batch.functions.shared.predictions_batch import LONGEST_HIDE_SECONDS
from custom_labels_batch.functions.shared.work_queue import Wait
from tests.unit.functions.events import predictions_event, sqs_record
from tests.unit.functions.execution_environment import forget_the_functions
from tests.unit.functions.lambda_context import Context
from tests.unit.functions.predictions import NOON, prediction
from tests.unit.functions.timeouts import longest_call
from tests.unit.functions.world import REGION

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "analytics"
BRICK, GRASS = Label(name="brick", confidence=91.5), Label(name="grass", confidence=70.0)


def image(number: int, days_later: int = 0, key: str | None = None) -> ImageVersion:
    uploaded_at = NOON + timedelta(days=days_later)
    return ImageVersion("photographs", key or f"{number}.png", str(number), "5d41402a", "0061", 12, uploaded_at)


@dataclass
class Function:
    """The function in one execution environment, and the bucket it writes to."""

    module: ModuleType
    wiring: ModuleType
    s3: "S3Client"
    hidden: dict[str, int] = field(default_factory=dict)

    def __call__(self, event: dict[str, Any], context: Context | None = None) -> list[str]:
        """Invoke with an event; give the ids of the messages that come again."""
        response = self.module.handler(event, context or Context())
        return sorted(item["itemIdentifier"] for item in response["batchItemFailures"])

    def hide(self, waits: Sequence[Wait]) -> dict[str, str]:
        self.hidden |= {wait.record.message_id: wait.seconds for wait in waits}
        return {}

    def files(self) -> dict[str, list[dict[str, Any]]]:
        """Key -> rows of every file in the bucket."""
        keys = [item["Key"] for item in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        return {key: self.rows(key) for key in keys}

    def rows(self, key: str) -> list[dict[str, Any]]:
        body = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(body).decode().splitlines()]

    def images(self) -> list[str]:
        """The image key of every row."""
        return sorted(row["image_key"] for rows in self.files().values() for row in rows)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Function]]:
    monkeypatch.setenv("ANALYTICS_BUCKET_NAME", BUCKET)

    def start() -> Function:
        forget_the_functions()
        module = importlib.import_module("custom_labels_batch.functions.record_predictions.handler")
        wiring = importlib.import_module("custom_labels_batch.functions.record_predictions.wiring")
        function = Function(module, wiring, boto3.client("s3", REGION))
        monkeypatch.setattr(wiring.recording, "_now", lambda: NOON + timedelta(days=1))
        monkeypatch.setattr(wiring.queue, "hide_together", function.hide)
        return function

    with mock_aws():
        boto3.client("s3", REGION).create_bucket(Bucket=BUCKET)
        yield start
    forget_the_functions()


@pytest.fixture
def function(start: Callable[[], Function]) -> Function:
    return start()


class TestABatch:
    def test_of_a_thousand_images_of_a_day_is_one_file(self, function: Function) -> None:
        event = predictions_event(*(prediction(image(number), BRICK, GRASS) for number in range(1000)))

        assert function(event) == []
        ((key, rows),) = function.files().items()
        assert key.startswith("predictions/dt=2026-11-22/")
        assert len(rows) == 2000

    def test_of_two_days_is_a_file_for_each(self, function: Function) -> None:
        event = predictions_event(
            prediction(image(1), BRICK), prediction(image(2, days_later=1), BRICK), prediction(image(3), GRASS)
        )

        assert function(event) == []
        assert {key.split("/")[1]: [row["image_key"] for row in rows] for key, rows in function.files().items()} == {
            "dt=2026-11-22": ["1.png", "3.png"],
            "dt=2026-11-23": ["2.png"],
        }

    def test_that_comes_again_overwrites_its_file(self, function: Function) -> None:
        event = predictions_event(prediction(image(1), BRICK), prediction(image(2), GRASS))

        function(event)
        before = function.files()
        function({"Records": event["Records"][::-1]})

        assert function.files() == before
        assert len(before) == 1

    def test_with_a_prediction_twice_writes_it_once(self, function: Function) -> None:
        one = prediction(image(1), BRICK)

        assert function(predictions_event(one, one)) == []
        assert function.images() == ["1.png"]

    def test_keeps_rejected_images_and_those_without_labels(self, function: Function) -> None:
        rejected = prediction(image(2), reason=Reason(code="ImageTooSmall", message="It has 10 pixels"))

        assert function(predictions_event(prediction(image(1)), rejected)) == []
        (rows,) = function.files().values()
        found = {row["image_key"]: (row["status"], row["label"], row["reason_code"]) for row in rows}
        assert found == {"1.png": ("labelled", None, None), "2.png": ("rejected", None, "ImageTooSmall")}

    @pytest.mark.parametrize("key", ['"a",b\n.png', "🧱/é.png", "=1+1.png", "<script>.png", "k" * 1024])
    def test_keeps_every_key_as_it_is(self, function: Function, key: str) -> None:
        assert function(predictions_event(prediction(image(1, key=key), BRICK))) == []
        assert function.images() == [key]

    def test_writes_nothing_outside_the_predictions(self, function: Function) -> None:
        function(predictions_event(prediction(image(1, key="../../other"), BRICK)))

        assert all(key.startswith("predictions/dt=") for key in function.files())

    def test_that_makes_a_hundred_megabytes_of_rows_is_written_in_bounded_pieces(self, function: Function) -> None:
        """Each row repeats its image's key: 300 KB of messages, all of one day."""
        batch = [prediction(image(number, key="\x01" * 1024), *[BRICK] * 1000) for number in range(10)]

        assert function(predictions_event(*batch)) == []
        rows = list(function.files().values())
        assert sum(map(len, rows)) == 10 * 1000
        assert len(rows) == 4
        assert {row["image_id"] for found in rows for row in found} == {one.image_id for one in batch}


class TestAMalformedMessage:
    @pytest.mark.parametrize("body", ["not JSON", "{}", '{"Records": []}'])
    def test_fails_alone_and_comes_back_at_once(self, function: Function, body: str) -> None:
        event = predictions_event(prediction(image(1), BRICK), prediction(image(2), BRICK))
        event["Records"].insert(1, sqs_record(body, "malformed"))

        assert function(event) == ["malformed"]
        assert function.images() == ["1.png", "2.png"]
        assert function.hidden == {"malformed": 0}

    def test_with_a_number_no_query_could_read_fails_alone(self, function: Function) -> None:
        event = predictions_event(prediction(image(1), BRICK), prediction(image(2), BRICK))
        body = json.loads(event["Records"][1]["body"])
        body["labels"][0]["confidence"] = float("nan")
        event["Records"][1]["body"] = json.dumps(body)

        assert function(event) == [event["Records"][1]["messageId"]]
        assert function.images() == ["1.png"]


class TestAPredictionTheTableWouldNotShow:
    @pytest.mark.parametrize("days_later", [3, 10_000])
    def test_fails_alone_and_comes_back_at_once(self, function: Function, days_later: int) -> None:
        event = predictions_event(prediction(image(1), BRICK), prediction(image(2, days_later), BRICK))

        assert function(event) == ["1"]
        assert function.images() == ["1.png"]
        assert function.hidden == {"1": 0}


class TestAPredictionThatHasNoRows:
    def test_fails_alone(self, function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
        recording = importlib.import_module("custom_labels_batch.functions.record_predictions.recording")
        encode = recording.encode

        def encode_labels_only(found: Prediction) -> bytes:
            if not found.labels:
                raise KeyError("a mistake")
            rows: bytes = encode(found)
            return rows

        monkeypatch.setattr(recording, "encode", encode_labels_only)

        assert function(predictions_event(prediction(image(1), BRICK), prediction(image(2)))) == ["1"]
        assert function.images() == ["1.png"]


class TestTheTimeout:
    def test_leaves_files_that_could_not_be_ended_for_the_next_time(self, function: Function) -> None:
        context = Context()
        function.wiring.s3.meta.events.register(
            "before-call.s3.PutObject", lambda **_: setattr(context, "milliseconds", 42_000)
        )
        event = predictions_event(*(prediction(image(number, days_later=number), BRICK) for number in (-2, -1, 0)))

        assert function(event, context) == ["1", "2"]
        assert function.images() == ["-2.png"]
        assert set(function.hidden) == {"1", "2"}

    def test_is_long_enough_for_every_attempt_at_what_is_begun(self, function: Function) -> None:
        assert longest_call(function.wiring.s3) <= LONGEST_PUT_SECONDS
        assert longest_call(function.wiring.queue._sqs) <= LONGEST_HIDE_SECONDS


def refuse(s3: "S3Client", partition: str) -> None:
    """Let S3 answer that it is out of order for one day's files."""

    def answer(params: dict[str, Any], **_: object) -> None:
        if partition in params["Key"]:
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "Reduce your request rate"}}, "PutObject")

    s3.meta.events.register("provide-client-params.s3.PutObject", answer)


class TestAFileThatCannotBeWritten:
    def test_brings_back_the_messages_in_it_and_no_others(self, function: Function) -> None:
        refuse(function.wiring.s3, "dt=2026-11-23")
        days: list[Prediction] = [prediction(image(number, days_later=number % 2), BRICK) for number in range(6)]
        event = predictions_event(*days)

        ids = [record["messageId"] for record in event["Records"]]
        assert function(event) == sorted(ids[1::2])
        assert function.images() == ["0.png", "2.png", "4.png"]
        assert set(function.hidden) == set(ids[1::2])
        assert all(seconds > 0 for seconds in function.hidden.values())

    def test_is_written_when_they_come_again(self, function: Function) -> None:
        event = predictions_event(prediction(image(1), BRICK))
        function.s3.delete_bucket(Bucket=BUCKET)

        assert len(function(event)) == 1

        function.s3.create_bucket(Bucket=BUCKET)
        assert function(event) == []
        assert function.images() == ["1.png"]


def test_a_function_without_a_bucket_says_so(start: Callable[[], Function], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANALYTICS_BUCKET_NAME")

    with pytest.raises(WrongEnvironmentError, match="ANALYTICS_BUCKET_NAME is not set: it must be the name of"):
        start()
