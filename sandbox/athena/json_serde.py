"""What Athena's two JSON SerDes make of a line, as DuckDB's SQL.

What happens to a value that does not fit its column follows Trino's readers (in its source, under
`io/trino/hive/formats/line`): with OpenX's SerDe it is null, with Hive's it ends the query. There is one difference,
which Athena's users know: a timestamp is read in `yyyy-MM-dd HH:mm:ss[.fraction]` only, and everything else, ISO 8601
too, is null.
"""

from collections.abc import Sequence

from sqlglot import exp

from sandbox.athena.errors import not_supported
from sandbox.athena.tables import HIVE, OPENX, Table
from sandbox.athena.types import INTEGERS, NESTED, NUMBERS, Type, in_duckdb, quoted

_SHAPES = {
    exp.DType.DATE: r"\d{4}-\d{2}-\d{2}",
    exp.DType.TIMESTAMP: r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,9})?",
    **dict.fromkeys(INTEGERS, r"-?\d+"),
}


def rows(table: Table, addresses: Sequence[str]) -> str:
    """The SELECT that reads a table's rows from these files.

    Raises
    ------
    QueryError
        For a SerDe parameter that changes how lines are read and is not known here.
    """
    mapping = _mapping(table)
    partitions = [quoted(name) for name, _ in table.partitions]
    if not addresses:
        nothing = [
            f"CAST(NULL AS {in_duckdb(kind)}) AS {quoted(name)}" for name, kind in table.columns + table.partitions
        ]
        return f"SELECT {', '.join(nothing)} WHERE false"
    ignores = table.serde == OPENX and table.serde_parameters.get("ignore.malformed.json", "").lower() == "true"
    kinds = ", ".join(f"{quoted(name)}: {in_duckdb(kind)}" for name, kind in table.partitions)
    values = [f"{_value(mapping.get(name, name), kind, table.serde)} AS {quoted(name)}" for name, kind in table.columns]
    # Keys are the same in any case; a map refuses one that is there twice.
    line = "[{k: lower(e.key), v: e.value} for e in map_entries(CAST(line AS MAP(VARCHAR, JSON)))]"
    return f"""
        SELECT {", ".join(values + partitions)}
        FROM (SELECT map_from_entries({line}) AS found{"".join(f", {name}" for name in partitions)}
        FROM read_json([{", ".join(map(_text, addresses))}], format = 'newline_delimited', records = 'false',
            columns = {{line: 'JSON'}}, ignore_errors = {str(ignores).lower()},
            hive_partitioning = {str(bool(partitions)).lower()}{f", hive_types = {{{kinds}}}" if kinds else ""}))
    """  # noqa: S608 - our own names


def _mapping(table: Table) -> dict[str, str]:
    """JSON key for a column that has another name."""
    given = {key: value.lower() for key, value in table.serde_parameters.items()}
    if given.get("case.insensitive", "true") != "true" or given.get("dots.in.keys") == "true":
        raise not_supported("case.insensitive=false and dots.in.keys=true of the JSON SerDe")
    if "timestamp.formats" in given:
        raise not_supported("timestamp.formats of the JSON SerDe")
    return {key.removeprefix("mapping."): name for key, name in given.items() if key.startswith("mapping.")}


def _value(key: str, kind: Type, serde: str) -> str:
    """The expression of one column."""
    json = f"found[{_text(key)}]"
    text, base = f"({json} ->> '$')", kind.this
    bad = f"error('HIVE_BAD_DATA: Error parsing field value ''' || {text} || ''' for field ' || {_text(key)})"
    if base == exp.DType.VARCHAR:
        return text
    if base == exp.DType.BOOLEAN:
        return f"lower({text}) = 'true'"
    if base in NESTED:
        shape = f"json_type({json}) = '{'ARRAY' if base == exp.DType.ARRAY else 'OBJECT'}'"
        value = f"TRY_CAST({json} AS {in_duckdb(kind)})"
        return f"CASE WHEN {shape} THEN {value} WHEN {json} IS NOT NULL THEN {bad} END"
    fits = f"regexp_full_match({text}, {_text(_SHAPES[base])})" if base in _SHAPES else "true"
    if serde == HIVE and base in NUMBERS and base != exp.DType.DECIMAL:
        fits += f" AND json_type({json}) <> 'VARCHAR'"
    value = f"TRY_CAST(CASE WHEN {fits} THEN {text} END AS {in_duckdb(kind)})"
    if base == exp.DType.TIMESTAMP:
        return f"date_trunc('millisecond', {value})"
    return value if serde == OPENX else f"CASE WHEN {value} IS NULL AND {text} IS NOT NULL THEN {bad} ELSE {value} END"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
