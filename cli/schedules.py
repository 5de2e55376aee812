"""When schedules tick, as the simulation counts time."""

from datetime import datetime, timedelta

import numpy as np

from cli.arrivals import Seconds
from cli.errors import InputError
from components.schedule_expression import checked_schedule, longest_pause, occurrences

DEFAULT_SCHEDULES = (
    "rate(15 minutes)",
    "rate(1 hour)",
    "cron(0 8-18 ? * MON-FRI *)",
    "rate(4 hours)",
    "rate(1 day)",
)
"""Side by side when none is asked for; the third looks in working hours only."""


def pause_of(expression: str, timezone: str) -> int:
    """Seconds of a schedule's longest pause.

    Raises
    ------
    InputError
        If Scheduler would not take the expression, or it does not repeat.
    """
    try:
        return longest_pause(checked_schedule(expression), timezone)
    except ValueError as error:
        raise InputError(
            f"--schedule {expression!r}: {error}; allowed is a rate such as 'rate(1 hour)', "
            "or a cron such as 'cron(0 6 ? * MON-FRI *)'"
        ) from None


def ticks(expression: str, begin: datetime, seconds: float, timezone: str) -> Seconds:
    """Seconds since `begin` of every tick; a rate's first is at `begin`."""
    moments = occurrences(expression, begin, begin + timedelta(seconds=seconds), timezone)
    return np.array([(moment - begin).total_seconds() for moment in moments])
