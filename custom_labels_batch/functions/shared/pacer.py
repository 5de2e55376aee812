"""Spaces calls evenly, so that this execution environment never makes more than its share of calls a second."""

import time
from collections.abc import Callable
from threading import Lock


class Pacer:
    """Lets callers through one by one, each at least `1 / calls_per_second` seconds after the one before.

    One pacer serves all threads and outlives an invocation: the spacing holds from one batch to the next. It
    keeps no credit for idle time, so there is never a burst.

    Example
    -------
    >>> pacer = Pacer(calls_per_second=50)
    >>> for _ in range(3):
    ...     pacer.wait()  # returns at once, then 20 ms later, then 20 ms after that
    """

    def __init__(
        self,
        calls_per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1 / calls_per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._next_slot = float("-inf")

    def wait(self) -> None:
        """Return when it is this caller's turn."""
        with self._lock:
            now = self._clock()
            slot = max(now, self._next_slot)
            self._next_slot = slot + self._interval
        if slot > now:
            self._sleep(slot - now)
