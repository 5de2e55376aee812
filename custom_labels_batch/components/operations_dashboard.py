"""The CloudWatch dashboard of a stack, as the JSON that CloudWatch takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from custom_labels_batch.components.metrics import (
    Metric,
    function_metric,
    image_metric,
    not_well,
    of_runs_metric,
    queue_metric,
    schedule_metric,
    units_metric,
    workflow_metric,
)
from custom_labels_batch.rules.prices import PRICES

Widget = dict[str, Any]
"""A widget without its place (CloudWatch API reference, "Dashboard body structure and syntax")."""

COLUMNS = 24
"""Of a dashboard's grid."""

HEIGHT = 6
"""Of a widget with a graph, in rows of the grid."""

DAY_SECONDS = 24 * 60 * 60

MONTH_START = "-P5W"
"""What a widget about this month looks back: more than the longest month."""


@dataclass(frozen=True)
class Watched:
    """What a dashboard shows; what is empty is left out.

    Attributes
    ----------
    dead_letter_queue_urls
        By what they are of.
    function_names
        By their services, such as `analyze-image`.
    """

    region: pulumi.Input[str]
    image_queue_url: pulumi.Input[str]
    dead_letter_queue_urls: Mapping[str, pulumi.Input[str]]
    function_names: Mapping[str, pulumi.Input[str]]
    project_name: pulumi.Input[str] | None = None
    model_version: str | None = None
    state_machine_arn: pulumi.Input[str] | None = None
    release_state_machine_arn: pulumi.Input[str] | None = None
    schedule_arn: pulumi.Input[str] | None = None
    inference_unit_hour_price: float = PRICES.inference_unit_hour
    alarm_arns: Sequence[pulumi.Input[str]] = field(default_factory=list)


def body(watched: Watched, introduction: pulumi.Input[str]) -> pulumi.Output[str]:
    """The dashboard's JSON.

    Parameters
    ----------
    introduction
        Markdown at the top.
    """
    rows = [
        [_text(introduction), _alarms(watched)],
        [_backlog(watched), _age(watched)],
        [*_units(watched), *_runs(watched)],
        _cost(watched),
        [_images(watched), _listeners(watched)],
        [_durations(watched), _errors(watched), _dead_letters(watched)],
    ]
    return pulumi.Output.json_dumps({"widgets": list(_placed(rows)), "start": "-P1D", "periodOverride": "inherit"})


def _placed(rows: Iterable[Sequence[Widget]]) -> Iterable[Widget]:
    """Widgets with their places: the widgets of a row share its width."""
    for y, row in enumerate(row for row in rows if row):
        width = COLUMNS // len(row)
        for x, widget in enumerate(row):
            yield {"x": x * width, "y": y * HEIGHT, "width": width, "height": HEIGHT, **widget}


def _text(markdown: pulumi.Input[str]) -> Widget:
    return {"type": "text", "properties": {"markdown": markdown}}


def _alarms(watched: Watched) -> Widget:
    return {"type": "alarm", "properties": {"title": "Alarms", "alarms": list(watched.alarm_arns)}}


def _graph(watched: Watched, title: str, metrics: Sequence[Metric], **more: Any) -> Widget:
    return _plot(watched, title, [_line(metric) for metric in metrics], **more)


def _plot(watched: Watched, title: str, lines: Sequence[Any], **more: Any) -> Widget:
    properties = {
        "title": title,
        "region": watched.region,
        "view": "timeSeries",
        "stacked": False,
        "period": 300,
        "metrics": list(lines),
        **more,
    }
    return {"type": "metric", "properties": properties}


def _line(metric: Metric, **more: Any) -> list[Any]:
    dimensions = [part for dimension in metric.dimensions.items() for part in dimension]
    return [
        metric.namespace,
        metric.name,
        *dimensions,
        {"stat": metric.statistic, "label": metric.label or metric.name, **more},
    ]


def _backlog(watched: Watched) -> Widget:
    names = {
        "ApproximateNumberOfMessagesVisible": "waiting",
        "ApproximateNumberOfMessagesNotVisible": "being labelled, or tried again later",
    }
    return _graph(
        watched, "Images in the queue", [queue_metric(watched.image_queue_url, *name) for name in names.items()]
    )


def _age(watched: Watched) -> Widget:
    oldest = queue_metric(watched.image_queue_url, "ApproximateAgeOfOldestMessage", "oldest")
    return _graph(watched, "Age of the oldest image, in seconds", [oldest])


def _units(watched: Watched) -> list[Widget]:
    """Inference units in service: of the pinned version, or of each that has been."""
    if watched.project_name is None:
        return []
    title = "Inference units in service"
    if watched.model_version:
        return [_graph(watched, title, [units_metric(watched.project_name, watched.model_version)])]
    search = pulumi.Output.format(
        'SEARCH(\'{{AWS/Rekognition,ProjectName,VersionName}} MetricName="InServiceInferenceUnits" '
        "ProjectName=\"{0}\"', 'Maximum', 300)",
        watched.project_name,
    )
    return [_plot(watched, title, [[{"expression": search, "id": "units", "label": ""}]])]


def _runs(watched: Watched) -> list[Widget]:
    if watched.state_machine_arn is None:
        return []
    arn = watched.state_machine_arn
    runs = [
        workflow_metric(arn, "ExecutionsStarted", label="looks at the queue"),
        *not_well(arn),
    ]
    releases = [
        Metric(metric.namespace, metric.name, metric.dimensions, metric.statistic, f"release {metric.label}")
        for metric in (not_well(watched.release_state_machine_arn) if watched.release_state_machine_arn else [])
    ]
    dropped = (
        [schedule_metric(watched.schedule_arn, "InvocationDroppedCount", "not started")] if watched.schedule_arn else []
    )
    took = workflow_metric(arn, "ExecutionTime", "Maximum", "longest, in milliseconds")
    return [
        _graph(watched, "Runs", [*runs, *releases, *dropped]),
        _graph(watched, "How long runs took", [took]),
    ]


def _cost(watched: Watched) -> list[Widget]:
    """What runs have cost: this month, and on each day of the last five weeks, by days and months of UTC."""
    if watched.release_state_machine_arn is None:
        return []
    billed = of_runs_metric(watched.release_state_machine_arn, "BilledInferenceUnitMinutes", "Sum")
    hidden = _line(billed, id="billed", period=DAY_SECONDS, visible=False)
    usd_a_minute = watched.inference_unit_hour_price / 60
    this_month = [
        hidden,
        [{"id": "month", "expression": THE_MONTH, "visible": False}],
        [{"id": "minutes", "expression": THIS_MONTH, "label": "billed inference-unit minutes"}],
        [{"id": "cost", "expression": f"minutes * {usd_a_minute:.8f}", "label": "USD"}],
    ]
    daily = [[{"id": "cost", "expression": f"billed * {usd_a_minute:.8f}", "label": "USD"}], hidden]
    look = {"start": MONTH_START, "period": DAY_SECONDS}
    return [
        _plot(watched, "Cost of the model this month", this_month, **look, view="singleValue"),
        _plot(watched, "Cost of the model a day, in USD", daily, **look),
        _idle(watched, watched.release_state_machine_arn),
    ]


THE_MONTH = "EPOCH(billed) - 86400 * DATE(billed)"
"""The day before the month of each day begins: one number for all days of a month, and a larger one for a later."""

THIS_MONTH = "TIME_SERIES(SUM(IF(month == MAX(month), billed, 0)))"
"""What was billed on the days of the month that the last day is in, as metric math; it knows no today."""


def _idle(watched: Watched, release_state_machine_arn: pulumi.Input[str]) -> Widget:
    idle = of_runs_metric(release_state_machine_arn, "IdleInferenceUnits", "Minimum")
    return _graph(watched, "Inference units in service without a run", [idle], period=15 * 60)


def _images(watched: Watched) -> Widget:
    names = {
        "ImagesProcessed": "labelled",
        "ImagesRejected": "rejected",
        "LabelsFound": "labels found",
        "ImagesThrottled": "throttled, tried again",
        "ModelNotReady": "model not running, tried again",
    }
    function = watched.function_names["analyze-image"]
    return _graph(watched, "Images", [image_metric(function, "analyze-image", *name) for name in names.items()])


_OF_LISTENERS = {
    "notify-labels": {"ImagesNotified": "told about", "NotificationsPublished": "messages"},
    "record-predictions": {"PredictionsRecorded": "recorded"},
}


def _listeners(watched: Watched) -> Widget:
    metrics = [
        image_metric(watched.function_names[service], service, *name)
        for service, names in _OF_LISTENERS.items()
        if service in watched.function_names
        for name in names.items()
    ]
    analyze = image_metric(watched.function_names["analyze-image"], "analyze-image", "ImagesProcessed", "labelled")
    return _graph(watched, "What came of them", [analyze, *metrics])


def _durations(watched: Watched) -> Widget:
    metrics = [function_metric(name, "Duration", "p95", service) for service, name in watched.function_names.items()]
    return _graph(watched, "Function duration (p95), in milliseconds", metrics)


def _errors(watched: Watched) -> Widget:
    metrics = [
        function_metric(name, kind, label=f"{service} {kind.lower()}")
        for service, name in watched.function_names.items()
        for kind in ("Errors", "Throttles")
    ]
    return _graph(watched, "Function errors and throttles", metrics)


def _dead_letters(watched: Watched) -> Widget:
    metrics = [
        queue_metric(url, "ApproximateNumberOfMessagesVisible", of)
        for of, url in watched.dead_letter_queue_urls.items()
    ]
    return _graph(watched, "Dead letters", metrics)
