"""Athena for unit tests: the program's own table, view and saved queries, run by DuckDB.

What DuckDB reads is decided by what the Glue catalog would hold: the table's columns, types and location, and the
view's SQL and columns. sqlglot translates the SQL from Athena's to DuckDB's.
"""

import base64
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import sqlglot

from custom_labels_batch.components.analytics import Analytics
from custom_labels_batch.functions.record_predictions.row_files import EncodedPrediction, row_files
from custom_labels_batch.functions.record_predictions.rows import encode
from custom_labels_batch.functions.record_predictions.table_days import day_of
from custom_labels_batch.functions.shared.prediction import Prediction
from sandbox.deployer.model import Properties, Registration
from sandbox.pulumi_runtime import Result, record_program

TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:predictions"
TABLE = "aws:glue/catalogTable:CatalogTable"
NAMED_QUERY = "aws:athena/namedQuery:NamedQuery"

TYPES = {"string": "VARCHAR", "double": "DOUBLE", "int": "INTEGER", "bigint": "BIGINT", "timestamp": "TIMESTAMP"}
"""Type in the Glue catalog -> DuckDB's."""

Answer = list[dict[str, Any]]


def record_analytics(name: str = "analytics", **args: Any) -> Result:
    """What one Analytics registers in a program of its own."""
    return record_program(lambda: Analytics(name, {"predictions_topic_arn": TOPIC_ARN, **args}))  # type: ignore[typeddict-item]


def decode_view(view: Registration) -> dict[str, Any]:
    """What the engine reads of a view."""
    wrapped = re.fullmatch(r"/\* Presto View: (\S+) \*/", view.properties["viewOriginalText"])
    assert wrapped
    found: dict[str, Any] = json.loads(base64.b64decode(wrapped[1], validate=True))
    return found


def in_duckdb(sql: str) -> str:
    (translated,) = sqlglot.transpile(sql, read="athena", write="duckdb")
    return translated


def write_batch(folder: Path, predictions: Iterable[Prediction]) -> None:
    """Write one batch of record-predictions' as files below a folder that stands for the bucket."""
    encoded = [EncodedPrediction(str(number), day_of(p), encode(p)) for number, p in enumerate(predictions)]
    for file in row_files(encoded):
        path = folder / file.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.body)


class Athena:
    """Runs queries over the files in a folder that stands for the bucket."""

    def __init__(self, graph: Result, folder: Path) -> None:
        self._graph = graph
        self._database = duckdb.connect()
        self._database.execute("SET TimeZone = 'UTC'")
        tables = {table.properties["name"]: table for table in graph.of_type(TABLE)}
        self._create_table(tables["prediction_rows"].properties, folder)
        self.view = tables["rekognition_customlabels_analytics"]
        view_sql = in_duckdb(decode_view(self.view)["originalSql"])
        self._database.execute(f"CREATE VIEW {self.view.properties['name']} AS {view_sql}")

    def query(self, sql: str) -> Answer:
        """Run Athena's SQL."""
        found = self._database.execute(in_duckdb(sql))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def saved(self, name: str) -> Answer:
        """Run a saved query, by its logical name."""
        return self.query(self._graph.named(f"analytics-{name}", NAMED_QUERY).properties["query"])

    def types(self, sql: str) -> dict[str, str]:
        """Column -> DuckDB's type of what a query selects."""
        return {row[0]: row[1] for row in self._database.execute(f"DESCRIBE {in_duckdb(sql)}").fetchall()}

    def files_read(self, sql: str) -> int:
        """Of how many files a query reads rows."""
        profile = self._database.execute(f"EXPLAIN ANALYZE {in_duckdb(sql)}").fetchall()[0][1]
        found = re.findall(r"Total Files Read: (\d+)", profile)
        assert found, profile
        return sum(map(int, found))

    def _create_table(self, table: Properties, folder: Path) -> None:
        storage = table["storageDescriptor"]
        prefix = storage["location"].split("/", 3)[3]
        self._database.read_json(
            f"{folder / prefix}/dt=*/*.json.gz",
            format="newline_delimited",
            columns={column["name"]: in_types_of_duckdb(column["type"]) for column in storage["columns"]},
            # The one form of a timestamp that the SerDe reads; any other is an error here.
            timestamp_format="%Y-%m-%d %H:%M:%S.%g",
            hive_partitioning=True,
            hive_types={"dt": "VARCHAR"},
        ).create_view(table["name"])


def in_types_of_duckdb(glue: str) -> str:
    if not glue.startswith("struct<"):
        return TYPES[glue]
    fields = (field.split(":") for field in glue.removeprefix("struct<").removesuffix(">").split(","))
    return "STRUCT(" + ", ".join(f'"{name}" {TYPES[type_]}' for name, type_ in fields) + ")"
