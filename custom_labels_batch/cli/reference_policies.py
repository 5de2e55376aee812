"""What schedules are compared with: the published sample's policy, and a model that always runs."""

from dataclasses import dataclass
from math import inf

from custom_labels_batch.cli.image_queue import ImageQueue
from custom_labels_batch.cli.scheduled_runs import DRAIN_SHARE_OF_TPS, MAPPING_SECONDS, STOPPING_SECONDS
from custom_labels_batch.cli.simulation import Run

LOOK_SECONDS = 15 * 60
"""The sample waits so long for its model, in one step, then as long again."""

HOLD_SECONDS = 59 * 60
"""The sample holds its model for as long, then looks at the queue."""


@dataclass(frozen=True)
class PublishedSample:
    """One unit, held in steps of 59 minutes, whatever the backlog; its schedule is rate(1 hour).

    Attributes
    ----------
    until
        End of the simulation in seconds, for arrivals that one unit never works off.
    """

    start_minutes: float = 10
    tps_per_inference_unit: float = 5
    until: float = inf

    @property
    def rate(self) -> float:
        """Images a second that it labels."""
        return DRAIN_SHARE_OF_TPS * self.tps_per_inference_unit

    def begin(self) -> "PublishedSample":
        """It remembers nothing."""
        return self

    def tick(self, queue: ImageQueue, now: float) -> Run | None:
        """One tick while no run is active."""
        if not queue.waiting(now):
            return None
        running, seen, looks = now + 60 * self.start_minutes, now + LOOK_SECONDS, 1
        while seen < running:
            seen, looks = seen + LOOK_SECONDS, looks + 1
        drain = queue.open(seen + MAPPING_SECONDS, self.rate)
        look = seen + HOLD_SECONDS
        while drain.backlog(look) and look < self.until:
            look, looks = look + HOLD_SECONDS, looks + 1
        return Run(1, running, look, look + STOPPING_SECONDS, drain.close(look), looks + 1)


@dataclass(frozen=True)
class AlwaysRunning:
    """A model that is never stopped, and labels an image when it arrives. One tick, at the beginning, is all it takes.

    Attributes
    ----------
    until
        End of the bill, in seconds.
    """

    units: int
    until: float
    tps_per_inference_unit: float = 5

    @property
    def rate(self) -> float:
        """Images a second that one inference unit labels."""
        return DRAIN_SHARE_OF_TPS * self.tps_per_inference_unit

    def begin(self) -> "AlwaysRunning":
        """It remembers nothing."""
        return self

    def tick(self, queue: ImageQueue, now: float) -> Run | None:
        """The beginning."""
        drain = queue.open(now, self.units * self.rate)
        a_minute_later = self.until + 60  # what arrived in the last seconds is not left over
        return Run(self.units, now, self.until, self.until, drain.close(a_minute_later), 0)
