"""The stack's own policy: what workflows/batch_inference.asl.json and release_model.asl.json do, in seconds."""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil

from custom_labels_batch.cli.image_queue import ImageQueue
from custom_labels_batch.cli.simulation import Run
from custom_labels_batch.rules.drain_target import drain_seconds

DRAIN_SHARE_OF_TPS = 0.98
"""Of the TPS, what the functions' pacing makes of it while a run drains."""

MAPPING_SECONDS = 10
"""From the call that opens the mapping to its first message; AWS names no figure."""

RELEASE_SECONDS = 1
"""From the look that ends a run to the accepted StopProjectVersion."""

CLOSING_SECONDS = 15
"""What comes before it where images still wait: the mapping closes, and what is in flight is finished."""

STOPPING_SECONDS = 90
"""From then until the lock is dropped: the model stops, and release_model looks every 15 seconds."""

QUIET_BACKLOG_SECONDS, QUIET_SECONDS = 10, 60
"""A run ends, too, when it has kept up for a minute: with no more waiting than it labels in 10 seconds."""

OUTGROWN_SECONDS = 3600
"""A run of too few units goes on for at least so much work: to start another takes the model's start time."""

START_LOOK_SECONDS = 15
"""Between looks at the starting model; closer ones near the time its last start took."""


@dataclass(frozen=True)
class ScheduledRuns:
    """Settings of the stack that decide about runs, and what the model itself does.

    Attributes
    ----------
    start_minutes
        From StartProjectVersion to RUNNING.
    longest_pause
        Of the schedule, in seconds.
    """

    start_minutes: float = 10
    tps_per_inference_unit: float = 5
    max_inference_units: int = 1
    target_drain_minutes: int = 60
    max_run_minutes: float = 1440
    min_batch_size: int = 1
    max_queue_age_minutes: float = 1440
    longest_pause: float = 3600

    @property
    def rate(self) -> float:
        """Images a second that one inference unit labels."""
        return DRAIN_SHARE_OF_TPS * self.tps_per_inference_unit

    def begin(self) -> "_Workflow":
        """Its state at the beginning of a simulation."""
        return _Workflow(self)

    def units(self, backlog: int) -> int:
        """Inference units for a backlog."""
        return max(
            1, min(self.max_inference_units, ceil(backlog / (self.tps_per_inference_unit * self._drain_seconds)))
        )

    def outgrows(self, backlog: int, units: int) -> bool:
        """Whether a backlog is too much for a run with some units, and another could have more."""
        most = max(2 * self._drain_seconds, OUTGROWN_SECONDS) * units * self.tps_per_inference_unit
        return units < self.max_inference_units and backlog > most

    @property
    def _drain_seconds(self) -> int:
        return drain_seconds(self.target_drain_minutes)

    def with_schedule(self, longest_pause: float) -> "ScheduledRuns":
        return replace(self, longest_pause=longest_pause)


class _Workflow:
    """What one tick remembers for the next: when images were first seen, and how long the model last took to start."""

    def __init__(self, settings: ScheduledRuns) -> None:
        self._settings = settings
        self._first_seen: float | None = None
        self._usual_start: float | None = None

    def tick(self, queue: ImageQueue, now: float) -> Run | None:
        """One tick while no run is active."""
        if not (waiting := queue.waiting(now)):
            return None
        if self._first_seen is None:
            self._first_seen = now
        return None if self._may_wait(waiting, now) else self._run(queue, now, waiting)

    def _may_wait(self, waiting: int, now: float) -> bool:
        """Few images may, while two more pauses still keep the promise of `maxQueueAgeMinutes`."""
        settings = self._settings
        if settings.min_batch_size <= 1 or waiting >= settings.min_batch_size or self._first_seen is None:
            return False
        return now - self._first_seen + 2 * settings.longest_pause <= 60 * settings.max_queue_age_minutes

    def _run(self, queue: ImageQueue, now: float, backlog: int) -> Run:
        settings = self._settings
        units, start = settings.units(backlog), 60 * settings.start_minutes
        full_rate = units * settings.tps_per_inference_unit
        seen_after, looks = _seen_running(start, self._usual_start)
        self._usual_start = seen_after
        seen = now + seen_after
        drain = queue.open(seen + MAPPING_SECONDS, units * settings.rate)
        look = seen + min(120, ceil(backlog / full_rate) + 10)
        quiet_since: float | None = None
        is_outgrown = False
        while left := drain.backlog(look):
            looks += 1
            quiet_since = None if left > QUIET_BACKLOG_SECONDS * full_rate else quiet_since or look
            if quiet_since and look - quiet_since >= QUIET_SECONDS:
                if drain.labelled(look) >= backlog:
                    break
                quiet_since = look + 9 * QUIET_SECONDS
            is_outgrown = settings.outgrows(left, units)
            if is_outgrown or look - seen >= 60 * settings.max_run_minutes:
                break
            look += ceil(max(5, min(120, left / full_rate), (look - seen) / 140))
        if drain.labelled(look) >= backlog:
            self._first_seen = None
        closed = look + (CLOSING_SECONDS if left else 0)
        stopped = closed + RELEASE_SECONDS
        images = drain.close(closed)
        return Run(units, now + start, stopped, stopped + STOPPING_SECONDS, images, looks + 1, is_outgrown)


@lru_cache
def _seen_running(start: float, usual: float | None) -> tuple[float, int]:
    """Seconds until a look sees the model RUNNING, and the looks that takes."""
    elapsed, looks = 0.0, 0
    while elapsed < start:
        wait = START_LOOK_SECONDS if usual is None else max(5, min(START_LOOK_SECONDS, ceil(abs(usual - elapsed) / 4)))
        elapsed, looks = elapsed + wait, looks + 1
    return elapsed, looks
