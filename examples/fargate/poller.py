"""The analyze step as a process that runs on, such as an ECS task on Fargate: does what Lambda and its mapping do.

Its environment is the function's, and QUEUE_URL. What it takes and has not finished comes back by itself.
"""

import os
import signal
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3

from custom_labels_batch.functions.analyze_image.handler import handler

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

BATCH_SECONDS = 60
"""For one batch; the queue's visibility timeout must be longer, and is (six times the function's timeout)."""


@dataclass(frozen=True)
class Batch:
    """Stands for the context object of Lambda."""

    deadline: float
    aws_request_id: str
    function_name: str = "analyze-image"
    memory_limit_in_mb: int = 0
    invoked_function_arn: str = ""

    def get_remaining_time_in_millis(self) -> int:
        """Until the batch should be done."""
        return max(0, round(1000 * (self.deadline - time.monotonic())))


def poll(sqs: "SQSClient", queue_url: str, queue_arn: str) -> int:
    """Take up to ten messages, handle them, and delete those that are done; how many were taken."""
    answer = sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=20, MessageSystemAttributeNames=["All"]
    )
    messages = answer.get("Messages", [])
    if messages:
        event = {"Records": [_record(message, queue_arn) for message in messages]}
        failed = handler(event, Batch(time.monotonic() + BATCH_SECONDS, str(uuid4())))
        again = {item["itemIdentifier"] for item in failed["batchItemFailures"]}
        done = [message for message in messages if message["MessageId"] not in again]
        if done:
            sqs.delete_message_batch(
                QueueUrl=queue_url,
                Entries=[{"Id": each["MessageId"], "ReceiptHandle": each["ReceiptHandle"]} for each in done],
            )
    return len(messages)


def _record(message: "MessageTypeDef", queue_arn: str) -> dict[str, Any]:
    """A message in the words of Lambda's event."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def main() -> None:
    """Poll until ECS asks to stop; the batch under way is finished first."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    sqs, queue_url = boto3.client("sqs"), os.environ["QUEUE_URL"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    while not stop.is_set():
        poll(sqs, queue_url, attributes["QueueArn"])


if __name__ == "__main__":
    main()
