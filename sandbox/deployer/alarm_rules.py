"""What PutMetricAlarm refuses, beyond what its model says (CloudWatch API reference and user guide)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.deployer.aws_requests import check_request
from sandbox.errors import SandboxError

HOUR_SECONDS = 60 * 60
DAY_SECONDS = 24 * HOUR_SECONDS
MOST_METRICS = 10
MISSING_DATA = ("breaching", "notBreaching", "ignore", "missing")

_NAME = re.compile(r"\b[a-z]\w*\b")
_STRING = re.compile(r"'[^']*'|\"[^\"]*\"")


def check_alarm(request: Mapping[str, Any]) -> None:
    """Check a request to PutMetricAlarm.

    Raises
    ------
    SandboxError
        Naming everything that is wrong with it.
    """
    check_request("cloudwatch", "PutMetricAlarm", request)
    if problems := list(_problems(request)):
        raise SandboxError(f"alarm {request['AlarmName']}: {'; '.join(problems)}")


def _problems(request: Mapping[str, Any]) -> Iterator[str]:
    queries = request.get("Metrics", [])
    if bool(queries) == ("MetricName" in request):
        yield "it needs a metric or metric queries, and not both"
        return
    if request.get("TreatMissingData", "missing") not in MISSING_DATA:
        yield f"TreatMissingData is {request['TreatMissingData']!r}; allowed: {', '.join(MISSING_DATA)}"
    if queries and "Period" in request:
        yield "the period of metric queries is in the queries"
    yield from _query_problems(queries)
    periods = (
        {request["Period"]} if "Period" in request else {period for query in queries if (period := _period(query))}
    )
    yield from _period_problems(periods, request["EvaluationPeriods"], any(map(_is_insights, queries)))


def _query_problems(queries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ids = [query["Id"] for query in queries]
    if len(set(ids)) < len(ids):
        yield "two metric queries have one id"
    if queries and [bool(query.get("ReturnData", True)) for query in queries].count(True) != 1:
        yield "exactly one of its metric queries may return data"
    if sum("MetricStat" in query for query in queries) > MOST_METRICS:
        yield f"it is on more than {MOST_METRICS} metrics"
    for query in queries:
        if ("MetricStat" in query) == ("Expression" in query):
            yield f"the metric query {query['Id']} needs a metric or an expression, and not both"
        yield from _expression_problems(query.get("Expression", ""), ids)


def _expression_problems(expression: str, ids: Sequence[str]) -> Iterator[str]:
    if "SEARCH(" in expression.upper().replace(" ", ""):
        yield "an alarm cannot be on a SEARCH expression"
    elif not expression.upper().startswith("SELECT ") and (unknown := unknown_names(expression, ids)):
        yield f"the expression {expression!r} names {', '.join(unknown)}, which no metric query is called"


def unknown_names(expression: str, ids: Sequence[str]) -> list[str]:
    """What a math expression refers to and no id is; functions are in capitals."""
    return sorted(set(_NAME.findall(_STRING.sub("", expression))) - set(ids))


def _period_problems(periods: set[int], number: int, is_insights: bool) -> Iterator[str]:
    if len(periods) != 1:
        yield f"all its metrics must have one period, not {sorted(periods)}"
        return
    (period,) = periods
    if period not in (10, 20, 30) and period % 60:
        yield f"the period is {period} seconds; allowed: 10, 20, 30, or a multiple of 60"
    most = 3 * HOUR_SECONDS if is_insights else DAY_SECONDS if period < HOUR_SECONDS else 7 * DAY_SECONDS
    if period * number > most:
        yield f"it looks back {period * number} seconds; allowed: up to {most}"


def _period(query: Mapping[str, Any]) -> int | None:
    found: int | None = query["MetricStat"]["Period"] if "MetricStat" in query else query.get("Period")
    return found


def _is_insights(query: Mapping[str, Any]) -> bool:
    return str(query.get("Expression", "")).upper().startswith("SELECT ")
