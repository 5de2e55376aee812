"""Asking Athena, in the sandbox and on AWS alike: SQL, or the saved queries, to columns and rows."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sandbox.deployer.cloud import Cloud
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from types_boto3_athena import AthenaClient

MOST_SECONDS = 120.0
"""Real seconds a query may take before it is given up."""

_FIRST_POLL_SECONDS, _LONGEST_POLL_SECONDS = 0.02, 1.0


@dataclass(frozen=True)
class Answer:
    """What Athena answered.

    Parameters
    ----------
    columns
        Their names.
    rows
        Values as Athena writes them, all text; None for null.
    scanned_bytes
        DataScannedInBytes: what Athena read, as it is stored, and what it bills (10 MB at least).
    milliseconds
        Athena's own time for the query.
    """

    columns: tuple[str, ...]
    rows: list[tuple[str | None, ...]]
    scanned_bytes: int
    milliseconds: int


@dataclass(frozen=True)
class SavedQuery:
    """A query saved in a workgroup, with its answer."""

    name: str
    description: str
    answer: Answer


def ask(athena: "AthenaClient", sql: str, workgroup: str, database: str, most_seconds: float = MOST_SECONDS) -> Answer:
    """Run a query in a workgroup that has a result location, and wait for its answer.

    Raises
    ------
    SandboxError
        With Athena's words, when it refuses, fails or cancels the query, or takes too long.
    """
    with _Refusals():
        number = athena.start_query_execution(
            QueryString=sql, WorkGroup=workgroup, QueryExecutionContext={"Database": database}
        )["QueryExecutionId"]
        execution = _ended(athena, number, most_seconds)
        status, statistics = execution["Status"], execution.get("Statistics", {})
        if status["State"] != "SUCCEEDED":
            reason = status.get("StateChangeReason", "no reason given")
            raise SandboxError(f"Athena query {number} {status['State']}: {reason}")
        columns, rows = _results(athena, number)
    return Answer(
        columns,
        rows,
        statistics.get("DataScannedInBytes", 0),
        statistics.get("TotalExecutionTimeInMillis", 0),
    )


def run_query(cloud: Cloud, outputs: Mapping[str, Any], sql: str) -> Answer:
    """Run a query in a deployed stack's workgroup and database; raises as `ask` does.

    Parameters
    ----------
    outputs
        The stack's outputs, of which `athenaWorkgroup` and `athenaDatabase` are used.
    """
    return ask(cloud.athena, sql, str(outputs["athenaWorkgroup"]), str(outputs["athenaDatabase"]))


def ask_saved_queries(cloud: Cloud, outputs: Mapping[str, Any]) -> list[SavedQuery]:
    """Run every query saved in the stack's workgroup, by name, each in its own database; raises as `ask` does."""
    athena, workgroup = cloud.athena, str(outputs["athenaWorkgroup"])
    with _Refusals():
        pages = athena.get_paginator("list_named_queries").paginate(WorkGroup=workgroup)
        numbers = [number for page in pages for number in page.get("NamedQueryIds", [])]
        saved = [athena.get_named_query(NamedQueryId=number)["NamedQuery"] for number in numbers]
    return [
        SavedQuery(
            query["Name"],
            query.get("Description", ""),
            ask(athena, query["QueryString"], workgroup, query["Database"]),
        )
        for query in sorted(saved, key=lambda query: query["Name"])
    ]


def images_recorded(cloud: Cloud, outputs: Mapping[str, Any]) -> int:
    """Images in the view, which shows each once; raises as `ask` does."""
    answer = run_query(cloud, outputs, f"SELECT count(DISTINCT image_id) FROM {outputs['athenaTable']}")  # noqa: S608
    return int(str(answer.rows[0][0]))


class _Refusals:
    """Turns what an API refuses into one line."""

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        """Re-raise a refusal as a SandboxError."""
        if isinstance(error, ClientError):
            details = error.response.get("Error", {})
            raise SandboxError(f"Athena refuses: {details.get('Code')}: {details.get('Message')}") from error


def _ended(athena: "AthenaClient", number: str, most_seconds: float) -> Any:
    deadline, pause = time.monotonic() + most_seconds, _FIRST_POLL_SECONDS
    while True:
        execution = athena.get_query_execution(QueryExecutionId=number)["QueryExecution"]
        if execution["Status"]["State"] not in {"QUEUED", "RUNNING"}:
            return execution
        if time.monotonic() > deadline:
            athena.stop_query_execution(QueryExecutionId=number)
            raise SandboxError(f"Athena query {number} did not end within {most_seconds:g} seconds")
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)


def _results(athena: "AthenaClient", number: str) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
    rows = list(_rows(athena, number))
    header, *values = rows
    return tuple(str(name) for name in header), values


def _rows(athena: "AthenaClient", number: str) -> Iterator[tuple[str | None, ...]]:
    for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=number):
        for row in page["ResultSet"].get("Rows", []):
            yield tuple(cell.get("VarCharValue") for cell in row.get("Data", []))
