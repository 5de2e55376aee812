"""Asking a stack's Athena: a query with its values apart, its rows one at a time."""

import csv
import io
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from custom_labels_batch.cli.errors import OperationError
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.rules.prices import PRICES

if TYPE_CHECKING:
    from types_boto3_athena import AthenaClient
    from types_boto3_athena.type_defs import StartQueryExecutionInputTypeDef

_FIRST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 0.2, 2.0
_LEAST_BILLED_BYTES = 10_000_000
_CHUNK_BYTES = 256 * 1024
_CUTOFF = "Bytes scanned limit"

Row = dict[str, str | None]
"""Column -> value as Athena writes it; None for null."""


@dataclass(frozen=True)
class Statement:
    """A query.

    Attributes
    ----------
    sql
        With a question mark for each parameter.
    parameters
        Values as SQL, by `text`, `timestamp` and `number`: they reach Athena apart from the query (its user guide,
        "Use parameterized queries").
    """

    sql: str
    parameters: Sequence[str] = ()


@dataclass(frozen=True)
class Answered:
    """A query that has succeeded.

    Attributes
    ----------
    location
        The s3:// address of its result, a CSV file.
    """

    query_id: str
    location: str
    scanned_bytes: int

    @property
    def usd(self) -> float:
        """What it cost: Athena bills 10 MB at least."""
        return max(self.scanned_bytes, _LEAST_BILLED_BYTES) * PRICES.athena_byte_scanned


def text(value: str) -> str:
    """A parameter that is text.

    Example
    -------
    >>> text("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


def timestamp(moment: datetime) -> str:
    """A parameter that is a moment, to the millisecond."""
    plain = moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
    return f"CAST({text(plain)} AS timestamp)"


def number(value: float) -> str:
    """A parameter that is a finite number."""
    return format(value, "f")


def identifier(name: str) -> str:
    """A table's or column's name, as SQL."""
    return '"' + name.replace('"', '""') + '"'


def ask(stack: Stack, statement: Statement) -> Answered:
    """Run a query in the stack's workgroup and wait for its end; Ctrl-C stops the query too.

    Raises
    ------
    OperationError
        Athena failed or cancelled it; with the query's id and Athena's reason.
    """
    athena = stack.athena
    request: StartQueryExecutionInputTypeDef = {
        "QueryString": statement.sql,
        "WorkGroup": stack.output("athenaWorkgroup"),
        "QueryExecutionContext": {"Database": stack.output("athenaDatabase")},
    }
    if statement.parameters:
        request["ExecutionParameters"] = statement.parameters
    query_id = athena.start_query_execution(**request)["QueryExecutionId"]
    try:
        execution = _ended(athena, query_id)
    except KeyboardInterrupt:
        athena.stop_query_execution(QueryExecutionId=query_id)
        raise
    status = execution["Status"]
    if status["State"] != "SUCCEEDED":
        reason = status.get("StateChangeReason", "no reason is given")
        advice = "; ask for a shorter period with --since and --until" if _CUTOFF in reason else ""
        raise OperationError(f"Athena query {query_id} {status['State']}: {reason}{advice}")
    return Answered(
        query_id,
        execution["ResultConfiguration"]["OutputLocation"],
        execution.get("Statistics", {}).get("DataScannedInBytes", 0),
    )


def _ended(athena: "AthenaClient", query_id: str) -> Any:
    pause = _FIRST_LOOK_SECONDS
    while True:
        execution = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
            return execution
        time.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_LOOK_SECONDS)


def rows(stack: Stack, answered: Answered) -> Iterator[Row]:
    """The rows of a result, as they arrive: never more than a few hundred kilobytes of them are in memory.

    The file is read, not GetQueryResults: that gives 1,000 rows a request, so a million rows would be a thousand
    requests one after the other, and it needs the same right on the same file (Athena API reference). The file cannot
    tell null from empty text, which none of the columns here holds.
    """
    bucket, _, key = answered.location.removeprefix("s3://").partition("/")
    with closing(stack.s3.get_object(Bucket=bucket, Key=key)["Body"]) as body:
        lines = io.TextIOWrapper(io.BufferedReader(_Readable(body), _CHUNK_BYTES), encoding="utf-8", newline="")
        for row in csv.DictReader(lines):
            yield {name: value or None for name, value in row.items()}


class _Readable(io.RawIOBase):
    """A streamed body as Python's own readers take it; those of botocore differ from version to version."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data: bytes = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
