"""notify-labels as Lambda calls it: a batch of messages in, notifications on the topic out."""

import importlib
import io
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.models import botocore_stubber
from moto.sns.models import sns_backends

from custom_labels_batch.functions.notify_labels.digest import Digest, Part
from custom_labels_batch.functions.notify_labels.notifications import LONGEST_PUBLISH_SECONDS
from custom_labels_batch.functions.shared.environment import WrongEnvironmentError
from custom_labels_batch.functions.shared.prediction import Label, Prediction, Reason
from custom_labels_batch.functions.shared.predictions_batch import LONGEST_HIDE_SECONDS
from custom_labels_batch.functions.shared.work_queue import Wait
from tests.unit.functions.alerts import image
from tests.unit.functions.events import predictions_event, sqs_record
from tests.unit.functions.execution_environment import forget_the_functions
from tests.unit.functions.lambda_context import Context
from tests.unit.functions.predictions import NOON, prediction
from tests.unit.functions.timeouts import longest_call
from tests.unit.functions.world import REGION

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient

ACCOUNT = "123456789012"
TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:labels"
CRACK, SCRATCH, GRASS = (
    Label(name=name, confidence=confidence) for name, confidence in (("crack", 55.0), ("scratch", 93.5), ("grass", 99))
)


@dataclass
class Function:
    """The function in one execution environment, the topic it publishes to, and a queue subscribed to that."""

    module: ModuleType
    wiring: ModuleType
    sqs: "SQSClient"
    inbox_url: str
    hidden: dict[str, int] = field(default_factory=dict)
    log: io.StringIO = field(default_factory=io.StringIO)

    def __call__(self, event: dict[str, Any], context: Context | None = None) -> list[str]:
        """Invoke with an event; give the ids of the messages that come again."""
        response = self.module.handler(event, context or Context())
        return sorted(item["itemIdentifier"] for item in response["batchItemFailures"])

    def hide(self, waits: Sequence[Wait]) -> dict[str, str]:
        self.hidden |= {wait.record.message_id: wait.seconds for wait in waits}
        return {}

    def mails(self) -> list[tuple[str, str]]:
        """Subject and text, as an e-mail subscription gets them."""
        topic = sns_backends[ACCOUNT][REGION].topics[TOPIC_ARN]
        return [(sent[2], json.loads(sent[1])["email"]) for sent in topic.sent_notifications]

    def subjects(self) -> list[str]:
        return [subject for subject, _ in self.mails()]

    def inbox(self) -> list[dict[str, Any]]:
        """What the queue got: SNS's envelopes, with the JSON document in them."""
        received = self.sqs.receive_message(QueueUrl=self.inbox_url, MaxNumberOfMessages=10).get("Messages", [])
        envelopes = [json.loads(message["Body"]) for message in received]
        return [{**envelope, "Message": json.loads(envelope["Message"])} for envelope in envelopes]

    def warnings(self) -> list[str]:
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line["message"] for line in lines if line["level"] == "WARNING"]

    def metrics(self, printed: str) -> dict[str, float]:
        found = json.loads(printed.splitlines()[-1])
        return {name: found[name][0] for name in ("ImagesNotified", "NotificationsPublished")}

    @property
    def sns(self) -> "SNSClient":
        client: SNSClient = self.wiring.notifications._topic._sns
        return client


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Function]]:
    """Start an execution environment, with other variables than the usual."""

    def start(**variables: str) -> Function:
        usual = {
            "NOTIFICATION_TOPIC_ARN": TOPIC_ARN,
            "LABELS_OF_INTEREST": '{"crack": 55, "scratch": 80}',
            "NOTIFICATION_MODE": "digest",
            "PRESIGNED_URL_MINUTES": "0",
            "POWERTOOLS_SERVICE_NAME": "notify-labels",
        }
        for name, value in {**usual, **variables}.items():
            monkeypatch.setenv(name, value)
        forget_the_functions()
        log = io.StringIO()
        observability = importlib.import_module("custom_labels_batch.functions.shared.observability")
        cast(logging.StreamHandler[Any], observability.logger.registered_handler).setStream(log)
        module = importlib.import_module("custom_labels_batch.functions.notify_labels.handler")
        wiring = importlib.import_module("custom_labels_batch.functions.notify_labels.wiring")
        function = Function(module, wiring, boto3.client("sqs", REGION), inbox_url, log=log)
        monkeypatch.setattr(wiring.queue, "hide_together", function.hide)
        return function

    with mock_aws():
        sns, sqs = boto3.client("sns", REGION), boto3.client("sqs", REGION)
        sns.create_topic(Name="labels")
        inbox_url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        sns.subscribe(TopicArn=TOPIC_ARN, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox")
        yield start
    forget_the_functions()


@pytest.fixture
def function(start: Callable[..., Function]) -> Function:
    return start()


def refuse(function: Function, subject: str, code: str = "InvalidParameter") -> None:
    """Let SNS refuse what has a text in its subject."""

    def answer(params: dict[str, Any], **_: object) -> None:
        if subject in params["Subject"]:
            raise ClientError({"Error": {"Code": code, "Message": "No"}}, "Publish")

    function.sns.meta.events.register("provide-client-params.sns.Publish", answer)


def break_links(function: Function, key: str) -> None:
    """Let the function fail at the link to one image."""
    links = function.wiring.notifications._links
    sign = links._link

    def link(found: Prediction) -> object:
        if found.image_key == key:
            raise KeyError("a mistake")
        return sign(found)

    links._link = link


def replace_in(record: dict[str, Any], path: Sequence[str | int], value: str) -> None:
    """Put other JSON, or what only looks like it, into a message's body."""
    body = json.loads(record["body"])
    *parents, name = path
    place = body
    for parent in parents:
        place = place[parent]
    place[name] = "here"
    record["body"] = json.dumps(body).replace('"here"', value)


class Throttle:
    """SNS, throttling the first requests."""

    def __init__(self, function: Function, requests: int) -> None:
        self.left = requests
        events = function.sns.meta.events
        events.unregister("before-send", cast(Any, botocore_stubber))
        events.register("before-send.sns.Publish", cast(Any, self.answer))

    def answer(self, event_name: str, request: AWSPreparedRequest, **_: object) -> Any:
        if not self.left:
            return botocore_stubber(event_name, request)
        self.left -= 1
        body = io.BytesIO(
            b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
        )
        body.stream = lambda *_, **__: iter([body.getvalue()])  # type: ignore[attr-defined]
        return AWSResponse(request.url, 400, HTTPHeaders(), body)


class TestADigest:
    def test_tells_once_about_all_images_with_a_label_of_interest(self, function: Function) -> None:
        event = predictions_event(
            prediction(image("a.jpg", 1), CRACK),
            prediction(image("b.jpg", 2), GRASS),
            prediction(image("c.jpg", 3), SCRATCH, GRASS),
            prediction(image("d.jpg", 4)),
        )

        assert function(event) == []
        ((subject, text),) = function.mails()
        assert subject == "2 images: 1 crack, 1 scratch"
        assert "\n1. c.jpg\n   scratch 93.5%\n" in text
        assert "\n2. a.jpg\n   crack 55.0%\n" in text
        assert "b.jpg" not in text
        assert "grass" not in text

    def test_gives_programs_json_and_attributes_to_filter_by(self, function: Function) -> None:
        function(predictions_event(prediction(image("a.jpg", 1), CRACK), prediction(image("b.jpg", 2), SCRATCH)))

        (envelope,) = function.inbox()
        assert [item["imageKey"] for item in envelope["Message"]["images"]] == ["b.jpg", "a.jpg"]
        assert envelope["Subject"] == "2 images: 1 crack, 1 scratch"
        assert {name: value["Value"] for name, value in envelope["MessageAttributes"].items()} == {
            "labels": '["crack", "scratch"]',
            "highestConfidence": "93.5000",
        }

    def test_tells_about_an_image_that_came_twice_once(self, function: Function) -> None:
        once = prediction(image("a.jpg"), CRACK)

        assert function(predictions_event(once, once)) == []
        assert function.subjects() == ["crack 55.0% in a.jpg"]

    def test_tells_what_was_found_last_in_an_image(self, function: Function) -> None:
        later = NOON + timedelta(minutes=1)
        event = predictions_event(
            prediction(image("a.jpg"), SCRATCH, processed_at=later), prediction(image("a.jpg"), CRACK)
        )

        assert function(event) == []
        assert function.subjects() == ["scratch 93.5% in a.jpg"]

    def test_is_not_sent_where_there_is_nothing_to_tell(self, function: Function) -> None:
        rejected = prediction(image(), reason=Reason(code="EmptyObject", message="the file is empty"))

        assert function(predictions_event(rejected, prediction(image("b.jpg", 2), GRASS))) == []
        assert function.mails() == []

    def test_is_counted(self, function: Function, capsys: pytest.CaptureFixture[str]) -> None:
        function(predictions_event(*(prediction(image(f"{n}", n), CRACK) for n in range(3))))

        assert function.metrics(capsys.readouterr().out) == {"ImagesNotified": 3, "NotificationsPublished": 1}

    def test_too_large_for_one_message_is_sent_in_parts(self, function: Function) -> None:
        many = [prediction(image(f"{n}" + "k" * 900, n), CRACK) for n in range(120)]

        assert function(predictions_event(*many)) == []
        assert function.subjects() == [f"120 images: 120 crack (part {n} of 3)" for n in (1, 2, 3)]

    def test_of_which_a_part_fails_brings_back_the_images_of_that_part_alone(self, function: Function) -> None:
        refuse(function, "(part 2 of 3)")
        many = [prediction(image(f"{n:03}" + "k" * 900, n), CRACK) for n in range(120)]

        again = function(predictions_event(*many))

        sent = {item["imageKey"] for envelope in function.inbox() for item in envelope["Message"]["images"]}
        assert again
        assert {many[int(message_id)].image_key for message_id in again} | sent == {found.image_key for found in many}
        assert len(again) + len(sent) == 120
        assert set(function.hidden) == set(again)

    def test_that_fails_brings_back_every_message_about_its_images_and_no_others(self, function: Function) -> None:
        refuse(function, "crack")
        twice = prediction(image("a.jpg", 1), CRACK)

        assert function(predictions_event(twice, prediction(image("b.jpg", 2), GRASS), twice)) == ["0", "2"]

    def test_is_published_when_sns_throttles_for_a_moment(self, function: Function) -> None:
        throttle = Throttle(function, requests=1)

        assert function(predictions_event(prediction(image("a.jpg"), CRACK))) == []
        assert throttle.left == 0
        assert function.subjects() == ["crack 55.0% in a.jpg"]


class TestOneMessageAnImage:
    def test_tells_about_each_image(self, start: Callable[..., Function]) -> None:
        function = start(NOTIFICATION_MODE="image")
        event = predictions_event(prediction(image("a.jpg", 1), CRACK), prediction(image("b.jpg", 2), SCRATCH))

        assert function(event) == []
        assert function.subjects() == ["crack 55.0% in a.jpg", "scratch 93.5% in b.jpg"]

    def test_is_no_faster_than_a_mail_subscription_bears(self, start: Callable[..., Function]) -> None:
        function = start(NOTIFICATION_MODE="image")
        before = monotonic()
        function(predictions_event(*(prediction(image(f"{n}", n), CRACK) for n in range(4))))

        assert monotonic() - before >= 3 / 4

    def test_brings_back_only_the_image_that_failed(self, start: Callable[..., Function]) -> None:
        function = start(NOTIFICATION_MODE="image")
        refuse(function, "b.jpg")

        assert function(predictions_event(*(prediction(image(f"{n}.jpg", i), CRACK) for i, n in enumerate("abc")))) == [
            "1"
        ]
        assert function.subjects() == ["crack 55.0% in a.jpg", "crack 55.0% in c.jpg"]

    def test_does_not_begin_to_publish_what_it_could_not_end(self, start: Callable[..., Function]) -> None:
        function = start(NOTIFICATION_MODE="image")
        event = predictions_event(prediction(image("a.jpg", 1), CRACK), prediction(image("b.jpg", 2), GRASS))

        assert function(event, Context(milliseconds=30_000)) == ["0"]
        assert function.mails() == []

    def test_is_not_sent_again_over_a_later_image_that_cannot_be_told_about(
        self, start: Callable[..., Function]
    ) -> None:
        function = start(NOTIFICATION_MODE="image")
        break_links(function, "b.jpg")

        assert function(predictions_event(*(prediction(image(f"{n}.jpg", i), CRACK) for i, n in enumerate("abc")))) == [
            "1"
        ]
        assert function.subjects() == ["crack 55.0% in a.jpg", "crack 55.0% in c.jpg"]

    def test_is_said_before_the_first_is_sent(
        self, start: Callable[..., Function], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        function = start(NOTIFICATION_MODE="image")
        notifications = importlib.import_module("custom_labels_batch.functions.notify_labels.notifications")
        parts_of = notifications.parts_of

        def parts_of_what_comes_before(digest: Digest) -> list[Part]:
            if function.mails():
                raise KeyError("a mistake")
            parts: list[Part] = parts_of(digest)
            return parts

        monkeypatch.setattr(notifications, "parts_of", parts_of_what_comes_before)

        assert function(predictions_event(*(prediction(image(f"{n}", n), CRACK) for n in range(3)))) == []


class TestAnImageThatCannotBeToldAbout:
    @pytest.mark.parametrize("mode", ["digest", "image"])
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("uploadedAt",), '"0001-01-01T00:00:00+10:00"'),
            (("labels", 0, "boundingBox"), '{"left": NaN, "top": 0, "width": 0, "height": 0}'),
            (("labels", 0, "boundingBox"), '{"left": Infinity, "top": 0, "width": 0, "height": 0}'),
            (("labels", 0, "confidence"), "1e999"),
            (("labels", 0, "confidence"), "1e300"),
            (("finalUri",), '"s3:///images/"'),
            (("finalUri",), '"s3://a b/images/x"'),
        ],
    )
    def test_fails_alone_as_malformed(
        self, start: Callable[..., Function], mode: str, path: tuple[str | int, ...], value: str
    ) -> None:
        function = start(NOTIFICATION_MODE=mode, PRESIGNED_URL_MINUTES="60")
        event = predictions_event(*(prediction(image(f"{n}.jpg", n), CRACK) for n in range(2)))
        replace_in(event["Records"][0], path, value)

        assert function(event) == ["0"]
        assert function.subjects() == ["crack 55.0% in 1.jpg"]
        assert function.hidden == {"0": 0}

    def test_keeps_no_other_from_a_digest(self, function: Function) -> None:
        break_links(function, "b.jpg")
        again = prediction(image("b.jpg", 1), CRACK)
        event = predictions_event(prediction(image("a.jpg"), CRACK), again, prediction(image("c.jpg", 2), CRACK), again)

        assert function(event) == ["1", "3"]
        assert function.subjects() == ["2 images: 2 crack"]


class TestTheTimeout:
    def test_is_long_enough_for_every_attempt_at_what_is_begun(self, function: Function) -> None:
        assert longest_call(function.sns) <= LONGEST_PUBLISH_SECONDS
        assert longest_call(function.wiring.queue._sqs) <= LONGEST_HIDE_SECONDS

    def test_is_not_spent_on_hiding_messages(self, function: Function) -> None:
        event = predictions_event(prediction(image("a.jpg"), CRACK))

        assert function(event, Context(milliseconds=9_000)) == ["0"]
        assert function.hidden == {}
        assert function.warnings() == ["Visibility timeouts could not be shortened"]


class TestAMalformedMessage:
    @pytest.mark.parametrize("body", ["not JSON", "{}", '{"Records": []}', "[]"])
    def test_fails_alone_and_comes_back_at_once(self, function: Function, body: str) -> None:
        event = predictions_event(prediction(image("a.jpg"), CRACK))
        event["Records"].insert(0, sqs_record(body, "malformed"))

        assert function(event) == ["malformed"]
        assert function.subjects() == ["crack 55.0% in a.jpg"]
        assert function.hidden == {"malformed": 0}


class TestALink:
    def test_is_in_the_mail_and_in_the_json(self, start: Callable[..., Function]) -> None:
        function = start(PRESIGNED_URL_MINUTES="60")
        function(predictions_event(prediction(image("a b.jpg"), CRACK)))

        ((_, text),) = function.mails()
        (envelope,) = function.inbox()
        (told,) = envelope["Message"]["images"]
        assert told["link"].startswith("https://final.s3.us-east-1.amazonaws.com/images/a%20b.jpg?versionId=v1&")
        assert text.splitlines()[-1] == told["link"]

    def test_that_would_outlive_its_credentials_is_warned_about(self, start: Callable[..., Function]) -> None:
        assert start(PRESIGNED_URL_MINUTES="720").warnings() == []
        (warning,) = start(PRESIGNED_URL_MINUTES="721").warnings()
        assert "last at most 720 minutes" in warning


class TestLabelsOfInterest:
    def test_of_which_there_are_none_send_nothing_and_that_is_said(self, start: Callable[..., Function]) -> None:
        function = start(LABELS_OF_INTEREST="{}")

        assert function(predictions_event(prediction(image(), CRACK))) == []
        assert function.mails() == []
        assert function.warnings() == ["There are no labels of interest: nothing will be sent"]

    def test_that_are_misspelt_are_worth_one_line(self, start: Callable[..., Function]) -> None:
        function = start(LABELS_OF_INTEREST='{"Crack": 55}')

        for _ in range(3):
            function(predictions_event(prediction(image(), CRACK)))

        assert len(function.warnings()) == 1
        assert function.warnings()[0].startswith("The model returns the label 'crack', not 'Crack'")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("NOTIFICATION_TOPIC_ARN", "labels", "the ARN of the notification topic"),
        ("LABELS_OF_INTEREST", '{"crack": 101}', "a JSON object of label to threshold, 0 to 100"),
        ("LABELS_OF_INTEREST", '["crack"]', "a JSON object of label to threshold, 0 to 100"),
        ("NOTIFICATION_MODE", "hourly", "digest or image"),
        ("PRESIGNED_URL_MINUTES", "10081", "a whole number from 0 (no links) to 10080"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_allowed(
    start: Callable[..., Function], name: str, value: str, allowed: str
) -> None:
    with pytest.raises(WrongEnvironmentError) as error:
        start(**{name: value})

    assert str(error.value).startswith(f"{name} is {value!r}: it must be {allowed}")
