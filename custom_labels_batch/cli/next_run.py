"""When the schedule ticks next."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.components.schedule_expression import RATE, checked_schedule, longest_pause, occurrences


class Schedule(BaseModel):
    """What EventBridge Scheduler knows.

    Attributes
    ----------
    next_run
        None if the schedule is switched off, or never ticks again.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    expression: str
    timezone: str
    is_enabled: bool
    next_run: datetime | None


def read_schedule(stack: Stack, now: datetime) -> Schedule:
    """The stack's schedule, and its next tick after a moment."""
    group, name = stack.output("scheduleArn").split(":")[5].split("/")[1:]
    found = stack.scheduler.get_schedule(GroupName=group, Name=name)
    expression, timezone = found["ScheduleExpression"], found.get("ScheduleExpressionTimezone", "UTC")
    is_enabled = found.get("State", "ENABLED") == "ENABLED"
    first = found.get("StartDate") or found.get("CreationDate") or now
    tick = next_tick(expression, timezone, first, now) if is_enabled else None
    return Schedule(expression=expression, timezone=timezone, is_enabled=is_enabled, next_run=tick)


def next_tick(expression: str, timezone: str, first: datetime, now: datetime) -> datetime | None:
    """The first tick after a moment; None where it cannot be told.

    Parameters
    ----------
    first
        A rate's first tick, which the others follow.
    """
    try:
        pause = timedelta(seconds=longest_pause(checked_schedule(expression), timezone))
    except ValueError:  # a cron expression that ticks once at most
        return None
    if RATE.fullmatch(expression):
        return first if first > now else first + ((now - first) // pause + 1) * pause
    return next(iter(occurrences(expression, now, now + pause + timedelta(days=1), timezone)), None)
