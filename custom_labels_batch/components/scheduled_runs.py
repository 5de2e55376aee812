"""Runs on a schedule: the lock and record of runs, both workflows, all that starts them, and who hears of their end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam
from custom_labels_batch.components.detector import Detector
from custom_labels_batch.components.function import METRICS_NAMESPACE
from custom_labels_batch.components.inputs import in_apply, log_retention_days, number, whole_number
from custom_labels_batch.components.queue import DAY_SECONDS, WorkQueue
from custom_labels_batch.components.subscriptions import Subscription, checked_emails
from custom_labels_batch.components.topic import make_topic, subscribe
from custom_labels_batch.components.triggers import GUARD_SCHEDULE, release_after_failed_runs, schedule_workflow
from custom_labels_batch.components.workflow import Workflow
from custom_labels_batch.rules import limits
from custom_labels_batch.rules.drain_target import drain_seconds
from custom_labels_batch.rules.limits import EXECUTIONS_PER_INFERENCE_UNIT
from custom_labels_batch.rules.schedule_expression import DEFAULT_SCHEDULE, DEFAULT_TIMEZONE, checked_pause

RELEASE_TIMEOUT_SECONDS = 3 * 60 * 60
"""Twice what release_model waits for the model to stop, so that it ends by its own rules."""

SOURCE = "custom-labels-batch"
"""The source of the events on the account's default bus; workflows/release_model.asl.json has it too."""


@dataclass(frozen=True)
class RunInputs:
    """What BatchInference's inputs of the same names say of runs."""

    model_version: str
    schedule: pulumi.Input[str]
    schedule_timezone: pulumi.Input[str]
    max_inference_units: int
    tps_per_inference_unit: float
    target_drain_minutes: int
    min_batch_size: int
    max_queue_age_minutes: int
    max_run_minutes: int
    run_retention_days: int
    log_retention_days: int
    inference_unit_hour_price: float
    summary_emails: Sequence[Subscription]

    @classmethod
    def chosen(cls, args: Mapping[str, Any]) -> "RunInputs":
        """Take them in.

        Raises
        ------
        InputError
            Names one that is out of range.
        """
        return cls(
            model_version=args.get("model_version", ""),
            schedule=args.get("schedule", DEFAULT_SCHEDULE),
            schedule_timezone=args.get("schedule_timezone", DEFAULT_TIMEZONE),
            max_inference_units=whole_number(args, "max_inference_units", limits.MAX_INFERENCE_UNITS),
            tps_per_inference_unit=number(args, "tps_per_inference_unit", limits.TPS_PER_INFERENCE_UNIT),
            target_drain_minutes=whole_number(args, "target_drain_minutes", limits.TARGET_DRAIN_MINUTES),
            min_batch_size=whole_number(args, "min_batch_size", limits.MIN_BATCH_SIZE),
            max_queue_age_minutes=whole_number(args, "max_queue_age_minutes", limits.MAX_QUEUE_AGE_MINUTES),
            max_run_minutes=whole_number(args, "max_run_minutes", limits.MAX_RUN_MINUTES),
            run_retention_days=whole_number(args, "run_retention_days", limits.RUN_RETENTION_DAYS),
            log_retention_days=log_retention_days(args),
            inference_unit_hour_price=number(args, "inference_unit_hour_price", limits.INFERENCE_UNIT_HOUR_PRICE),
            summary_emails=checked_emails(args.get("summary_emails", []), "summary_emails"),
        )

    def pause_seconds(self) -> pulumi.Output[int]:
        """The longest pause between two ticks, in which images may come that nobody has seen yet."""
        if self.min_batch_size == 1:
            return pulumi.Output.from_input(0)
        return pulumi.Output.all(self.schedule, self.schedule_timezone).apply(
            lambda found: in_apply(checked_pause, *found, self.max_queue_age_minutes)
        )


@dataclass(frozen=True)
class Pipeline:
    """What a run works with.

    Attributes
    ----------
    mapping
        From the queue to the function; runs open and close it.
    project_arn
        What the detector finds the model by.
    """

    table: aws.dynamodb.Table
    queue: WorkQueue
    mapping: aws.lambda_.EventSourceMapping
    project_arn: pulumi.Output[str]
    detector: Detector
    function_timeout_seconds: int

    def values(self) -> dict[str, Any]:
        """What both workflows are told of it."""
        return {
            "ImageQueueUrl": self.queue.url,
            "EventSourceMappingUuid": self.mapping.uuid,
            "RunsTableName": self.table.name,
            "ProjectArn": self.project_arn,
        }

    def statements(self) -> list[iam.Statement]:
        """What both workflows may do with it."""
        return [
            iam.allow(
                ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], self.table.arn
            ),
            iam.allow(["sqs:GetQueueAttributes"], self.queue.arn),
            iam.allow(["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"], self.mapping.arn),
        ]


class ScheduledRuns:
    """Both state machines, and everything that starts them, as children of BatchInference."""

    def __init__(
        self,
        name: str,
        wanted: RunInputs,
        pipeline: Pipeline,
        needed: Sequence[pulumi.Resource],
        parent: pulumi.Resource,
    ) -> None:
        """Make them.

        Parameters
        ----------
        needed
            What must be there before the first run.
        """
        self._name, self._wanted, self._pipeline, self._parent = name, wanted, pipeline, parent
        child = pulumi.ResourceOptions(parent=parent)
        self.summaries, summaries_policy = make_topic(f"{name}-run-summaries", child)
        subscribe(f"{name}-run-summaries", self.summaries, wanted.summary_emails, summaries_policy, parent)
        self.release = self._release_model()
        self.batch = self._batch_inference()
        # A run and a release each look whether the lock's holder, of either kind, is alive.
        both = [self.batch, self.release]
        looking = [workflow.allow_describing_executions([self.batch, self.release]) for workflow in both]
        after = [*needed, self.release, self.batch, *looking, self.batch.allow_starting_itself(), summaries_policy]
        group = aws.scheduler.ScheduleGroup(name, opts=child)
        rescue, self.dead_letters = release_after_failed_runs(f"{name}-rescue", self.batch, self.release, parent)
        guard = schedule_workflow(f"{name}-release-model", group, self.release, GUARD_SCHEDULE, "UTC", parent, after)
        self.schedule = schedule_workflow(
            f"{name}-run",
            group,
            self.batch,
            wanted.schedule,
            wanted.schedule_timezone,
            parent,
            after=[*after, guard, rescue],
        )

    def _release_model(self) -> Workflow:
        wanted, pipeline = self._wanted, self._pipeline
        return Workflow(
            f"{self._name}-release-model",
            definition="release_model",
            changes=pipeline.detector.state_changes("release_model"),
            values={
                **pipeline.values(),
                "RunSummaryTopicArn": self.summaries.arn,
                "MetricsNamespace": METRICS_NAMESPACE,
                "InferenceUnitHourPrice": wanted.inference_unit_hour_price,
                "FunctionTimeoutSeconds": pipeline.function_timeout_seconds,
                "RunRetentionSeconds": wanted.run_retention_days * DAY_SECONDS,
            },
            statements=[
                *pipeline.statements(),
                *pipeline.detector.may_release(pipeline.project_arn),
                *telling(self.summaries, METRICS_NAMESPACE, self._parent),
            ],
            timeout_seconds=RELEASE_TIMEOUT_SECONDS,
            log_retention_days=wanted.log_retention_days,
            opts=pulumi.ResourceOptions(parent=self._parent),
        )

    def _batch_inference(self) -> Workflow:
        wanted, pipeline = self._wanted, self._pipeline
        max_run_seconds = wanted.max_run_minutes * 60
        return Workflow(
            f"{self._name}-run",
            definition="batch_inference",
            changes=pipeline.detector.state_changes("batch_inference"),
            values={
                **pipeline.values(),
                "ReleaseStateMachineArn": self.release.arn,
                "ModelVersion": wanted.model_version,
                "MaxInferenceUnits": wanted.max_inference_units,
                "TpsPerInferenceUnit": wanted.tps_per_inference_unit,
                "ExecutionsPerInferenceUnit": EXECUTIONS_PER_INFERENCE_UNIT,
                "TargetDrainSeconds": drain_seconds(wanted.target_drain_minutes),
                "MaxRunSeconds": max_run_seconds,
                "MinBatchSize": wanted.min_batch_size,
                "MaxQueueAgeSeconds": wanted.max_queue_age_minutes * 60,
                "SchedulePauseSeconds": wanted.pause_seconds(),
            },
            statements=[
                *pipeline.statements(),
                *pipeline.detector.may_run(pipeline.project_arn, wanted.model_version),
                iam.allow(["states:StartExecution"], self.release.arn),
            ],
            # An hour for the model to start, and two releases: an earlier run's and its own.
            timeout_seconds=max_run_seconds + 60 * 60 + 2 * RELEASE_TIMEOUT_SECONDS,
            log_retention_days=wanted.log_retention_days,
            opts=pulumi.ResourceOptions(parent=self._parent),
        )


def runs_table(name: str, opts: pulumi.ResourceOptions) -> aws.dynamodb.Table:
    """The lock of the model, and the record of every run.

    Encrypted with DynamoDB's own key, as every table is: `server_side_encryption` would only add KMS charges.
    """
    return aws.dynamodb.Table(
        name,
        billing_mode="PAY_PER_REQUEST",
        hash_key="kind",
        range_key="id",
        attributes=[{"name": "kind", "type": "S"}, {"name": "id", "type": "S"}],
        ttl={"attribute_name": "expiresAt", "enabled": True},
        point_in_time_recovery={"enabled": True},
        opts=opts,
    )


def telling(topic: aws.sns.Topic, metrics_namespace: str, parent: pulumi.Resource) -> list[iam.Statement]:
    """What telling the end of a run takes: a mail, an event on the default bus, and metrics."""
    options = pulumi.InvokeOptions(parent=parent)
    bus = pulumi.Output.format(
        "arn:{0}:events:{1}:{2}:event-bus/default",
        aws.get_partition_output(opts=options).partition,
        aws.get_region_output(opts=options).region,
        aws.get_caller_identity_output(opts=options).account_id,
    )
    return [
        iam.allow(["sns:Publish"], topic.arn),
        # The key has many values, and ForAllValues is content with none.
        iam.allow(
            ["events:PutEvents"],
            bus,
            Condition={
                "ForAllValues:StringEquals": {"events:source": SOURCE},
                "Null": {"events:source": "false"},
            },
        ),
        # CloudWatch has no ARN for a metric (service authorization reference).
        iam.allow(
            ["cloudwatch:PutMetricData"],
            "*",
            Condition={"StringEquals": {"cloudwatch:namespace": metrics_namespace}},
        ),
    ]
