"""Data types: Hive's names as in Glue, Trino's as in SQL, and DuckDB's, which computes with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.athena.errors import QueryError, not_supported


@dataclass(frozen=True)
class Type:
    """One type of Trino.

    Parameters
    ----------
    name
        Its base name: `varchar`, `row` ...
    inner
        Types inside an array, a map (key, value) or a row.
    fields
        Names of a row's fields.
    precision, scale
        Of a decimal.
    zone
        The time zone that values of a `timestamp with time zone` are shown in.
    """

    name: str
    inner: tuple[Type, ...] = ()
    fields: tuple[str, ...] = ()
    precision: int = 0
    scale: int = 0
    zone: str = "UTC"

    def __str__(self) -> str:
        """Trino's spelling."""
        match self.name:
            case "decimal":
                return f"decimal({self.precision},{self.scale})"
            case "timestamp":
                return "timestamp(3)"
            case "timestamp with time zone":
                return "timestamp(3) with time zone"
            case "row":
                return f"row({', '.join(f'{n} {t}' for n, t in zip(self.fields, self.inner, strict=True))})"
        return f"{self.name}({', '.join(map(str, self.inner))})" if self.inner else self.name

    @property
    def duckdb(self) -> str:
        """DuckDB's spelling."""
        match self.name:
            case "decimal":
                return f"DECIMAL({self.precision},{self.scale})"
            case "array":
                return f"{self.inner[0].duckdb}[]"
            case "map":
                return f"MAP({self.inner[0].duckdb}, {self.inner[1].duckdb})"
            case "row":
                pairs = zip(self.fields, self.inner, strict=True)
                return f"STRUCT({', '.join(f'{quoted(name)} {kind.duckdb}' for name, kind in pairs)})"
        return _DUCKDB[self.name]


_DUCKDB = {
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "double": "DOUBLE",
    "integer": "INTEGER",
    "interval day to second": "INTERVAL",
    "interval year to month": "INTERVAL",
    "json": "JSON",
    "real": "FLOAT",
    "smallint": "SMALLINT",
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
    "tinyint": "TINYINT",
    "unknown": "INTEGER",
    "varchar": "VARCHAR",
}

BIGINT: Final = Type("bigint")
BOOLEAN: Final = Type("boolean")
DATE: Final = Type("date")
DAY_INTERVAL: Final = Type("interval day to second")
DOUBLE: Final = Type("double")
INTEGER: Final = Type("integer")
JSON: Final = Type("json")
MONTH_INTERVAL: Final = Type("interval year to month")
REAL: Final = Type("real")
TIMESTAMP: Final = Type("timestamp")
TIMESTAMP_TZ: Final = Type("timestamp with time zone")
UNKNOWN: Final = Type("unknown")
VARCHAR: Final = Type("varchar")

INTEGERS: Final = ("tinyint", "smallint", "integer", "bigint")
"""From narrow to wide."""

_INTEGER_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_HIVE_NAMES = {"string": "varchar", "char": "varchar", "int": "integer", "float": "real"}
_TRINO_NAMES = {"char": "varchar", "int": "integer", "dec": "decimal"}
_SIMPLE = frozenset(_DUCKDB) - {"unknown", "json", "interval day to second", "interval year to month"}
_TOKEN = re.compile(r"\s*(?:([A-Za-z_][\w.-]*)|\"([^\"]*)\"|(\d+)|([<>(),:]))")


def quoted(name: str) -> str:
    """A name as a quoted identifier of DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def is_number(kind: Type) -> bool:
    """Whether values of the type can be computed with."""
    return kind.name in INTEGERS or kind.name in {"decimal", "real", "double"}


def as_decimal(kind: Type) -> Type:
    """The decimal type that holds every value of an integer type; decimals as they are."""
    if kind.name == "decimal":
        return kind
    return Type("decimal", precision=_INTEGER_DIGITS[kind.name])


def common(left: Type, right: Type) -> Type | None:
    """The type both can be coerced to without being told to, or None: Trino never turns text into anything."""
    if left == right or right.name == "unknown":
        return left
    if left.name == "unknown":
        return right
    names = {left.name, right.name}
    if is_number(left) and is_number(right):
        return _common_number(left, right)
    if names == {"date", "timestamp"}:
        return TIMESTAMP
    if "timestamp with time zone" in names and names <= {"date", "timestamp", "timestamp with time zone"}:
        return left if left.name == "timestamp with time zone" else right
    if len(names) == 1 and left.inner and len(left.inner) == len(right.inner) and left.fields == right.fields:
        inner = [common(a, b) for a, b in zip(left.inner, right.inner, strict=True)]
        return Type(left.name, tuple(i for i in inner if i), left.fields) if all(inner) else None
    return None


def _common_number(left: Type, right: Type) -> Type:
    for name in ("double", "real"):
        if name in {left.name, right.name}:
            return Type(name)
    if "decimal" in {left.name, right.name}:
        a, b = as_decimal(left), as_decimal(right)
        scale = max(a.scale, b.scale)
        return Type(
            "decimal", precision=min(38, max(a.precision - a.scale, b.precision - b.scale) + scale), scale=scale
        )
    return max(left, right, key=lambda kind: INTEGERS.index(kind.name))


def from_hive(text: str) -> Type:
    """Read a column's type as Glue spells it.

    Raises
    ------
    QueryError
        For a type that Athena does not read, or the sandbox does not.
    """
    return _Parser(text, _HIVE_NAMES, "HIVE_INVALID_METADATA").whole()


def from_trino(text: str) -> Type:
    """Read a type as SQL and the JSON of a view spell it."""
    return _Parser(text, _TRINO_NAMES, "SYNTAX_ERROR").whole()


class _Parser:
    """Both spellings at once: `struct<a:double>` and `row(a double)`."""

    def __init__(self, text: str, names: dict[str, str], code: str) -> None:
        self._text, self._names, self._code = text, names, code
        self._tokens = list(self._split())
        self._at = 0

    def whole(self) -> Type:
        kind = self._type()
        if self._at != len(self._tokens):
            raise self._wrong()
        return kind

    def _split(self) -> Iterator[str]:
        at = 0
        text = self._text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if not found:
                raise self._wrong()
            yield next(group for group in found.groups() if group is not None)
            at = found.end()

    def _type(self) -> Type:
        name = self._next().lower()
        name = self._names.get(name, name)
        if name == "timestamp":
            self._numbers()
            if self._skip("with"):
                self._expect("time")
                self._expect("zone")
                return TIMESTAMP_TZ
            return TIMESTAMP
        if name == "decimal":
            numbers = self._numbers() or [10, 0]
            return Type("decimal", precision=numbers[0], scale=(*numbers, 0)[1])
        if name == "varchar":
            self._numbers()
            return VARCHAR
        if name in {"array", "map", "row", "struct"}:
            return self._nested("row" if name == "struct" else name)
        if name not in _SIMPLE:
            raise not_supported(f"the type {self._text}")
        return Type(name)

    def _nested(self, name: str) -> Type:
        closing = {"<": ">", "(": ")"}.get(self._next())
        if closing is None:
            raise self._wrong()
        fields, inner = [], []
        while True:
            if name == "row":
                fields.append(self._next().lower())
                self._skip(":")
            inner.append(self._type())
            if not self._skip(","):
                break
        self._expect(closing)
        if len(inner) != {"array": 1, "map": 2}.get(name, len(inner)):
            raise self._wrong()
        return Type(name, tuple(inner), tuple(fields))

    def _numbers(self) -> list[int]:
        numbers: list[int] = []
        if self._skip("("):
            numbers.append(int(self._next()))
            while self._skip(","):
                numbers.append(int(self._next()))
            self._expect(")")
        return numbers

    def _next(self) -> str:
        if self._at == len(self._tokens):
            raise self._wrong()
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, token: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at].lower() == token
        self._at += found
        return found

    def _expect(self, token: str) -> None:
        if not self._skip(token):
            raise self._wrong()

    def _wrong(self) -> QueryError:
        return QueryError(self._code, f"unknown type: {self._text}")
