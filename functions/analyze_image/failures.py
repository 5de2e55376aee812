"""Why a message is given back to the queue, and when it should come again."""

import random
from collections.abc import Callable

from functions.shared.aws_errors import is_passing


class RetryLaterError(Exception):
    """Base of the troubles that are nobody's mistake and say when to come back."""


class ModelNotUpError(RetryLaterError):
    """No model version is running: it takes minutes to start, and every image asked now is a wasted receive."""


class OutOfTimeError(RetryLaterError):
    """The function would be stopped in the middle of the image."""


class BusyKeyError(RetryLaterError):
    """Other versions of the same key keep being finished at the same moment."""


class SuspectError(RetryLaterError):
    """Rekognition refused every image of the batch: more likely our fault, or its, than the images'."""


Jitter = Callable[[float, float], float]

_LONGEST_PASSING = 60
_MODEL_MINUTES = (3 * 60, 5 * 60)
_SHORT = (1, 5)


def seconds_until_retry(failure: BaseException, receive_count: int, jitter: Jitter = random.uniform) -> int | None:
    """How long a message should stay hidden, in seconds; None for the queue's visibility timeout.

    Parameters
    ----------
    receive_count
        How often the message was received, this time included; a passing trouble waits longer each time.
    jitter
        Draws from a range, so that messages that failed together do not come back together.

    Example
    -------
    >>> seconds_until_retry(OutOfTimeError(), receive_count=1, jitter=max)
    5
    >>> seconds_until_retry(KeyError("a bug"), receive_count=1) is None
    True
    """
    match failure:
        case ModelNotUpError():
            low, high = _MODEL_MINUTES
        case OutOfTimeError():
            low, high = _SHORT
        case SuspectError() | BusyKeyError():
            low, high = 1, _grown(receive_count)
        case Exception() if is_passing(failure):
            low, high = 1, _grown(receive_count)
        case _:
            return None
    seconds: float = jitter(low, high)
    return round(seconds)


def _grown(receive_count: int) -> int:
    return min(_LONGEST_PASSING, 2 << min(receive_count, 10))
