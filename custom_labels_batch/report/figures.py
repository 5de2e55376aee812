"""The figures of a report: counts, times, money."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from custom_labels_batch.report.data import Image, Report, Status

_MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True)
class LabelCount:
    """How often a label was given, and how sure the model was on average (0 to 100)."""

    name: str
    count: int
    mean_confidence: float


@dataclass(frozen=True)
class Cost:
    """What the runs cost, beside two other ways to run the same model, in USD.

    Attributes
    ----------
    days
        Begun days (24 hours) from the first run's start to the last one's end; what "always on" is counted for.
    units
        Inference units the other ways are counted with: the most that any run used.
    """

    actual: float
    hour_a_run: float
    always_on: float
    days: int
    units: int
    runs: int

    @property
    def saved(self) -> float:
        """The share (0 to 1) of "always on" that was not spent."""
        return 1 - self.actual / self.always_on if self.always_on else 0.0


@dataclass(frozen=True)
class Waits:
    """Minutes from upload to result."""

    median: float
    longest: float
    last_result: float
    """From the first upload to the last result."""


@dataclass(frozen=True)
class Figures:
    images: int
    labelled: int
    unlabelled: int
    rejected: int
    waiting: int
    billed_minutes: float
    labels: tuple[LabelCount, ...]
    reasons: tuple[tuple[str, int], ...]
    cost: Cost | None
    waits: Waits | None


def figures(report: Report) -> Figures:
    """Count. `unlabelled` are the images among `labelled` in which nothing was found."""
    statuses = Counter(image.status for image in report.images)
    reasons = Counter(image.reason or "no reason given" for image in report.images if image.status is Status.REJECTED)
    return Figures(
        images=len(report.images),
        labelled=statuses[Status.LABELLED],
        unlabelled=sum(image.status is Status.LABELLED and not image.labels for image in report.images),
        rejected=statuses[Status.REJECTED],
        waiting=statuses[Status.WAITING],
        billed_minutes=sum(run.billed_minutes for run in report.runs),
        labels=tuple(label_counts(report.images)),
        reasons=tuple(reasons.most_common()),
        cost=_cost(report),
        waits=_waits(report),
    )


def label_counts(images: Iterable[Image]) -> list[LabelCount]:
    """Every label, the most frequent first. A label given twice in one image counts twice."""
    confidences: dict[str, list[float]] = {}
    for image in images:
        for label in image.labels:
            confidences.setdefault(label.name, []).append(label.confidence)
    counts = [LabelCount(name, len(all_), sum(all_) / len(all_)) for name, all_ in confidences.items()]
    return sorted(counts, key=lambda count: (-count.count, count.name))


def minutes_between(earlier: datetime, later: datetime, time_scale: float) -> float:
    """Minutes of the report's time between two times on the wall's clock."""
    return (later - earlier).total_seconds() / 60 / time_scale


def _cost(report: Report) -> Cost | None:
    if not report.runs:
        return None
    usd_a_minute = report.usd_per_inference_unit_hour / 60
    units = max(run.inference_units for run in report.runs)
    days = max(1, math.ceil(_covered_minutes(report) / _MINUTES_A_DAY))
    # A run that was billed for longer than an hour would not have been cheaper that way.
    hours = sum(max(60.0 * run.inference_units, run.billed_minutes) for run in report.runs)
    return Cost(
        actual=sum(run.billed_minutes for run in report.runs) * usd_a_minute,
        hour_a_run=hours * usd_a_minute,
        always_on=days * _MINUTES_A_DAY * units * usd_a_minute,
        days=days,
        units=units,
        runs=len(report.runs),
    )


def _covered_minutes(report: Report) -> float:
    began = [run.started_at for run in report.runs if run.started_at]
    if not began:
        return sum(run.duration_minutes for run in report.runs)
    ends = [
        minutes_between(min(began), run.started_at, report.time_scale) + run.duration_minutes
        for run in report.runs
        if run.started_at
    ]
    return max(ends)


def _waits(report: Report) -> Waits | None:
    pairs = [(i.uploaded_at, i.processed_at) for i in report.images if i.uploaded_at and i.processed_at]
    if not pairs:
        return None
    waits = [max(0.0, minutes_between(uploaded, processed, report.time_scale)) for uploaded, processed in pairs]
    first, last = min(uploaded for uploaded, _ in pairs), max(processed for _, processed in pairs)
    return Waits(median(waits), max(waits), max(0.0, minutes_between(first, last, report.time_scale)))


def minutes_text(minutes: float) -> str:
    """A duration as people say it.

    Example
    -------
    >>> [minutes_text(minutes) for minutes in (0.5, 12.44, 300, 5000)]
    ['30 s', '12.4 min', '5.0 h', '3.5 days']
    """
    span = timedelta(minutes=minutes)
    if span < timedelta(minutes=1):
        return f"{span.total_seconds():.0f} s"
    if span < timedelta(hours=2):
        return f"{minutes:.1f} min"
    if span < timedelta(days=2):
        return f"{minutes / 60:.1f} h"
    return f"{minutes / _MINUTES_A_DAY:.1f} days"


def usd_text(usd: float) -> str:
    """Money: cents for small sums, none for large ones."""
    return f"${usd:,.2f}" if usd < 1_000 else f"${usd:,.0f}"


def bytes_text(size: int) -> str:
    """A size as people say it, in decimal units."""
    for unit, one in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= one:
            return f"{size / one:,.1f} {unit}"
    return f"{size} bytes"
