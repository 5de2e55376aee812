"""Sends messages to a queue, ten a request, each once as far as one can know."""

import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from custom_labels_batch.cli.errors import OperationError

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

BATCH = 10
"""Messages that SQS takes at once. Ten of these events are 80 KB at most, of the 256 KB that a request may have."""

_MOST_TRIES = 8
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0


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
