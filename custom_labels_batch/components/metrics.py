"""CloudWatch metrics that alarms and the dashboard are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from custom_labels_batch.components.function import METRICS_NAMESPACE


@dataclass(frozen=True)
class Metric:
    """One metric of AWS's or of the functions'.

    Attributes
    ----------
    dimensions
        All of the metric's dimensions: CloudWatch finds nothing under fewer.
    statistic
        How the values of a period become one, such as `Sum`.
    label
        What the dashboard calls it.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str
    label: str = ""


def queue_metric(queue_url: pulumi.Input[str], name: str, label: str = "") -> Metric:
    """A gauge of a queue; the highest of a period."""
    queue_name = pulumi.Output.from_input(queue_url).apply(lambda url: url.rpartition("/")[2])
    return Metric("AWS/SQS", name, {"QueueName": queue_name}, "Maximum", label)


def function_metric(function_name: pulumi.Input[str], name: str, statistic: str = "Sum", label: str = "") -> Metric:
    """A metric that Lambda keeps of a function."""
    return Metric("AWS/Lambda", name, {"FunctionName": function_name}, statistic, label)


def workflow_metric(state_machine_arn: pulumi.Input[str], name: str, statistic: str = "Sum", label: str = "") -> Metric:
    """A metric that Step Functions keeps of a state machine."""
    return Metric("AWS/States", name, {"StateMachineArn": state_machine_arn}, statistic, label)


def schedule_metric(schedule_arn: pulumi.Input[str], name: str, label: str = "") -> Metric:
    """A metric of a schedule's group, the smallest that EventBridge Scheduler keeps metrics of."""
    group = pulumi.Output.from_input(schedule_arn).apply(lambda arn: arn.split("/")[1])
    return Metric("AWS/Scheduler", name, {"ScheduleGroup": group}, "Sum", label)


def units_metric(project_name: pulumi.Input[str], version_name: str) -> Metric:
    """Inference units of a model version in service; no value while it is not (Custom Labels developer guide)."""
    dimensions = {"ProjectName": project_name, "VersionName": version_name}
    return Metric("AWS/Rekognition", "InServiceInferenceUnits", dimensions, "Maximum", version_name)


def image_metric(function_name: pulumi.Input[str], service: str, name: str, label: str = "") -> Metric:
    """A metric that one of this repository's functions writes itself (functions/shared/observability.py)."""
    return Metric(METRICS_NAMESPACE, name, {"function_name": function_name, "service": service}, "Sum", label)


def of_runs_metric(release_state_machine_arn: pulumi.Input[str], name: str, statistic: str) -> Metric:
    """A metric that release_model writes itself."""
    return Metric(METRICS_NAMESPACE, name, {"StateMachineArn": release_state_machine_arn}, statistic)


NOT_WELL = {"ExecutionsFailed": "failed", "ExecutionsTimedOut": "timed out", "ExecutionsAborted": "aborted"}
"""Step Functions' metrics of executions that ended in any way but well, and what the dashboard calls them."""


def not_well(state_machine_arn: pulumi.Input[str], *names: str) -> Sequence[Metric]:
    """Executions that ended in some of these ways; without names, in any."""
    return [workflow_metric(state_machine_arn, name, label=NOT_WELL[name]) for name in names or NOT_WELL]
