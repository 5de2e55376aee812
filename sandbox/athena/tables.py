"""Tables and views of the Glue Data Catalog as Athena understands them, or refuses to."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.athena.compiler import CATALOG, Table, View
from sandbox.athena.errors import QueryError, not_supported
from sandbox.athena.json_rows import HIVE, OPENX, Properties
from sandbox.athena.types import Type, from_hive, from_trino

_PRESTO_VIEW = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=\s]+) \*/")
_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"

GlueTable = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """Where a table's rows are, and how they are written."""

    location: str
    columns: tuple[tuple[str, Type], ...]
    """Those in the files; the partition columns are in the paths."""
    properties: Mapping[str, str]
    serde: Properties


def as_relation(glue: GlueTable) -> Table | View:
    """A catalog entry as a table or a view.

    Raises
    ------
    QueryError
        For an entry that Athena cannot query; VIEW_IS_STALE for a view whose parts disagree.
    """
    if glue.get("TableType") == "VIRTUAL_VIEW":
        return _view(glue)
    partitions = _columns(glue.get("PartitionKeys") or [])
    columns = _columns(_storage(glue).get("Columns") or []) + partitions
    names = [name for name, _ in columns]
    if len(set(names)) != len(names):
        raise QueryError(
            "HIVE_INVALID_METADATA", f"Hive metadata for table {glue['Name']} is invalid: duplicate columns"
        )
    return Table(glue["DatabaseName"], glue["Name"], columns, tuple(name for name, _ in partitions))


def source_of(glue: GlueTable) -> Source:
    """How to read a table.

    Raises
    ------
    QueryError
        For a format that is not Athena's JSON, or a description Athena cannot read by.
    """
    storage = _storage(glue)
    serde = storage.get("SerdeInfo") or {}
    library = serde.get("SerializationLibrary")
    if not library:
        raise QueryError(
            "HIVE_INVALID_METADATA", f"Table {glue['Name']} has no SerDe: StorageDescriptor#SerdeInfo is null"
        )
    if library not in {OPENX, HIVE}:
        known = library.startswith(("org.apache.hadoop.hive.", "org.openx.", "com.amazon."))
        raise (
            not_supported(f"the SerDe {library}")
            if known
            else QueryError(
                "HIVE_UNSUPPORTED_FORMAT",
                f"Output format {storage.get('OutputFormat')} with SerDe {library} is not supported",
            )
        )
    if storage.get("InputFormat") != _TEXT_INPUT or not storage.get("OutputFormat"):
        raise QueryError(
            "HIVE_UNSUPPORTED_FORMAT", f"Unable to create input format {storage.get('InputFormat') or '(none)'}"
        )
    location = storage.get("Location") or ""
    if not location.startswith("s3://"):
        raise QueryError("HIVE_INVALID_METADATA", f"Table {glue['Name']} has no location in S3: {location or '(none)'}")
    return Source(
        location,
        _columns(storage.get("Columns") or []),
        glue.get("Parameters") or {},
        Properties.of(library, serde.get("Parameters") or {}),
    )


def _storage(glue: GlueTable) -> Mapping[str, Any]:
    storage: Mapping[str, Any] | None = glue.get("StorageDescriptor")
    if not storage:
        raise QueryError("HIVE_INVALID_METADATA", f"Table {glue['Name']} has no storage: StorageDescriptor is null")
    return storage


def _columns(glue: list[Mapping[str, str]]) -> tuple[tuple[str, Type], ...]:
    return tuple((column["Name"].lower(), from_hive(column["Type"])) for column in glue)


def _view(glue: GlueTable) -> View:
    label = f"View '{CATALOG}.{glue['DatabaseName']}.{glue['Name']}'"

    def stale(why: str) -> QueryError:
        return QueryError("VIEW_IS_STALE", f"{label} is stale or in invalid state: {why}")

    if (glue.get("Parameters") or {}).get("presto_view") != "true":
        raise not_supported(f"{label}, which is not a Presto view (its parameter presto_view is not true)")
    found = _PRESTO_VIEW.fullmatch(glue.get("ViewOriginalText") or "")
    if found is None:
        raise stale("its original text is not '/* Presto View: <base64> */'")
    storage = _storage(glue)
    if "SerdeInfo" not in storage or storage["SerdeInfo"] is None:
        raise stale("StorageDescriptor#SerdeInfo is null")
    try:
        document = json.loads(base64.b64decode(found[1], validate=True))
        text, schema = str(document["originalSql"]), str(document.get("schema") or glue["DatabaseName"])
        columns = tuple((str(c["name"]), from_trino(str(c["type"]))) for c in document["columns"])
        catalog = str(document.get("catalog", CATALOG))
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise stale(f"its definition cannot be read ({type(error).__name__}: {error})") from None
    if catalog.lower() != CATALOG:
        raise stale(f"its catalog is {catalog}")
    in_glue = _columns(storage.get("Columns") or []) + _columns(glue.get("PartitionKeys") or [])
    if in_glue != columns:
        raise stale(f"columns in the catalog ({_listed(in_glue)}) are not those of its definition ({_listed(columns)})")
    return View(schema.lower(), glue["Name"], text, columns)


def _listed(columns: tuple[tuple[str, Type], ...]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns)
