"""Data types in the three spellings that meet here: Hive's in Glue, Trino's in SQL and views, DuckDB's."""

import re

from sqlglot import exp
from sqlglot.errors import SqlglotError

from sandbox.athena.errors import QueryError, not_supported

Type = exp.DataType
Columns = tuple[tuple[str, Type], ...]

_D = exp.DType
INTEGERS = frozenset({_D.TINYINT, _D.SMALLINT, _D.INT, _D.BIGINT})
NUMBERS = INTEGERS | {_D.DECIMAL, _D.DOUBLE, _D.FLOAT}
NESTED = frozenset({_D.ARRAY, _D.MAP, _D.STRUCT})
_READ = NUMBERS | NESTED | {_D.BOOLEAN, _D.DATE, _D.TIMESTAMP, _D.VARCHAR}
_SAME = {
    **dict.fromkeys((_D.TEXT, _D.CHAR), _D.VARCHAR),
    **dict.fromkeys((_D.INT128, _D.UBIGINT, _D.UINT), _D.BIGINT),
    **dict.fromkeys((_D.TIMESTAMPNTZ, _D.TIMESTAMP_S, _D.TIMESTAMP_MS, _D.TIMESTAMP_NS), _D.TIMESTAMP),
    _D.LIST: _D.ARRAY,
}


def from_hive(text: str) -> Type:
    """Read a column's type as Glue spells it.

    Raises
    ------
    QueryError
        For a type that Athena does not read, or the sandbox does not.
    """
    kind = _read(text, "hive")
    # The parser forgives; a type that it would write otherwise is not one of Hive's.
    written, given = (re.sub(r"[\s`]", "", spelling).lower() for spelling in (kind.sql("hive"), text))
    if written != given or any(len(part.expressions) != 1 for part in kind.find_all(Type) if part.this == _D.ARRAY):
        raise QueryError("HIVE_INVALID_METADATA", f"unknown type: {text}")
    kind = _canonical(kind)
    if any(part.this not in _READ for part in kind.find_all(Type)):
        raise not_supported(f"the type {text}")
    return kind


def from_trino(text: str) -> Type:
    """Read a type as SQL and the JSON of a view spell it."""
    return _canonical(_read(text, "trino"))


def from_duckdb(text: str) -> Type:
    """Read a type of a result; Trino's next of kin where it has no such type."""
    return _canonical(_read({'"NULL"': "UNKNOWN", "TIMESTAMPTZ_NS": "TIMESTAMPTZ"}.get(text, text), "duckdb"))


def in_trino(kind: Type) -> str:
    """A type as Trino spells it."""
    return kind.sql("trino").lower().replace('"', "")


def in_duckdb(kind: Type) -> str:
    """A type as DuckDB spells it."""
    return kind.sql("duckdb", identify=True)


def fields(kind: Type) -> list[tuple[str, Type]]:
    """The fields of a row."""
    return [(field.name, field.args["kind"]) for field in kind.expressions]


def quoted(name: str) -> str:
    """A name as a quoted identifier of DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def _read(text: str, dialect: str) -> Type:
    try:
        return Type.build(text, dialect=dialect)
    except SqlglotError:
        raise QueryError("HIVE_INVALID_METADATA", f"unknown type: {text}") from None


def _canonical(kind: Type) -> Type:
    """One spelling of types that are the same: varchar without a length, moments to the millisecond."""
    for part in list(kind.find_all(Type)):
        part.set("this", _SAME.get(part.this, part.this))
        if part.this == _D.DECIMAL and not part.expressions:
            part.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(size)) for size in (10, 0)])
        elif part.this not in {_D.DECIMAL, *NESTED}:
            part.set("expressions", [])
    for name in kind.find_all(exp.Identifier):
        name.set("this", name.name.lower())
        name.set("quoted", False)
    return kind
