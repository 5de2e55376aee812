"""When schedules tick, as the simulation counts time."""

from datetime import datetime, timedelta

import numpy as np

from custom_labels_batch.cli.arrivals import Seconds
from custom_labels_batch.cli.errors import InputError
from custom_labels_batch.rules.schedule_expression import checked_schedule, longest_pause, occurrences


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
