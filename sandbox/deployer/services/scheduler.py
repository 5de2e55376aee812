"""EventBridge Scheduler schedules and their groups."""

from datetime import datetime
from typing import Any

from sandbox.deployer.arguments import Arguments, Request
from sandbox.deployer.cloud import Cloud, tag_list
from sandbox.deployer.model import Created, Registration
from sandbox.deployer.permissions import require_allowed, require_trust
from sandbox.deployer.registry import creates, deletes, updates
from sandbox.deployer.services.eventbridge import if_undelivered

_GROUP = "aws:scheduler/scheduleGroup:ScheduleGroup"
_SCHEDULE = "aws:scheduler/schedule:Schedule"


@creates(_GROUP)
def create_group(cloud: Cloud, args: Request) -> Created:
    """Make a schedule group."""
    arn = cloud.scheduler.create_schedule_group(Name=args["name"], Tags=tag_list(args.plain("tagsAll")))[
        "ScheduleGroupArn"
    ]
    return Created(args["name"], {"arn": arn, "state": "ACTIVE"})


@deletes(_GROUP)
def delete_group(cloud: Cloud, made: Created) -> None:
    """Remove a group."""
    cloud.scheduler.delete_schedule_group(Name=made.id)


@creates(_SCHEDULE, replaced_by=["groupName"])
def create_schedule(cloud: Cloud, args: Request) -> Created:
    """Make a schedule whose role Scheduler may assume for the schedule's group, as CreateSchedule checks."""
    group = args.get("groupName", "default")
    arn = cloud.scheduler.create_schedule(**_schedule(cloud, args))["ScheduleArn"]
    return Created(f"{group}/{args['name']}", {"arn": arn, "groupName": group})


@updates(_SCHEDULE)
def update_schedule(cloud: Cloud, args: Request, _made: Created) -> None:
    """Change a schedule, by saying everything of it again: what UpdateSchedule is not told it forgets."""
    cloud.scheduler.update_schedule(**_schedule(cloud, args))


def _schedule(cloud: Cloud, args: Request) -> dict[str, Any]:
    group = args.get("groupName", "default")
    given: dict[str, Any] = args.renamed(
        {
            "actionAfterCompletion": "ActionAfterCompletion",
            "description": "Description",
            "kmsKeyArn": "KmsKeyArn",
            "scheduleExpressionTimezone": "ScheduleExpressionTimezone",
            "state": "State",
        }
    )
    for key, parameter in (("startDate", "StartDate"), ("endDate", "EndDate")):
        if key in args:
            given[parameter] = datetime.fromisoformat(args[key])
    window = {"mode": "Mode", "maximumWindowInMinutes": "MaximumWindowInMinutes"}
    target = _target(args["target"])
    group_arn = f"arn:aws:scheduler:{cloud.region}:{cloud.account_id}:schedule-group/{group}"
    require_trust(cloud, target["RoleArn"], "scheduler.amazonaws.com", group_arn)
    _check_target_permissions(cloud, args.resource, target)
    return {
        "Name": args["name"],
        "GroupName": group,
        "ScheduleExpression": args["scheduleExpression"],
        "FlexibleTimeWindow": args["flexibleTimeWindow"].renamed(window),
        "Target": target,
        **given,
    }


@deletes(_SCHEDULE)
def delete_schedule(cloud: Cloud, made: Created) -> None:
    """Remove a schedule."""
    group, _, name = made.id.partition("/")
    cloud.scheduler.delete_schedule(Name=name, GroupName=group)


def _target(args: Arguments) -> dict[str, Any]:
    return {
        "Arn": args["arn"],
        "RoleArn": args["roleArn"],
        **args.renamed({"input": "Input"}),
        **if_undelivered(args),
    }


def _check_target_permissions(cloud: Cloud, resource: Registration, target: dict[str, Any]) -> None:
    """Refuse what AWS takes and then fails at every tick: a role that may not reach its target."""
    if target["Arn"].split(":")[2] == "states":
        require_allowed(cloud, resource, target["RoleArn"], ["states:StartExecution"], target["Arn"], "the schedule")
    if "DeadLetterConfig" in target:
        queue = target["DeadLetterConfig"]["Arn"]
        require_allowed(
            cloud, resource, target["RoleArn"], ["sqs:SendMessage"], queue, "the schedule's dead-letter queue"
        )
