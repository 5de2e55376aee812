"""A report's runs."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from custom_labels_batch.cli.period import Period
from custom_labels_batch.cli.stack import Stack, StackTime

MOST_RUNS = 500


def run_records(stack: Stack, period: Period, time: StackTime) -> list[Any]:
    """Records of the runs that began in a period, the newest `MOST_RUNS`; none where the trigger is upload."""
    if stack.optional("runsTableName") is None:
        return []
    begin = time.at(period.since).isoformat(timespec="seconds")
    end = time.at(period.until or time.real_now).isoformat(timespec="seconds")
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.output("runsTableName"),
        # An id begins with the time of the run's start, in UTC.
        KeyConditionExpression="kind = :kind AND id BETWEEN :begin AND :end",
        ExpressionAttributeValues={
            ":kind": {"S": "run"},
            ":begin": {"S": begin.removesuffix("+00:00")},
            ":end": {"S": end.removesuffix("+00:00") + "~"},
        },
        ScanIndexForward=False,
    )
    return list(islice(_items(pages), MOST_RUNS))


def _items(pages: Any) -> Iterator[Any]:
    for page in pages:
        yield from page["Items"]
