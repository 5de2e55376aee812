"""CloudWatch alarms: what each watches, what it means, and what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components.metrics import (
    Metric,
    function_metric,
    not_well,
    of_runs_metric,
    queue_metric,
    schedule_metric,
    units_metric,
)

FIVE_MINUTES = 5 * 60
"""Seconds. SQS sends metrics every minute, others as things happen; five minutes have all of them."""

DAY_MINUTES = 24 * 60

MOST_PINNED_MINUTES = DAY_MINUTES
"""The longest an alarm looks back in periods of less than an hour (CloudWatch API reference, PutMetricAlarm). Whole
hours would reach further, and take a model that is started every hour for one that never stops."""

MOST_UNPINNED_MINUTES = 150
"""Half an hour less than an alarm on a Metrics Insights query looks back (CloudWatch user guide, Metrics Insights
quotas): values that come late must be in it too."""

RELEASE_SLACK_MINUTES = 60
"""What a run may take after `maxRunMinutes`: to close the mapping, and to stop the model."""

GUARD_MINUTES = 15
"""Between two looks of the guard (components/triggers.py)."""

GUARD_LOOKS = 3
"""In a row that find a model without a run: one may be somebody's who tries it out."""

MOST_WAIT_MINUTES = 9 * DAY_MINUTES
"""A day before the image queue forgets a message."""

RUNBOOK = "More: the runbook of custom-labels-batch, docs/runbook.md"
"""A place in the repository, whose address nobody here knows. Each alarm has a section there, named as the alarm is."""


@dataclass(frozen=True)
class Alarm:
    """One alarm, raised when the sum of its metrics is at least `threshold` in each of `periods`.

    Attributes
    ----------
    name
        What is added to the component's name.
    description
        It is in the mail. With where the runbook has more it may have 1,024 characters (PutMetricAlarm).
    metrics
        Of one period each; or a Metrics Insights query.
    lasts
        Whether it is over only when the trouble is: then people are told of that too.
    always_measured
        Whether a value is missing only where something is wrong: then people are told of that too.
    """

    name: str
    description: str
    metrics: Sequence[Metric] | pulumi.Output[str]
    threshold: float = 1
    period_seconds: int = FIVE_MINUTES
    periods: int = 1
    lasts: bool = False
    always_measured: bool = False


def dead_letters(name: str, url: pulumi.Input[str], description: str) -> Alarm:
    """Any message in a dead-letter queue."""
    return Alarm(
        f"{name}-dead-letter",
        description,
        [queue_metric(url, "ApproximateNumberOfMessagesVisible")],
        lasts=True,
    )


_SEND_HOME = (
    " Nothing is lost yet: a message is kept for 14 days, which count from when it was first sent. To do: look at a "
    "message and at the function's log for the cause, mend it, then send the messages home (clb redrive; SQS console: "
    "Start DLQ redrive; or aws sqs start-message-move-task). The alarm ends when the queue is empty."
)
IMAGE_DEAD_LETTERS = (
    "Images could not be labelled: their messages failed ten times, or could not be delivered. The images are still "
    "in the source bucket." + _SEND_HOME
)
NOTIFICATION_DEAD_LETTERS = (
    "People were not told about some images: the notify-labels function failed ten times on them, or they could not be "
    "delivered." + _SEND_HOME
)
ANALYTICS_DEAD_LETTERS = (
    "Some predictions are missing in Athena and QuickSight: the record-predictions function failed ten times on them, "
    "or they could not be delivered." + _SEND_HOME
)
RESCUE_DEAD_LETTERS = (
    "A run failed, and EventBridge could not start the workflow that stops its model. The guard does that within 15 "
    "minutes. To do: see that the model is stopped. The message's attribute ERROR_MESSAGE says why it could not be "
    "started; if the rule's role may not start it any more, pulumi up --refresh gives the right back. Then purge the "
    "queue: its messages are for people only, and the alarm ends when it is empty."
)


def oldest_image(image_queue_url: pulumi.Input[str], minutes: int) -> Alarm:
    """Images that wait for longer than runs make them."""
    return Alarm(
        "oldest-image",
        f"The oldest image has waited for more than {minutes} minutes, which is longer than runs should leave one "
        "waiting. After 10 days SQS forgets it. To do: see whether runs start and how they end (state machine of "
        "runs, or, where you keep the model running, the model). If they fail, their cause says what to do. If they "
        "end well and images still wait, the work has outgrown them: raise maxInferenceUnits or maxRunMinutes, or "
        "look more often.",
        [queue_metric(image_queue_url, "ApproximateAgeOfOldestMessage")],
        threshold=minutes * 60,
        lasts=True,
    )


def failed_run(state_machine_arn: pulumi.Input[str]) -> Alarm:
    """A run that failed or timed out; one that somebody ends is meant to end."""
    return Alarm(
        "failed-run",
        "A run failed or timed out. Its images wait for the next run, and release_model stops the model "
        "within minutes; if it does not, another alarm tells. To do: open the execution in Step Functions: its cause "
        "says what to do. One failure that the next run does not repeat needs nothing.",
        not_well(state_machine_arn, "ExecutionsFailed", "ExecutionsTimedOut"),
    )


def failed_release(release_state_machine_arn: pulumi.Input[str]) -> Alarm:
    """The workflow that stops the model failed: the one failure that costs money."""
    return Alarm(
        "failed-release",
        "URGENT: the workflow that stops the model failed, timed out or was aborted. The model may be running, and "
        "costs about 4 USD an hour and inference unit until it is stopped. The guard tries again every 15 minutes. "
        "To do: look whether the model runs (aws rekognition describe-project-versions) and stop it if it does (clb "
        "stop, or by hand: aws rekognition stop-project-version). Then open the execution in Step Functions: its cause "
        "says what to mend.",
        not_well(release_state_machine_arn, "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"),
    )


def model_without_run(release_state_machine_arn: pulumi.Input[str]) -> Alarm:
    """A model in service while no run is active, as the guard sees it; or a guard that does not look.

    Not from CloudWatch's InServiceInferenceUnits, which knows nothing of runs: the guard sees the lock and the model at
    one moment, so a run that begins or ends is never mistaken.
    """
    return Alarm(
        "model-without-run",
        f"A model of the project has been in service for {_duration(GUARD_LOOKS * GUARD_MINUTES)} while no run was "
        "active, and costs about 4 USD an hour and inference unit. Either somebody started it by hand: the stack uses "
        "such a model and never stops it. Or a run has left it behind. To do: if nobody needs it, stop it (aws "
        "rekognition stop-project-version). In the state INSUFFICIENT_DATA nobody knows: the guard, which stops what "
        "runs leave behind, has not looked for more than an hour. Then see that its schedule is there and enabled, and "
        "look at the failed executions of release_model; pulumi up --refresh restores both schedule and permissions.",
        [of_runs_metric(release_state_machine_arn, "IdleInferenceUnits", "Minimum")],
        period_seconds=GUARD_MINUTES * 60,
        periods=GUARD_LOOKS,
        lasts=True,
        always_measured=True,
    )


def model_in_service(project_arn: pulumi.Input[str], version: str | None, max_run_minutes: int) -> Alarm:
    """A model that is in service without a pause for longer than a run may take, as far as CloudWatch looks back.

    CloudWatch has a metric for each model version. Without a pinned one it takes a query to watch them all, and an
    alarm on a query looks back less far. (SEARCH, which would look back further, is for dashboards only.)
    """
    allowed = max_run_minutes + RELEASE_SLACK_MINUTES
    minutes = min(allowed, MOST_PINNED_MINUTES if version else MOST_UNPINNED_MINUTES)
    name = pulumi.Output.from_input(project_arn).apply(lambda arn: arn.split("/")[1])
    shorter = (
        f"A run may take longer (maxRunMinutes is {max_run_minutes}); CloudWatch looks back no further"
        + ("" if version else " unless modelVersion is set")
        + ". "
        if minutes < allowed
        else ""
    )
    return Alarm(
        "model-in-service",
        f"A model of the project has been in service for {_duration(minutes)} without a pause, and costs about 4 USD "
        f"an hour and inference unit. {shorter}To do: see whether a run is active (state machine of runs). If it is, "
        "and images are being labelled, nothing. If none is, stop the model (aws rekognition stop-project-version), "
        "then look at the failed executions of release_model: it should have done so. Unless somebody started the "
        "model by hand: the stack never stops such a one.",
        [units_metric(name, version)] if version else name.apply(units_query),
        period_seconds=FIVE_MINUTES,
        periods=minutes * 60 // FIVE_MINUTES,
        lasts=True,
    )


def units_query(project_name: str) -> str:
    """Inference units in service of any version of a project, as a Metrics Insights query."""
    schema = 'SCHEMA("AWS/Rekognition", ProjectName, VersionName)'
    return f"SELECT MAX(InServiceInferenceUnits) FROM {schema} WHERE ProjectName = '{project_name}'"  # noqa: S608


def function_errors(service: str, function_name: pulumi.Input[str]) -> Alarm:
    """A function that ends in errors again and again; one that fails once gets its messages again."""
    return Alarm(
        f"{service}-error",
        f"The {service} function crashed or ran out of time three times in a quarter of an hour. Its messages come "
        "again, and after ten failures go to the dead-letter queue. To do: look at the function's log for ERROR "
        "lines and 'Task timed out'. After a deployment, roll back; after a change of permissions or keys, give them "
        "back.",
        [function_metric(function_name, "Errors")],
        threshold=3,
        period_seconds=15 * 60,
    )


def throttled_functions(function_names: Sequence[pulumi.Input[str]]) -> Alarm:
    """Functions that Lambda does not let run."""
    return Alarm(
        "throttled-functions",
        "Lambda has not let functions of this stack run for a quarter of an hour, for lack of concurrency in the "
        "account. Nothing is lost, but a model that runs meanwhile costs money. To do: see which functions take the "
        "account's concurrency (Lambda console, ConcurrentExecutions), and ask for a higher quota or reserve less "
        "elsewhere.",
        [function_metric(name, "Throttles") for name in function_names],
        periods=3,
    )


def failed_schedule(schedule_arn: pulumi.Input[str]) -> Alarm:
    """Ticks that did not start their workflow, after all retries."""
    return Alarm(
        "failed-schedule",
        "EventBridge Scheduler gave up starting a workflow: a run, or the guard that stops a forgotten model. The next "
        "tick tries again. To do: if it goes on, see that the schedules' roles may start the state machines "
        "(states:StartExecution), and that the state machines exist; pulumi up --refresh restores both.",
        [schedule_metric(schedule_arn, "InvocationDroppedCount")],
    )


def create(
    component: str, alarm: Alarm, topic_arn: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> aws.cloudwatch.MetricAlarm:
    """The alarm itself, which publishes to a topic.

    A period without a value is mostly a good one: a queue that nobody uses, a workflow or function that does not run,
    and a model that is not in service send none. Where one is always to be, its absence is told. A new alarm has no
    value yet, which is no change, and told to nobody.
    """
    return aws.cloudwatch.MetricAlarm(
        f"{component}-{alarm.name}",
        alarm_description=f"{alarm.description} {RUNBOOK}#{alarm.name}.",
        comparison_operator="GreaterThanOrEqualToThreshold",
        threshold=alarm.threshold,
        evaluation_periods=alarm.periods,
        treat_missing_data="missing" if alarm.always_measured else "notBreaching",
        alarm_actions=[topic_arn],
        insufficient_data_actions=[topic_arn] if alarm.always_measured else [],
        ok_actions=[topic_arn] if alarm.lasts else [],
        opts=opts,
        **_watched(alarm),
    )


def _watched(alarm: Alarm) -> dict[str, Any]:
    if isinstance(alarm.metrics, pulumi.Output):
        query = {"id": "watched", "expression": alarm.metrics, "period": alarm.period_seconds, "return_data": True}
        return {"metric_queries": [query]}
    if len(alarm.metrics) == 1:
        metric = alarm.metrics[0]
        return {
            "namespace": metric.namespace,
            "metric_name": metric.name,
            "dimensions": metric.dimensions,
            "statistic": metric.statistic,
            "period": alarm.period_seconds,
        }
    parts = [_part(f"m{number}", metric, alarm.period_seconds) for number, metric in enumerate(alarm.metrics, 1)]
    total = f"SUM([{', '.join(part['id'] for part in parts)}])"
    return {"metric_queries": [*parts, {"id": "total", "expression": total, "label": alarm.name, "return_data": True}]}


def _part(id_: str, metric: Metric, period_seconds: int) -> dict[str, Any]:
    measured: Mapping[str, Any] = {
        "namespace": metric.namespace,
        "metric_name": metric.name,
        "dimensions": metric.dimensions,
        "stat": metric.statistic,
        "period": period_seconds,
    }
    return {"id": id_, "metric": measured, "return_data": False}


def _duration(minutes: int) -> str:
    return f"{minutes // 60} hours" if minutes % 60 == 0 else f"{minutes} minutes"
