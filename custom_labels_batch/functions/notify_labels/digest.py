"""The images of one notification together, and the parts it is sent in where it is too large for one message."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .alert import Alert


@dataclass(frozen=True)
class Summary:
    """One label of interest in a digest: its confidence in each image that has it."""

    name: str
    confidences: tuple[float, ...]


@dataclass(frozen=True)
class Digest:
    """At least one image to tell about, surest first."""

    alerts: tuple[Alert, ...]

    @cached_property
    def summaries(self) -> tuple[Summary, ...]:
        """The labels found, in most images first."""
        confidences: dict[str, list[float]] = {}
        for alert in self.alerts:
            for label in alert.labels:
                confidences.setdefault(label.name, []).append(label.confidence)
        found = [Summary(name, tuple(values)) for name, values in confidences.items()]
        return tuple(sorted(found, key=lambda label: (-len(label.confidences), label.name)))

    @cached_property
    def models(self) -> frozenset[str | None]:
        """The model versions that were asked."""
        return frozenset(alert.prediction.project_version_arn for alert in self.alerts)


def digest_of(alerts: Sequence[Alert]) -> Digest:
    return Digest(tuple(sorted(alerts, key=lambda alert: (-alert.highest_confidence, alert.prediction.image_key))))


@dataclass(frozen=True)
class Part:
    """Images of a digest that follow one another and go into one message.

    Attributes
    ----------
    start, end
        Which images, as a slice of the digest's.
    number, of
        Which of how many parts this is, from 1.
    """

    digest: Digest
    start: int
    end: int
    number: int = 1
    of: int = 1

    @property
    def alerts(self) -> tuple[Alert, ...]:
        return self.digest.alerts[self.start : self.end]


def pack(sizes: Sequence[int], room: int) -> list[tuple[int, int]]:
    """Slices of things that follow one another, each as long as its sizes fit into the room.

    Something larger than the room gets a slice of its own.

    Example
    -------
    >>> pack([3, 3, 3, 9, 1], room=6)
    [(0, 2), (2, 3), (3, 4), (4, 5)]
    """
    starts = [0]
    taken = 0
    for index, size in enumerate(sizes):
        if index > starts[-1] and taken + size > room:
            starts.append(index)
            taken = 0
        taken += size
    return list(zip(starts, [*starts[1:], len(sizes)], strict=True))
