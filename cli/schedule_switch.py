"""The schedule of runs, switched off by an operator."""

from cli.stack import Stack

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
    "StartDate",
    "Target",
)
"""UpdateSchedule forgets what it is not told again (EventBridge Scheduler API reference)."""

HOW_TO_SWITCH_ON = "pulumi up --refresh switches the schedule on again"
"""Without --refresh Pulumi does not look, and finds nothing to change."""


def switch_off(stack: Stack) -> bool:
    """Start no more runs by the schedule; whether it was on. The guard's own schedule goes on."""
    group, name = stack.output("scheduleArn").split(":")[5].split("/")[1:]
    found = stack.scheduler.get_schedule(GroupName=group, Name=name)
    if found.get("State") == "DISABLED":
        return False
    stack.scheduler.update_schedule(**{key: found[key] for key in _KEPT if key in found}, State="DISABLED")  # type: ignore[literal-required]
    return True
