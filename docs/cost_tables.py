"""Tables of docs/cost.md, an idle stack's cost and the bench's: `python -m docs.cost_tables` writes them there."""

from pathlib import Path

from benchmarks.measure import Measurement
from benchmarks.results import read
from custom_labels_batch.cli import other_costs
from custom_labels_batch.rules.prices import PRICES
from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import record_stack

DOCUMENT = Path(__file__).with_name("cost.md")
BENCH = Path(__file__).with_name("bench.json")
DAYS, HOURS = 30, 720

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
GUARD_LOOKS = DAYS * 96


def idle(graph: Result) -> str:
    """What a stack with the default settings costs in 30 days in which nobody uploads anything."""
    alarms = sum(_watched(alarm.properties) for alarm in graph.of_type(ALARM))
    ticks, guard = other_costs.A_TICK, other_costs.A_DAY
    step, tick = PRICES.state_transition, PRICES.scheduler_invocation
    rows = [
        ("the model", "not running", 0.0, f"{PRICES.inference_unit_hour:.2f} an hour and inference unit"),
        (
            "dashboard",
            f"{len(graph.of_type(DASHBOARD))}",
            PRICES.cloudwatch_dashboard,
            "3.00 each; an account's first 3 are free, with up to 50 metrics",
        ),
        (
            "alarms",
            f"14, on {alarms} metrics",
            alarms * PRICES.cloudwatch_alarm_metric,
            "0.10 a metric; the first 10 are free",
        ),
        (
            "the guard",
            f"{GUARD_LOOKS:,} looks of {guard['state_transition'] / 96:g} steps",
            GUARD_LOOKS * (tick + guard["state_transition"] / 96 * step),
            "25.00 a million steps, 1.00 a million ticks",
        ),
        (
            "schedule",
            f"{HOURS} ticks of {ticks['state_transition']:g} steps",
            HOURS * (tick + ticks["state_transition"] * step),
            "the same; `rate(15 minutes)` is four times as much",
        ),
        (
            "the guard's metric",
            f"1, and {GUARD_LOOKS:,} requests",
            PRICES.cloudwatch_metric + GUARD_LOOKS * PRICES.cloudwatch_request,
            "0.30 a metric, of which the first 10 are free; 10.00 a million requests",
        ),
        (
            "event source mappings",
            "2 open, which ask their queues all the time",
            2 * POLLS * PRICES.sqs_request,
            "0.40 a million requests, 5 pollers with long polls of 20 seconds each",
        ),
        ("buckets, topics, queues, table, functions, rules, KMS", "empty; no key of your own", 0.0, "by use"),
    ]
    total = sum(usd for _, _, usd, _ in rows)
    lines = [f"| {what} | {many} | {usd:.2f} | {price} |" for what, many, usd, price in rows]
    without = PRICES.cloudwatch_dashboard + min(10, alarms) * PRICES.cloudwatch_alarm_metric + PRICES.cloudwatch_metric
    free = total - without
    return "\n".join(
        [
            "| what | how many | USD in 30 days | price, USD |",
            "| --- | --- | ---: | --- |",
            *lines,
            f"| **together** | | **{total:.2f}** | **{free:.2f}** if this is the account's first such stack |",
        ]
    )


POLLS = 5 * DAYS * 24 * 60 * 3
"""Of a mapping in 30 days. Lambda begins with five pollers for a standard queue (Lambda guide, "Using Lambda with
Amazon SQS"); that each waits 20 seconds is the longest that SQS lets one wait: Lambda documents no figure."""


def _watched(alarm: dict[str, object]) -> int:
    """Metrics that an alarm is billed for: a query is one as long as it finds one model version."""
    queries = alarm.get("metricQueries")
    if not isinstance(queries, list):
        return 1
    return sum("metric" in query for query in queries) or 1


def bench() -> str:
    """USD for 1,000 images, of the last bench."""
    measured = read(BENCH).measurements
    lines = [_row(found) for found in measured if not found.is_baseline]
    header = "| images | for the model | for all else | together |\n| --- | ---: | ---: | ---: |"
    return "\n".join([header, *lines])


def _row(found: Measurement) -> str:
    thousands = found.images / 1000
    model = found.dollars["model"] / thousands
    rest = sum(usd for what, usd in found.dollars.items() if what != "model") / thousands
    policy = found.policy.removeprefix("ours").strip(", ")
    name = f"{found.workload} ({policy})" if policy else found.workload
    return f"| {name} | {model:.3f} | {rest:.3f} | {model + rest:.3f} |"


def renewed(text: str, graph: Result) -> str:
    """The document with its tables as they are now."""
    for name, table in (("idle", idle(graph)), ("images", bench())):
        begin, end = f"<!-- {name}: python -m docs.cost_tables -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(f"{begin}\n")
        text = f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8"), record_stack()), encoding="utf-8")
