"""The schedule of runs, switched off by an operator."""

from custom_labels_batch.cli.stack import Stack

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


def how_to_switch_on(stack: Stack) -> str:
    """In words. Without --refresh Pulumi does not look, and finds nothing to change; a sandbox never looks."""
    if stack.endpoint_url:
        return "a new sandbox has its schedule on"
    return "pulumi up --refresh switches the schedule on again"


def is_on(stack: Stack) -> bool:
    """Whether runs begin by the schedule."""
    group, name = _group_and_name(stack)
    return stack.scheduler.get_schedule(GroupName=group, Name=name).get("State") != "DISABLED"


def switch_off(stack: Stack) -> bool:
    """Start no more runs by the schedule; whether it was on. The guard's own schedule goes on."""
    group, name = _group_and_name(stack)
    found = stack.scheduler.get_schedule(GroupName=group, Name=name)
    if found.get("State") == "DISABLED":
        return False
    stack.scheduler.update_schedule(**{key: found[key] for key in _KEPT if key in found}, State="DISABLED")  # type: ignore[literal-required]
    return True


def _group_and_name(stack: Stack) -> tuple[str, str]:
    _, group, name = stack.output("scheduleArn").split(":")[5].split("/")
    return group, name
