"""Athena's SQL to DuckDB's, by sqlglot, with names and types resolved as Trino would."""

import re
from collections.abc import Callable, Mapping, Sequence

from sqlglot import Token, TokenType, exp, parse, tokenize
from sqlglot.errors import ErrorLevel, OptimizeError, SqlglotError, UnsupportedError
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
_CONSTANTS = (exp.Literal, exp.Neg, exp.Boolean, exp.Null, exp.Cast, exp.DataType, exp.DataTypeParam)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)

FindColumns = Callable[[str, str], Mapping[str, Type]]


def parse_query(text: str) -> exp.Query:
    """Read one SELECT.

    Raises
    ------
    QueryError
        MALFORMED_QUERY for a text that is none: Athena refuses to start it.
    """
    if len(text.encode()) > LONGEST_QUERY:
        raise _malformed(f"Query string length is more than {LONGEST_QUERY} bytes")
    try:
        statements = [statement for statement in parse(text, read=_DIALECT) if statement is not None]
    except SqlglotError as error:
        details = (getattr(error, "errors", None) or [{}])[0]
        reason = re.sub(r"\x1b\[[0-9;]*m", "", details.get("description") or str(error))
        place = f"line {details.get('line', 1)}:{details.get('col', 1)}"
        raise _malformed(f"{place}: mismatched input: {reason}") from None
    if len(statements) != 1:
        raise _malformed(f"Only one sql statement is allowed. Got: {text[:200]}")
    (statement,) = statements
    if not isinstance(statement, exp.Query):
        raise _malformed(f"the sandbox's Athena runs SELECT only, not {statement.key.upper()}")
    if any(not select.expressions for select in statement.find_all(exp.Select)):
        raise _malformed("line 1:8: mismatched input. Expecting: '*', <expression>")
    return statement


def bind(text: str, parameters: Sequence[str]) -> str:
    """Put a query's execution parameters in the places of its question marks, one after the other.

    As Athena documents them (user guide, "Use parameterized queries"): a question mark stands in a WHERE clause only,
    and a value is SQL: text in single quotes, a number, or a cast of either.

    Raises
    ------
    QueryError
        For a text or a value that is not so, and where their numbers differ.

    Example
    -------
    >>> bind("SELECT 1 WHERE 'it''s' = ?", ["'it''s'"])
    "SELECT 1 WHERE 'it''s' = 'it''s'"
    """
    places = [token for token in _tokens(text) if token.token_type == TokenType.PLACEHOLDER]
    if len(places) != len(parameters):
        message = f"Incorrect number of parameters: expected {len(places)} but found {len(parameters)}"
        raise QueryError("INVALID_PARAMETER_USAGE", message)
    if not places:
        return text
    for placeholder in parse_query(text).find_all(exp.Placeholder):
        if placeholder.find_ancestor(exp.Where) is None:
            raise QueryError("SYNTAX_ERROR", "a parameter stands outside of a WHERE clause")
    bound, end = [], 0
    for token, parameter in zip(places, parameters, strict=True):
        bound += [text[end : token.start], _constant(parameter)]
        end = token.end + 1
    return "".join([*bound, text[end:]])


def _tokens(text: str) -> list[Token]:
    try:
        return tokenize(text, read=_DIALECT)
    except SqlglotError:
        return []  # parsing says what is the matter


def _constant(parameter: str) -> str:
    """A parameter's value as SQL, if it is a constant and nothing else."""
    try:
        values = parse(parameter, read=_DIALECT)
    except SqlglotError:
        values = []
    value = values[0] if len(values) == 1 else None
    if value is None or not all(isinstance(node, _CONSTANTS) for node in value.walk()):
        raise QueryError("SYNTAX_ERROR", f"the parameter {parameter} is no constant; text stands in single quotes")
    return value.sql(_DIALECT, comments=False)


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
    QueryError
        As `parse_query` does, for names that are not there, and types that Trino does not put together.
    """
    tree = normalize_identifiers(parse_query(text), dialect=_DIALECT)
    schema = _schema(tree, database, columns_of)
    for select in tree.find_all(exp.Select):
        _name_columns(select)
    try:
        tree = qualify(tree, dialect=_DIALECT, db=database, schema=schema, expand_alias_refs=False)
    except OptimizeError as error:
        raise _unresolved(str(error)) from None
    tree = annotate_types(tree, schema=schema, dialect=_DIALECT)
    # From the leaves up: what is put in a part's place has that part's type.
    for node in reversed(list(tree.walk())):
        _check_types(node)
        meant = _as_trino_means(node)
        if meant is not node:
            meant.type = node.type
            node.replace(meant)
    try:
        return tree.sql("duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise not_supported(str(error)) from None


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


def _name_columns(select: exp.Select) -> None:
    """A column without a name of its own is called by its place."""
    for index, column in enumerate(select.expressions):
        if not isinstance(column, exp.Alias | exp.Column | exp.Dot | exp.Star):
            column.replace(exp.alias_(column.copy(), f"_col{index}"))


def _place(table: exp.Table) -> str:
    """`line 2:3: `, of a name's first character; the parser knows its last."""
    name = next((name for name in table.find_all(exp.Identifier) if "line" in name.meta), None)
    return f"line {name.meta['line']}:{name.meta['col'] - len(name.name) + 1}: " if name else ""


def _malformed(message: str) -> QueryError:
    return QueryError("MALFORMED_QUERY", message)


def _unresolved(message: str) -> QueryError:
    found = re.search(r"Column '([^']*)' could not be resolved.*?(?:Line: (\d+), Col: (\d+))?$", message)
    if not found:
        return QueryError("SYNTAX_ERROR", message)
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
        case exp.RegexpExtract() | exp.SplitPart():
            # What is not there is null, not empty.
            return exp.func("nullif", node.copy(), exp.Literal.string(""))
        case exp.Add() | exp.Sub() | exp.DateAdd() if _kind(node) == exp.DType.DATE:
            return exp.Cast(this=node.copy(), to=exp.DataType.build("date"))
        case exp.DateTrunc() | exp.TimestampTrunc() if _kind(node.this) == exp.DType.DATE:
            return exp.Cast(this=node.copy(), to=exp.DataType.build("date"))
        case exp.Cast() | exp.Date() if _kind(node) == exp.DType.DATE and isinstance(node.this, exp.Column):
            # DuckDB chooses files only by what cannot fail.
            return exp.TryCast(this=node.this, to=exp.DataType.build("date"))
    return node


def _kind(node: exp.Expr) -> exp.DType | None:
    return node.type.this if node.type else None


def _spelled(node: exp.Expr) -> str:
    return node.type.sql(_DIALECT).lower() if node.type else "unknown"
