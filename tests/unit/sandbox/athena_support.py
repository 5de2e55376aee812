"""A Glue database, a bucket and a workgroup of a test's own, and short words for what tests do with them."""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from sandbox.queries import Answer, ask
from tests.unit.sandbox.support import Sandbox, wait_until

OPENX = "org.openx.data.jsonserde.JsonSerDe"
HIVE = "org.apache.hive.hcatalog.data.JsonSerDe"
TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
BY_DAY = {
    "projection.enabled": "true",
    "projection.dt.type": "date",
    "projection.dt.format": "yyyy-MM-dd",
    "projection.dt.range": "2026-01-01,2026-01-31",
}
COLUMNS = {"image": "string", "label": "string", "confidence": "double", "seen": "timestamp"}


def lines(*rows: Mapping[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


class Lake:
    """What a query can read, and where."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.s3, self.glue, self.athena = (sandbox.client(service) for service in ("s3", "glue", "athena"))
        self.bucket, self.database = sandbox.bucket(), f"db_{uuid4().hex[:8]}"
        self.glue.create_database(DatabaseInput={"Name": self.database})
        self.workgroup = self.make_workgroup()

    def make_workgroup(self, location: str | None = "results/", **configuration: Any) -> str:
        name = f"workgroup-{uuid4().hex[:8]}"
        result = {"ResultConfiguration": {"OutputLocation": f"s3://{self.bucket}/{location}"}} if location else {}
        self.athena.create_work_group(Name=name, Configuration={**result, **configuration})
        return name

    def table(
        self,
        columns: Mapping[str, str] = COLUMNS,
        name: str = "images",
        parameters: Mapping[str, str] | None = None,
        partitions: Sequence[str] = (),
        serde: Mapping[str, Any] | None = None,
        **storage: Any,
    ) -> None:
        """A table of JSON lines under its own name in the bucket."""
        descriptor = {
            "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
            "Location": f"s3://{self.bucket}/{name}/",
            "InputFormat": TEXT_INPUT,
            "OutputFormat": TEXT_OUTPUT,
            "SerdeInfo": serde or {"SerializationLibrary": OPENX},
            **storage,
        }
        table = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": dict(parameters or {}),
            "PartitionKeys": [{"Name": partition, "Type": "string"} for partition in partitions],
            "StorageDescriptor": {key: value for key, value in descriptor.items() if value is not None},
        }
        self.glue.create_table(DatabaseName=self.database, TableInput=table)

    def days(self, changes: Mapping[str, str] | None = None) -> None:
        """The table with its days as projected partitions."""
        self.table(parameters={**BY_DAY, **(changes or {})}, partitions=["dt"])

    def view(
        self,
        sql: str,
        columns: Mapping[str, str],
        declared: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> None:
        """A view named `seen`; `columns` in Glue's words, `declared` in Trino's."""
        trino = {"string": "varchar", "int": "integer"}
        given = declared if declared is not None else {name: trino.get(kind, kind) for name, kind in columns.items()}
        document = {
            "originalSql": sql,
            "catalog": "awsdatacatalog",
            "schema": self.database,
            "columns": [{"name": name, "type": kind} for name, kind in given.items()],
        }
        encoded = base64.b64encode(json.dumps(document).encode()).decode()
        table = {
            "Name": "seen",
            "TableType": "VIRTUAL_VIEW",
            "Parameters": {"presto_view": "true", "comment": "Presto View"},
            "ViewOriginalText": f"/* Presto View: {encoded} */",
            "ViewExpandedText": "/* Presto View */",
            "StorageDescriptor": {
                "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
                "SerdeInfo": {},
            },
            **changes,
        }
        self.glue.create_table(DatabaseName=self.database, TableInput=table)

    def put(self, key: str, content: bytes) -> int:
        """An object, compressed if its name says so; its bytes as stored."""
        stored = gzip.compress(content) if key.endswith(".gz") else content
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=stored)
        return len(stored)

    def put_day(self, day: str, *rows: Mapping[str, Any]) -> int:
        return self.put(f"images/dt={day}/rows.json.gz", lines(*rows))

    def ask(self, sql: str, workgroup: str | None = None) -> Answer:
        return ask(self.athena, sql, workgroup or self.workgroup, self.database)

    def rows(self, sql: str) -> list[tuple[str | None, ...]]:
        return self.ask(sql).rows

    def execution(self, sql: str, athena: Any = None, **more: Any) -> dict[str, Any]:
        """The description of a query that has ended, however it did."""
        athena = athena or self.athena
        request = {"WorkGroup": self.workgroup, "QueryExecutionContext": {"Database": self.database}, **more}
        number = athena.start_query_execution(QueryString=sql, **request)["QueryExecutionId"]

        def ended() -> Any:
            found = self.athena.get_query_execution(QueryExecutionId=number)["QueryExecution"]
            return found if found["Status"]["State"] not in {"QUEUED", "RUNNING"} else None

        return dict(wait_until(ended))

    def failure(self, sql: str) -> str:
        """Why a query failed."""
        status = self.execution(sql)["Status"]
        assert status["State"] == "FAILED", status
        return str(status["StateChangeReason"])
