"""Whether anything in the sandbox is at work, so that waiting may be skipped only where everything waits."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Activity:
    """How many requests, function invocations and workflow steps are going on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._changed_at = time.monotonic()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Count what happens inside as work."""
        self._add(1)
        try:
            yield
        finally:
            self._add(-1)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Not at work inside, though work around it is going on."""
        self._add(-1)
        try:
            yield
        finally:
            self._add(1)

    def idle_seconds(self) -> float:
        """Real seconds since anything was at work; 0 while something is."""
        with self._lock:
            return time.monotonic() - self._changed_at if self._count <= 0 else 0.0

    def _add(self, number: int) -> None:
        with self._lock:
            self._count += number
            self._changed_at = time.monotonic()
