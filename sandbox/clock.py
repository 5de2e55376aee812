"""Simulated time: what the clock on the wall of the sandbox's data centre shows."""

import time
from datetime import UTC, datetime


class SimulatedClock:
    """Time that runs `1 / time_scale` times as fast as real time, from the moment the sandbox started.

    Parameters
    ----------
    time_scale
        Real seconds for each simulated second.
    """

    def __init__(self, time_scale: float) -> None:
        self.time_scale = time_scale
        self._started = time.time()
        self._started_monotonic = time.monotonic()

    def now(self) -> float:
        """Simulated seconds since the Unix epoch."""
        return self._started + self.elapsed_real() / self.time_scale

    def elapsed_real(self) -> float:
        """Real seconds since the sandbox started."""
        return time.monotonic() - self._started_monotonic

    def at(self, real_epoch: float) -> float:
        """The simulated time that belongs to a real one."""
        return self._started + (real_epoch - self._started) / self.time_scale

    def real_seconds(self, simulated_seconds: float) -> float:
        """How long a simulated duration really takes."""
        return simulated_seconds * self.time_scale


def iso(epoch_seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds, as Step Functions writes it."""
    moment = datetime.fromtimestamp(epoch_seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
