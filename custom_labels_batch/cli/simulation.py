"""What a month of a schedule would be: its runs, what they bill, and how old results get. No AWS, no sandbox.

A policy decides at every tick whether to run the model and until when; `simulate` steps from run to run, and
`cli.image_queue` follows the images of a run as vectors.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from custom_labels_batch.cli.arrivals import Arrivals, Counts, Seconds
from custom_labels_batch.cli.image_queue import ImageQueue


@dataclass(frozen=True)
class Run:
    """One session of the model.

    Attributes
    ----------
    running_at, stopped_at
        Between them the model is billed: RUNNING, and StopProjectVersion accepted.
    free_at
        From then on a tick may start the next one.
    looks
        At the starting model and at the backlog.
    is_outgrown
        Whether the next run, of more units, follows at once.
    """

    units: int
    running_at: float
    stopped_at: float
    free_at: float
    images: int
    looks: int
    is_outgrown: bool = False

    @property
    def billed_minutes(self) -> float:
        """Inference-unit minutes."""
        return self.units * (self.stopped_at - self.running_at) / 60


class Policy(Protocol):
    """When the model runs, and how fast it labels."""

    @property
    def rate(self) -> float:
        """Images a second that one inference unit labels."""

    def begin(self) -> "Controller":
        """Its state at the beginning of a simulation."""


class Controller(Protocol):
    """A policy at work."""

    def tick(self, queue: ImageQueue, now: float) -> Run | None:
        """One tick while no run is active."""


@dataclass(frozen=True)
class Simulation:
    """What came of it.

    Attributes
    ----------
    arrived, ages
        Of the images that were labelled, in entries of `images` each: their moment, and seconds until the result.
    images_left
        That no run had labelled after the last tick.
    idle_ticks
        That started nothing.
    """

    runs: list[Run]
    idle_ticks: int
    arrived: Seconds
    ages: Seconds
    images: Counts
    images_left: int
    rate: float

    @property
    def billed_minutes(self) -> float:
        """Inference-unit minutes."""
        return sum(run.billed_minutes for run in self.runs)

    @property
    def idle_share(self) -> float:
        """Of the billed time, that in which no image is being labelled."""
        busy = sum(run.images for run in self.runs) / self.rate / 60
        return max(0.0, 1 - busy / self.billed_minutes) if self.runs else 0.0

    @property
    def most_units(self) -> int:
        return max((run.units for run in self.runs), default=0)

    def ages_at(self, shares: Sequence[float], before: float = np.inf) -> list[float] | None:
        """Ages in seconds that these shares of the results do not exceed; None without results.

        Parameters
        ----------
        before
            Only of images that arrived before this moment.
        """
        count = int(np.searchsorted(self.arrived, before))
        if not count:
            return None
        weights = self.images[:count] if self.images.max() > 1 else None
        return [float(age) for age in np.quantile(self.ages[:count], shares, weights=weights, method="inverted_cdf")]


def simulate(policy: Policy, arrivals: Arrivals, ticks: Iterable[float]) -> Simulation:
    """Step through the ticks.

    Parameters
    ----------
    ticks
        Seconds since the arrivals' first midnight, ascending. A tick during a run does nothing.
    """
    queue, controller = ImageQueue(arrivals), policy.begin()
    runs: list[Run] = []
    idle_ticks = 0
    for now in map(float, ticks):
        run = controller.tick(queue, now) if not runs or now >= runs[-1].free_at else None
        if not run:
            idle_ticks += 1
        while run:
            runs.append(run)
            run = controller.tick(queue, run.free_at) if run.is_outgrown else None
    done = ~np.isnan(queue.labelled_at)
    entries = queue.arrivals
    return Simulation(
        runs=runs,
        idle_ticks=idle_ticks,
        arrived=entries.seconds[done],
        ages=(queue.labelled_at - entries.seconds)[done],
        images=entries.images[done],
        images_left=int(entries.images[~done].sum()),
        rate=policy.rate,
    )
