"""Simulated time: what the clock on the wall of the sandbox's data centre shows."""

import heapq
import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

from sandbox.activity import Activity

_log = logging.getLogger("sandbox.clock")


class Alarm:
    """Something to do once, at a simulated time."""

    def __init__(self, moment: float, action: Callable[[], None]) -> None:
        self.moment = moment
        self._action: Callable[[], None] | None = action

    @property
    def is_set(self) -> bool:
        """Whether it neither rang nor was cancelled."""
        return self._action is not None

    def cancel(self) -> None:
        """Let it not ring."""
        self._action = None

    def ring(self) -> None:
        """Do it, unless it was cancelled."""
        action, self._action = self._action, None
        if action is not None:
            action()


class SimulatedClock:
    """Time that runs `1 / time_scale` times as fast as real time, from the moment the sandbox started.

    Where nothing is at work it can jump to the next thing that is due, so that hours of waiting pass at once.

    Parameters
    ----------
    time_scale
        Real seconds for each simulated second.
    """

    def __init__(self, time_scale: float) -> None:
        self.time_scale = time_scale
        self.activity = Activity()
        self._started = time.time()
        self._started_monotonic = time.monotonic()
        self._skips: list[tuple[float, float]] = [(0.0, 0.0)]  # real epoch, simulated seconds skipped until then
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._order = count()
        self._changed = threading.Condition()
        self._ringing = False

    def now(self) -> float:
        """Simulated seconds since the Unix epoch."""
        return self._started + self.elapsed_real() / self.time_scale + self.skipped

    def elapsed_real(self) -> float:
        """Real seconds since the sandbox started."""
        return time.monotonic() - self._started_monotonic

    def at(self, real_epoch: float) -> float:
        """The simulated time that belongs to a real one."""
        _, skipped = self._skips[bisect_right(self._skips, (real_epoch, float("inf"))) - 1]
        return self._started + (real_epoch - self._started) / self.time_scale + skipped

    def real_seconds(self, simulated_seconds: float) -> float:
        """How long a simulated duration really takes."""
        return simulated_seconds * self.time_scale

    @property
    def skipped(self) -> float:
        """Simulated seconds skipped so far."""
        return self._skips[-1][1]

    def set_alarm(self, moment: float, action: Callable[[], None]) -> Alarm:
        """Do something, in a thread of the clock, at a simulated time. It must not wait."""
        alarm = Alarm(moment, action)
        with self._changed:
            heapq.heappush(self._alarms, (moment, next(self._order), alarm))
            if not self._ringing:
                self._ringing = True
                threading.Thread(target=self._ring, daemon=True, name="clock").start()
            self._changed.notify_all()
        return alarm

    def wait(self, seconds: float, changed: threading.Condition, is_over: Callable[[], bool]) -> None:
        """Wait simulated seconds, or until `is_over`, which whoever makes it true tells to `changed`.

        Who waits here is not at work.
        """

        def wake() -> None:
            with changed:
                changed.notify_all()

        alarm = self.set_alarm(self.now() + seconds, wake)
        with changed, self.activity.paused():
            changed.wait_for(lambda: is_over() or not alarm.is_set)
        alarm.cancel()

    def next_alarm(self) -> float | None:
        """The simulated time at which the next alarm rings."""
        with self._changed:
            while self._alarms and not self._alarms[0][2].is_set:
                heapq.heappop(self._alarms)
            return self._alarms[0][0] if self._alarms else None

    def skip_to(self, moment: float) -> float:
        """Jump to a later simulated time; an earlier one changes nothing. The simulated seconds skipped."""
        with self._changed:
            seconds = max(0.0, moment - self.now())
            self._skips.append((time.time(), self.skipped + seconds))
            self._changed.notify_all()
        return seconds

    def _ring(self) -> None:
        while True:
            with self._changed:
                while not self._alarms or self._alarms[0][0] > self.now():
                    due_in = self._alarms[0][0] - self.now() if self._alarms else None
                    self._changed.wait(None if due_in is None else max(0.0, self.real_seconds(due_in)))
                alarm = heapq.heappop(self._alarms)[2]
            try:
                alarm.ring()
            except Exception:
                _log.exception("an alarm's action failed")


def iso(epoch_seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds, as Step Functions writes it."""
    moment = datetime.fromtimestamp(epoch_seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
