"""How numbers, moments, models and places are said to people."""

from collections.abc import Collection
from datetime import UTC, datetime

from ..shared.prediction import BoundingBox

_MOST_OF_THE_IMAGE = 0.5
"""A box of more than this share of the image says little about where to look."""

_ROWS, _COLUMNS = ("top", "middle", "bottom"), ("left", "center", "right")


def percent(confidence: float) -> str:
    """A confidence, 0 to 100, with one decimal; below 100 it is never said to be certain.

    Example
    -------
    >>> percent(99.98), percent(100)
    ('99.9%', '100%')
    """
    return "100%" if confidence >= 100 else f"{min(confidence, 99.9):.1f}%"


def percent_range(confidences: Collection[float]) -> str:
    """From the least to the most sure.

    Example
    -------
    >>> percent_range([97.2, 55.31]), percent_range([80])
    ('55.3% to 97.2%', '80.0%')
    """
    lowest, highest = percent(min(confidences)), percent(max(confidences))
    return lowest if lowest == highest else f"{lowest} to {highest}"


def moment(when: datetime) -> str:
    """A moment to the minute, in UTC.

    Example
    -------
    >>> moment(datetime(2026, 11, 2, 9, 5, tzinfo=UTC))
    '2 Nov 2026, 09:05 UTC'
    """
    return f"{_day(when)}, {_time(when)} UTC"


def moment_range(moments: Collection[datetime]) -> str:
    """From the first to the last.

    Example
    -------
    >>> moment_range([datetime(2026, 11, 2, 9, 5, tzinfo=UTC), datetime(2026, 11, 2, 23, 1, tzinfo=UTC)])
    '2 Nov 2026, 09:05 to 23:01 UTC'
    """
    first, last = min(moments), max(moments)
    if moment(first) == moment(last):
        return moment(first)
    end = f"{_time(last)} UTC" if _day(first) == _day(last) else moment(last)
    return f"{moment(first).removesuffix(' UTC')} to {end}"


def _day(when: datetime) -> str:
    utc = when.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y}"


def _time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%H:%M}"


def model(project_version_arn: str | None) -> str:
    """A model by the names people gave it.

    Example
    -------
    >>> model("arn:aws:rekognition:eu-west-1:123456789012:project/roofs/version/roofs.2026-11-01/1793491200001")
    'roofs, version roofs.2026-11-01'
    """
    parts = (project_version_arn or "").split("/")
    return f"{parts[1]}, version {parts[3]}" if len(parts) == 5 else project_version_arn or "unknown"


def place(box: BoundingBox | None) -> str:
    """Where in the image to look, such as "top left"; empty where that would be no help."""
    if box is None or box.width * box.height > _MOST_OF_THE_IMAGE:
        return ""
    row, column = _third(box.top + box.height / 2), _third(box.left + box.width / 2)
    return "center" if row == column == 1 else f"{_ROWS[row]} {_COLUMNS[column]}"


def _third(center: float) -> int:
    return int(center >= 1 / 3) + int(center >= 2 / 3)


def count(number: int, noun: str) -> str:
    """A number of things.

    Example
    -------
    >>> count(1, "image"), count(1200, "image")
    ('1 image', '1,200 images')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
