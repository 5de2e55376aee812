"""A queue that feeds a function: when a message that was given back comes again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

MOST_IN_ONE_CALL = 10
"""Messages (Amazon SQS API reference, ChangeMessageVisibilityBatch)."""


@dataclass(frozen=True)
class Wait:
    """A message that was given back, and for how many seconds it should stay hidden."""

    record: SQSRecord
    seconds: int


class WorkQueue:
    def __init__(self, sqs: "SQSClient") -> None:
        self._sqs = sqs

    def hide(self, record: SQSRecord, seconds: int) -> None:
        """Keep a message hidden for so many seconds from now, instead of the queue's visibility timeout."""
        self._sqs.change_message_visibility(
            QueueUrl=record.queue_url, ReceiptHandle=record.receipt_handle, VisibilityTimeout=seconds
        )

    def hide_together(self, waits: Sequence[Wait]) -> dict[str, str]:
        """Do what `hide` does for up to `MOST_IN_ONE_CALL` messages of one queue, in one call.

        Takes the same right as `hide`, sqs:ChangeMessageVisibility.

        Returns
        -------
        dict
            Message id -> SQS's error code, for the messages it did not do it for.
        """
        answer = self._sqs.change_message_visibility_batch(
            QueueUrl=waits[0].record.queue_url,
            Entries=[
                {
                    "Id": str(number),
                    "ReceiptHandle": wait.record.receipt_handle,
                    "VisibilityTimeout": wait.seconds,
                }
                for number, wait in enumerate(waits)
            ],
        )
        return {waits[int(failed["Id"])].record.message_id: failed["Code"] for failed in answer.get("Failed", [])}
