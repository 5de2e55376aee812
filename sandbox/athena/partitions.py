"""Partition projection: which partitions a table has according to its properties, and where they are.

Source: "Supported types for partition projection" and "Set up partition projection" in the Athena user guide.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.athena.errors import QueryError, not_supported

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_NOW = re.compile(
    r"NOW(?:([+-])(\d+)(YEARS|MONTHS|WEEKS|DAYS|HOURS|MINUTES|SECONDS|YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND))?"
)
_LETTERS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_FORMAT = re.compile(r"'([^']*)'|yyyy|MM|dd|HH|mm|ss|[A-Za-z]+|[^A-Za-z']+")
_MOST_VALUES = 1_000_000

Values = tuple[str, ...]


@dataclass(frozen=True)
class Partition:
    """One partition: its columns' values as text, and the S3 location of its files."""

    values: Values
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
    template = properties.get("storage.location.template")
    if template is None:
        template = location.rstrip("/") + "/" + "/".join(f"{name}=${{{name}}}" for name in columns)
    if set(_PLACEHOLDER.findall(template)) != set(columns):
        raise _invalid(
            "The 'storage.location.template' table property must contain templates for all partition columns!"
        )
    values = [_values(properties, name, now) for name in columns]
    for combination in itertools.product(*values):
        named = dict(zip(columns, combination, strict=True))
        place = _PLACEHOLDER.sub(lambda found: named[found[1]], template)  # noqa: B023 - used at once
        yield Partition(combination, place)


def _values(properties: Mapping[str, str], name: str, now: datetime) -> list[str]:
    prefix = f"projection.{name}."
    given = {key.removeprefix(prefix): value for key, value in properties.items() if key.startswith(prefix)}
    kind = given.pop("type").lower()
    if kind not in _KINDS:
        raise (
            not_supported(f"partition projection of type {kind}")
            if kind == "injected"
            else _invalid(f"unknown projection type {kind} of column {name}")
        )
    known, make = _KINDS[kind]
    unknown = set(given) - known
    if unknown:
        raise _invalid(f"unknown property projection.{name}.{min(unknown)}")
    return make(given, name, now)


def _need(given: Mapping[str, str], key: str, name: str) -> str:
    if key not in given:
        raise _invalid(f"projection.{name}.{key} is missing")
    return given[key]


def _enumerated(given: Mapping[str, str], name: str, _now: datetime) -> list[str]:
    return _need(given, "values", name).split(",")


def _integers(given: Mapping[str, str], name: str, _now: datetime) -> list[str]:
    try:
        first, last = (int(text) for text in _need(given, "range", name).split(","))
        step, digits = int(given.get("interval", "1")), int(given.get("digits", "0"))
    except ValueError:
        raise _invalid(f"projection.{name}.range must be two whole numbers") from None
    _check_count((last - first) // max(step, 1), name)
    return [f"{number:0{digits}d}" for number in range(first, last + 1, step)]


def _dates(given: Mapping[str, str], name: str, now: datetime) -> list[str]:
    pattern = _strftime(_need(given, "format", name))
    bounds = [text.strip() for text in _need(given, "range", name).split(",")]
    if len(bounds) != 2:
        raise _invalid(f"projection.{name}.range must be two dates, separated by a comma")
    first, last = (_bound(text, pattern, name, now) for text in bounds)
    unit = given.get("interval.unit", _finest(pattern)).upper().removesuffix("S")
    if "interval.unit" not in given and unit not in {"DAY", "MONTH"}:
        raise _invalid(f"projection.{name}.interval.unit is required for the format {given['format']}")
    step = int(given.get("interval", "1"))
    values: list[str] = []
    moment = first
    for number in itertools.count(1):
        if moment > last:
            return list(dict.fromkeys(values))
        values.append(moment.strftime(pattern).replace("%Y", f"{moment.year:04d}"))
        _check_count(number, name)
        moment = _plus(first, number * step, unit, name)
    raise AssertionError


def _bound(text: str, pattern: str, name: str, now: datetime) -> datetime:
    relative = _NOW.fullmatch(text)
    if relative:
        sign, count, unit = relative.groups()
        moment = _plus(now, int(f"{sign}{count}"), unit.removesuffix("S"), name) if unit else now
        # NOW counts as the value it would have as a partition.
        return datetime.strptime(moment.strftime(pattern), pattern)
    try:
        return datetime.strptime(text, pattern)
    except ValueError:
        raise _invalid(
            f"projection.{name}.range: {text} does not have the format of projection.{name}.format"
        ) from None


def _plus(moment: datetime, count: int, unit: str, name: str) -> datetime:
    if unit in {"YEAR", "MONTH"}:
        months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "YEAR" else 1)
        year, month = divmod(months, 12)
        for day in range(moment.day, 27, -1):
            try:
                return moment.replace(year=year, month=month + 1, day=day)
            except ValueError:
                continue
        return moment.replace(year=year, month=month + 1)
    if unit not in {"WEEK", "DAY", "HOUR", "MINUTE", "SECOND"}:
        raise _invalid(f"projection.{name}.interval.unit: {unit}")
    return moment + timedelta(**{f"{unit.lower()}s": count})


def _strftime(pattern: str) -> str:
    """A Java date pattern as Python's, as far as partitions use it."""
    parts = []
    for found in _FORMAT.finditer(pattern):
        token = found[0]
        if found[1] is None and token[0].isalpha() and token not in _LETTERS:
            raise not_supported(f"the date format {pattern} in partition projection")
        literal = token if found[1] is None else found[1]
        parts.append(_LETTERS.get(token) or literal.replace("%", "%%"))
    return "".join(parts)


def _finest(pattern: str) -> str:
    for code, unit in (("%S", "SECONDS"), ("%M", "MINUTES"), ("%H", "HOURS"), ("%d", "DAYS"), ("%m", "MONTHS")):
        if code in pattern:
            return unit
    return "YEARS"


def _check_count(count: int, name: str) -> None:
    if count > _MOST_VALUES:
        raise _invalid(f"projection.{name}.range has over {_MOST_VALUES} values")


def _invalid(message: str) -> QueryError:
    return QueryError("INVALID_TABLE_PROPERTY", message)


_KINDS: dict[str, tuple[set[str], Callable[[Mapping[str, str], str, datetime], list[str]]]] = {
    "date": ({"format", "range", "interval", "interval.unit"}, _dates),
    "enum": ({"values"}, _enumerated),
    "integer": ({"range", "interval", "digits"}, _integers),
}
