"""One batch from a queue that is subscribed to the predictions topic."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes import SQSEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.shared.messages import MalformedMessageError, read_message
from functions.shared.observability import logger
from functions.shared.prediction import Prediction
from functions.shared.work_queue import WorkQueue

LONGEST_RETRY_SECONDS = 60 * 60


@dataclass(frozen=True)
class Delivery:
    """A prediction, and the message that brought it; another message may bring the same one."""

    message_id: str
    prediction: Prediction


Effect = Callable[[Sequence[Delivery]], Mapping[str, Exception]]
"""What is done with the predictions of a batch: answers message id -> what went wrong, for each that failed."""


def process(event: dict[str, Any], queue: WorkQueue, effect: Effect) -> PartialItemFailureResponse:
    """Read a batch and do something with its predictions, all of them at once.

    A malformed message fails alone, and comes back at once, so that it soon is where people look: in the
    dead-letter queue. What `effect` raises fails every message that was handed to it.

    Parameters
    ----------
    event
        From an SQS event source mapping; each body is a prediction document.
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
    for message_id, failure in failures.items():
        _give_back(records[message_id], failure, queue)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failures]}


def _attempt(effect: Effect, deliveries: Sequence[Delivery]) -> Mapping[str, Exception]:
    try:
        return effect(deliveries)
    except Exception as error:
        logger.exception("The whole batch failed")
        return {delivery.message_id: error for delivery in deliveries}


def _give_back(record: SQSRecord, failure: Exception, queue: WorkQueue) -> None:
    seconds = seconds_until_retry(failure, int(record.attributes.approximate_receive_count))
    extra = {"message_id": record.message_id, "error": str(failure), "seconds": seconds}
    logger.error("Given back to the queue", extra=extra)
    try:
        queue.hide(record, seconds)
    except Exception as error:  # the queue's own visibility timeout is slower, not wrong
        logger.warning("Its visibility timeout could not be shortened", extra={"error": str(error)})


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
