"""Trino's functions: what they take, what they give, and the DuckDB expression that answers the same.

A function that is not here fails the query. Where DuckDB's function of the same name differs (it skips nulls, counts
from elsewhere, rounds otherwise), the expression here makes up for it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.athena.errors import QueryError, not_supported
from sandbox.athena.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    INTEGERS,
    TIMESTAMP,
    TIMESTAMP_TZ,
    UNKNOWN,
    VARCHAR,
    Type,
    common,
    from_trino,
    is_number,
)


@dataclass(frozen=True)
class Value:
    """A compiled expression: DuckDB's text, Trino's type, and its text if it is a literal of one."""

    sql: str
    kind: Type
    literal: str | None = None


Maker = Callable[[str, Sequence[Value]], Value]


def coerced(value: Value, kind: Type) -> str:
    """The expression as another type it can be coerced to."""
    return value.sql if value.kind == kind else f"CAST({value.sql} AS {kind.duckdb})"


def local(value: Value) -> Value:
    """A moment as the clock shows it in its own time zone."""
    if value.kind.name != "timestamp with time zone":
        return value
    return Value(f"timezone('{value.kind.zone}', {value.sql})", TIMESTAMP)


_FAILURE = re.compile("\x01[^\x01\x02]*\x02")


def failing(message: str) -> str:
    """An expression that fails the query with a message, itself an expression; marked, so that TRY can find it."""
    return f"\x01error({message})\x02"


def tried(value: Value) -> Value:
    """Null where the value cannot be computed. DuckDB's own TRY does not go with its error function."""
    sql = value.sql
    while _FAILURE.search(sql):
        sql = _FAILURE.sub("NULL", sql)
    return Value(f"TRY({sql})", value.kind)


def finished(sql: str) -> str:
    """DuckDB's text without the marks."""
    return sql.replace("\x01", "").replace("\x02", "")


def call(name: str, arguments: Sequence[Value]) -> Value | None:
    """Compile a call of a scalar function; None when there is none of that name.

    Raises
    ------
    QueryError
        FUNCTION_NOT_FOUND for arguments it does not take; NOT_SUPPORTED for uses that are not translated.
    """
    if name in _SPECIAL:
        return _SPECIAL[name](name, arguments)
    return _overloaded(_SIMPLE[name], name, arguments) if name in _SIMPLE else None


def aggregate(name: str, arguments: Sequence[Value]) -> Value:
    """Compile a call of one of `AGGREGATES` without DISTINCT, ORDER BY or FILTER, which go where `{more}` is."""
    if name in _SPECIAL_AGGREGATES:
        return _SPECIAL_AGGREGATES[name](name, arguments)
    return _overloaded(_AGGREGATES[name], name, arguments)


def window(name: str, arguments: Sequence[Value]) -> Value | None:
    """Compile a function that only works over a window."""
    if name in {"first_value", "last_value", "lag", "lead", "nth_value"}:
        return _neighbour(name, arguments)
    return _overloaded(_WINDOW[name], name, arguments) if name in _WINDOW else None


def wrong_arguments(name: str, arguments: Sequence[Value], expected: str = "") -> QueryError:
    """What Trino says to arguments of types it has no function for."""
    given = ", ".join(str(argument.kind) for argument in arguments)
    return QueryError(
        "FUNCTION_NOT_FOUND", f"Unexpected parameters ({given}) for function {name}. Expected: {expected or name}"
    )


def _table(text: str) -> dict[str, list[tuple[list[Type], Type, str]]]:
    """Read lines of `name(types) -> result = expression`; what fails the query is in `<<` and `>>`."""
    found: dict[str, list[tuple[list[Type], Type, str]]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        signature, _, expression = line.partition(" = ")
        head, _, result = signature.partition(") -> ")
        name, _, parameters = head.partition("(")
        kinds = [from_trino(text.strip()) for text in parameters.split(";") if text.strip()]
        marked = expression.replace("<<", "\x01").replace(">>", "\x02")
        found.setdefault(name, []).append((kinds, from_trino(result.strip()), marked))
    return found


def _overloaded(overloads: Sequence[tuple[list[Type], Type, str]], name: str, arguments: Sequence[Value]) -> Value:
    given = [argument.kind for argument in arguments]
    ranked = sorted(overloads, key=lambda overload: overload[0] != given)
    for kinds, result, expression in ranked:
        if len(kinds) == len(given) and all(common(a, b) == b for a, b in zip(given, kinds, strict=True)):
            texts = [coerced(argument, kind) for argument, kind in zip(arguments, kinds, strict=True)]
            return Value(expression.format(*texts, more="{more}"), result)
    expected = ", ".join(f"{name}({', '.join(map(str, kinds))})" for kinds, _, _ in overloads)
    raise wrong_arguments(name, arguments, expected)


# Parameters are separated by semicolons.
_SIMPLE = _table(
    r"""
    bit_length(varchar) -> bigint = bit_length({0})
    chr(bigint) -> varchar = chr(CAST({0} AS INTEGER))
    codepoint(varchar) -> integer = unicode({0})
    length(varchar) -> bigint = length({0})
    levenshtein_distance(varchar; varchar) -> bigint = levenshtein({0}, {1})
    lower(varchar) -> varchar = lower({0})
    ltrim(varchar) -> varchar = ltrim({0}, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13))
    replace(varchar; varchar) -> varchar = replace({0}, {1}, '')
    replace(varchar; varchar; varchar) -> varchar = replace({0}, {1}, {2})
    reverse(varchar) -> varchar = reverse({0})
    rtrim(varchar) -> varchar = rtrim({0}, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13))
    split(varchar; varchar) -> array(varchar) = string_split({0}, {1})
    split_part(varchar; varchar; bigint) -> varchar = (CASE WHEN {2} <= 0 THEN <<error('Index must be greater than zero')>> ELSE string_split({0}, {1})[{2}] END)
    starts_with(varchar; varchar) -> boolean = starts_with({0}, {1})
    strpos(varchar; varchar) -> bigint = strpos({0}, {1})
    trim(varchar) -> varchar = trim({0}, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13))
    upper(varchar) -> varchar = upper({0})
    regexp_like(varchar; varchar) -> boolean = regexp_matches({0}, {1})
    regexp_extract(varchar; varchar) -> varchar = (CASE WHEN regexp_matches({0}, {1}) THEN regexp_extract({0}, {1}) END)
    regexp_extract_all(varchar; varchar) -> array(varchar) = regexp_extract_all({0}, {1})
    regexp_split(varchar; varchar) -> array(varchar) = string_split_regex({0}, {1})
    cbrt(double) -> double = cbrt({0})
    degrees(double) -> double = degrees({0})
    e() -> double = exp(1.0::DOUBLE)
    exp(double) -> double = exp({0})
    infinity() -> double = 'inf'::DOUBLE
    is_finite(double) -> boolean = isfinite({0})
    is_infinite(double) -> boolean = isinf({0})
    is_nan(double) -> boolean = isnan({0})
    ln(double) -> double = ln({0})
    log10(double) -> double = log10({0})
    log2(double) -> double = log2({0})
    nan() -> double = 'nan'::DOUBLE
    pi() -> double = pi()
    pow(double; double) -> double = pow({0}, {1})
    power(double; double) -> double = pow({0}, {1})
    radians(double) -> double = radians({0})
    sqrt(double) -> double = sqrt({0})
    truncate(double) -> double = trunc({0})
    from_iso8601_date(varchar) -> date = (CASE WHEN regexp_full_match({0}, '\d{{4}}-\d{{2}}-\d{{2}}') THEN CAST({0} AS DATE) ELSE <<error('Invalid format: ' || {0})>> END)
    from_iso8601_timestamp(varchar) -> timestamp with time zone = (CASE WHEN regexp_full_match({0}, '\d{{4}}-\d{{2}}-\d{{2}}(T\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{1,9}})?)?(Z|[+-]\d{{2}}(:\d{{2}})?)?)?') THEN CAST({0} AS TIMESTAMP WITH TIME ZONE) ELSE <<error('Invalid format: ' || {0})>> END)
    from_unixtime(double) -> timestamp with time zone = to_timestamp({0})
    last_day_of_month(date) -> date = last_day({0})
    to_unixtime(timestamp with time zone) -> double = (epoch_ms({0}) / 1000.0::DOUBLE)
    to_unixtime(timestamp) -> double = (epoch_ms({0}) / 1000.0::DOUBLE)
    """  # noqa: E501 - one line an overload
)

_WINDOW = _table(
    """
    cume_dist() -> double = cume_dist()
    dense_rank() -> bigint = dense_rank()
    ntile(bigint) -> bigint = ntile({0})
    percent_rank() -> double = percent_rank()
    rank() -> bigint = rank()
    row_number() -> bigint = row_number()
    """
)

_AGGREGATES = _table(
    """
    approx_percentile(bigint; double) -> bigint = quantile_disc({0}, {1}{more})
    approx_percentile(double; double) -> double = quantile_disc({0}, {1}{more})
    bool_and(boolean) -> boolean = bool_and({0}{more})
    bool_or(boolean) -> boolean = bool_or({0}{more})
    corr(double; double) -> double = corr({0}, {1}{more})
    count_if(boolean) -> bigint = CAST(count_if({0}{more}) AS BIGINT)
    every(boolean) -> boolean = bool_and({0}{more})
    geometric_mean(double) -> double = geometric_mean({0}{more})
    stddev(double) -> double = stddev_samp({0}{more})
    stddev_pop(double) -> double = stddev_pop({0}{more})
    stddev_samp(double) -> double = stddev_samp({0}{more})
    sum(bigint) -> bigint = CAST(sum({0}{more}) AS BIGINT)
    sum(double) -> double = sum({0}{more})
    sum(real) -> real = CAST(sum({0}{more}) AS FLOAT)
    var_pop(double) -> double = var_pop({0}{more})
    var_samp(double) -> double = var_samp({0}{more})
    variance(double) -> double = var_samp({0}{more})
    """
)


def _same(name: str, arguments: Sequence[Value]) -> tuple[list[str], Type]:
    """All arguments as their one common type."""
    kind: Type | None = UNKNOWN
    for argument in arguments:
        kind = common(kind, argument.kind) if kind else None
    if kind is None or not arguments:
        kinds = ", ".join(str(argument.kind) for argument in arguments)
        raise QueryError("TYPE_MISMATCH", f"All {name.upper()} operands must be the same type or coercible: {kinds}")
    return [coerced(argument, kind) for argument in arguments], kind


def _need(name: str, arguments: Sequence[Value], *counts: int) -> None:
    if len(arguments) not in counts:
        raise wrong_arguments(name, arguments)


def _literal(name: str, value: Value) -> str:
    if value.literal is None:
        raise not_supported(f"{name} with a pattern, unit or path that is not written out")
    return value.literal


def _coalesce(name: str, arguments: Sequence[Value]) -> Value:
    if len(arguments) < 2:
        raise wrong_arguments(name, arguments)
    texts, kind = _same(name, arguments)
    return Value(f"coalesce({', '.join(texts)})", kind)


def _nullif(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 2)
    texts, _ = _same(name, arguments)
    return Value(f"(CASE WHEN {texts[0]} = {texts[1]} THEN NULL ELSE {arguments[0].sql} END)", arguments[0].kind)


def _extreme(name: str, arguments: Sequence[Value]) -> Value:
    """Null if any argument is, other than DuckDB's."""
    texts, kind = _same(name, arguments)
    nulls = " OR ".join(f"{text} IS NULL" for text in texts)
    return Value(f"(CASE WHEN {nulls} THEN NULL ELSE {name}({', '.join(texts)}) END)", kind)


def _concat(name: str, arguments: Sequence[Value]) -> Value:
    if len(arguments) < 2:
        raise wrong_arguments(name, arguments)
    texts, kind = _same(name, arguments)
    if kind.name not in {"varchar", "array"}:
        raise wrong_arguments(name, arguments, "concat(varchar), concat(array(E))")
    return Value(f"({' || '.join(texts)})", kind)


def _substring(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 2, 3)
    if arguments[0].kind.name not in {"varchar", "unknown"} or any(a.kind.name not in INTEGERS for a in arguments[1:]):
        raise wrong_arguments(name, arguments, f"{name}(varchar(x), bigint), {name}(varchar(x), bigint, bigint)")
    text, start, *length = (argument.sql for argument in arguments)
    cut = f"substring({', '.join((text, start, *(f'greatest({n}, 0)' for n in length)))})"
    return Value(f"(CASE WHEN {start} = 0 OR {start} < -length({text}) THEN '' ELSE {cut} END)", VARCHAR)


def _padded(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 3)
    text, size, padding = arguments
    if (text.kind, padding.kind) != (VARCHAR, VARCHAR) or size.kind.name not in INTEGERS:
        raise wrong_arguments(name, arguments, f"{name}(varchar(x), bigint, varchar(y))")
    return Value(f"{name}({text.sql}, CAST({size.sql} AS INTEGER), {padding.sql})", VARCHAR)


def _regexp_group(name: str, arguments: Sequence[Value]) -> Value:
    if len(arguments) == 2:
        return _overloaded(_SIMPLE[name], name, arguments)
    _need(name, arguments, 3)
    if arguments[2].literal is None:
        raise not_supported(f"{name} with a group that is not written out")
    text, pattern = arguments[0].sql, arguments[1].sql
    group = arguments[2].literal
    found = f"regexp_extract({text}, {pattern}, {group})"
    # A group that took no part in the match is null in Trino and empty in DuckDB.
    return Value(f"(CASE WHEN regexp_matches({text}, {pattern}) THEN nullif({found}, '') END)", VARCHAR)


def _regexp_replace(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 2, 3)
    if any(argument.kind != VARCHAR for argument in arguments):
        raise wrong_arguments(name, arguments, "regexp_replace(varchar(x), JoniRegExp, varchar)")
    replacement = _literal(name, arguments[2]) if len(arguments) == 3 else ""
    if "\\" in replacement or "${" in replacement:
        raise not_supported(f"{name} with escapes or named groups in the replacement")
    text = replacement.replace("$", "\\").replace("'", "''")
    return Value(f"regexp_replace({arguments[0].sql}, {arguments[1].sql}, '{text}', 'g')", VARCHAR)


def _number_like(name: str, arguments: Sequence[Value]) -> Value:
    """Functions of one number that give the number's own type."""
    _need(name, arguments, 1)
    (value,) = arguments
    if not is_number(value.kind):
        raise wrong_arguments(name, arguments, f"{name}(bigint), {name}(decimal(p,s)), {name}(double)")
    if value.kind.name in INTEGERS:
        whole = value.sql if name != "abs" and name != "sign" else f"{name}({value.sql})"
        return Value(f"CAST({whole} AS {value.kind.duckdb})", value.kind)
    if value.kind.name == "decimal" and name not in {"abs", "sign"}:
        kind = Type("decimal", precision=min(38, value.kind.precision - value.kind.scale + (value.kind.scale > 0)))
    else:
        kind = value.kind
    function = {"ceiling": "ceil"}.get(name, name)
    return Value(f"CAST({function}({value.sql}) AS {kind.duckdb})", kind)


def _round(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 1, 2)
    value = arguments[0]
    digits = coerced(arguments[1], INTEGER) if len(arguments) == 2 else "0"
    if not is_number(value.kind) or (len(arguments) == 2 and arguments[1].kind.name not in INTEGERS):
        raise wrong_arguments(name, arguments, "round(bigint), round(double, bigint), round(decimal(p,s), bigint)")
    kind = value.kind
    if kind.name == "decimal":
        places = min(38, kind.precision + 1)
        scale = kind.scale if len(arguments) == 2 else 0
        kind = Type("decimal", precision=places if len(arguments) == 2 else places - kind.scale, scale=scale)
        if len(arguments) == 2 and (arguments[1].literal is None):
            raise not_supported("round of a decimal to digits that are not written out")
    if kind == DOUBLE:
        # Not through decimals: they would round 0.285 where Trino rounds the double next to it.
        return Value(f"round({value.sql}, {digits})", DOUBLE)
    return Value(f"CAST(round({value.sql}, {digits}) AS {kind.duckdb})", kind)


def _mod(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 2)
    texts, kind = _same(name, arguments)
    if not is_number(kind):
        raise wrong_arguments(name, arguments, "mod(bigint, bigint), mod(double, double)")
    return Value(f"({texts[0]} % {texts[1]})", kind)


def _width_bucket(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 4)
    x, low, high = (coerced(argument, DOUBLE) for argument in arguments[:3])
    count = coerced(arguments[3], BIGINT)
    inside = f"CAST(floor(({x} - {low}) / ({high} - {low}) * {count}) AS BIGINT) + 1"
    return Value(
        f"(CASE WHEN {low} >= {high} THEN {failing(_ASCENDING)} WHEN {x} < {low} THEN 0 "
        f"WHEN {x} >= {high} THEN {count} + 1 ELSE {inside} END)",
        BIGINT,
    )


_PARTS = {
    "day": "day",
    "day_of_month": "day",
    "day_of_week": "isodow",
    "day_of_year": "dayofyear",
    "dow": "isodow",
    "doy": "dayofyear",
    "hour": "hour",
    "millisecond": "(epoch_ms({0}) % 1000)",
    "minute": "minute",
    "month": "month",
    "quarter": "quarter",
    "second": "second",
    "week": "week",
    "week_of_year": "week",
    "year": "year",
    "year_of_week": "isoyear",
    "yow": "isoyear",
}
_TIME_PARTS = {"hour", "minute", "second", "millisecond"}


def date_part(name: str, arguments: Sequence[Value]) -> Value:
    """`year(x)`, `extract(year from x)` and their like."""
    _need(name, arguments, 1)
    value = local(arguments[0])
    if name not in _PARTS:
        raise not_supported(f"the date part {name}")
    if value.kind not in {TIMESTAMP, DATE} or (value.kind == DATE and name in _TIME_PARTS):
        raise wrong_arguments(name, arguments, f"{name}(date), {name}(timestamp(p))")
    part = _PARTS[name]
    text = part.format(value.sql) if "{0}" in part else f"{part}({value.sql})"
    return Value(f"CAST({text} AS BIGINT)", BIGINT)


_ASCENDING = "'bounds must be ascending'"
_SLICE = "'SQL array indices start at 1'"

_UNITS = {"millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"}


def _unit(name: str, value: Value, kind: Type) -> str:
    unit = _literal(name, value).lower()
    finer_than_a_day = unit in {"millisecond", "second", "minute", "hour"}
    if unit not in _UNITS or (kind == DATE and finer_than_a_day):
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid {kind.name.upper()} field")
    return unit


def _date_trunc(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 2)
    value = local(arguments[1])
    if value.kind not in {DATE, TIMESTAMP}:
        raise wrong_arguments(name, arguments, "date_trunc(varchar(x), date), date_trunc(varchar(x), timestamp(p))")
    unit = _unit(name, arguments[0], value.kind)
    return _as_before(f"date_trunc('{unit}', {value.sql})", arguments[1].kind)


def _as_before(moment: str, kind: Type) -> Value:
    """A local time that was computed, back in the type and time zone it came from."""
    if kind.name == "timestamp with time zone":
        return Value(f"timezone('{kind.zone}', CAST({moment} AS TIMESTAMP))", kind)
    return Value(f"CAST({moment} AS {kind.duckdb})", kind)


def _date_add(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 3)
    value = local(arguments[2])
    if value.kind not in {DATE, TIMESTAMP} or arguments[1].kind.name not in INTEGERS:
        raise wrong_arguments(name, arguments, "date_add(varchar(x), bigint, date)")
    unit = _unit(name, arguments[0], value.kind)
    count = f"({arguments[1].sql} * 3)" if unit == "quarter" else arguments[1].sql
    function = f"to_{ {'quarter': 'month'}.get(unit, unit) }s"
    number = count if unit in {"millisecond", "second"} else f"CAST({count} AS INTEGER)"
    return _as_before(f"({value.sql} + {function}({number}))", arguments[2].kind)


def _date_diff(name: str, arguments: Sequence[Value]) -> Value:
    """Complete units between two moments, which DuckDB calls date_sub."""
    _need(name, arguments, 3)
    first, last = arguments[1:]
    kind = common(first.kind, last.kind)
    if kind not in {DATE, TIMESTAMP} and kind != TIMESTAMP_TZ:
        raise wrong_arguments(name, arguments, "date_diff(varchar(x), date, date)")
    unit = _unit(name, arguments[0], kind)
    return Value(f"date_sub('{unit}', {coerced(first, kind)}, {coerced(last, kind)})", BIGINT)


_MYSQL = {
    **{code: f"%{code}" for code in "YmdHIpyajbf%"},
    "c": "%-m",
    "e": "%-d",
    "h": "%I",
    "i": "%M",
    "k": "%-H",
    "l": "%-I",
    "M": "%B",
    "s": "%S",
    "S": "%S",
    "T": "%H:%M:%S",
    "r": "%I:%M:%S %p",
    "W": "%A",
}
_JODA = {
    "y": "%Y",
    "yy": "%y",
    "yyyy": "%Y",
    "YYYY": "%Y",
    "M": "%-m",
    "MM": "%m",
    "MMM": "%b",
    "MMMM": "%B",
    "d": "%-d",
    "dd": "%d",
    "H": "%-H",
    "HH": "%H",
    "h": "%-I",
    "hh": "%I",
    "m": "%-M",
    "mm": "%M",
    "s": "%-S",
    "ss": "%S",
    "SSS": "%g",
    "a": "%p",
    "E": "%a",
    "EEE": "%a",
    "EEEE": "%A",
    "D": "%-j",
    "DDD": "%j",
}


def _mysql_pattern(pattern: str) -> str:
    text, codes = "", iter(pattern)
    for character in codes:
        code = next(codes, "") if character == "%" else ""
        if character == "%" and code not in _MYSQL:
            raise not_supported(f"the date format %{code}")
        text += _MYSQL[code] if character == "%" else character
    return text.replace("'", "''")


def _joda_pattern(pattern: str) -> str:
    text, at = "", 0
    while at < len(pattern):
        letter = pattern[at]
        if letter == "'":
            end = pattern.find("'", at + 1)
            if end < 0:
                raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid date format '{pattern}'")
            text += (pattern[at + 1 : end] or "'").replace("%", "%%")
            at = end + 1
            continue
        run = len(pattern[at:]) - len(pattern[at:].lstrip(letter))
        token = letter * run
        if letter.isalpha() and token not in _JODA:
            raise not_supported(f"the date format {token} in '{pattern}'")
        text += _JODA.get(token) or token.replace("%", "%%")
        at += run
    return text.replace("'", "''")


def _formatted(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 2)
    value = local(arguments[0])
    if value.kind not in {DATE, TIMESTAMP}:
        raise wrong_arguments(name, arguments, f"{name}(timestamp(p), varchar(x))")
    translate = _mysql_pattern if name == "date_format" else _joda_pattern
    return Value(f"strftime({value.sql}, '{translate(_literal(name, arguments[1]))}')", VARCHAR)


def _parsed(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 2)
    if arguments[0].kind != VARCHAR:
        raise wrong_arguments(name, arguments, "date_parse(varchar(x), varchar(y))")
    return Value(f"strptime({arguments[0].sql}, '{_mysql_pattern(_literal(name, arguments[1]))}')", TIMESTAMP)


def _at_timezone(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 2)
    value, zone = arguments[0], _literal(name, arguments[1])
    if common(value.kind, TIMESTAMP_TZ) is None or value.kind.name == "varchar":
        raise wrong_arguments(name, arguments, "at_timezone(timestamp(p) with time zone, varchar(x))")
    kind = Type("timestamp with time zone", zone=zone.replace("'", ""))
    text = value.sql if value.kind.name == kind.name else f"CAST({value.sql} AS TIMESTAMP WITH TIME ZONE)"
    return Value(text, kind)


def _iso8601(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 1)
    (value,) = arguments
    if value.kind == DATE:
        return Value(f"CAST({value.sql} AS VARCHAR)", VARCHAR)
    if value.kind == TIMESTAMP:
        return Value(f"strftime({value.sql}, '%Y-%m-%dT%H:%M:%S.%g')", VARCHAR)
    if value.kind == TIMESTAMP_TZ:
        return Value(f"strftime({local(value).sql}, '%Y-%m-%dT%H:%M:%S.%gZ')", VARCHAR)
    raise wrong_arguments(name, arguments, "to_iso8601(timestamp(p)), to_iso8601(date)")


def _array_of(name: str, value: Value) -> Type:
    if value.kind.name != "array":
        raise wrong_arguments(name, [value], f"{name}(array(E))")
    return value.kind.inner[0]


def _of_array(expression: str, result: Type | None = None, inner: bool = False) -> Maker:
    """A function of one array: a given result, the elements' type, or the array's own."""

    def make(name: str, arguments: Sequence[Value]) -> Value:
        _need(name, arguments, 1)
        element = _array_of(name, arguments[0])
        kind = result or (element if inner else arguments[0].kind)
        return Value(expression.format(arguments[0].sql), kind)

    return make


def _array_join(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 2, 3)
    element = _array_of(name, arguments[0])
    if element.name not in {"varchar", *INTEGERS} or arguments[1].kind != VARCHAR:
        raise not_supported(f"{name} of {arguments[0].kind}")
    items = f"CAST({arguments[0].sql} AS VARCHAR[])"
    if len(arguments) == 3:
        items = f"list_transform({items}, lambda item: coalesce(item, {arguments[2].sql}))"
    joined = f"array_to_string({items}, {arguments[1].sql})"
    # An array without anything to join gives '' in Trino.
    return Value(f"(CASE WHEN {arguments[0].sql} IS NULL THEN NULL ELSE coalesce({joined}, '') END)", VARCHAR)


def _contains(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 2)
    element = _array_of(name, arguments[0])
    if common(element, arguments[1].kind) != element:
        raise wrong_arguments(name, arguments, "contains(array(T), T)")
    array, item = arguments[0].sql, coerced(arguments[1], element)
    found = f"list_contains({array}, {item})"
    # Not found among nulls is unknown.
    return Value(
        f"(CASE WHEN {found} THEN true WHEN len({array}) > list_count({array}) THEN NULL ELSE {found} END)", BOOLEAN
    )


def _element_at(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 2)
    if arguments[0].kind.name == "map":
        key, value = arguments[0].kind.inner
        return Value(f"map_extract_value({arguments[0].sql}, {coerced(arguments[1], key)})", value)
    element = _array_of(name, arguments[0])
    return Value(f"list_extract({arguments[0].sql}, {coerced(arguments[1], BIGINT)})", element)


def _slice(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 3)
    _array_of(name, arguments[0])
    array, start, length = arguments[0].sql, arguments[1].sql, arguments[2].sql
    return Value(
        f"(CASE WHEN {start} < 1 THEN {failing(_SLICE)} ELSE {array}[{start}:{start} + {length} - 1] END)",
        arguments[0].kind,
    )


def _cardinality(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 1)
    if arguments[0].kind.name not in {"array", "map"}:
        raise wrong_arguments(name, arguments, "cardinality(array(E)), cardinality(map(K,V))")
    return Value(
        f"CAST(cardinality({arguments[0].sql}) AS BIGINT)"
        if arguments[0].kind.name == "map"
        else f"CAST(len({arguments[0].sql}) AS BIGINT)",
        BIGINT,
    )


def _json_scalar(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 2)
    if arguments[0].kind.name not in {"varchar", "json"}:
        raise wrong_arguments(name, arguments, "json_extract_scalar(varchar(x), JsonPath)")
    text, path = arguments[0].sql, _literal(name, arguments[1]).replace("'", "''")
    if "*" in path or ".." in path or "?" in path:
        raise not_supported(f"the JSON path {path}")
    kind = f"json_type({text}, '{path}')"
    return Value(
        f"(CASE WHEN json_valid({text}) AND {kind} NOT IN ('OBJECT', 'ARRAY', 'NULL') "
        f"THEN json_extract_string({text}, '{path}') END)",
        VARCHAR,
    )


def _json_array_length(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 1)
    if arguments[0].kind.name not in {"varchar", "json"}:
        raise wrong_arguments(name, arguments, "json_array_length(json)")
    text = arguments[0].sql
    return Value(
        f"(CASE WHEN json_valid({text}) AND json_type({text}) = 'ARRAY' "
        f"THEN CAST(json_array_length({text}) AS BIGINT) END)",
        BIGINT,
    )


_SPECIAL: Mapping[str, Maker] = {
    **dict.fromkeys(_PARTS, date_part),
    **dict.fromkeys(("abs", "ceil", "ceiling", "floor", "sign"), _number_like),
    **dict.fromkeys(("greatest", "least"), _extreme),
    **dict.fromkeys(("substr", "substring"), _substring),
    **dict.fromkeys(("lpad", "rpad"), _padded),
    **dict.fromkeys(("date_format", "format_datetime"), _formatted),
    "array_join": _array_join,
    "array_max": _of_array("list_max({0})", inner=True),
    "array_min": _of_array("list_min({0})", inner=True),
    "array_sort": _of_array("list_sort({0}, 'ASC', 'NULLS LAST')"),
    "at_timezone": _at_timezone,
    "cardinality": _cardinality,
    "coalesce": _coalesce,
    "concat": _concat,
    "contains": _contains,
    "date_add": _date_add,
    "date_diff": _date_diff,
    "date_parse": _parsed,
    "date_trunc": _date_trunc,
    "element_at": _element_at,
    "json_array_length": _json_array_length,
    "json_extract_scalar": _json_scalar,
    "mod": _mod,
    "nullif": _nullif,
    "regexp_extract": _regexp_group,
    "regexp_replace": _regexp_replace,
    "round": _round,
    "slice": _slice,
    "to_iso8601": _iso8601,
    "width_bucket": _width_bucket,
}


def _neighbour(name: str, arguments: Sequence[Value]) -> Value:
    counts = {"first_value": (1,), "last_value": (1,), "nth_value": (2,)}.get(name, (1, 2, 3))
    _need(name, arguments, *counts)
    texts = [arguments[0].sql]
    if len(arguments) > 1:
        texts.append(coerced(arguments[1], BIGINT))
    if len(arguments) > 2:
        texts.append(coerced(arguments[2], arguments[0].kind))
    return Value(f"{name}({', '.join(texts)})", arguments[0].kind)


def _any_kind(function: str) -> Maker:
    def make(name: str, arguments: Sequence[Value]) -> Value:
        _need(name, arguments, 1)
        if arguments[0].kind.name in {"map", "json"}:
            raise wrong_arguments(name, arguments, f"{name}(E) E:orderable")
        return Value(f"{function}({arguments[0].sql}{{more}})", arguments[0].kind)

    return make


def _count(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 1)
    return Value(f"count({arguments[0].sql}{{more}})", BIGINT)


def _approx_distinct(name: str, arguments: Sequence[Value]) -> Value:
    """Exact, which is as near as an approximation can be."""
    _need(name, arguments, 1, 2)
    return Value(f"count(DISTINCT {arguments[0].sql}{{more}})", BIGINT)


def _avg(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 1)
    (value,) = arguments
    if not is_number(value.kind):
        raise wrong_arguments(name, arguments, "avg(bigint), avg(double), avg(decimal(p,s)), avg(real)")
    if value.kind.name in {"decimal", "real"}:
        return Value(f"CAST(avg({value.sql}{{more}}) AS {value.kind.duckdb})", value.kind)
    return Value(f"avg({coerced(value, DOUBLE)}{{more}})", DOUBLE)


def _sum(name: str, arguments: Sequence[Value]) -> Value:
    if len(arguments) == 1 and arguments[0].kind.name == "decimal":
        kind = Type("decimal", precision=38, scale=arguments[0].kind.scale)
        return Value(f"CAST(sum({arguments[0].sql}{{more}}) AS {kind.duckdb})", kind)
    return _overloaded(_AGGREGATES[name], name, arguments)


def _array_agg(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 1)
    return Value(f"list({arguments[0].sql}{{more}})", Type("array", (arguments[0].kind,)))


def _by(function: str) -> Maker:
    def make(name: str, arguments: Sequence[Value]) -> Value:
        _need(name, arguments, 2)
        return Value(f"{function}({arguments[0].sql}, {arguments[1].sql}{{more}})", arguments[0].kind)

    return make


def _listagg(name: str, arguments: Sequence[Value]) -> Value:
    _need(name, arguments, 1, 2)
    if any(argument.kind != VARCHAR for argument in arguments):
        raise wrong_arguments(name, arguments, "listagg(varchar, varchar)")
    separator = arguments[1].sql if len(arguments) == 2 else "''"
    return Value(f"string_agg({arguments[0].sql}, {separator}{{more}})", VARCHAR)


_SPECIAL_AGGREGATES: Mapping[str, Maker] = {
    "any_value": _any_kind("any_value"),
    "approx_distinct": _approx_distinct,
    "arbitrary": _any_kind("any_value"),
    "array_agg": _array_agg,
    "avg": _avg,
    "count": _count,
    "listagg": _listagg,
    "max": _any_kind("max"),
    "max_by": _by("arg_max_null"),
    "min": _any_kind("min"),
    "min_by": _by("arg_min_null"),
    "sum": _sum,
}

AGGREGATES = frozenset(_AGGREGATES) | frozenset(_SPECIAL_AGGREGATES)
"""Names of the aggregate functions."""
