"""The schedule of runs: when it ticks next, and how an operator switches it off."""

from datetime import datetime, timedelta

from custom_labels_batch.cli.answer import Answer
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.rules.schedule_expression import RATE, checked_schedule, longest_pause, occurrences

_KEPT = (
    "ActionAfterCompletion",
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "Name",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "Target",
)
"""UpdateSchedule forgets what it is not told again (EventBridge Scheduler API reference). Not its StartDate: Scheduler
refuses one that is more than five minutes ago ("The StartDate you specify cannot be earlier than 5 minutes ago"), and
what is off needs none."""


class Schedule(Answer):
    """What EventBridge Scheduler knows.

    Attributes
    ----------
    next_run
        None if the schedule is switched off, or never ticks again.
    """

    expression: str
    timezone: str
    is_enabled: bool
    next_run: datetime | None


def read_schedule(stack: Stack, now: datetime) -> Schedule:
    """The stack's schedule, and its next tick after a moment."""
    group, name = group_and_name(stack)
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


def how_to_switch_on(stack: Stack) -> str:
    """In words. Without --refresh Pulumi does not look, and finds nothing to change; a sandbox never looks."""
    if stack.endpoint_url:
        return "a new sandbox has its schedule on"
    return "pulumi up --refresh switches the schedule on again"


def is_on(stack: Stack) -> bool:
    """Whether runs begin by the schedule."""
    group, name = group_and_name(stack)
    return stack.scheduler.get_schedule(GroupName=group, Name=name).get("State") != "DISABLED"


def switch_off(stack: Stack) -> bool:
    """Start no more runs by the schedule; whether it was on. The guard's own schedule goes on."""
    group, name = group_and_name(stack)
    found = stack.scheduler.get_schedule(GroupName=group, Name=name)
    if found.get("State") == "DISABLED":
        return False
    stack.scheduler.update_schedule(**{key: found[key] for key in _KEPT if key in found}, State="DISABLED")  # type: ignore[literal-required]
    return True


def group_and_name(stack: Stack) -> tuple[str, str]:
    """Of the schedule: what Scheduler finds it by."""
    _, group, name = stack.output("scheduleArn").split(":")[5].split("/")
    return group, name
