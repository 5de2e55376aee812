"""Why a message is given back to the queue, and when it should come again."""

import random
from collections.abc import Callable

from ..shared.aws_errors import is_passing


class RetryLaterError(Exception):
    """Base of the troubles that are nobody's mistake and say when to come back."""


class ModelNotUpError(RetryLaterError):
    """No model version is running: it takes minutes to start, and every image asked now is a wasted receive."""


class OutOfTimeError(RetryLaterError):
    """The function would be stopped in the middle of the image."""


class BusyKeyError(RetryLaterError):
    """Other versions of the same key keep being finished at the same moment."""


class BusyModelError(RetryLaterError):
    """The model runs and did not answer: the same question may well pass in a few seconds."""


class SuspectError(RetryLaterError):
    """The model refused every image of the batch: more likely our fault, or its, than the images'."""


Jitter = Callable[[float, float], float]

_LONGEST_PASSING = 60
_FIRST_MODEL_WAIT, _LONGEST_MODEL_WAIT = 5 * 60, 60 * 60
_SHORT = (1, 5)
_MISTAKE = (45, 75)
"""Ten receives of a message that always fails fit into the time a run waits for progress: it reaches the dead-letter
queue within that run, and does not start a billed model again."""


def seconds_until_retry(failure: BaseException, receive_count: int, jitter: Jitter = random.uniform) -> int:
    """How long a message should stay hidden, in seconds.

    Parameters
    ----------
    receive_count
        How often the message was received, this time included; a passing trouble, and a model that is not up, wait
        longer each time: ten receives of a message last hours where nobody starts the model.
    jitter
        Draws from a range, so that messages that failed together do not come back together.

    Example
    -------
    >>> seconds_until_retry(OutOfTimeError(), receive_count=1, jitter=max)
    5
    >>> [seconds_until_retry(ModelNotUpError(), n, jitter=max) // 60 for n in (1, 2, 3, 9)]
    [5, 10, 20, 60]
    """
    match failure:
        case ModelNotUpError():
            high = min(_LONGEST_MODEL_WAIT, _FIRST_MODEL_WAIT << min(receive_count - 1, 10))
            low = high * 0.6
        case OutOfTimeError():
            low, high = _SHORT
        case SuspectError() | BusyKeyError() | BusyModelError():
            low, high = 1, _grown(receive_count)
        case Exception() if is_passing(failure):
            low, high = 1, _grown(receive_count)
        case _:
            low, high = _MISTAKE
    return round(jitter(low, high))


def _grown(receive_count: int) -> int:
    return min(_LONGEST_PASSING, 2 << min(receive_count, 10))
