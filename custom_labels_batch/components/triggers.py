"""What starts the workflows: schedules, and the end of a run that could not release its model."""

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam
from custom_labels_batch.components.queue import accept_from, dead_letter_queue
from custom_labels_batch.components.workflow import Workflow

GUARD_SCHEDULE = "rate(15 minutes)"
"""When release_model looks whether a dead run has left its model behind."""


def schedule_workflow(
    name: str,
    group: aws.scheduler.ScheduleGroup,
    workflow: Workflow,
    expression: pulumi.Input[str],
    timezone: pulumi.Input[str],
    parent: pulumi.Resource,
    after: Sequence[pulumi.Resource],
) -> aws.scheduler.Schedule:
    """Start a workflow, with a role of its own; made last, since a rate fires as soon as it exists.

    No start date: Scheduler refuses one more than five minutes past, and an update, which any later change of the
    schedule is, sends it again. A first tick at once finds an empty queue and costs nothing.
    """
    account = aws.get_caller_identity_output(opts=pulumi.InvokeOptions(parent=parent)).account_id
    role, policy = iam.role(
        f"{name}-schedule",
        iam.assume_role("scheduler", group.arn, account),
        [iam.allow(["states:StartExecution"], workflow.arn)],
        pulumi.ResourceOptions(parent=parent),
    )
    return aws.scheduler.Schedule(
        name,
        group_name=group.name,
        schedule_expression=expression,
        schedule_expression_timezone=timezone,
        flexible_time_window={"mode": "OFF"},
        target={
            "arn": workflow.arn,
            "role_arn": role.arn,
            "input": "{}",
            # The next tick does what this one could not.
            "retry_policy": {"maximum_retry_attempts": 2, "maximum_event_age_in_seconds": 300},
        },
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[policy, *after]),
    )


def release_after_failed_runs(
    name: str, batch: Workflow, release: Workflow, parent: pulumi.Resource
) -> tuple[aws.cloudwatch.EventTarget, aws.sqs.Queue]:
    """Start the release when a run fails, times out or is aborted: it cannot release its model itself.

    Returns
    -------
    tuple of EventTarget, Queue
        The rule's target, and where an event goes that could not start the release.
    """
    child = pulumi.ResourceOptions(parent=parent)
    rule = aws.cloudwatch.EventRule(
        name,
        description="Runs that ended without releasing their model",
        event_pattern=batch.arn.apply(
            lambda arn: json.dumps(
                {
                    "source": ["aws.states"],
                    "detail-type": ["Step Functions Execution Status Change"],
                    "detail": {"stateMachineArn": [arn], "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
                }
            )
        ),
        opts=child,
    )
    dead_letters = dead_letter_queue(f"{name}-dlq", child)
    dead_letter_policy = accept_from(f"{name}-dlq", dead_letters, "events", [rule.arn], child)
    role, policy = iam.role(
        name, iam.assume_role("events", rule.arn), [iam.allow(["states:StartExecution"], release.arn)], child
    )
    target = aws.cloudwatch.EventTarget(
        name,
        rule=rule.name,
        arn=release.arn,
        role_arn=role.arn,
        # Which run ended, and how: DescribeExecution may not know it yet.
        input_transformer={
            "input_paths": {"arn": "$.detail.executionArn", "status": "$.detail.status"},
            "input_template": '{"endedExecutionArn": <arn>, "endedStatus": <status>}',
        },
        dead_letter_config={"arn": dead_letters.arn},
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[policy, dead_letter_policy]),
    )
    return target, dead_letters
