"""Rows out of files of JSON lines, as Athena's two JSON SerDes read them.

What happens to a value that does not fit its column follows Trino's readers (in its source, under
`io/trino/hive/formats/line`): with OpenX's SerDe it is null, with Hive's it ends the query. There is one difference,
which Athena's users know: a timestamp is read in `yyyy-MM-dd HH:mm:ss[.fraction]` only, and everything else, ISO 8601
too, is null.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.athena.errors import QueryError, not_supported
from sandbox.athena.types import INTEGERS, Type, is_number

OPENX = "org.openx.data.jsonserde.JsonSerDe"
HIVE = "org.apache.hive.hcatalog.data.JsonSerDe"

_BITS = {"tinyint": 7, "smallint": 15, "integer": 31, "bigint": 63}
_TIMESTAMP = re.compile(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?: .*)?", re.DOTALL)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

Column = tuple[str, Type]


@dataclass(frozen=True)
class Properties:
    """What a table's SerDe parameters ask for.

    Parameters
    ----------
    library
        The SerDe's class, `OPENX` or `HIVE`.
    ignore_malformed
        A line that is no JSON is a row of nulls, not the end of the query; OpenX's SerDe only.
    mapping
        JSON key for a column that has another name.
    """

    library: str
    ignore_malformed: bool
    mapping: Mapping[str, str]

    @classmethod
    def of(cls, library: str, parameters: Mapping[str, str]) -> "Properties":
        """Read a SerDe's parameters.

        Raises
        ------
        QueryError
            For a parameter that changes how lines are read and is not known here.
        """
        mapping = {}
        for key, value in parameters.items():
            if key.startswith("mapping."):
                mapping[key.removeprefix("mapping.").lower()] = value.lower()
            elif key == "case.insensitive" and value.lower() != "true":
                raise not_supported("case.insensitive=false of the JSON SerDe")
            elif key == "dots.in.keys" and value.lower() == "true":
                raise not_supported("dots.in.keys=true of the JSON SerDe")
            elif key == "timestamp.formats":
                raise not_supported("timestamp.formats of the JSON SerDe")
        ignores = library == OPENX and parameters.get("ignore.malformed.json", "false").lower() == "true"
        return cls(library, ignores, mapping)


def text_of(content: bytes, name: str) -> str:
    """A file's text, decompressed if its name says so.

    Raises
    ------
    QueryError
        When it is not what its name says.
    """
    if name.endswith(".gz"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read file at {name}: {error}") from None
    elif name.endswith((".bz2", ".lz4", ".snappy", ".zst", ".deflate")):
        raise not_supported(f"the compression of {name}")
    return content.decode("utf-8", errors="replace")


def rows(text: str, columns: Sequence[Column], properties: Properties) -> Iterator[list[Any]]:
    """A file's rows, each value as JSON text can hold it: dates as text, decimals as text, rows as objects.

    Raises
    ------
    QueryError
        HIVE_BAD_DATA for a line that is not JSON (unless the SerDe ignores it) and for a value of the wrong shape.
    """
    keys = [properties.mapping.get(name, name) for name, _ in columns]
    read = _value if properties.library == OPENX else _hive_value
    lines = text.split("\n")
    for line in lines[:-1] if not lines[-1] else lines:
        found = _object(line, properties)
        yield [read(found.get(key), kind, key) for key, (_, kind) in zip(keys, columns, strict=True)]


def _object(line: str, properties: Properties) -> dict[str, Any]:
    start = line.lstrip()
    if properties.library == OPENX and start[:1] not in {"{", "["}:
        return {}
    try:
        # Text after the object is ignored; numbers keep their digits.
        found, _ = _DECODER.raw_decode(start)
    except ValueError as error:
        if properties.ignore_malformed:
            return {}
        raise QueryError("HIVE_BAD_DATA", f"Error parsing a row: not a valid JSON Object - {error}") from None
    if isinstance(found, dict):
        return found
    if properties.library == HIVE:
        raise QueryError("HIVE_BAD_DATA", "Error parsing a row: not a valid JSON Object")
    raise not_supported("a line of JSON that is not an object")


def _with_small_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key.lower() in found:
            raise QueryError("HIVE_BAD_DATA", f'Error parsing a row: Duplicate key "{key.lower()}"')
        found[key.lower()] = value
    return found


class _Number(str):
    """A JSON number's own digits."""

    __slots__ = ()


_DECODER = json.JSONDecoder(object_pairs_hook=_with_small_keys, parse_float=_Number, parse_int=_Number)


def _value(value: Any, kind: Type, where: str) -> Any:
    """A JSON value in a column of a type, or None where it does not fit."""
    if value is None:
        return None
    if kind.name in {"row", "array", "map"}:
        return _nested(value, kind, where)
    if kind.name == "varchar":
        return _as_text(value)
    if isinstance(value, dict | list):
        if kind.name == "boolean":
            return False
        raise QueryError("HIVE_BAD_DATA", f"Error parsing field value for field {where}: not a {kind}")
    return _scalar(_as_text(value), kind, where)


def _hive_value(value: Any, kind: Type, where: str) -> Any:
    """As Hive's SerDe reads it: what does not fit ends the query, and text is not taken for a number."""
    found = _value(value, kind, where)
    is_scalar = not kind.inner and kind.name != "boolean"
    text_for_number = is_number(kind) and kind.name != "decimal" and not isinstance(value, _Number)
    does_not_fit = isinstance(value, dict | list) or text_for_number or found is None
    if is_scalar and value is not None and kind.name != "timestamp" and does_not_fit:
        raise QueryError("HIVE_BAD_DATA", f"Error parsing field value '{_as_text(value)}' for field {where}: {kind}")
    return found


def _nested(value: Any, kind: Type, where: str) -> Any:
    match kind.name, value:
        case "row", dict():
            return {n: _value(value.get(n), t, where) for n, t in zip(kind.fields, kind.inner, strict=True)}
        case "array", list():
            return [_value(item, kind.inner[0], where) for item in value]
        case "map", dict():
            return {key: _value(item, kind.inner[1], where) for key, item in value.items()}
    raise QueryError("HIVE_BAD_DATA", f"Error parsing field value for field {where}: not a {kind}")


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value) if isinstance(value, str) else json.dumps(_plain(value), separators=(",", ":"))
    return _LONE_SURROGATE.sub("\ufffd", text)


def _plain(value: Any) -> Any:
    if isinstance(value, _Number):
        return json.loads(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _scalar(text: str, kind: Type, where: str) -> Any:
    try:
        if kind.name == "boolean":
            return text.lower() == "true"
        if kind.name == "date":
            found = _DATE.fullmatch(text)
            return date.fromisoformat(found[1]).isoformat() if found else None
        if kind.name == "timestamp":
            return _timestamp(text)
        if kind.name in {"double", "real"}:
            return _float(text)
        number = Decimal(text)
        if not number.is_finite():
            return None
        if kind.name == "decimal":
            rounded = number.quantize(Decimal(1).scaleb(-kind.scale), ROUND_HALF_UP)
            return str(rounded) if len(rounded.as_tuple().digits) <= kind.precision else None
        if kind.name in INTEGERS:
            return _integer(number, kind, where)
    except (ValueError, InvalidOperation):
        return None
    raise not_supported(f"a column of type {kind} in JSON")


def _integer(number: Decimal, kind: Type, where: str) -> int | None:
    if number != number.to_integral_value():
        raise QueryError("HIVE_BAD_DATA", f"Error parsing field value '{number}' for field {where}: not a {kind}")
    limit = 1 << _BITS[kind.name]
    return int(number) if -limit <= number < limit else None


def _float(text: str) -> float | str:
    number = float(text)
    # JSON has no words for these; DuckDB reads them from text.
    return number if abs(number) < float("inf") else str(number)


def _timestamp(text: str) -> str | None:
    """To the millisecond, as Athena keeps it."""
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        return None
    whole = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S")
    return f"{whole:%Y-%m-%d %H:%M:%S}.{(found[2] or '').ljust(3, '0')[:3]}"
