"""Runs a query: compiles it, reads the files it needs and no other, and lets DuckDB compute the answer."""

import json
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import duckdb

from sandbox.athena import json_rows
from sandbox.athena.casts import DOUBLE_AS_TEXT
from sandbox.athena.compiler import Query, Scan, Table, View, compile_query
from sandbox.athena.errors import Cancelled, QueryError
from sandbox.athena.partitions import Partition, is_projected, projected
from sandbox.athena.results import Row, as_text, scientific, selectable
from sandbox.athena.tables import GlueTable, as_relation, source_of
from sandbox.athena.types import Type, quoted

_UNLIMITED = 1 << 62


@dataclass(frozen=True)
class File:
    """One object in S3: its key, size in bytes, and something that changes with its content."""

    bucket: str
    key: str
    size: int
    etag: str


class Account(Protocol):
    """What a query can reach, with the rights of whoever asks; each method raises a QueryError where it may not."""

    def table(self, database: str, name: str) -> GlueTable:
        """Look up a table or view as Glue's GetTable describes it."""
        ...

    def partitions(self, database: str, name: str) -> Sequence[tuple[tuple[str, ...], str]]:
        """List the values and locations of the partitions that the catalog has of a table."""
        ...

    def files(self, locations: Sequence[str]) -> Sequence[Sequence[File]]:
        """List the objects under each S3 location, in the order of their keys."""
        ...

    def read(self, file: File) -> bytes:
        """Read an object as it is stored."""
        ...


@dataclass(frozen=True)
class Answer:
    """A query's columns and rows, and the bytes of the files that were read for it, as they are stored."""

    columns: tuple[tuple[str, Type], ...]
    rows: list[Row]
    scanned_bytes: int
    scanned_files: int


def run(text: str, account: Account, database: str, cutoff: int | None, stop: threading.Event) -> Answer:
    """Answer a query.

    Parameters
    ----------
    cutoff
        The most bytes the query may scan, if there is a limit.
    stop
        Set by whoever wants the query to end.

    Raises
    ------
    MalformedQuery
        For a text Athena would not start.
    QueryError
        Why the query fails.
    Cancelled
        When it scans too much, or is told to stop.
    """
    query = compile_query(text, _Catalog(account), database)
    with duckdb.connect(":memory:", config={"threads": 1}) as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("SET TimeZone = 'UTC'")
        connection.create_function("scientific", scientific, ["DOUBLE"], "VARCHAR")
        connection.execute(DOUBLE_AS_TEXT)
        try:
            files = [_files(scan, account, connection) for scan in query.scans]
            sizes = [file.size for scanned in files for _, file in scanned]
            if sum(sizes) > (cutoff or _UNLIMITED):
                raise Cancelled("Bytes scanned limit was exceeded")
            for scan, scanned in zip(query.scans, files, strict=True):
                _load(scan, scanned, account, connection, Path(folder), stop)
            rows = _computed(query, connection)
        except duckdb.Error as error:
            raise _as_ours(error) from error
    return Answer(query.columns, rows, sum(sizes), len(sizes))


class _Catalog:
    def __init__(self, account: Account) -> None:
        self._account = account

    def find(self, database: str, name: str) -> Table | View:
        return as_relation(self._account.table(database, name))


def _files(scan: Scan, account: Account, connection: duckdb.DuckDBPyConnection) -> list[tuple[Partition, File]]:
    """The files of the partitions a scan needs."""
    glue = account.table(scan.table.database, scan.table.name)
    wanted = _wanted(scan, list(_partitions(scan.table, glue, account)), connection)
    listed = account.files([partition.location for partition in wanted])
    return [(partition, file) for partition, files in zip(wanted, listed, strict=True) for file in files]


def _partitions(table: Table, glue: GlueTable, account: Account) -> Iterator[Partition]:
    source = source_of(glue)
    if not table.partitions:
        yield Partition((), source.location)
    elif is_projected(source.properties):
        yield from projected(
            source.properties, table.partitions, source.location, datetime.now(UTC).replace(tzinfo=None)
        )
    else:
        for values, location in account.partitions(table.database, table.name):
            yield Partition(values, location)


def _wanted(scan: Scan, partitions: list[Partition], connection: duckdb.DuckDBPyConnection) -> list[Partition]:
    if not scan.conditions or not partitions:
        return partitions
    kinds = dict(scan.table.columns)
    columns = [
        f"CAST(p[{index + 2}] AS {kinds[name].duckdb}) AS {quoted(name)}"
        for index, name in enumerate(scan.table.partitions)
    ]
    numbered = [[str(number), *partition.values] for number, partition in enumerate(partitions)]
    chosen = connection.execute(
        f"SELECT n FROM (SELECT CAST(p[1] AS INTEGER) AS n, {', '.join(columns)} FROM (SELECT unnest(?) AS p)) "  # noqa: S608 - compiled text
        f"WHERE {' AND '.join(scan.conditions)} ORDER BY n",
        [numbered],
    ).fetchall()
    return [partitions[number] for (number,) in chosen]


def _load(
    scan: Scan,
    files: Iterable[tuple[Partition, File]],
    account: Account,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    stop: threading.Event,
) -> None:
    """Give DuckDB a scan's rows, as a table of columns c0, c1 ..."""
    source = source_of(account.table(scan.table.database, scan.table.name))
    lines = folder / f"{scan.name}.json"
    count = len(source.columns)
    with lines.open("w", encoding="utf-8") as out:
        for partition, file in files:
            if stop.is_set():
                raise Cancelled("Query was cancelled by user")
            text = json_rows.text_of(account.read(file), file.key)
            values = {f"c{count + index}": value for index, value in enumerate(partition.values)}
            for row in json_rows.rows(text, source.columns, source.serde):
                out.write(json.dumps({**{f"c{index}": value for index, value in enumerate(row)}, **values}))
                out.write("\n")
    kinds = {f"c{index}": kind.duckdb for index, (_, kind) in enumerate(scan.table.columns)}
    definition = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    connection.execute(f"CREATE TABLE {scan.name} ({definition})")
    if lines.stat().st_size:
        columns = ", ".join(f"{name}: '{kind.replace(chr(39), chr(39) * 2)}'" for name, kind in kinds.items())
        rows = f"read_json(?, format = 'newline_delimited', columns = {{{columns}}})"
        connection.execute(f"INSERT INTO {scan.name} SELECT * FROM {rows}", [str(lines)])  # noqa: S608 - our own names


def _computed(query: Query, connection: duckdb.DuckDBPyConnection) -> list[Row]:
    selected = ", ".join(selectable(f"c{index}", kind) for index, (_, kind) in enumerate(query.columns))
    found = connection.execute(f"SELECT {selected} FROM ({query.sql})").fetchall()  # noqa: S608 - compiled text
    kinds = [kind for _, kind in query.columns]
    return [[as_text(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in found]


def _as_ours(error: duckdb.Error) -> QueryError:
    text = str(error)
    if "must appear in the GROUP BY" in text:
        return QueryError(
            "EXPRESSION_NOT_AGGREGATE", "an expression must be an aggregate expression or appear in GROUP BY clause"
        )
    if "Division by zero" in text:
        return QueryError("DIVISION_BY_ZERO", "Division by zero")
    if "More than one row returned by a subquery" in text:
        return QueryError("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows")
    if isinstance(error, duckdb.ConversionException | duckdb.InvalidInputException | duckdb.OutOfRangeException):
        return QueryError("INVALID_FUNCTION_ARGUMENT", text.partition(": ")[2].splitlines()[0])
    return QueryError("GENERIC_INTERNAL_ERROR", f"the sandbox's engine says {text}")
