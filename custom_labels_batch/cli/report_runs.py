"""A report's runs, and the time in which they happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from custom_labels_batch.cli.period import Period
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.report.data import Image

MOST_RUNS = 500


@dataclass(frozen=True)
class StackTime:
    """Real times as the stack's clock showed them: the runs table is written by that, objects are not.

    On AWS both are one. On a sandbox, a clock that was skipped forward shows what was before too late.
    """

    real_now: datetime
    now: datetime
    scale: float

    @classmethod
    def of(cls, stack: Stack) -> "StackTime":
        """Read it."""
        real_now = datetime.now(UTC)
        if stack.endpoint_url is None:
            return cls(real_now, real_now, 1.0)
        return cls(real_now, stack.now(), stack.time_scale)

    def at(self, moment: datetime) -> datetime:
        """What the stack's clock showed."""
        return self.now - (self.real_now - moment) / self.scale

    def image(self, image: Image) -> Image:
        """The image with the stack's times."""
        if self.scale == 1:
            return image
        moments = {"uploaded_at": image.uploaded_at, "processed_at": image.processed_at}
        return image.model_copy(update={name: at and self.at(at) for name, at in moments.items()})


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
