"""`--since` and `--until`: what a person writes, as moments."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import typer

from custom_labels_batch.cli.errors import InputError

PANEL = "Which images"

SinceOption = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        show_default="7d",
        rich_help_panel=PANEL,
        help="Uploaded from then on: 2026-11-22, 2026-11-22T10:30, or a span back from now such as 30m, 12h, 7d, 2w.",
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        show_default="now",
        rich_help_panel=PANEL,
        help="Uploaded before then; of a date, the whole day. Times without an offset are UTC.",
    ),
]

_DEFAULT = timedelta(days=7)
_SPAN = re.compile(r"(\d{1,9})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATES = "a date (2026-11-22) or a time (2026-11-22T10:30, UTC unless it says otherwise)"
_ALLOWED = f"{_DATES}, or a span back from now (30m, 12h, 7d, 2w)"


@dataclass(frozen=True)
class Period:
    """From a moment on, and before another; both in UTC.

    Attributes
    ----------
    until
        None for no end.
    """

    since: datetime
    until: datetime | None = None

    def __str__(self) -> str:
        end = f" until {_told(self.until)}" if self.until else ""
        return f"since {_told(self.since)}{end}"


def period(since: str | None, until: str | None, now: datetime) -> Period:
    """What two options mean; without the first, the last 7 days.

    Raises
    ------
    InputError
        One is no time, or the end is not after the beginning.
    """
    end = moment("--until", until, now, whole_day=True) if until is not None else None
    begin = moment("--since", since, now) if since is not None else min(now, end or now) - _DEFAULT
    if end is not None and end <= begin:
        raise InputError(f"--until {until} is not after --since {since}; swap them, or leave one out")
    return Period(begin, end)


def moment(option: str, text: str, now: datetime, *, whole_day: bool = False, spans: bool = True) -> datetime:
    """The moment that a date, a time or a span back from now names.

    Parameters
    ----------
    whole_day
        A date names its end, not its beginning.
    spans
        Whether spans are allowed.

    Raises
    ------
    InputError
        It names none.

    Example
    -------
    >>> moment("--since", "12h", datetime(2026, 11, 22, 18, tzinfo=UTC)).isoformat()
    '2026-11-22T06:00:00+00:00'
    """
    try:
        if spans and (span := _SPAN.fullmatch(text)):
            return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
        if day := _day(text):
            return datetime.combine(day, time(), UTC) + timedelta(days=whole_day)
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(f"{option} {text!r} is no time; give {_ALLOWED if spans else _DATES}") from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
