"""Values of a result as Athena writes them, in its CSV file and its API."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sandbox.athena.types import Type, quoted

Columns = Sequence[tuple[str, Type]]
Row = list[str | None]

_API_NAMES = {"real": "float", "row": "row", "array": "array", "map": "map"}
_PRECISIONS = {
    "bigint": 19,
    "boolean": 0,
    "date": 0,
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
    column = quoted(name)
    if kind.name == "timestamp with time zone":
        return f"strftime(timezone('{kind.zone}', {column}), '%Y-%m-%d %H:%M:%S.%g') || ' {kind.zone}'"
    return f"CAST({column} AS VARCHAR)" if kind.name == "json" else column


def as_text(value: Any, kind: Type) -> str | None:
    """One value, or None for null."""
    if value is None:
        return None
    match kind.name:
        case "boolean":
            return "true" if value else "false"
        case "double" | "real":
            return _java_number(value, kind)
        case "timestamp":
            return _timestamp(value)
        case "array":
            return f"[{', '.join(_inside(item, kind.inner[0]) for item in value)}]"
        case "row":
            pairs = zip(kind.fields, kind.inner, strict=True)
            return "{" + ", ".join(f"{name}={_inside(value.get(name), inner)}" for name, inner in pairs) + "}"
        case "map":
            key, item = kind.inner
            return "{" + ", ".join(f"{_inside(k, key)}={_inside(v, item)}" for k, v in value.items()) + "}"
    return str(value)


def _inside(value: Any, kind: Type) -> str:
    text = as_text(value, kind)
    return "null" if text is None else text


def _timestamp(value: Any) -> str:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def _java_number(value: float, kind: Type) -> str:
    """As Java's Double.toString: plain from a thousandth to ten millions, else with an exponent."""
    if value != value:
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "Infinity" if value > 0 else "-Infinity"
    digits = f"{value:.7g}" if kind.name == "real" else repr(float(value))
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = f"{float(digits):.20f}".rstrip("0") if "e" in digits else digits
        return plain if "." in plain and not plain.endswith(".") else f"{plain.rstrip('.')}.0"
    return scientific(float(digits))


def scientific(value: float) -> str:
    """`9.98E1` for 99.8."""
    mantissa, exponent = f"{value:e}", 0
    shortest = repr(value)
    digits = shortest.split("e")[0].replace("-", "").replace(".", "").strip("0") or "0"
    exponent = int(mantissa.split("e")[1])
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def column_info(columns: Columns) -> list[dict[str, Any]]:
    """ResultSetMetadata's ColumnInfo."""
    return [
        {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": name,
            "Label": name,
            "Type": _API_NAMES.get(kind.name, kind.name),
            "Precision": kind.precision if kind.name == "decimal" else _PRECISIONS.get(kind.name, 0),
            "Scale": kind.scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": kind.name == "varchar",
        }
        for name, kind in columns
    ]


def csv(columns: Columns, rows: Iterable[Row]) -> bytes:
    """Athena's result file: everything in quotes, nulls as nothing at all."""
    lines: list[Sequence[str | None]] = [[name for name, _ in columns], *rows]
    text = "\n".join(",".join("" if v is None else quoted(v) for v in line) for line in lines)
    return f"{text}\n".encode()
