"""The function as Lambda calls it: a batch of messages in, those that must come again out."""

import importlib
import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from custom_labels_batch.functions.shared.image_version import ImageVersion
from custom_labels_batch.functions.shared.work_queue import WorkQueue
from tests.unit.functions.events import batch, sqs_record
from tests.unit.functions.execution_environment import forget_the_functions, set_analyze_image
from tests.unit.functions.lambda_context import Context
from tests.unit.functions.world import (
    FINAL,
    LOCK_KEY,
    RUNS,
    SOURCE,
    UNVERSIONED_SOURCE,
    VERSION_ARN,
    RefusalError,
    World,
    png,
)

if TYPE_CHECKING:
    from types_boto3_sqs.literals import QueueAttributeNameType


@pytest.fixture
def runs_table(world: World) -> None:
    """A runs table in which a run holds the lock."""
    world.create_runs_table()
    lock = {**LOCK_KEY, "executionArn": {"S": "run"}, "projectVersionArn": {"S": VERSION_ARN}}
    world.dynamodb.put_item(TableName=RUNS, Item=lock)


@pytest.fixture
def environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    set_analyze_image(monkeypatch, world)


@dataclass
class Lambda:
    """The function in one execution environment."""

    module: ModuleType
    hidden: dict[str, int] = field(default_factory=dict)
    log: io.StringIO = field(default_factory=io.StringIO)

    def __call__(self, event: dict[str, Any], context: Context | None = None) -> list[str]:
        """Invoke with an event; give the ids of the messages that come again."""
        response = self.module.handler(event, context or Context())
        return sorted(item["itemIdentifier"] for item in response["batchItemFailures"])

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@pytest.fixture
def start(world: World, environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Lambda]]:
    """Start an execution environment: import the function afresh and give it the world's Rekognition."""

    def start() -> Lambda:
        forget_the_functions()
        module = importlib.import_module("custom_labels_batch.functions.analyze_image.handler")
        wiring = importlib.import_module("custom_labels_batch.functions.analyze_image.wiring")
        world.rekognition.attach(wiring._detector._rekognition)
        function = Lambda(module)
        cast(logging.StreamHandler[Any], module.logger.registered_handler).setStream(function.log)
        monkeypatch.setattr(
            wiring.queue, "hide", lambda record, seconds: function.hidden.update({record.message_id: seconds})
        )
        return function

    yield start
    forget_the_functions()


@pytest.fixture
def function(runs_table: None, start: Callable[[], Lambda]) -> Lambda:
    return start()


def lock_item(world: World) -> dict[str, Any]:
    return dict(world.dynamodb.get_item(TableName=RUNS, Key=LOCK_KEY)["Item"])


class TestABatch:
    def test_of_good_images_is_done(self, world: World, function: Lambda) -> None:
        images = [world.upload(f"{number}.png", png()) for number in range(10)]

        assert function(batch(images)) == []
        assert len(world.keys(FINAL, "images/")) == 20
        assert world.keys(SOURCE) == []

    def test_gives_back_only_the_message_that_is_malformed(self, world: World, function: Lambda) -> None:
        event = batch([world.upload("a.png", png()), world.upload("b.png", png())])
        event["Records"].insert(1, sqs_record("not an event", "malformed"))

        assert function(event) == ["malformed"]
        assert world.keys(SOURCE) == []

    def test_of_which_all_fail_gives_all_back_without_failing_itself(self, world: World, function: Lambda) -> None:
        world.rekognition.refusals = [RefusalError("AccessDeniedException")] * 3
        images = [world.upload(f"{number}.png", png()) for number in range(3)]

        assert function(batch(images)) == ["0", "1", "2"]
        assert all(45 <= seconds <= 75 for seconds in function.hidden.values())

    def test_is_handled_by_as_many_threads_as_allowed(self, world: World, function: Lambda) -> None:
        together = threading.Barrier(4)
        world.rekognition.before_answer = lambda: together.wait(timeout=20)
        images = [world.upload(f"{number}.png", png()) for number in range(8)]

        assert function(batch(images)) == []

    def test_with_one_version_twice_labels_it_once(self, world: World, function: Lambda) -> None:
        image = world.upload("a.png", png())

        assert function(batch([image, image])) == []
        assert len(world.rekognition.requests) == 1
        assert len(world.published()) == 1

    @pytest.mark.parametrize("turned", [False, True])
    def test_with_two_versions_of_a_key_ends_with_the_later_on_top(
        self, world: World, function: Lambda, turned: bool
    ) -> None:
        images = [world.upload("a.png", png("old")), world.upload("a.png", png("new"))]

        assert function(batch(images[::-1] if turned else images)) == []
        assert world.final("images/a.png") == png("new")
        assert len(world.published()) == 2

    def test_after_another_in_lambdas_own_event_loop_is_done(
        self, world: World, function: Lambda, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LAMBDA_TASK_ROOT", "/var/task")

        for number in range(2):
            assert function(batch([world.upload(f"{number}.png", png())])) == []

        assert world.keys(SOURCE) == []

    def test_without_versions_in_its_bucket_is_done_too(
        self, world: World, start: Callable[[], Lambda], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOURCE_BUCKET_NAME", UNVERSIONED_SOURCE)
        monkeypatch.setenv("TRIGGER", "upload")
        function = start()

        assert function(batch([world.upload("a.png", png(), UNVERSIONED_SOURCE)])) == []
        assert world.final("images/a.png") == png()


class TestAThrottledImage:
    def test_is_asked_about_again_within_the_call(self, world: World, function: Lambda) -> None:
        world.rekognition.refusals = [RefusalError("ProvisionedThroughputExceededException")]

        assert function(batch([world.upload("a.png", png())])) == []
        assert len(world.rekognition.requests) == 2

    def test_comes_back_in_seconds_if_that_does_not_help(self, world: World, function: Lambda) -> None:
        world.rekognition.refusals = [RefusalError("ThrottlingException")] * 9

        assert function(batch([world.upload("a.png", png())], receive_count=3)) == ["0"]
        assert 1 <= function.hidden["0"] <= 16
        assert world.keys(SOURCE) == ["a.png"]


class TestAModelThatIsNotUp:
    def test_brings_the_whole_batch_back_in_minutes(self, world: World, function: Lambda) -> None:
        world.rekognition.running = []
        images = [world.upload(f"{number}.png", png()) for number in range(10)]

        assert len(function(batch(images))) == 10
        assert all(180 <= seconds <= 300 for seconds in function.hidden.values())
        assert len(function.hidden) == 10

    def test_is_asked_only_until_that_is_known(self, world: World, function: Lambda) -> None:
        world.rekognition.running = []
        images = [world.upload(f"{number}.png", png()) for number in range(10)]

        function(batch(images))

        assert len(world.rekognition.requests) <= 4, "more than one call a thread"

    def test_is_one_without_a_run_too(self, world: World, function: Lambda) -> None:
        world.dynamodb.delete_item(TableName=RUNS, Key=LOCK_KEY)

        assert function(batch([world.upload("a.png", png())])) == ["0"]
        assert function.hidden["0"] >= 180
        assert world.rekognition.requests == []


class TestImagesThatRekognitionRefusesWithoutAVisibleReason:
    @pytest.fixture
    def images(self, world: World) -> list[ImageVersion]:
        world.rekognition.refusals = [RefusalError("InvalidImageFormatException")] * 3
        return [world.upload(f"{number}.png", png()) for number in range(3)]

    def test_are_suspected_to_be_good_when_they_are_the_whole_batch(
        self, world: World, function: Lambda, images: list[ImageVersion]
    ) -> None:
        assert function(batch(images)) == ["0", "1", "2"]
        assert all(1 <= seconds <= 4 for seconds in function.hidden.values())
        assert world.keys(FINAL) == []

    def test_are_rejected_when_another_image_of_the_batch_was_labelled(
        self, world: World, function: Lambda, images: list[ImageVersion]
    ) -> None:
        good = world.upload("good.png", png())
        world.rekognition.refusals.pop()

        assert function(batch([*images, good])) == []
        assert len(world.keys(FINAL, "rejected/")) == 4

    def test_are_rejected_when_they_come_for_the_third_time(
        self, world: World, function: Lambda, images: list[ImageVersion]
    ) -> None:
        assert function(batch(images, receive_count=3)) == []
        assert len(world.keys(FINAL, "rejected/")) == 6

    def test_are_each_judged_by_their_own_count(self, function: Lambda, images: list[ImageVersion]) -> None:
        event = batch(images)
        event["Records"][1]["attributes"]["ApproximateReceiveCount"] = "3"

        assert function(event) == ["0", "2"]

    def test_are_rejected_at_once_when_there_is_only_one(self, function: Lambda, images: list[ImageVersion]) -> None:
        assert function(batch(images[:1])) == []

    def test_are_not_confused_with_files_that_show_why(self, world: World, function: Lambda) -> None:
        broken = [world.upload(f"{number}.png", b"no image") for number in range(3)]

        assert function(batch(broken)) == []
        assert len(world.keys(FINAL, "rejected/")) == 6


class TestAFunctionThatRunsOutOfTime:
    def test_gives_back_what_it_has_not_begun(self, world: World, function: Lambda) -> None:
        left = iter([60_000] * 7 + [29_000] * 4)

        class Ending(Context):
            def get_remaining_time_in_millis(self) -> int:
                return next(left)

        images = [world.upload(f"{number}.png", png()) for number in range(10)]

        failed = function(batch(images), Ending())

        assert len(failed) == 4
        assert all(1 <= seconds <= 5 for seconds in function.hidden.values())
        assert len(world.keys(FINAL, "images/")) == 12

    def test_has_begun_even_if_its_timeout_is_short(self, world: World, function: Lambda) -> None:
        assert function(batch([world.upload("a.png", png())]), Context(milliseconds=15_000)) == []


class TestTheRunsCounters:
    def test_count_each_image_once_however_often_it_comes(self, world: World, function: Lambda) -> None:
        event = batch([world.upload("a.png", png()), world.upload("b.png", b""), world.upload("c.png", png())])

        function(event)
        function(event)

        assert (lock_item(world)["processed"], lock_item(world)["rejected"]) == ({"N": "2"}, {"N": "1"})

    def test_bring_no_image_back_when_they_fail(self, world: World, function: Lambda) -> None:
        image = world.upload("a.png", png())
        world.rekognition.before_answer = lambda: world.dynamodb.delete_item(TableName=RUNS, Key=LOCK_KEY)

        assert function(batch([image])) == []
        assert "ConditionalCheckFailedException" in function.lines()[-1]["error"]


class TestUploadMode:
    def test_asks_the_version_that_runs(
        self, world: World, start: Callable[[], Lambda], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TRIGGER", "upload")
        monkeypatch.setenv("RUNS_TABLE_NAME", "")

        assert start()(batch([world.upload("a.png", png())])) == []
        assert world.document("images/a.png.json")["projectVersionArn"] == VERSION_ARN


class TestWhatIsReported:
    def test_every_line_about_an_image_names_it(self, world: World, function: Lambda) -> None:
        images = [world.upload(f"{number}.png", png()) for number in range(5)]

        function(batch(images))

        assert {(line["image_id"], line["image_key"]) for line in function.lines()} == {
            (image.image_id, image.key) for image in images
        }

    def test_a_line_about_one_message_does_not_name_the_image_of_another(self, world: World, function: Lambda) -> None:
        event = batch([world.upload("a.png", png())])
        event["Records"].append(sqs_record("not an event", "malformed"))

        function(event)

        (line,) = [line for line in function.lines() if line.get("message_id") == "malformed"]
        assert "image_key" not in line

    def test_metrics_count_what_happened(
        self, world: World, function: Lambda, capsys: pytest.CaptureFixture[str]
    ) -> None:
        event = batch([world.upload("a.png", png()), world.upload("b.png", png()), world.upload("c.png", b"")])

        function(event)

        metrics = json.loads(capsys.readouterr().out)
        assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "CustomLabelsBatch"
        assert metrics["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["function_name", "service"]]
        assert {name: metrics[name] for name in metrics if name != "_aws"} == {
            "function_name": "batch-analyze-image",
            "service": "analyze-image",
            "ImagesProcessed": [2.0],
            "ImagesRejected": [1.0],
            "ImagesThrottled": [0.0],
            "ModelNotReady": [0.0],
            "LabelsFound": [2.0],
        }


class TestTheQueue:
    def test_is_told_when_a_message_should_come_back(self, world: World) -> None:
        queue_url = world.sqs.create_queue(QueueName="images")["QueueUrl"]
        world.sqs.send_message(QueueUrl=queue_url, MessageBody="any")
        (message,) = world.sqs.receive_message(QueueUrl=queue_url, VisibilityTimeout=0)["Messages"]
        record = SQSRecord(sqs_record("any", "0", receipt_handle=message["ReceiptHandle"]))

        WorkQueue(world.sqs).hide(record, 200)

        names: list[QueueAttributeNameType] = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ]
        counts = world.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
        assert [counts[name] for name in names] == ["0", "1"]

    def test_that_cannot_be_told_gets_the_message_back_all_the_same(
        self, world: World, function: Lambda, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise ConnectionError("no queue")

        monkeypatch.setattr(function.module.queue, "hide", refuse)
        world.rekognition.running = []

        assert function(batch([world.upload("a.png", png())])) == ["0"]
        assert function.lines()[-1]["error"] == "no queue"


class TestAttempts:
    def test_are_paced_each_one_not_each_call(
        self, world: World, function: Lambda, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wiring = importlib.import_module("custom_labels_batch.functions.analyze_image.wiring")
        waits: list[None] = []
        monkeypatch.setattr(wiring._pacer, "wait", lambda: waits.append(None))
        world.rekognition.refusals = [RefusalError("ThrottlingException")] * 2

        assert function(batch([world.upload("a.png", png())])) == []
        assert len(waits) == len(world.rekognition.requests) == 3


class TestAWrongEnvironment:
    def test_stops_the_function_when_it_is_imported(
        self, start: Callable[[], Lambda], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DETECT_THREADS", "many")

        with pytest.raises(ValueError, match="DETECT_THREADS is 'many': it must be a whole number from 1 to 64"):
            start()
