"""Tables of docs/cost.md: what an idle stack costs, and what the bench's images do."""

from benchmarks.measure import Measurement
from benchmarks.results import Results
from custom_labels_batch.cli import other_costs
from custom_labels_batch.rules.prices import PRICES
from sandbox.pulumi_runtime import Result

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
    lines = [f"| {what} | {many} | {usd:.2f} | {price} |\n" for what, many, usd, price in rows]
    without = PRICES.cloudwatch_dashboard + min(10, alarms) * PRICES.cloudwatch_alarm_metric + PRICES.cloudwatch_metric
    free = total - without
    return "".join(
        [
            "| what | how many | USD in 30 days | price, USD |\n| --- | --- | ---: | --- |\n",
            *lines,
            f"| **together** | | **{total:.2f}** | **{free:.2f}** if this is the account's first such stack |\n",
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


def bench(results: Results) -> str:
    """USD for 1,000 images, as a bench measured them."""
    rows = [_row(found) for found in results.measurements if not found.is_baseline]
    return "".join(["| images | for the model | for all else | together |\n| --- | ---: | ---: | ---: |\n", *rows])


def _row(found: Measurement) -> str:
    thousands = found.images / 1000
    model = found.dollars["model"] / thousands
    rest = sum(usd for what, usd in found.dollars.items() if what != "model") / thousands
    policy = found.policy.removeprefix("ours").strip(", ")
    name = f"{found.workload} ({policy})" if policy else found.workload
    return f"| {name} | {model:.3f} | {rest:.3f} | {model + rest:.3f} |\n"
