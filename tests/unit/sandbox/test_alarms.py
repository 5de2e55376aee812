"""CloudWatch alarms, seen from outside through the API."""

import json
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import pytest

from tests.unit.sandbox.support import Sandbox, wait_until

pytestmark = pytest.mark.xdist_group("sandbox")


def on_queue(sandbox: Sandbox, queue: str, **more: Any) -> str:
    """Make an alarm on any message in a queue; gives its name."""
    name = f"alarm-{uuid4().hex}"
    usual: dict[str, Any] = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": queue}],
        "Statistic": "Maximum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    sandbox.client("cloudwatch").put_metric_alarm(AlarmName=name, **{**usual, **more})
    return name


def state(sandbox: Sandbox, alarm: str) -> str:
    (found,) = sandbox.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    return str(found["StateValue"])


def queue(sandbox: Sandbox) -> tuple[str, str]:
    """A new queue's name and URL."""
    name = f"queue-{uuid4().hex}"
    return name, sandbox.client("sqs").create_queue(QueueName=name)["QueueUrl"]


def test_an_alarm_is_raised_while_its_queue_is_not_empty(sandbox: Sandbox) -> None:
    name, url = queue(sandbox)
    alarm = on_queue(sandbox, name)
    assert state(sandbox, alarm) == "OK"

    sandbox.client("sqs").send_message(QueueUrl=url, MessageBody="lost")
    assert state(sandbox, alarm) == "ALARM"

    sandbox.client("sqs").purge_queue(QueueUrl=url)
    wait_until(lambda: state(sandbox, alarm) == "OK")


def test_an_alarm_looks_at_its_own_queue_only(sandbox: Sandbox) -> None:
    (full, url), (empty, _) = queue(sandbox), queue(sandbox)
    sandbox.client("sqs").send_message(QueueUrl=url, MessageBody="lost")

    assert [state(sandbox, on_queue(sandbox, name)) for name in (full, empty)] == ["ALARM", "OK"]


def test_the_age_of_a_message_is_in_simulated_time(sandbox: Sandbox) -> None:
    name, url = queue(sandbox)
    sandbox.client("sqs").send_message(QueueUrl=url, MessageBody="old")
    alarm = on_queue(sandbox, name, MetricName="ApproximateAgeOfOldestMessage", Threshold=60)

    wait_until(lambda: state(sandbox, alarm) == "ALARM")


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [("notBreaching", "OK"), ("breaching", "ALARM"), ("missing", "INSUFFICIENT_DATA"), ("ignore", "INSUFFICIENT_DATA")],
)
def test_a_period_without_a_value_is_treated_as_the_alarm_says(sandbox: Sandbox, treatment: str, expected: str) -> None:
    alarm = on_queue(sandbox, "none", Namespace="Nothing", MetricName=uuid4().hex, TreatMissingData=treatment)

    assert state(sandbox, alarm) == expected


def test_an_alarm_whose_metric_falls_silent_no_longer_knows(sandbox: Sandbox) -> None:
    metric: dict[str, Any] = {"Namespace": "Own", "MetricName": uuid4().hex}
    alarm = on_queue(sandbox, "none", **metric, Dimensions=[], Period=60, TreatMissingData="missing")

    data = [{"MetricName": metric["MetricName"], "Value": 0}]
    sandbox.client("cloudwatch").put_metric_data(Namespace="Own", MetricData=data)

    assert state(sandbox, alarm) == "OK"
    wait_until(lambda: state(sandbox, alarm) == "INSUFFICIENT_DATA")


def test_every_period_must_be_bad(sandbox: Sandbox) -> None:
    name, url = queue(sandbox)
    sandbox.client("sqs").send_message(QueueUrl=url, MessageBody="new")

    assert state(sandbox, on_queue(sandbox, name, EvaluationPeriods=2, Period=86_400)) == "OK"


def test_people_who_are_subscribed_get_a_mail(sandbox: Sandbox) -> None:
    sns, (name, url) = sandbox.client("sns"), queue(sandbox)
    topic = sns.create_topic(Name=f"operations-{uuid4().hex}")["TopicArn"]
    address = f"{uuid4().hex}@example.com"
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
    alarm = on_queue(sandbox, name, AlarmActions=[topic], AlarmDescription="Look at the log.")
    sandbox.client("sqs").send_message(QueueUrl=url, MessageBody="lost")

    assert state(sandbox, alarm) == "ALARM"
    wait_until(lambda: bool(inbox(sandbox, address)))
    (mail,) = inbox(sandbox, address)
    assert "Look at the log." in mail["text"]


def inbox(sandbox: Sandbox, address: str) -> list[dict[str, Any]]:
    with urlopen(f"{sandbox.endpoint}/_sandbox/inboxes") as response:  # noqa: S310 - our own endpoint
        inboxes = json.load(response)["inboxes"]
    return [mail for each in inboxes if each["endpoint"] == address for mail in each["mails"]]
