"""CAST between types as Trino does it, which takes less for granted than DuckDB."""

from sandbox.athena.errors import QueryError, not_supported
from sandbox.athena.functions import Value, failing, local
from sandbox.athena.types import DATE, DOUBLE, INTEGERS, TIMESTAMP, VARCHAR, Type, is_number

_DIGITS = r"\s*[+-]?\d+\s*"
_DATE = r"\s*\d{4}-\d{1,2}-\d{1,2}\s*"
_TIMESTAMP = r"\s*\d{4}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d+)?)?)?\s*"


def cast(value: Value, target: Type, length: int | None = None) -> Value:
    """Compile `CAST(value AS target)`.

    Parameters
    ----------
    length
        Of the `varchar(n)` that is asked for, if any.

    Raises
    ------
    QueryError
        TYPE_MISMATCH where Trino has no such cast; NOT_SUPPORTED where the sandbox has none.
    """
    source = value.kind
    if target == VARCHAR:
        return Value(_shortened(_text(value), source, length), VARCHAR)
    if source == target:
        return value
    if source.name == "unknown":
        return Value(f"CAST(NULL AS {target.duckdb})", target)
    if source == VARCHAR:
        return _from_text(value.sql, target)
    found = _of_numbers(value, target) or _of_moments(value, target)
    if found is not None:
        return found
    if source.inner or target.inner or "json" in {source.name, target.name}:
        raise not_supported(f"a cast from {source} to {target}")
    raise QueryError("TYPE_MISMATCH", f"Cannot cast {source} to {target}")


def _of_numbers(value: Value, target: Type) -> Value | None:
    source = value.kind
    if not all(is_number(kind) or kind.name == "boolean" for kind in (source, target)):
        return None
    if target.name in INTEGERS and source.name == "real":
        raise not_supported(f"a cast from {source} to {target}")
    if target.name in INTEGERS and source == DOUBLE:
        # Halves go away from zero, not to the even number as DuckDB's cast has it.
        return Value(f"CAST(round({value.sql}) AS {target.duckdb})", target)
    return _plain(value, target)


def _of_moments(value: Value, target: Type) -> Value | None:
    moments = {"date", "timestamp", "timestamp with time zone"}
    if not {value.kind.name, target.name} <= moments:
        return None
    return _plain(local(value) if target in {DATE, TIMESTAMP} else value, target)


def _plain(value: Value, target: Type) -> Value:
    return Value(f"CAST({value.sql} AS {target.duckdb})", target)


def _text(value: Value) -> str:
    kind = value.kind
    if kind.name in {"varchar", "unknown", "boolean", "date", "decimal", *INTEGERS}:
        return value.sql if kind == VARCHAR else f"CAST({value.sql} AS VARCHAR)"
    if kind == TIMESTAMP:
        return f"strftime({value.sql}, '%Y-%m-%d %H:%M:%S.%g')"
    if kind.name == "timestamp with time zone":
        return f"(strftime({local(value).sql}, '%Y-%m-%d %H:%M:%S.%g') || ' {kind.zone}')"
    if kind == DOUBLE:
        return _scientific(value.sql)
    if kind.inner:
        raise QueryError("TYPE_MISMATCH", f"Cannot cast {kind} to varchar")
    raise not_supported(f"a cast from {kind} to varchar")


def _scientific(number: str) -> str:
    """Trino writes 99.8 as 9.98E1 (`DoubleOperators.castToVarchar`, the pattern `0.0###E0`)."""
    return f"double_as_text({number})"


DOUBLE_AS_TEXT = """
CREATE MACRO double_as_text(x) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN isnan(x) THEN 'NaN'
    WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END
    WHEN x = 0 THEN '0.0E0'
    ELSE scientific(x) END
"""


def _shortened(text: str, source: Type, length: int | None) -> str:
    if length is None:
        return text
    if source == VARCHAR:
        return f"left({text}, {length})"
    refusal = failing(f"'Value ' || {text} || ' cannot be represented as varchar({length})'")
    return f"(CASE WHEN length({text}) > {length} THEN {refusal} ELSE {text} END)"


def _from_text(text: str, target: Type) -> Value:
    plain = f"CAST(trim({text}) AS {target.duckdb})"
    pattern = {"date": _DATE, "timestamp": _TIMESTAMP, **dict.fromkeys(INTEGERS, _DIGITS)}.get(target.name)
    refusal = failing(f"'INVALID_CAST_ARGUMENT: Cannot cast ''' || {text} || ''' to {target.name}'")
    if pattern:
        return Value(
            f"(CASE WHEN {text} IS NULL THEN NULL WHEN regexp_full_match({text}, '{pattern}') "
            f"THEN {plain} ELSE {refusal} END)",
            target,
        )
    if target.name == "boolean":
        yes, no = "('true', 't', '1')", "('false', 'f', '0')"
        return Value(
            f"(CASE WHEN lower({text}) IN {yes} THEN true WHEN lower({text}) IN {no} THEN false "
            f"WHEN {text} IS NOT NULL THEN {refusal} END)",
            target,
        )
    if target.name in {"double", "real", "decimal"}:
        return Value(plain, target)
    raise not_supported(f"a cast from varchar to {target}")
