"""When images arrive: so many a day in one of three shapes, or the times of a CSV file."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from custom_labels_batch.cli.errors import InputError
from custom_labels_batch.cli.plan_choices import Shape

DAY = 24 * 60 * 60
WEEK_DAYS, WORKING_DAYS = 7, 5
MOST_IMAGES_A_LINE = 10_000_000
PIECES = 1_000_000
"""About as many pieces are simulated; with more images than that, neighbours are treated as one."""

Seconds = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Arrivals:
    """Images by the moment they arrive at, in order.

    Attributes
    ----------
    seconds
        Since the first day's midnight, ascending.
    images
        That arrive at each of them, at least one.
    """

    seconds: Seconds
    images: Counts

    @classmethod
    def at(cls, seconds: npt.ArrayLike, images: npt.ArrayLike = 1) -> Self:
        """Images at any moments, in any order."""
        moments, position = np.unique(np.asarray(seconds, dtype=np.float64), return_inverse=True)
        counts = np.zeros(len(moments), dtype=np.int64)
        np.add.at(counts, position, images)
        return cls(moments[counts > 0], counts[counts > 0])

    @property
    def total(self) -> int:
        return int(self.images.sum())

    def share(self, stacks: int) -> "Arrivals":
        """What the fullest of several stacks gets, when they take turns."""
        before = np.concatenate(([0], np.cumsum(self.images)))
        return _without_empty(self.seconds, np.diff((before + stacks - 1) // stacks))

    def within(self, days: int) -> "Arrivals":
        """Only those of the first days."""
        last = int(np.searchsorted(self.seconds, days * DAY))
        return Arrivals(self.seconds[:last], self.images[:last])

    def repeated(self, every_days: int, days: int) -> "Arrivals":
        """The same again every so many days, until the days are over."""
        shifts = np.arange(0, days, every_days) * DAY
        seconds = np.add.outer(shifts, self.seconds).ravel()
        return Arrivals(seconds.astype(np.float64), np.tile(self.images, len(shifts))).within(days)

    def in_pieces(self) -> "Arrivals":
        """The same images with few enough at each entry to be followed one by one."""
        size = max(1, self.total // PIECES)
        pieces = -(-self.images // size)
        images = np.full(int(pieces.sum()), size, dtype=np.int64)
        images[np.cumsum(pieces) - 1] = self.images - (pieces - 1) * size
        return Arrivals(np.repeat(self.seconds, pieces), images)


HOURS = {Shape.EVENLY: (0.0, 24.0), Shape.OFFICE_HOURS: (8.0, 18.0), Shape.NIGHTLY: (2.0, 2.0)}
"""From when to when images arrive, in hours of the local day."""


def daily(images_a_day: int, days: int, shape: Shape = Shape.EVENLY) -> Arrivals:
    """Images on every day, from a Monday on, at random but always the same moments of its hours.

    In office hours, from Monday to Friday only.
    """
    begin, end = (int(hour * 3600) for hour in HOURS[shape])
    weekdays = np.arange(days) % WEEK_DAYS
    first_seconds = np.arange(days)[(shape is not Shape.OFFICE_HOURS) | (weekdays < WORKING_DAYS)] * DAY + begin
    if begin == end:
        return Arrivals.at(first_seconds, np.full(len(first_seconds), images_a_day))
    random = np.random.default_rng(seed=0)
    images = random.multinomial(images_a_day, np.full(end - begin, 1 / (end - begin)), size=len(first_seconds))
    seconds = np.add.outer(first_seconds, np.arange(end - begin)) + random.random(images.shape)
    return _without_empty(seconds.ravel(), images.ravel())


def _without_empty(seconds: Seconds, images: Counts) -> Arrivals:
    return Arrivals(seconds[images > 0], images[images > 0])


@dataclass(frozen=True)
class Recording:
    """The arrivals of a CSV file.

    Attributes
    ----------
    begin
        Midnight before the first of them, in the time zone asked for.
    days
        From then on until after the last.
    """

    arrivals: Arrivals
    begin: datetime
    days: int


def read_csv(path: Path, zone: tzinfo = UTC) -> Recording:
    """Times of images, one a line, each with how many come at once in a second column if there is more than one.

    Parameters
    ----------
    path
        UTF-8; the first line may name the columns.
    zone
        Of times that do not say theirs.

    Raises
    ------
    InputError
        Naming the line, the value and what is allowed.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(_rows(file, path, zone))
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text in UTF-8; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise InputError(
            f"{path} is not CSV ({error}); one ISO time a line is allowed, then a comma and a count"
        ) from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); name a CSV file with one ISO time a line"
        ) from None
    if not rows:
        raise InputError(f"{path} has no arrivals; it needs at least one line such as 2026-11-22T08:30:00,12")
    first = min(moment for moment, _ in rows).astimezone(zone)
    begin = first.replace(hour=0, minute=0, second=0, microsecond=0)
    start = begin.astimezone(UTC)
    arrivals = Arrivals.at([(moment - start).total_seconds() for moment, _ in rows], [count for _, count in rows])
    if not arrivals.total:
        raise InputError(f"{path} has no images: every count in it is 0; at least one must be 1 or more")
    return Recording(arrivals, begin, int(arrivals.seconds[-1] // DAY) + 1)


def _rows(lines: Iterator[str], path: Path, zone: tzinfo) -> Iterator[tuple[datetime, int]]:
    reader = csv.reader(lines, strict=True)
    for row in reader:
        cells = [cell.strip() for cell in row]
        named = reader.line_num == 1 and cells and cells[0][:1].isalpha()
        if named or not any(cells):
            continue
        where = f"{path}, line {reader.line_num}"
        if len(cells) > 2:
            raise InputError(f"{where}: {len(cells)} columns; allowed are a time and, after a comma, a count")
        yield _moment(cells[0], zone, where), _count(cells[1], where) if cells[1:] else 1


def _moment(text: str, zone: tzinfo, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(
            f"{where}: {text!r} is no time; allowed is ISO 8601, such as 2026-11-22T08:30:00+01:00"
        ) from None


def _count(text: str, where: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:20]) <= MOST_IMAGES_A_LINE):
        raise InputError(
            f"{where}: {text!r} is no count of images; allowed is a whole number from 0 to {MOST_IMAGES_A_LINE}"
        )
    return int(text)
