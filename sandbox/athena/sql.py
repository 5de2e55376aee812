"""Athena's SQL to DuckDB's, by sqlglot, with names and types resolved as Trino would."""

import re
from collections.abc import Callable, Mapping

from sqlglot import exp, parse
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import MappingSchema

from sandbox.athena.errors import QueryError, not_supported
from sandbox.athena.tables import CATALOG
from sandbox.athena.types import INTEGERS, NUMBERS, Type

LONGEST_QUERY = 262_144
"""Bytes of a query's text (Athena service quotas)."""

INTEGER_DIVISION = "CREATE MACRO divide(a, b) AS CASE WHEN b = 0 THEN error('Division by zero') ELSE a // b END"
"""DuckDB's own gives null for a division by zero, and 3.5 for 7 / 2."""

_DIALECT = "athena"
_TEXTS = frozenset({exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR})
_NOT_TEXTS = NUMBERS | {exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ, exp.DType.BOOLEAN}
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)

FindColumns = Callable[[str, str], Mapping[str, Type]]


class MalformedQuery(Exception):  # noqa: N818 - Athena's own name
    """A text that is no query: Athena refuses to start it."""


def parse_query(text: str) -> exp.Query:
    """Read one SELECT.

    Raises
    ------
    MalformedQuery
        With the place, where there is one.
    """
    if len(text.encode()) > LONGEST_QUERY:
        raise MalformedQuery(f"Query string length is more than {LONGEST_QUERY} bytes")
    try:
        statements = [statement for statement in parse(text, read=_DIALECT) if statement is not None]
    except SqlglotError as error:
        details = (getattr(error, "errors", None) or [{}])[0]
        reason = re.sub(r"\x1b\[[0-9;]*m", "", details.get("description") or str(error))
        place = f"line {details.get('line', 1)}:{details.get('col', 1)}"
        raise MalformedQuery(f"{place}: mismatched input: {reason}") from None
    if len(statements) != 1:
        raise MalformedQuery(f"Only one sql statement is allowed. Got: {text[:200]}")
    (statement,) = statements
    if not isinstance(statement, exp.Query):
        raise MalformedQuery(f"the sandbox's Athena runs SELECT only, not {statement.key.upper()}")
    if any(not select.expressions for select in statement.find_all(exp.Select)):
        raise MalformedQuery("line 1:8: mismatched input. Expecting: '*', <expression>")
    return statement


def translate(text: str, database: str, columns_of: FindColumns) -> str:
    """Write a query again for DuckDB.

    Parameters
    ----------
    database
        Where names without a database are.
    columns_of
        Database and name of a table to its columns; raises a QueryError where there is none.

    Raises
    ------
    MalformedQuery
        As `parse_query` does.
    QueryError
        For names that are not there, and types that Trino does not put together.
    """
    tree = normalize_identifiers(parse_query(text), dialect=_DIALECT)
    schema = _schema(tree, database, columns_of)
    try:
        tree = qualify(tree, dialect=_DIALECT, db=database, schema=schema, expand_alias_refs=False)
    except OptimizeError as error:
        raise _unresolved(str(error)) from None
    except SqlglotError as error:
        raise QueryError("SYNTAX_ERROR", str(error)) from None
    tree = annotate_types(tree, schema=schema, dialect=_DIALECT)
    for node in list(tree.walk()):
        _check_types(node)
    return tree.transform(_as_trino_means).sql("duckdb")


def _schema(tree: exp.Query, database: str, columns_of: FindColumns) -> MappingSchema:
    """The columns of every table that a query names."""
    schema = MappingSchema(dialect=_DIALECT)
    for scope in traverse_scope(tree):
        for table in scope.sources.values():
            if not isinstance(table, exp.Table):
                continue
            if not isinstance(table.this, exp.Identifier):
                raise not_supported(f"the table function {table.this.sql(_DIALECT)}")
            if table.catalog not in {"", CATALOG}:
                raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{table.catalog}' does not exist")
            table.set("catalog", None)
            try:
                columns = columns_of(table.db or database, table.name)
            except QueryError as error:
                raise error.at(_place(table)) from None
            schema.add_table(exp.table_(table.name, db=table.db or database), dict(columns))
    return schema


def _place(table: exp.Table) -> str:
    """`line 2:3: `, of a name's first character; the parser knows its last."""
    name = next((name for name in table.find_all(exp.Identifier) if "line" in name.meta), None)
    return f"line {name.meta['line']}:{name.meta['col'] - len(name.name) + 1}: " if name else ""


def _unresolved(message: str) -> QueryError:
    found = re.search(r"Column '([^']*)' could not be resolved.*?(?:Line: (\d+), Col: (\d+))?$", message)
    if not found:
        return QueryError("AMBIGUOUS_NAME" if "ambiguous" in message.lower() else "SYNTAX_ERROR", message)
    name, line, column = found.groups()
    place = f"line {line}:{int(column) - len(name) + 1}: " if line else ""
    return QueryError("COLUMN_NOT_FOUND", f"{place}Column '{name}' cannot be resolved or is ambiguous")


def _check_types(node: exp.Expr) -> None:
    """Trino compares and joins text with text only; DuckDB would turn it into whatever is beside it."""
    match node:
        case exp.In():
            pairs = [(node.this, other) for other in node.expressions]
        case exp.Between():
            pairs = [(node.this, node.args["low"]), (node.this, node.args["high"])]
        case exp.DPipe():
            if any(_kind(side) in _NOT_TEXTS for side in (node.left, node.right)):
                kinds = f"{_spelled(node.left)}, {_spelled(node.right)}"
                raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters ({kinds}) for function concat")
            return
        case exp.Binary() if isinstance(node, _COMPARISONS):
            pairs = [(node.left, node.right)]
        case _:
            return
    for left, right in pairs:
        for one, other in ((left, right), (right, left)):
            if _kind(one) in _TEXTS and _kind(other) in _NOT_TEXTS:
                kinds = f"{_spelled(left)} and {_spelled(right)}"
                raise QueryError("TYPE_MISMATCH", f"Cannot compare {kinds} without a cast: {node.sql(_DIALECT)}")


def _as_trino_means(node: exp.Expr) -> exp.Expr:
    """Where sqlglot's translation gives another answer."""
    match node:
        case exp.Div() if {_kind(node.left), _kind(node.right)} <= INTEGERS:
            return exp.Anonymous(this="divide", expressions=[node.left, node.right])
        case exp.DateDiff():
            # Whole units between two moments; DuckDB's date_diff counts the midnights.
            unit = exp.Literal.string(node.text("unit") or "day")
            return exp.Anonymous(this="date_sub", expressions=[unit, node.expression, node.this])
        case exp.Add() | exp.Sub() | exp.DateAdd() | exp.DateTrunc() if _kind(node) == exp.DType.DATE:
            return exp.cast(node, "date")
        case exp.Cast() | exp.Date() if _kind(node) == exp.DType.DATE and isinstance(node.this, exp.Column):
            # DuckDB chooses files only by what cannot fail.
            return exp.TryCast(this=node.this, to=exp.DataType.build("date"))
    return node


def _kind(node: exp.Expr) -> exp.DType | None:
    return node.type.this if node.type else None


def _spelled(node: exp.Expr) -> str:
    return node.type.sql(_DIALECT).lower() if node.type else "unknown"
