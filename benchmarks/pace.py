"""How fast the sandbox's clock may run: as slow as the time there is allows, and never faster than the laptop follows.

Every latency of the laptop counts as one of AWS, divided by the time scale: slower is truer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.workloads import TPS, Policy, Workload

SHARE_OF_CAPACITY = 0.6
"""Of what the laptop can label, what the model is to label: above, the laptop would be measured."""

SHORT_SECONDS = 30.0
"""A drain that takes no longer than this at real speed runs at real speed."""

SETUP_SECONDS, SETUP_SIMULATED_SECONDS = 14.0, 10.0
"""To start an emulator, deploy a stack, and skip through the start of a model; for a new mapping to be ready."""

ARRIVAL_SECONDS = 0.3
"""For an arrival of its own: upload, and skip to the next."""

_SMALLER = 0.8


@dataclass(frozen=True)
class Capacity:
    """What this machine does in a real second when the model is no limit."""

    labelled: float
    uploaded: float

    @property
    def fastest_scale(self) -> float:
        """The least real seconds a simulated second may take, with one inference unit."""
        return min(1.0, TPS / (SHARE_OF_CAPACITY * self.labelled))


@dataclass(frozen=True)
class Play:
    """One workload under one policy, and real seconds for each simulated second."""

    workload: Workload
    policy: Policy
    time_scale: float

    def seconds(self, capacity: Capacity) -> float:
        """About how long it takes, really."""
        labelling = self.workload.images / (TPS * self.policy.units)
        uploading = self.workload.images / capacity.uploaded
        simulated = (SETUP_SIMULATED_SECONDS + labelling) * self.time_scale
        return SETUP_SECONDS + uploading + simulated + ARRIVAL_SECONDS * len(self.workload.arrivals)


def plan(workloads: Sequence[Workload], capacity: Capacity, budget_seconds: float) -> list[Play]:
    """Everything that is to be measured, at one pace, within a time.

    If even the fastest pace is too slow, the largest workloads are scaled down: each says so in `planned`.
    """
    chosen = list(workloads)
    while _seconds(chosen, capacity.fastest_scale, capacity) > budget_seconds:
        largest = max(chosen, key=lambda workload: workload.images - workload.fewest)
        if largest.images <= largest.fewest:
            break
        place = chosen.index(largest)
        planned = largest.planned or largest.images
        chosen[place] = workloads[place].scaled_down(_SMALLER * largest.images / planned)
    return _plays(chosen, _slowest_that_fits(chosen, capacity, budget_seconds))


def _slowest_that_fits(workloads: Sequence[Workload], capacity: Capacity, budget_seconds: float) -> float:
    low, high = capacity.fastest_scale, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if _seconds(workloads, middle, capacity) <= budget_seconds else (low, middle)
    return low


def _seconds(workloads: Sequence[Workload], scale: float, capacity: Capacity) -> float:
    return sum(play.seconds(capacity) for play in _plays(workloads, scale))


def _plays(workloads: Sequence[Workload], scale: float) -> list[Play]:
    return [Play(each, policy, _scale(each, policy, scale)) for each in workloads for policy in each.policies]


def _scale(workload: Workload, policy: Policy, scale: float) -> float:
    """With several units the model is as many times as fast, so the clock runs as many times as slow."""
    at_real_speed = workload.images / (TPS * policy.units)
    return min(1.0, max(scale * policy.units, SHORT_SECONDS / at_real_speed))
