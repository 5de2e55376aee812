"""Skipping the time in which nothing works, through the sandbox's own path."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.unit.sandbox.mapped_function import Mapped
from tests.unit.sandbox.support import Sandbox, wait_until

pytestmark = pytest.mark.xdist_group("sandbox")

DAY = 24 * 3600


def skip(sandbox: Sandbox, until: str | None = None) -> dict[str, Any]:
    url, body = f"{sandbox.endpoint}/_sandbox/clock/skip", json.dumps({"until": until}).encode()
    with urlopen(Request(url, data=body, method="POST")) as answer:  # noqa: S310 - our own endpoint
        return dict(json.load(answer))


def now(sandbox: Sandbox) -> datetime:
    return datetime.fromisoformat(sandbox.model()["now"])


def waits(seconds: int) -> dict[str, Any]:
    return {"Wait": {"Type": "Wait", "Seconds": seconds, "Next": "End"}, "End": {"Type": "Succeed"}}


def test_a_wait_of_days_is_over_at_once_and_lasted_days(sandbox: Sandbox) -> None:
    before = now(sandbox)
    execution = sandbox.start(sandbox.machine(waits(3 * DAY)))

    wait_until(lambda: skip(sandbox) and now(sandbox) - before > timedelta(seconds=3 * DAY))

    assert sandbox.ended(execution)["status"] == "SUCCEEDED"
    assert now(sandbox) - before < timedelta(seconds=3 * DAY, minutes=30)


def test_nothing_is_skipped_past_until(sandbox: Sandbox) -> None:
    sandbox.start(sandbox.machine(waits(DAY)))
    until = now(sandbox) + timedelta(hours=1)

    while (answer := skip(sandbox, until.isoformat()))["busy"]:
        time.sleep(0.05)

    assert datetime.fromisoformat(answer["now"]) - until < timedelta(seconds=30)


def test_a_wrong_until_is_refused_in_words(sandbox: Sandbox) -> None:
    with pytest.raises(HTTPError) as refused:
        skip(sandbox, datetime.now(UTC).replace(tzinfo=None).isoformat())

    assert refused.value.code == 400
    assert "allowed is an ISO time with a time zone" in refused.value.read().decode()


def test_nothing_is_skipped_while_a_function_works(sandbox: Sandbox) -> None:
    mapped = Mapped(sandbox, work="time.sleep(2)")
    sandbox.start(sandbox.machine(waits(DAY)))

    mapped.send(1)
    wait_until(lambda: mapped.counts() == (0, 1))

    assert skip(sandbox)["busy"]


def test_a_hidden_message_comes_back_when_its_time_is_skipped(sandbox: Sandbox) -> None:
    sqs, (queue, _) = sandbox.client("sqs"), sandbox.queue()
    sqs.send_message(QueueUrl=queue, MessageBody="later")
    handle = sqs.receive_message(QueueUrl=queue)["Messages"][0]["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=12 * 3600)

    before = now(sandbox)
    wait_until(lambda: skip(sandbox) and now(sandbox) - before > timedelta(hours=12))

    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "later"


def test_a_message_that_a_topic_delivers_after_days_were_skipped_is_as_new_as_it_is(sandbox: Sandbox) -> None:
    sqs, sns, (queue, arn) = sandbox.client("sqs"), sandbox.client("sns"), sandbox.queue()
    policy = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document, "MessageRetentionPeriod": "60"})
    topic = sns.create_topic(Name="after-days")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sandbox.start(sandbox.machine(waits(DAY)))
    before = now(sandbox)
    wait_until(lambda: skip(sandbox) and now(sandbox) - before > timedelta(hours=12))

    sns.publish(TopicArn=topic, Message="new")

    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["Message"] == "new"
