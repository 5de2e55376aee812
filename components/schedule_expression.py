"""EventBridge Scheduler expressions: rate(...) and cron(...), checked as Scheduler would."""

import re
from dataclasses import dataclass

MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
LONGEST_RATE_MINUTES = 7 * 24 * 60
RATE = re.compile(r"rate\((1 (minute|hour|day)|(?!1 )[1-9][0-9]{0,4} (minutes|hours|days))\)")
CRON = re.compile(r"cron\(([^ ]+(?: [^ ]+){5})\)")


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
