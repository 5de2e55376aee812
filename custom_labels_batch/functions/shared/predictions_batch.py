"""One batch from a queue that is subscribed to the predictions topic."""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes import SQSEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.config import Config

from .messages import MalformedMessageError, read_message
from .observability import logger
from .prediction import Prediction
from .work_queue import MOST_IN_ONE_CALL, Wait, WorkQueue

LONGEST_RETRY_SECONDS = 60 * 60

HIDING = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
"""For the queue's client: what a call does not manage soon is better left to the queue's own visibility timeout."""

LONGEST_HIDE_SECONDS = 10
"""What must be left of the function's timeout to call the queue once more: a function that is stopped then has its
whole batch come back, what it has done too."""


class OutOfTimeError(Exception):
    """The function would be stopped half-way."""


@dataclass(frozen=True)
class Delivery:
    """A prediction, and the message that brought it; another message may bring the same one."""

    message_id: str
    prediction: Prediction


SecondsLeft = Callable[[], float]
"""Until Lambda stops the function."""

Effect = Callable[[Sequence[Delivery]], Mapping[str, Exception]]
"""What is done with the predictions of a batch: answers message id -> what went wrong, for each that failed."""


def process(
    event: dict[str, Any], queue: WorkQueue, effect: Effect, seconds_left: SecondsLeft
) -> PartialItemFailureResponse:
    """Read a batch and do something with its predictions, all of them at once.

    A malformed message fails alone, and comes back at once, so that it soon is where people look: in the
    dead-letter queue. What `effect` raises fails every message that was handed to it.

    Parameters
    ----------
    event
        From an SQS event source mapping; each body is a prediction document.
    queue
        Its client is best made with `HIDING`.
    effect
        Not called without predictions.

    Returns
    -------
    PartialItemFailureResponse
        The messages that must come again.
    """
    records = {record.message_id: record for record in SQSEvent(event).records}
    deliveries: list[Delivery] = []
    failures: dict[str, Exception] = {}
    for message_id, record in records.items():
        try:
            deliveries.append(Delivery(message_id, read_message(Prediction, record.body, "a prediction")))
        except MalformedMessageError as error:
            failures[message_id] = error
    if deliveries:
        failures.update(_attempt(effect, deliveries))
    _log(failures)
    _hide([_wait(records[message_id], failure) for message_id, failure in failures.items()], queue, seconds_left)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failures]}


def _attempt(effect: Effect, deliveries: Sequence[Delivery]) -> Mapping[str, Exception]:
    try:
        return effect(deliveries)
    except Exception as error:
        logger.exception("The whole batch failed")
        return {delivery.message_id: error for delivery in deliveries}


def _log(failures: Mapping[str, Exception]) -> None:
    """One line for each reason, not for each message: a thousand may fail together."""
    reasons: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for message_id, failure in failures.items():
        reasons[type(failure).__name__, str(failure)].append(message_id)
    for (kind, error), message_ids in reasons.items():
        extra = {"error": error, "error_type": kind, "messages": len(message_ids), "message_ids": message_ids}
        logger.error("Given back to the queue", extra=extra)


def _wait(record: SQSRecord, failure: Exception) -> Wait:
    return Wait(record, seconds_until_retry(failure, int(record.attributes.approximate_receive_count)))


def _hide(waits: Sequence[Wait], queue: WorkQueue, seconds_left: SecondsLeft) -> None:
    """Set when messages come again. The others come too: the queue's own visibility timeout is slower, not wrong."""
    for start in range(0, len(waits), MOST_IN_ONE_CALL):
        try:
            if seconds_left() < LONGEST_HIDE_SECONDS:
                raise OutOfTimeError("Too little of the function's timeout is left to call the queue")
            refused = queue.hide_together(waits[start : start + MOST_IN_ONE_CALL])
        except Exception as error:
            extra = {"error": str(error), "messages": len(waits) - start}
            logger.warning("Visibility timeouts could not be shortened", extra=extra)
            return  # the next call would fare no better
        if refused:
            extra = {"error": ", ".join(sorted(set(refused.values()))), "messages": len(refused)}
            logger.warning("Visibility timeouts could not be shortened", extra=extra)


def seconds_until_retry(
    failure: Exception, receive_count: int, jitter: Callable[[float, float], float] = random.uniform
) -> int:
    """How long a message should stay hidden, in seconds.

    Nothing will mend a malformed message. Anything else may be mended within hours, which is how long ten receives
    last: the wait doubles each time, up to an hour.

    Example
    -------
    >>> seconds_until_retry(MalformedMessageError(), receive_count=1)
    0
    >>> [seconds_until_retry(ConnectionError(), n, jitter=max) for n in (1, 2, 3, 9)]
    [16, 32, 64, 3600]
    """
    if isinstance(failure, MalformedMessageError):
        return 0
    longest = min(LONGEST_RETRY_SECONDS, 8 << min(receive_count, 16))
    return round(jitter(longest * 0.6, longest))
