"""A queue that feeds a function: when a message that was given back comes again."""

from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


class WorkQueue:
    def __init__(self, sqs: "SQSClient") -> None:
        self._sqs = sqs

    def hide(self, record: SQSRecord, seconds: int) -> None:
        """Keep a message hidden for so many seconds from now, instead of the queue's visibility timeout."""
        self._sqs.change_message_visibility(
            QueueUrl=record.queue_url, ReceiptHandle=record.receipt_handle, VisibilityTimeout=seconds
        )
