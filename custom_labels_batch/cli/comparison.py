"""Several schedules for the same images, side by side: what each costs, and how old its results get."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from math import ceil

import numpy as np

from custom_labels_batch.cli.arrivals import DAY, Arrivals, Seconds
from custom_labels_batch.cli.other_costs import images_cost, model_cost, sample_cost, scheduled_cost
from custom_labels_batch.cli.reference_policies import AlwaysRunning, PublishedSample
from custom_labels_batch.cli.scheduled_runs import MAPPING_SECONDS, ScheduledRuns
from custom_labels_batch.cli.schedules import pause_of, ticks
from custom_labels_batch.cli.simulation import Simulation, simulate
from custom_labels_batch.rules.limits import MAX_INFERENCE_UNITS

SAMPLE, ALWAYS = "published sample", "always running"
SAMPLE_SCHEDULE = "rate(1 hour)"
_SHORT_RUN_MINUTES = 60
"""A run keeps the units it began with; where images never cease, short runs let the units follow them."""

_TRIED_SCHEDULES = ("rate(5 minutes)", "rate(15 minutes)", "rate(30 minutes)", "rate(1 hour)")


@dataclass(frozen=True)
class Question:
    """What to simulate.

    Attributes
    ----------
    begin
        Midnight before the first arrival.
    stacks
        That share the images; every one has the settings.
    wanted_age_minutes
        That no result may exceed, if any.
    """

    arrivals: Arrivals
    begin: datetime
    days: int
    timezone: str
    settings: ScheduledRuns
    schedules: Sequence[str]
    stacks: int = 1
    wanted_age_minutes: float | None = None


@dataclass(frozen=True)
class Row:
    """One schedule's month, of all stacks together.

    Attributes
    ----------
    compared_with
        Whether the row is only there to compare with.
    model_usd, other_usd
        List prices of the model, and of everything else.
    billed_minutes
        Inference-unit minutes.
    idle_share
        Of the billed time, that in which no image is being labelled.
    median_age_minutes, age_95_minutes, worst_age_minutes
        From upload to result; None without results.
    most_units
        In use at once, of one stack.
    images_left
        Not labelled at the end.
    """

    name: str
    compared_with: bool
    model_usd: float
    other_usd: float
    billed_minutes: float
    idle_share: float
    runs: int
    median_age_minutes: float | None
    age_95_minutes: float | None
    worst_age_minutes: float | None
    most_units: int
    images_left: int

    @property
    def usd(self) -> float:
        return self.model_usd + self.other_usd

    @property
    def worst(self) -> float:
        """Age in minutes of the oldest result; without end if images are left or nothing was labelled."""
        return float("inf") if self.images_left or self.worst_age_minutes is None else self.worst_age_minutes


@dataclass(frozen=True)
class Advice:
    """Settings that meet the wanted age where none of the schedules does."""

    row: Row
    settings: ScheduledRuns


@dataclass(frozen=True)
class Comparison:
    """The answer.

    Attributes
    ----------
    chosen
        The cheapest schedule that labels everything, in the wanted age if one was given; None if none does.
    nearest
        Without a chosen one, the schedule whose oldest result is youngest, if any labels everything.
    advice
        What would meet the wanted age instead, if anything that was tried does.
    units_needed
        Inference units a stack needs to keep up with the arrivals.
    refused
        Schedules too rare for `minBatchSize`, and the `maxQueueAgeMinutes` from which the stack takes them.
    """

    question: Question
    rows: list[Row]
    chosen: Row | None
    nearest: Row | None
    units_needed: int
    advice: Advice | None
    refused: dict[str, int]

    @property
    def grows(self) -> bool:
        """Whether more images arrive than all units together can label."""
        return self.units_needed > self.question.settings.max_inference_units


def compare(question: Question) -> Comparison:
    """Simulate every schedule, the published sample's policy, and a model that always runs.

    Raises
    ------
    InputError
        If a schedule cannot be evaluated.
    """
    share = replace(question, arrivals=question.arrivals.share(question.stacks))
    rows = [_scheduled(share, schedule, question.settings) for schedule in question.schedules]
    units = units_needed(share.arrivals, question.days, question.settings)
    refused = _refused(question)
    complete = [row for row in rows if not row.images_left and row.name not in refused]
    wanted = question.wanted_age_minutes
    chosen = min((row for row in complete if wanted is None or row.worst <= wanted), key=lambda r: r.usd, default=None)
    nearest = None if chosen else min(complete, key=lambda row: row.worst, default=None)
    advice = None if chosen or wanted is None else _advise(share, wanted)
    references = [_sample(share), _always(share, units)]
    return Comparison(question, [*rows, *references], chosen, nearest, units, advice, refused)


def _refused(question: Question) -> dict[str, int]:
    if question.settings.min_batch_size == 1:
        return {}
    needed = {schedule: ceil(2 * pause_of(schedule, question.timezone) / 60) for schedule in question.schedules}
    return {name: age for name, age in needed.items() if age > question.settings.max_queue_age_minutes}


def units_needed(arrivals: Arrivals, days: int, settings: ScheduledRuns) -> int:
    """Inference units that label as many images as arrive, on average."""
    return max(1, ceil(arrivals.total / (days * DAY) / settings.rate))


def _scheduled(share: Question, schedule: str, settings: ScheduledRuns) -> Row:
    policy = settings.with_schedule(pause_of(schedule, share.timezone))
    may_wait = settings.max_queue_age_minutes if settings.min_batch_size > 1 else 0
    moments, in_the_month = _moments(share, schedule, share.timezone, 60 * may_wait)
    simulation = simulate(policy, share.arrivals, moments)
    other = scheduled_cost(simulation, in_the_month, share.days, settings.tps_per_inference_unit)
    # The month's last images wait for others that no longer come; had it gone on, they would not have.
    typical = share.days * DAY - 60 * may_wait
    return _row(schedule, simulation, other, share, ages_before=typical if typical > 0 else np.inf)


def _sample(share: Question) -> Row:
    tps = share.settings.tps_per_inference_unit
    policy = PublishedSample(share.settings.start_minutes, tps, until=share.days * DAY)
    moments, in_the_month = _moments(share, SAMPLE_SCHEDULE, "UTC")
    simulation = simulate(policy, share.arrivals, moments)
    return _row(SAMPLE, simulation, sample_cost(simulation, in_the_month, tps), share, compared_with=True)


def _moments(share: Question, schedule: str, timezone: str, may_wait: float = 0) -> tuple[Seconds, int]:
    """Ticks until the month's last images must be labelled if the schedule keeps up, and how many are in the month."""
    end = share.days * DAY
    afterwards = max(DAY, 2 * pause_of(schedule, timezone)) + may_wait
    moments = ticks(schedule, share.begin, end + afterwards, timezone)
    return moments, int(np.searchsorted(moments, end))


def _always(share: Question, units: int) -> Row:
    tps = share.settings.tps_per_inference_unit
    simulation = simulate(AlwaysRunning(units, share.days * DAY, tps), share.arrivals, [0.0])
    return _row(ALWAYS, simulation, images_cost(share.arrivals.total, tps), share, compared_with=True)


def _row(
    name: str,
    simulation: Simulation,
    other_usd: float,
    share: Question,
    *,
    compared_with: bool = False,
    ages_before: float = np.inf,
) -> Row:
    ages = simulation.ages_at((0.5, 0.95, 1), ages_before)
    median, most, worst = (age / 60 for age in ages) if ages else (None, None, None)
    return Row(
        name=name,
        compared_with=compared_with,
        model_usd=share.stacks * model_cost(simulation),
        other_usd=share.stacks * other_usd,
        billed_minutes=share.stacks * simulation.billed_minutes,
        idle_share=simulation.idle_share,
        runs=share.stacks * len(simulation.runs),
        median_age_minutes=median,
        age_95_minutes=most,
        worst_age_minutes=worst,
        most_units=simulation.most_units,
        images_left=share.stacks * simulation.images_left,
    )


def _advise(share: Question, wanted: float) -> Advice | None:
    """The cheapest that meets the age, of some schedules with as many units as that takes."""
    room = wanted - share.settings.start_minutes - MAPPING_SECONDS / 60
    if room < 1:
        return None
    most_run = share.settings.max_run_minutes
    tried = []
    for schedule, run_minutes in product(_TRIED_SCHEDULES, sorted({most_run, min(most_run, _SHORT_RUN_MINUTES)})):
        left = room - pause_of(schedule, "UTC") / 60
        if left < 1:
            break
        settings = replace(
            share.settings,
            max_inference_units=MAX_INFERENCE_UNITS.most,
            target_drain_minutes=min(share.settings.target_drain_minutes, max(1, int(left))),
            max_run_minutes=run_minutes,
            min_batch_size=1,
        )
        row = _scheduled(share, schedule, settings)
        if row.worst <= wanted:
            tried.append(Advice(row, replace(settings, max_inference_units=row.most_units)))
    return min(tried, key=lambda advice: advice.row.usd, default=None)
