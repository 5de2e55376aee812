"""What arrives when, and under which policies it is labelled: the bench's plan, in data."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent

TPS = 5.0
"""DetectCustomLabels calls a second of one inference unit."""

MODEL_START_MINUTES, MODEL_STOP_MINUTES = 10.0, 1.0
TICK_MINUTES = 60.0
"""Between two ticks of the schedule, hourly by default; the first comes at minute 0."""


@dataclass(frozen=True)
class Policy:
    """A stack that labels images its own way.

    Attributes
    ----------
    program
        Folder of its Pulumi program.
    config
        Stack settings that differ from the defaults.
    units
        Inference units it may use at once.
    """

    name: str
    program: Path
    config: Mapping[str, str] = field(default_factory=dict)
    units: int = 1

    @property
    def is_baseline(self) -> bool:
        return self.program == SAMPLE.program


@dataclass(frozen=True)
class Arrival:
    """Images that arrive together, some minutes after the workload's start."""

    minute: float
    images: int


@dataclass(frozen=True)
class Workload:
    """Arrivals, and the policies to measure on them.

    Attributes
    ----------
    measures_throughput
        Whether the model has work for a while and is never without in between: only then does its throughput mean
        anything.
    fewest
        Images below which it is not scaled down: it would no longer show what it is for.
    planned
        Images before the workload was scaled down.
    """

    name: str
    arrivals: tuple[Arrival, ...]
    policies: tuple[Policy, ...]
    measures_throughput: bool = True
    fewest: int = 1_000
    planned: int = 0

    @property
    def images(self) -> int:
        return sum(arrival.images for arrival in self.arrivals)

    @property
    def limit_minutes(self) -> float:
        """Inference-unit minutes that labelling takes at full speed: images / TPS."""
        return self.images / TPS / 60

    def scaled_down(self, share: float) -> "Workload":
        """The same with fewer images at each arrival, at least one."""
        fewer = tuple(replace(each, images=max(1, round(each.images * share))) for each in self.arrivals)
        return replace(self, arrivals=fewer, planned=self.images)


def ours(name: str = "ours", units: int = 1, **config: str) -> Policy:
    """This repository's own policy."""
    given = {"tpsPerInferenceUnit": str(TPS), "maxInferenceUnits": str(units), **config}
    return Policy(name, HERE / "batch_only", given, units)


SAMPLE = Policy("sample", HERE / "published_sample")


def at_once(images: int) -> tuple[Arrival, ...]:
    return (Arrival(0, images),)


def trickle(hours: float, images_a_minute: float, seed: int) -> tuple[Arrival, ...]:
    """Images at random, independent of each other; those of one minute are uploaded half a minute after it.

    So none comes in the second in which a policy looks at the queue, which whole minutes would make likely.
    """
    dice = random.Random(seed)  # noqa: S311 - the same images every time
    minutes: Counter[int] = Counter()
    moment = dice.expovariate(images_a_minute)
    while moment < hours * 60:
        minutes[int(moment) + 1] += 1
        moment += dice.expovariate(images_a_minute)
    return tuple(Arrival(minute + 0.5, images) for minute, images in sorted(minutes.items()))


BOTH = (ours(), SAMPLE)
FEWER_RUNS = (ours(), ours("ours, from 300", minBatchSize="300", maxQueueAgeMinutes="240"), SAMPLE)
SEVERAL_UNITS = (
    ours("ours, ≤ 3 units", units=3, targetDrainMinutes="10"),
    ours("ours, 1 unit"),
    SAMPLE,
)

WORKLOADS = (
    Workload("10 at once", at_once(10), BOTH, measures_throughput=False),
    Workload("100 at once", at_once(100), BOTH),
    Workload("1,000 at once", at_once(1_000), BOTH),
    Workload("10,000 at once", at_once(10_000), BOTH),
    Workload("2 a minute for 6 hours", trickle(6, images_a_minute=2, seed=4), FEWER_RUNS, measures_throughput=False),
    # Our drain of the first 500 begins at about minute 10.3 and takes 1.7.
    Workload("500 and 500 in the drain", (Arrival(0, 500), Arrival(11, 500)), BOTH),
    Workload("6,000 in 10 minutes", at_once(6_000), SEVERAL_UNITS, fewest=6_000),
)
