"""EventBridge Scheduler expressions: rate(...) and cron(...), checked and evaluated as Scheduler would."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from aws_croniter import AwsCroniter

DEFAULT_SCHEDULE, DEFAULT_TIMEZONE = "rate(1 hour)", "UTC"
MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
LONGEST_RATE_MINUTES = 7 * 24 * 60
RATE = re.compile(r"rate\((1 (minute|hour|day)|(?!1 )[1-9][0-9]{0,4} (minutes|hours|days))\)")
CRON = re.compile(r"cron\(([^ ]+(?: [^ ]+){5})\)")
PAUSE_YEARS = range(2024, 2052)
"""28 years, in which every date falls on every day of the week: `longest_pause` is about them, whatever today is."""

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class CronField:
    """One field of a cron expression (EventBridge Scheduler User Guide, "Cron-based schedules").

    `special` is what only this field may say, as a regular expression of the whole field.
    """

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    steps: bool = True
    special: str = r"\*"

    def accepts(self, text: str) -> bool:
        return bool(re.fullmatch(self.special, text)) or all(self._accepts_part(part) for part in text.split(","))

    def _accepts_part(self, part: str) -> bool:
        start, slash, step = part.partition("/")
        if slash:
            right_step = self.steps and _number(step) is not None and 1 <= int(step) <= self.high
            return right_step and (start == "*" or self._value(start) is not None)
        first, dash, last = part.partition("-")
        low, high = self._value(first), self._value(last if dash else first)
        return low is not None and high is not None and low <= high

    def _value(self, text: str) -> int | None:
        if text in self.names:
            return self.low + self.names.index(text)
        number = _number(text)
        return number if number is not None and self.low <= number <= self.high else None


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else None


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
CRON_FIELDS = (
    CronField("minutes", 0, 59),
    CronField("hours", 0, 23),
    CronField("day-of-month", 1, 31, special=r"\*|\?|L|([1-9]|[12][0-9]|3[01])W"),
    CronField("month", 1, 12, _MONTHS),
    CronField("day-of-week", 1, 7, _DAYS, steps=False, special=r"\*|\?|L|[1-7]L|[1-7]#[1-5]"),
    CronField("year", 1970, 2199),
)


def checked_schedule(value: str) -> str:
    """A schedule expression, if Scheduler would take it and the image queue outlives its pauses.

    Raises
    ------
    ValueError
        Naming what is wrong.
    """
    if rate := RATE.fullmatch(value):
        number, unit = rate[1].split(" ")
        if int(number) * MINUTES[unit.rstrip("s")] > LONGEST_RATE_MINUTES:
            raise ValueError("the image queue keeps a message for 10 days, so look at it every 7 days at least")
        return value
    cron = CRON.fullmatch(value)
    if not cron:
        raise ValueError("neither a rate(...) nor a cron(...) expression of EventBridge Scheduler")
    texts = cron[1].split(" ")
    for field, text in zip(CRON_FIELDS, texts, strict=True):
        if not field.accepts(text):
            raise ValueError(f"{text!r} is no value of the field {field.name}")
    if (texts[2] == "?") == (texts[4] == "?"):
        raise ValueError("exactly one of day-of-month and day-of-week must be '?'")
    return value


def occurrences(expression: str, begin: datetime, end: datetime, timezone: str = "UTC") -> list[datetime]:
    """When a schedule ticks, from `begin` up to and without `end`, in UTC.

    Parameters
    ----------
    expression
        One that `checked_schedule` takes. A rate's first tick is at `begin`, as Scheduler's is at a schedule's start.
    timezone
        Of a cron expression. A local time that the clock leaves out is skipped; one that it shows twice counts once.
    """
    if period := _period(expression):
        ticks = (begin + number * period for number in range((end - begin) // period + 1))
        return [tick for tick in ticks if tick < end]
    zone, times = ZoneInfo(timezone), _times(expression)
    first, last = (begin - _DAY).date(), (end + _DAY).date()
    days = (day for day in _days(expression, range(first.year, last.year + 1)) if first <= day <= last)
    return [tick for day in days for tick in _ticks(day, times, zone) if begin <= tick < end]


@lru_cache
def longest_pause(expression: str, timezone: str = "UTC") -> int:
    """Seconds of the longest pause between two ticks of a schedule, one that `checked_schedule` takes.

    It depends on the expression and the time zone alone, never on the day it is asked.

    Raises
    ------
    ValueError
        If a cron expression has fewer than two ticks in `PAUSE_YEARS`.
    """
    if period := _period(expression):
        return int(period.total_seconds())
    zone, times, days = ZoneInfo(timezone), _times(expression), _days(expression, PAUSE_YEARS)
    ends = [times[0], times[-1]] if len(times) > 1 else times
    changes = {day: _ticks(day, times, zone) for day in days if _clock_changes(day, zone)}
    daily = [ticks for day in days if (ticks := changes.get(day, _ticks(day, ends, zone)))]
    if sum(map(len, daily)) < 2:
        ticked = f"ticks only once, at {daily[0][0]:%Y-%m-%d %H:%M} UTC," if daily else "never ticks"
        raise ValueError(
            f"{expression} {ticked} from {PAUSE_YEARS[0]} to {PAUSE_YEARS[-1]}; use a schedule that repeats, "
            "such as rate(1 hour) or cron(0 6 ? * MON-FRI *)"
        )
    nights = [after[0] - before[-1] for before, after in pairwise(daily)]
    whole_days = [_ticks(days[0], times, UTC), *changes.values()]
    within = [later - earlier for ticks in whole_days for earlier, later in pairwise(ticks)]
    return int(max(nights + within).total_seconds())


def checked_pause(schedule: str, timezone: str, max_queue_age_minutes: int) -> int:
    """Seconds of the longest pause between two ticks of a schedule, where an image may wait for at least two of them.

    Raises
    ------
    ValueError
        Says why, and what to change.
    """
    pause = longest_pause(checked_schedule(schedule), timezone)
    least = math.ceil(2 * pause / 60)
    if max_queue_age_minutes < least:
        remedy = f"raise maxQueueAgeMinutes to {least} or more, or look more often"
        raise ValueError(
            f"up to {pause / 60:g} minutes pass between two ticks of {schedule}: an image may come just after one, and "
            "the next must know whether it can wait for the one after it. For minBatchSize to have an effect, "
            + (remedy if least <= LONGEST_RATE_MINUTES else "look more often")
        )
    return pause


def _period(expression: str) -> timedelta | None:
    """Of a rate."""
    if not (rate := RATE.fullmatch(expression)):
        return None
    number, unit = rate[1].split(" ")
    return timedelta(minutes=int(number) * MINUTES[unit.rstrip("s")])


def _ticks(day: date, times: Sequence[time], zone: tzinfo) -> list[datetime]:
    """Moments in UTC; a time that the zone's clock leaves out that day is none."""
    local = [datetime.combine(day, at, zone) for at in times]
    return [tick for at in local if (tick := at.astimezone(UTC)).astimezone(zone).time() == at.time()]


def _clock_changes(day: date, zone: tzinfo) -> bool:
    midnight = datetime.combine(day, time(), zone)
    return midnight.utcoffset() != (midnight + _DAY).utcoffset()


def _times(expression: str) -> list[time]:
    """Times of day of a cron expression. They are the same on each of its days."""
    minutes, hours, *_ = _cron_fields(expression)
    any_day = datetime(PAUSE_YEARS[0], 1, 1, tzinfo=UTC)
    cron = AwsCroniter(f"{minutes} {hours} * * ? *")
    return [tick.time() for tick in cron.get_all_schedule_bw_dates(any_day, any_day + _DAY) if tick < any_day + _DAY]


def _days(expression: str, years: Iterable[int]) -> list[date]:
    """Days of a cron expression."""
    _, _, day_of_month, month, day_of_week, year = _cron_fields(expression)
    cron = AwsCroniter(f"0 0 {day_of_month} {month} {day_of_week} {year}")
    # Each year by itself: the library's search gives up after some months without a day.
    bounds = [(datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, tzinfo=UTC)) for year in years]
    return [tick.date() for first, last in bounds for tick in cron.get_all_schedule_bw_dates(first, last)]


def _cron_fields(expression: str) -> list[str]:
    """The fields as aws-croniter takes them: no zeros in front, Saturday for L alone, years listed."""
    fields = [re.sub(r"\b0+(?=[0-9])", "", text) for text in checked_schedule(expression)[5:-1].split(" ")]
    fields[4] = "7" if fields[4] == "L" else fields[4]
    fields[5] = re.sub(r"([0-9]+|\*)/([0-9]+)", _listed_years, fields[5])
    return fields


def _listed_years(step: re.Match[str]) -> str:
    first = 1970 if step[1] == "*" else int(step[1])
    return ",".join(map(str, range(first, 2200, int(step[2]))))
