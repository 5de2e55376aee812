"""CloudWatch alarms: on their own dimensions, on queues as they are, and over simulated periods.

ministack adds up all metrics of one name, whatever their dimensions, takes a missing value for no reason to look, and
has no metrics of SQS. Alarms are looked at when a metric is put and, here, before they are described. Those on metric
queries are not: ministack forgets the queries.
"""

import operator
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ministack.services import cloudwatch, sqs

from sandbox.clock import SimulatedClock
from sandbox.emulator.patching import Function, replace, require

Alarm = dict[str, Any]
Response = tuple[int, dict[str, str], Any]

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}

_alarms = require(cloudwatch, "_alarms")
_metrics = require(cloudwatch, "_metrics")
_dims_key = require(cloudwatch, "_dims_key")
_calc_stats = require(cloudwatch, "_calc_stats")
_stat_value = require(cloudwatch, "_stat_value")
_record_metric = require(cloudwatch, "record_metric")
_set_alarm_state = require(cloudwatch, "_set_alarm_state")
_queue_name_to_url = require(sqs, "_queue_name_to_url")
_get_queue = require(sqs, "_get_q")
_refresh_counts = require(sqs, "_refresh_counts")


def install(clock: SimulatedClock) -> None:
    """Evaluate alarms by their dimensions and missing data, and look at queues before alarms are described."""
    replace(cloudwatch, "_evaluate_alarm", "alarm", lambda _: lambda alarm: _evaluate(alarm, clock))
    replace(
        cloudwatch,
        "_describe_alarms",
        "params cbor_data is_cbor is_json",
        lambda original: _after_a_look(original, clock),
    )


def _after_a_look(original: Function, clock: SimulatedClock) -> Function:
    def describe(*request: Any) -> Response:
        alarms = list(_alarms.values())
        for gauge in {_gauge(alarm) for alarm in alarms if alarm.get("Namespace") == "AWS/SQS"}:
            _measure(*gauge, clock)
        for alarm in alarms:
            _evaluate(alarm, clock)
        response: Response = original(*request)
        return response

    return describe


def _gauge(alarm: Alarm) -> tuple[str, str]:
    """The queue and the metric that an alarm is on."""
    return _dimensions(alarm).get("QueueName", ""), alarm["MetricName"]


def _measure(queue_name: str, metric: str, clock: SimulatedClock) -> None:
    """Note what SQS would have sent to CloudWatch about a queue now."""
    if queue_name not in _queue_name_to_url:
        return
    queue = _get_queue(queue_name)
    _refresh_counts(queue)
    if metric == "ApproximateAgeOfOldestMessage":
        now = sqs.time.time()
        sent = [message.get("sent_at", now) for message in queue["messages"]]
        value = (now - min(sent, default=now)) / clock.time_scale
    elif metric == "ApproximateNumberOfMessagesVisible":
        value = float(queue["attributes"]["ApproximateNumberOfMessages"])
    elif metric in queue["attributes"]:
        value = float(queue["attributes"][metric])
    else:
        return
    _record_metric("AWS/SQS", metric, value, "None", {"QueueName": queue_name})


def _evaluate(alarm: Alarm, clock: SimulatedClock) -> None:
    compare = COMPARISONS.get(alarm.get("ComparisonOperator", ""))
    if not alarm.get("MetricName") or compare is None:
        return
    values = list(_values(alarm, clock))
    missing = alarm.get("TreatMissingData", "missing")
    if missing in ("missing", "ignore"):
        values = [value for value in values if value is not None]
        if not values and missing == "missing":
            _change_state(alarm, "INSUFFICIENT_DATA", "no value in any period")
        if not values:
            return
    breaching = [missing == "breaching" if value is None else compare(value, alarm["Threshold"]) for value in values]
    found = f"{values} against {alarm['ComparisonOperator']} {alarm['Threshold']}"
    _change_state(alarm, "ALARM" if all(breaching) else "OK", f"Threshold Crossed: {found}")


def _change_state(alarm: Alarm, state: str, reason: str) -> None:
    if state != alarm["StateValue"]:
        change = {"AlarmName": alarm["AlarmName"], "StateValue": state, "StateReason": reason}
        _set_alarm_state({}, change, False, is_json=True)


def _values(alarm: Alarm, clock: SimulatedClock) -> Iterator[float | None]:
    """The statistic of each period an alarm looks back, newest first; None for a period without a value."""
    points = _metrics.get((alarm["Namespace"], alarm["MetricName"], _dims_key(_dimensions(alarm)))) or []
    period, now = clock.real_seconds(alarm["Period"]), time.time()
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    for number in range(alarm["EvaluationPeriods"]):
        end = now - number * period
        within = [point for point in points if end - period < point["Timestamp"] <= end]
        yield _stat_value(_calc_stats(within), statistic, within) if within else None


def _dimensions(alarm: Alarm) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", [])}
