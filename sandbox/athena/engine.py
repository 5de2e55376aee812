"""Runs a query: gives DuckDB the tables and views it names as views over S3's objects, and asks."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import duckdb

from sandbox.athena import json_serde
from sandbox.athena.errors import QueryError
from sandbox.athena.objects import File, Objects
from sandbox.athena.partitions import Partition, is_projected, projected
from sandbox.athena.results import Row, as_text, selectable
from sandbox.athena.sql import INTEGER_DIVISION, translate
from sandbox.athena.tables import GlueTable, Table, View, check_same, table_of, view_of
from sandbox.athena.types import Columns, Type, from_duckdb, quoted


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

    columns: Columns
    rows: list[Row]
    scanned_bytes: int


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
    QueryError
        Why the query fails.
    Cancelled
        When it scans too much, or is told to stop.
    """
    objects = Objects(account.read, cutoff, stop)
    # One thread: files are opened by Python, one after another.
    config: dict[str, Any] = {"threads": 1, "autoinstall_known_extensions": False}
    with duckdb.connect(":memory:", config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(INTEGER_DIVISION)
        connection.register_filesystem(objects)
        # A query reads what the catalog has, and nothing of this machine.
        connection.execute("SET disabled_filesystems = 'LocalFileSystem'")
        try:
            sql = translate(text, database, _Catalog(account, connection, objects).columns)
            columns = _described(sql, connection)
            selected = ", ".join(selectable(f"c{index}", kind) for index, (_, kind) in enumerate(columns))
            names = ", ".join(f"c{index}" for index, _ in enumerate(columns))
            found = connection.execute(f"SELECT {selected} FROM ({sql}) AS answer({names})").fetchall()  # noqa: S608
        except duckdb.Error as error:
            raise (objects.failure or _as_athenas(error)) from error
    rows = [[as_text(value, kind) for value, (_, kind) in zip(row, columns, strict=True)] for row in found]
    return Answer(columns, rows, objects.scanned_bytes)


class _Catalog:
    """Glue's tables and views, each as a view of DuckDB's as soon as a query names it."""

    def __init__(self, account: Account, connection: duckdb.DuckDBPyConnection, objects: Objects) -> None:
        self._account, self._connection, self._objects = account, connection, objects
        self._known: dict[tuple[str, str], Columns] = {}

    def columns(self, database: str, name: str) -> Mapping[str, Type]:
        if (database, name) not in self._known:
            glue = self._account.table(database, name)
            if glue.get("TableType") == "VIRTUAL_VIEW":
                view = view_of(glue)
                columns, sql = view.columns, self._view(view)
            else:
                table = table_of(glue)
                columns, sql = table.columns + table.partitions, self._table(database, name, table)
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(database)}")
            self._connection.execute(f"CREATE VIEW {quoted(database)}.{quoted(name)} AS {sql}")
            self._known[database, name] = columns
        return dict(self._known[database, name])

    def _view(self, view: View) -> str:
        try:
            sql = translate(view.sql, view.database, self.columns)
        except QueryError as error:
            raise QueryError("INVALID_VIEW", f"{view.label}: Failed analyzing stored view: {error}") from None
        check_same(view.label, "its query", _described(sql, self._connection), view.columns)
        return sql

    def _table(self, database: str, name: str, table: Table) -> str:
        partitions = list(self._partitions(database, name, table))
        names = [column for column, _ in table.partitions]
        listed = self._account.files([partition.location for partition in partitions])
        return json_serde.rows(
            table,
            [
                self._objects.address(names, partition, file)
                for partition, files in zip(partitions, listed, strict=True)
                for file in files
            ],
        )

    def _partitions(self, database: str, name: str, table: Table) -> Iterator[Partition]:
        names = [column for column, _ in table.partitions]
        if not names:
            yield Partition((), table.location)
        elif is_projected(table.properties):
            yield from projected(table.properties, names, table.location, datetime.now(UTC).replace(tzinfo=None))
        else:
            for values, location in self._account.partitions(database, name):
                yield Partition(values, location)


def _described(sql: str, connection: duckdb.DuckDBPyConnection) -> Columns:
    """Names and types of what a query of DuckDB's selects."""
    return tuple((name, from_duckdb(kind)) for name, kind, *_ in connection.execute(f"DESCRIBE {sql}").fetchall())


def _as_athenas(error: duckdb.Error) -> QueryError:
    text = str(error).partition(": ")[2].splitlines()[0]
    for words, code, message in _ERRORS:
        found = re.search(words, text)
        if found:
            return QueryError(code, found.expand(message))
    values = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)
    code = "INVALID_FUNCTION_ARGUMENT" if isinstance(error, values) else "SYNTAX_ERROR"
    return QueryError(code, f"the sandbox's engine says: {text}")


_ERRORS = (
    (
        "must appear in the GROUP BY",
        "EXPRESSION_NOT_AGGREGATE",
        "an expression must be an aggregate expression or appear in GROUP BY clause",
    ),
    ("Division by zero", "DIVISION_BY_ZERO", "Division by zero"),
    (
        "More than one row returned by a subquery",
        "SUBQUERY_MULTIPLE_ROWS",
        "Scalar sub-query has returned multiple rows",
    ),
    ("HIVE_BAD_DATA: (.*)", "HIVE_BAD_DATA", r"\1"),
    ("Map keys must be unique", "HIVE_BAD_DATA", "Error parsing a row: Duplicate key"),
    ("Malformed JSON in file|Expected OBJECT", "HIVE_BAD_DATA", "Error parsing a row: not a valid JSON Object"),
    ("(?i).*gzip.*", "HIVE_CURSOR_ERROR", r"Failed to read file: \g<0>"),
    ("Function with name (\\w+) does not exist", "FUNCTION_NOT_FOUND", r"Function '\1' not registered"),
    ("No function matches.*?'(.*)'", "FUNCTION_NOT_FOUND", r"Unexpected parameters: \1"),
)
"""What DuckDB says, and Athena's code and words for it."""
