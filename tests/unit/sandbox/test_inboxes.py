"""Mail that SNS would send, published and subscribed through its API and read from the sandbox's inboxes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import pytest

from sandbox.emulator.inboxes import DEFAULT_SUBJECT, Inboxes
from tests.unit.sandbox.support import Sandbox

TOPIC = "arn:aws:sns:us-east-1:000000000000:labels"


@pytest.fixture
def topic(sandbox: Sandbox) -> str:
    """An encrypted topic's ARN."""
    attributes = {"KmsMasterKeyId": "alias/aws/sns"}
    arn: str = sandbox.client("sns").create_topic(Name=f"topic-{uuid4().hex[:8]}", Attributes=attributes)["TopicArn"]
    return arn


def subscribe(sandbox: Sandbox, topic: str, protocol: str = "email", **attributes: str) -> str:
    """Subscribe an address of its own; the address."""
    address = f"people-{uuid4().hex[:8]}@labels.example"
    sandbox.client("sns").subscribe(TopicArn=topic, Protocol=protocol, Endpoint=address, Attributes=attributes)
    return address


def inbox(sandbox: Sandbox, address: str) -> dict[str, Any]:
    with urlopen(f"{sandbox.endpoint}/_sandbox/inboxes") as response:  # noqa: S310 - our own endpoint
        inboxes = json.load(response)["inboxes"]
    return dict(next(each for each in inboxes if each["endpoint"] == address))


def texts(sandbox: Sandbox, address: str) -> list[str]:
    return [mail["text"] for mail in inbox(sandbox, address)["mails"]]


@pytest.mark.xdist_group("sandbox")
class TestMail:
    def test_a_mail_has_the_subject_the_text_and_the_id_of_what_was_published(
        self, sandbox: Sandbox, topic: str
    ) -> None:
        address, started = subscribe(sandbox, topic), datetime.now(UTC)

        sent = sandbox.client("sns").publish(TopicArn=topic, Subject="Brick seen", Message="99 % 🧱\nin a b.jpg")

        found = inbox(sandbox, address)
        (mail,) = found["mails"]
        assert found["topicArn"] == topic
        assert (mail["subject"], mail["text"]) == ("Brick seen", "99 % 🧱\nin a b.jpg")
        assert mail["messageId"] == sent["MessageId"]
        received = datetime.fromisoformat(mail["receivedAt"])
        assert started - timedelta(seconds=1) <= received <= datetime.now(UTC)

    def test_a_mail_without_a_subject_gets_the_one_of_sns(self, sandbox: Sandbox, topic: str) -> None:
        address = subscribe(sandbox, topic)

        sandbox.client("sns").publish(TopicArn=topic, Message="x")

        assert inbox(sandbox, address)["mails"][0]["subject"] == "AWS Notification Message"

    def test_a_subscription_has_an_empty_inbox_and_is_confirmed_at_once(self, sandbox: Sandbox, topic: str) -> None:
        address, sns = subscribe(sandbox, topic), sandbox.client("sns")

        (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]

        attributes = sns.get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])["Attributes"]
        assert attributes["PendingConfirmation"] == "false"
        assert inbox(sandbox, address)["mails"] == []

    def test_nobody_gets_mail_who_unsubscribed(self, sandbox: Sandbox, topic: str) -> None:
        address, sns = subscribe(sandbox, topic), sandbox.client("sns")
        (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]

        sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
        sns.publish(TopicArn=topic, Message="x")

        assert texts(sandbox, address) == []

    @pytest.mark.parametrize(
        ("variants", "text"),
        [
            ({"default": "all", "email": "mail"}, "mail"),
            ({"default": "all", "sqs": "queue"}, "all"),
            ({"default": "all", "email": {"not": "a string"}}, "all"),
            ({"default": "all", "email": ""}, ""),
        ],
    )
    def test_a_structured_message_sends_the_text_for_mail(
        self, sandbox: Sandbox, topic: str, variants: Any, text: str
    ) -> None:
        address = subscribe(sandbox, topic)

        sandbox.client("sns").publish(TopicArn=topic, MessageStructure="json", Message=json.dumps(variants))

        assert texts(sandbox, address) == [text]

    def test_email_json_gets_the_envelope_around_its_own_text(self, sandbox: Sandbox, topic: str) -> None:
        address = subscribe(sandbox, topic, "email-json")
        message = json.dumps({"default": "all", "email": "mail", "email-json": '{"label": "brick"}'})

        sandbox.client("sns").publish(
            TopicArn=topic,
            Subject="Seen",
            MessageStructure="json",
            Message=message,
            MessageAttributes={"confidence": {"DataType": "Number", "StringValue": "99.5"}},
        )

        envelope = json.loads(texts(sandbox, address)[0])
        assert (envelope["Type"], envelope["TopicArn"], envelope["Subject"]) == ("Notification", topic, "Seen")
        assert envelope["Message"] == '{"label": "brick"}'
        assert envelope["MessageAttributes"] == {"confidence": {"Type": "Number", "Value": "99.5"}}

    def test_every_message_of_a_batch_is_a_mail(self, sandbox: Sandbox, topic: str) -> None:
        address = subscribe(sandbox, topic)
        entries = [{"Id": str(i), "Message": f"m{i}", "Subject": f"s{i}"} for i in range(3)]

        sandbox.client("sns").publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)

        found = [(mail["subject"], mail["text"]) for mail in inbox(sandbox, address)["mails"]]
        assert found == [("s0", "m0"), ("s1", "m1"), ("s2", "m2")]

    def test_a_filter_policy_keeps_mails_out(self, sandbox: Sandbox, topic: str) -> None:
        address = subscribe(sandbox, topic, FilterPolicy=json.dumps({"status": ["labelled"]}))

        for status in ("labelled", "rejected"):
            attributes = {"status": {"DataType": "String", "StringValue": status}}
            sandbox.client("sns").publish(TopicArn=topic, Message=status, MessageAttributes=attributes)

        assert texts(sandbox, address) == ["labelled"]


class TestPeak:
    def peak(self, *moments: float) -> int:
        """The peak of an inbox that got one mail at each moment."""
        times = iter(moments)
        inboxes = Inboxes(now=lambda: next(times))
        inboxes.open(TOPIC, "a@b.example", "email")
        for number in range(len(moments)):
            inboxes.receive(TOPIC, "a@b.example", str(number), None, "x")
        return int(inboxes.as_json()["inboxes"][0]["peakPerSecond"])

    def test_no_mail_is_no_peak(self) -> None:
        assert self.peak() == 0

    def test_the_peak_is_the_most_within_any_second(self) -> None:
        assert self.peak(0.0, 0.6, 0.7, 1.5, 5.0) == 3

    def test_subscribing_again_keeps_the_mails(self) -> None:
        inboxes = Inboxes(now=lambda: 0.0)
        inboxes.open(TOPIC, "a@b.example", "email")
        inboxes.receive(TOPIC, "a@b.example", "1", None, "x")

        inboxes.open(TOPIC, "a@b.example", "email")

        (mail,) = inboxes.as_json()["inboxes"][0]["mails"]
        assert mail == {
            "messageId": "1",
            "subject": DEFAULT_SUBJECT,
            "text": "x",
            "receivedAt": "1970-01-01T00:00:00.000Z",
        }
