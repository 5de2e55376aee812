"""Queues: how much waits in them, and messages that are sent to them."""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from custom_labels_batch.cli.errors import OperationError

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_METRIC_MINUTES = 15
"""SQS sends its metrics every minute, and they come some minutes late."""

BATCH = 10
"""Messages that SQS takes at once. Ten of these events are 80 KB at most, of the 256 KB that a request may have."""

_MOST_TRIES = 8
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0


@dataclass(frozen=True)
class Depth:
    """Messages of a queue, as SQS counts them: approximately.

    Attributes
    ----------
    waiting
        That can be received now.
    in_flight
        That somebody has received and not finished.
    delayed
        That cannot be received yet.
    """

    waiting: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.waiting + self.in_flight + self.delayed


def depth(sqs: "SQSClient", queue_url: str) -> Depth:
    """Count a queue's messages."""
    counts = sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return Depth(
        waiting=int(counts["ApproximateNumberOfMessages"]),
        in_flight=int(counts["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(counts["ApproximateNumberOfMessagesDelayed"]),
    )


def queue_arn(sqs: "SQSClient", queue_url: str) -> str:
    """A queue's ARN."""
    return sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def oldest_minutes(cloudwatch: Any, queue_urls: Sequence[str]) -> Mapping[str, float]:
    """Minutes that the oldest message of each queue has waited, where CloudWatch knows.

    Looking at the messages themselves would count as receiving them.
    """
    now = datetime.now(UTC)
    try:
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=[
                {
                    "Id": f"q{number}",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/SQS",
                            "MetricName": "ApproximateAgeOfOldestMessage",
                            "Dimensions": [{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
                        },
                        "Period": 60,
                        "Stat": "Maximum",
                    },
                }
                for number, url in enumerate(queue_urls)
            ],
            StartTime=now - timedelta(minutes=_METRIC_MINUTES),
            EndTime=now,
            ScanBy="TimestampDescending",
        )
    except ClientError:  # not allowed: the rest of the picture is worth having
        return {}
    newest = {result["Id"]: result["Values"][0] for result in answer["MetricDataResults"] if result["Values"]}
    return {url: newest[f"q{n}"] / 60 for n, url in enumerate(queue_urls) if f"q{n}" in newest}


def send(sqs: "SQSClient", queue_url: str, messages: Sequence[str]) -> None:
    """Send up to `BATCH` messages; those that SQS fails for the moment again, and no other.

    Raises
    ------
    OperationError
        SQS did not take a message, however often it was asked.
    """
    left = dict(enumerate(messages))
    for attempt in range(_MOST_TRIES):
        answer = sqs.send_message_batch(
            QueueUrl=queue_url,
            Entries=[{"Id": str(number), "MessageBody": body} for number, body in left.items()],
        )
        failed = answer.get("Failed", [])
        left = {int(entry["Id"]): left[int(entry["Id"])] for entry in failed}
        if not left:
            return
        if any(entry["SenderFault"] for entry in failed):
            break
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
        time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
    why = f"{failed[0]['Code']}: {failed[0].get('Message', '')}".rstrip(": ")
    raise OperationError(f"SQS did not take {len(left)} of {len(messages)} messages ({why}); the same command goes on")
