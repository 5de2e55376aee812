"""Tables and views of the Glue Data Catalog as Athena understands them, or refuses to."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.athena.errors import QueryError, not_supported
from sandbox.athena.types import Columns, from_hive, from_trino, in_trino

CATALOG = "awsdatacatalog"
OPENX = "org.openx.data.jsonserde.JsonSerDe"
HIVE = "org.apache.hive.hcatalog.data.JsonSerDe"

_PRESTO_VIEW = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=\s]+) \*/")
_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"

GlueTable = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """Where a table's rows are, and how they are written."""

    location: str
    columns: Columns
    """Those in the files."""
    partitions: Columns
    """Those in the paths."""
    properties: Mapping[str, str]
    serde: str
    serde_parameters: Mapping[str, str]


@dataclass(frozen=True)
class View:
    """A view: its query, the database its names are in, and the columns it promises."""

    label: str
    database: str
    sql: str
    columns: Columns


def table_of(glue: GlueTable) -> Table:
    """A catalog entry as a table.

    Raises
    ------
    QueryError
        For a format that is not Athena's JSON, or a description Athena cannot read by.
    """
    storage, name = _storage(glue), glue["Name"]
    serde = storage.get("SerdeInfo") or {}
    library = serde.get("SerializationLibrary")
    if not library:
        raise _invalid(f"Table {name} has no SerDe: StorageDescriptor#SerdeInfo is null")
    if library not in {OPENX, HIVE}:
        raise QueryError("HIVE_UNSUPPORTED_FORMAT", f"SerDe {library} is not supported; the sandbox reads JSON only")
    if storage.get("InputFormat") != _TEXT_INPUT or not storage.get("OutputFormat"):
        raise QueryError(
            "HIVE_UNSUPPORTED_FORMAT", f"Unable to create input format {storage.get('InputFormat') or '(none)'}"
        )
    location = storage.get("Location") or ""
    if not location.startswith("s3://"):
        raise _invalid(f"Table {name} has no location in S3: {location or '(none)'}")
    columns, partitions = _columns(storage, "Columns"), _columns(glue, "PartitionKeys")
    if len(dict(columns + partitions)) != len(columns + partitions):
        raise _invalid(f"Hive metadata for table {name} is invalid: duplicate columns")
    return Table(location, columns, partitions, glue.get("Parameters") or {}, library, serde.get("Parameters") or {})


def view_of(glue: GlueTable) -> View:
    """A catalog entry as a view.

    Raises
    ------
    QueryError
        VIEW_IS_STALE for a view whose parts disagree.
    """
    label = f"View '{CATALOG}.{glue['DatabaseName']}.{glue['Name']}'"
    if (glue.get("Parameters") or {}).get("presto_view") != "true":
        raise not_supported(f"{label}, which is not a Presto view (its parameter presto_view is not true)")
    found = _PRESTO_VIEW.fullmatch(glue.get("ViewOriginalText") or "")
    if found is None:
        raise stale(label, "its original text is not '/* Presto View: <base64> */'")
    storage = _storage(glue)
    if storage.get("SerdeInfo") is None:
        raise stale(label, "StorageDescriptor#SerdeInfo is null")
    try:
        document = json.loads(base64.b64decode(found[1], validate=True))
        text, schema = str(document["originalSql"]), str(document.get("schema") or glue["DatabaseName"])
        columns = tuple((str(c["name"]), from_trino(str(c["type"]))) for c in document["columns"])
        catalog = str(document.get("catalog", CATALOG))
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise stale(label, f"its definition cannot be read ({type(error).__name__}: {error})") from None
    if catalog.lower() != CATALOG:
        raise stale(label, f"its catalog is {catalog}")
    check_same(label, "the catalog", _columns(storage, "Columns") + _columns(glue, "PartitionKeys"), columns)
    return View(label, schema.lower(), text, columns)


def check_same(label: str, where: str, found: Columns, promised: Columns) -> None:
    """Refuse a view whose columns differ, in name, type or order, from those its definition promises."""
    listed, wanted = (", ".join(f"{name} {in_trino(kind)}" for name, kind in some) for some in (found, promised))
    if listed != wanted:
        raise stale(label, f"columns in {where} ({listed}) are not those of its definition ({wanted})")


def stale(label: str, why: str) -> QueryError:
    """What Athena says of a view it cannot trust."""
    return QueryError("VIEW_IS_STALE", f"{label} is stale or in invalid state: {why}")


def _storage(glue: GlueTable) -> Mapping[str, Any]:
    storage: Mapping[str, Any] | None = glue.get("StorageDescriptor")
    if not storage:
        raise _invalid(f"Table {glue['Name']} has no storage: StorageDescriptor is null")
    return storage


def _columns(holder: Mapping[str, Any], key: str) -> Columns:
    return tuple((column["Name"].lower(), from_hive(column["Type"])) for column in holder.get(key) or [])


def _invalid(message: str) -> QueryError:
    return QueryError("HIVE_INVALID_METADATA", message)
