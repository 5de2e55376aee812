"""Simulated time for many executions at once, without waiting and always in the same order.

Each execution has a thread, but only one ever runs: a thread that sleeps hands over to whoever wakes next.
"""

import heapq
import threading
from collections.abc import Callable
from itertools import count

from sandbox.asl import Stopped
from sandbox.clock import SimulatedClock

START = 1_795_575_600.0
"""2026-11-25T03:00:00Z, when every test begins."""
_STUCK_SECONDS = 60


class Timeline:
    """What happens when. The test's own thread moves time on; everything else happens inside `step`."""

    def __init__(self) -> None:
        self.now = START
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._handed_back = threading.Semaphore(0)
        self._sleeping: dict[int, threading.Event] = {}
        self._closed = False

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Let something happen later. It must not sleep."""
        heapq.heappush(self._coming, (self.now + max(0.0, seconds), next(self._order), action))

    def spawn(self, work: Callable[[], None]) -> None:
        """Begin work that may sleep, in a thread of its own."""

        def whole() -> None:
            try:
                work()
            finally:
                self._handed_back.release()

        def begin() -> None:
            threading.Thread(target=whole, daemon=True).start()
            self._take_back()

        self.after(0, begin)

    def sleep(self, seconds: float) -> None:
        """Let others run until time has moved on; called by spawned work only."""
        ticket, turn = next(self._order), threading.Event()
        self._sleeping[ticket] = turn
        self.after(seconds, lambda: self._wake(ticket))
        self._handed_back.release()
        turn.wait()
        if self._closed:
            raise Stopped

    def step(self) -> bool:
        """Let the next thing happen; False when nothing is to come."""
        if not self._coming:
            return False
        moment, _, action = heapq.heappop(self._coming)
        self.now = max(self.now, moment)
        action()
        return True

    def pass_time(self, seconds: float) -> None:
        """Let everything happen that comes within some time."""
        end = self.now + seconds
        while self._coming and self._coming[0][0] <= end:
            self.step()
        self.now = end

    def close(self) -> None:
        """End every thread that still sleeps."""
        self._closed = True
        for ticket in list(self._sleeping):
            self._wake(ticket)

    def _wake(self, ticket: int) -> None:
        self._sleeping.pop(ticket).set()
        self._take_back()

    def _take_back(self) -> None:
        if not self._handed_back.acquire(timeout=_STUCK_SECONDS):
            raise RuntimeError("an execution neither ended nor slept")


class VirtualClock(SimulatedClock):
    """The sandbox's clock, following a timeline: to wait is to jump."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(time_scale=1.0)
        self._timeline = timeline

    def now(self) -> float:
        return self._timeline.now

    def elapsed_real(self) -> float:
        return self._timeline.now - START

    def at(self, real_epoch: float) -> float:
        return real_epoch

    def wait(self, seconds: float, _changed: threading.Condition, _is_over: Callable[[], bool]) -> None:
        self._timeline.sleep(seconds)
