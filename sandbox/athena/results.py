"""Values of a result as Athena writes them, in its CSV file and its API."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlglot import exp

from sandbox.athena.types import Columns, Type, fields, in_trino, quoted

Row = list[str | None]

_D = exp.DType
_PRECISIONS = {
    "bigint": 19,
    "double": 17,
    "integer": 10,
    "real": 17,
    "smallint": 5,
    "timestamp": 3,
    "timestamp with time zone": 3,
    "tinyint": 3,
    "varchar": 2147483647,
}


def selectable(name: str, kind: Type) -> str:
    """The DuckDB expression that fetches a column: moments in a time zone come as text."""
    if kind.this == _D.TIMESTAMPTZ:
        return f"strftime(timezone('UTC', {name}), '%Y-%m-%d %H:%M:%S.%g UTC')"
    return f"CAST({name} AS VARCHAR)" if kind.this == _D.JSON else name


def as_text(value: Any, kind: Type) -> str | None:
    """One value, or None for null."""
    if value is None:
        return None
    match kind.this:
        case _D.BOOLEAN:
            return "true" if value else "false"
        case _D.DOUBLE | _D.FLOAT:
            return _java_number(value, kind)
        case _D.TIMESTAMP if isinstance(value, datetime):
            return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}"
        case _D.ARRAY:
            return f"[{', '.join(_inside(item, kind.expressions[0]) for item in value)}]"
        case _D.STRUCT:
            return "{" + ", ".join(f"{name}={_inside(value.get(name), inner)}" for name, inner in fields(kind)) + "}"
        case _D.MAP:
            key, item = kind.expressions
            return "{" + ", ".join(f"{_inside(k, key)}={_inside(v, item)}" for k, v in value.items()) + "}"
    return str(value)


def _inside(value: Any, kind: Type) -> str:
    text = as_text(value, kind)
    return "null" if text is None else text


def _java_number(value: float, kind: Type) -> str:
    """As Java's Double.toString: plain from a thousandth to ten millions, else with an exponent."""
    if value != value:
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "Infinity" if value > 0 else "-Infinity"
    digits = f"{value:.7g}" if kind.this == _D.FLOAT else repr(float(value))
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return str(float(digits))
    mantissa, _, exponent = f"{float(digits):e}".partition("e")
    significant = digits.split("e")[0].lstrip("-").replace(".", "").strip("0")
    sign = "-" if mantissa.startswith("-") else ""
    return f"{sign}{significant[0]}.{significant[1:] or '0'}E{int(exponent)}"


def column_info(columns: Columns) -> list[dict[str, Any]]:
    """ResultSetMetadata's ColumnInfo."""
    found = []
    for name, kind in columns:
        base = in_trino(kind).partition("(")[0]
        of_decimal = [int(size.name) for size in kind.expressions] if kind.this == _D.DECIMAL else []
        found.append(
            {
                "CatalogName": "hive",
                "SchemaName": "",
                "TableName": "",
                "Name": name,
                "Label": name,
                "Type": {"real": "float"}.get(base, base),
                "Precision": (of_decimal or [_PRECISIONS.get(base, 0)])[0],
                "Scale": of_decimal[1] if of_decimal else 0,
                "Nullable": "UNKNOWN",
                "CaseSensitive": base == "varchar",
            }
        )
    return found


def csv(columns: Columns, rows: Iterable[Row]) -> bytes:
    """Athena's result file: everything in quotes, nulls as nothing at all."""
    lines: list[Sequence[str | None]] = [[name for name, _ in columns], *rows]
    text = "\n".join(",".join("" if v is None else quoted(v) for v in line) for line in lines)
    return f"{text}\n".encode()
