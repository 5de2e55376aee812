"""Partition projection: which partitions a table has according to its properties, and where they are.

Source: "Supported types for partition projection" and "Set up partition projection" in the Athena user guide.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Template

import duckdb

from sandbox.athena.errors import QueryError, not_supported

_KNOWN = {
    "date": {"format", "range", "interval", "interval.unit"},
    "enum": {"values"},
    "integer": {"range", "interval", "digits"},
}
_LETTERS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_UNIT = "(?:YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?"
_NOW = re.compile(rf"NOW(?:([+-]\d+)({_UNIT}))?")
_MOST_VALUES = 1_000_000


@dataclass(frozen=True)
class Partition:
    """One partition: its columns' values as text, and the S3 location of its files."""

    values: tuple[str, ...]
    location: str


def is_projected(properties: Mapping[str, str]) -> bool:
    """Whether a table's partitions come from its properties and not from the catalog."""
    return properties.get("projection.enabled", "").lower() == "true"


def projected(
    properties: Mapping[str, str], columns: Sequence[str], location: str, now: datetime
) -> Iterator[Partition]:
    """Every partition that the properties describe.

    Parameters
    ----------
    properties
        The table's parameters.
    columns
        Names of its partition columns, in order.
    location
        The table's own location, under which partitions are if no template says otherwise.
    now
        What NOW in a range stands for, in UTC.

    Raises
    ------
    QueryError
        INVALID_TABLE_PROPERTY for properties that Athena refuses.
    """
    missing = [name for name in columns if f"projection.{name}.type" not in properties]
    if missing:
        raise _invalid(
            "Table is configured for partition projection, but the following partition columns are missing "
            f"projection configuration: {missing}"
        )
    hive_style = location.rstrip("/") + "/" + "/".join(f"{name}=${{{name}}}" for name in columns)
    template = Template(properties.get("storage.location.template", hive_style))
    if set(template.get_identifiers()) != set(columns):
        raise _invalid(
            "The 'storage.location.template' table property must contain templates for all partition columns!"
        )
    for values in itertools.product(*(_values(properties, name, now) for name in columns)):
        yield Partition(values, template.substitute(dict(zip(columns, values, strict=True))))


def _values(properties: Mapping[str, str], name: str, now: datetime) -> list[str]:
    prefix = f"projection.{name}."
    given = {key.removeprefix(prefix): value for key, value in properties.items() if key.startswith(prefix)}
    kind = given.pop("type").lower()
    if kind == "injected":
        raise not_supported(f"partition projection of type {kind}")
    if kind not in _KNOWN:
        raise _invalid(f"unknown projection type {kind} of column {name}")
    unknown = set(given) - _KNOWN[kind]
    if unknown:
        raise _invalid(f"unknown property {prefix}{min(unknown)}")
    try:
        return _listed(kind, given, now)
    except KeyError as error:
        raise _invalid(f"{prefix}{error.args[0]} is missing") from None
    except ValueError as error:
        raise _invalid(f"{prefix}range is not two values, or does not have the right format: {error}") from None


def _listed(kind: str, given: Mapping[str, str], now: datetime) -> list[str]:
    if kind == "enum":
        return given["values"].split(",")
    first, last = (text.strip() for text in given["range"].split(","))
    if kind == "date":
        return _dates(first, last, given, now)
    step, digits = int(given.get("interval", "1")), int(given.get("digits", "0"))
    return [f"{number:0{digits}d}" for number in range(int(first), int(last) + 1, step)]


def _dates(first: str, last: str, given: Mapping[str, str], now: datetime) -> list[str]:
    """From one moment to the other, each in the format; DuckDB knows how long months are."""
    pattern = re.sub("|".join(_LETTERS), lambda found: _LETTERS[found[0]], given["format"])
    if re.search(r"(?<!%)[A-Za-z']", pattern):
        raise not_supported(f"the date format {given['format']} in partition projection")
    unit = _interval_unit(pattern, given)
    with duckdb.connect() as connection:
        bounds = [_bound(text, pattern, now, connection) for text in (first, last)]
        found = connection.execute(
            "SELECT strftime(moment, ?) "
            "FROM generate_series(?::TIMESTAMP, ?::TIMESTAMP, ?::INTERVAL) AS t(moment) LIMIT ?",
            [pattern, *bounds, f"{given.get('interval', '1')} {unit}", _MOST_VALUES + 1],
        ).fetchall()
    if len(found) > _MOST_VALUES:
        raise ValueError(f"over {_MOST_VALUES} values")
    return list(dict.fromkeys(value for (value,) in found))


def _interval_unit(pattern: str, given: Mapping[str, str]) -> str:
    if "interval.unit" not in given and not pattern.endswith(("%d", "%m")):
        raise _invalid(f"interval.unit is required for the format {given['format']}")
    unit = given.get("interval.unit") or ("DAYS" if pattern.endswith("%d") else "MONTHS")
    if not re.fullmatch(_UNIT, unit.upper()):
        raise _invalid(f"unknown interval.unit {unit}")
    return unit


def _bound(text: str, pattern: str, now: datetime, connection: duckdb.DuckDBPyConnection) -> datetime:
    relative = _NOW.fullmatch(text)
    if relative:
        change = " ".join(part or "" for part in relative.groups()).strip() or "0 DAYS"
        ((moment,),) = connection.execute("SELECT ?::TIMESTAMP + ?::INTERVAL", [now, change]).fetchall()
        # NOW counts as the value it would have as a partition.
        text = moment.strftime(pattern)
    return datetime.strptime(text, pattern)


def _invalid(message: str) -> QueryError:
    return QueryError("INVALID_TABLE_PROPERTY", message)
