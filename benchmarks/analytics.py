"""What keeping rows in few files is worth, and how many rows a second record-predictions takes.

The same predictions are kept in three ways: as record-predictions keeps them; one plain JSON document an image with the
three columns of the published sample; and one plain JSON document an image with all our columns. The same saved query
runs over each and must give the same answer. DuckDB reads the files from the local disk: against S3, every file
costs a request's latency besides. Then the function itself takes full batches, with moto as its S3, in this process.
"""

import io
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import duckdb
import sqlglot
from moto import mock_aws
from rich.console import Console
from rich.table import Table

from custom_labels_batch.components.predictions_table import COLUMNS, TABLE_NAME, VIEW_NAME
from custom_labels_batch.components.query_files import QUERIES, read_query, view_query
from custom_labels_batch.functions.record_predictions.row_files import EncodedPrediction, RowFile, row_files
from custom_labels_batch.functions.record_predictions.rows import encode
from custom_labels_batch.functions.record_predictions.table_days import day_of
from custom_labels_batch.functions.shared.image_version import ImageVersion, s3_uri
from custom_labels_batch.functions.shared.prediction import BoundingBox, Label, Prediction, Status
from sandbox.deploy import REPOSITORY
from tests.unit.functions.lambda_context import Context

RESULTS_FILE = REPOSITORY / "build" / "bench" / "analytics.json"

IMAGES, DAYS, BATCH = 10_000, 10, 1_000
FIRST_UPLOAD = datetime(2026, 11, 1, tzinfo=UTC)
LABELS = ("asphalt", "brick", "concrete", "grass", "gravel", "metal", "sand", "slate", "tile", "wood")
REPEATS = 5

TYPES = {"string": "VARCHAR", "double": "DOUBLE", "int": "INTEGER", "bigint": "BIGINT", "timestamp": "TIMESTAMP"}
QUERY = read_query(QUERIES / "labels_by_count.sql").sql

console = Console(highlight=False)


@dataclass(frozen=True)
class Reading:
    """What one query reads of one layout.

    Attributes
    ----------
    kilobytes
        Of 1,000 bytes, as stored: what Athena counts as scanned.
    milliseconds
        Median over repeats, with the files in the operating system's cache.
    """

    layout: str
    asked: str
    files: int
    kilobytes: float
    milliseconds: float


@dataclass(frozen=True)
class Recording:
    """How fast one part of a call of record-predictions goes, for batches of 1,000 messages."""

    part: str
    rows_a_second: int
    milliseconds_a_batch: float


def main() -> int:
    """Measure, and print and write what came out."""
    found = predictions()
    with tempfile.TemporaryDirectory() as folder:
        readings = measure_reading(found, Path(folder))
    recordings = measure_recording(found)
    RESULTS_FILE.parent.mkdir(parents=True, exist_ok=True)
    results = {"reading": [asdict(r) for r in readings], "recording": [asdict(r) for r in recordings]}
    RESULTS_FILE.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    show(readings, recordings, sum(len(one.labels) or 1 for one in found))
    return 0


def predictions() -> list[Prediction]:
    """Predictions in the order of their uploads: none to three labels an image, the same in every run."""
    chance = random.Random(3)  # noqa: S311 (no secret)
    return [_prediction(number, chance) for number in range(IMAGES)]


def _prediction(number: int, chance: random.Random) -> Prediction:
    uploaded_at = FIRST_UPLOAD + number * timedelta(days=DAYS) / IMAGES
    key = f"site-{number % 7}/{uploaded_at:%Y/%m/%d}/IMG_{number:06}.jpg"
    image = ImageVersion("photographs", key, f"v{number}", f"{number:032x}", f"{number:018X}", 2_000_000, uploaded_at)
    labels = tuple(
        Label(
            name=name,
            confidence=chance.uniform(70, 100),
            bounding_box=BoundingBox(left=chance.random(), top=chance.random(), width=0.25, height=0.5),
        )
        for name in chance.sample(LABELS, chance.randrange(4))
    )
    return Prediction(
        image_id=image.image_id,
        status=Status.LABELLED,
        source_bucket=image.bucket,
        image_key=key,
        source_uri=image.uri,
        final_uri=s3_uri("finished", f"images/{key}"),
        final_version_id=image.version_id,
        version_id=image.version_id,
        e_tag=image.etag,
        sequencer=image.sequencer,
        size=image.size,
        project_version_arn="arn:aws:rekognition:us-east-1:123456789012:project/roofs/version/v.2/1793491200001",
        uploaded_at=uploaded_at,
        processed_at=uploaded_at + timedelta(minutes=chance.uniform(1, 60)),
        labels=labels,
        reason=None,
    )


def batches(found: Sequence[Prediction]) -> Iterator[Sequence[Prediction]]:
    """Batches of up to 1,000 in the order of uploads, whose ends are not those of days."""
    edges = [0, *range(BATCH // 2, len(found), BATCH), len(found)]
    return (found[start:end] for start, end in pairwise(edges))


# What a query reads


def measure_reading(found: Sequence[Prediction], folder: Path) -> list[Reading]:
    """Write the layouts, and ask each the same."""
    day = f"{FIRST_UPLOAD + timedelta(days=4):%Y-%m-%d}"
    of_a_day = QUERY.replace("WHERE ", f"WHERE dt = '{day}' AND ")
    layouts = {
        "record-predictions": _our_files(found, folder / "rows"),
        "a JSON document an image, 3 columns": _documents_of_the_sample(found, folder / "sample"),
        "a JSON document an image, all columns": _documents_with_all_columns(found, folder / "documents"),
    }
    readings, answers = [], []
    for layout, connect in layouts.items():
        for asked, sql in (("every day", QUERY), ("one day", of_a_day)):
            answer, reading = _ask(connect, layout, asked, sql)
            readings.append(reading)
            answers.append((asked, answer))
    for asked, answer in answers:
        if any(other != answer for also, other in answers if also == asked):
            raise SystemExit(f"bench: the layouts answer differently about {asked}")
    return readings


Connect = Callable[[], tuple[duckdb.DuckDBPyConnection, Path]]


def _our_files(found: Sequence[Prediction], folder: Path) -> Connect:
    for batch in batches(found):
        for file in row_files(_encoded(batch)):
            _write(folder / file.key, file.body)

    def connect() -> tuple[duckdb.DuckDBPyConnection, Path]:
        database = duckdb.connect()
        columns = {column.name: _duckdb_type(column.type) for column in COLUMNS}
        _read_json(database, f"{folder}/predictions/dt=*/*.gz", columns, partitioned=True).create_view(TABLE_NAME)
        database.execute(f"CREATE VIEW {VIEW_NAME} AS {_in_duckdb(view_query(VIEW_NAME).sql)}")
        return database, folder

    return connect


def _documents_of_the_sample(found: Sequence[Prediction], folder: Path) -> Connect:
    """Image, Label and Confidence, and the day to ask by: without it, no query about a day could be asked at all."""
    for one in found:
        rows = [
            {"Image": one.image_key, "Label": label.name, "Confidence": label.confidence, "Day": day_of(one)}
            for label in one.labels
        ]
        _write(folder / f"{one.image_id}.json", "".join(f"{json.dumps(row)}\n" for row in rows).encode())

    def connect() -> tuple[duckdb.DuckDBPyConnection, Path]:
        database = duckdb.connect()
        columns = {"Image": "VARCHAR", "Label": "VARCHAR", "Confidence": "DOUBLE", "Day": "VARCHAR"}
        _read_json(database, f"{folder}/*.json", columns).create_view("documents")
        select = "SELECT Image AS image_id, Label AS label, Confidence AS confidence, Day AS dt FROM documents"
        database.execute(f"CREATE VIEW {VIEW_NAME} AS {select}")
        return database, folder

    return connect


def _documents_with_all_columns(found: Sequence[Prediction], folder: Path) -> Connect:
    for one in found:
        _write(folder / f"{one.image_id}.json", encode(one))

    def connect() -> tuple[duckdb.DuckDBPyConnection, Path]:
        database = duckdb.connect()
        columns = {column.name: _duckdb_type(column.type) for column in COLUMNS}
        documents = _read_json(database, f"{folder}/*.json", columns)
        documents.project("*, strftime(uploaded_at, '%Y-%m-%d') AS dt").create_view(TABLE_NAME)
        database.execute(f"CREATE VIEW {VIEW_NAME} AS {_in_duckdb(view_query(VIEW_NAME).sql)}")
        return database, folder

    return connect


def _ask(connect: Connect, layout: str, asked: str, sql: str) -> tuple[list[Any], Reading]:
    seconds = []
    answer: list[Any] = []
    for _ in range(REPEATS):
        database, folder = connect()
        started = time.perf_counter()
        answer = database.execute(_in_duckdb(sql)).fetchall()
        seconds.append(time.perf_counter() - started)
        database.close()
    database, folder = connect()
    read = _files_read(database, folder, sql)
    size = sum(path.stat().st_size for path in read)
    return answer, Reading(layout, asked, len(read), size / 1000, 1000 * statistics.median(seconds))


def _files_read(database: duckdb.DuckDBPyConnection, folder: Path, sql: str) -> list[Path]:
    """The files a query reads: those of the day it names where files are kept by day, else all; DuckDB counts them."""
    day = sql.partition("dt = '")[2].partition("'")[0]
    files = [path for path in folder.rglob("*") if path.is_file()]
    by_day = [path for path in files if path.parent.name == f"dt={day}"]
    profile = database.execute(f"EXPLAIN ANALYZE {_in_duckdb(sql)}").fetchall()[0][1]
    counted = int(profile.partition("Total Files Read: ")[2].partition(" ")[0])
    if counted != len(by_day or files):
        raise SystemExit(f"bench: DuckDB read {counted} files where {len(by_day or files)} were expected")
    return by_day or files


def _read_json(
    database: duckdb.DuckDBPyConnection, files: str, columns: dict[str, str], partitioned: bool = False
) -> duckdb.DuckDBPyRelation:
    return database.read_json(
        files,
        format="newline_delimited",
        columns=columns,
        timestamp_format="%Y-%m-%d %H:%M:%S.%g",
        hive_partitioning=partitioned,
        hive_types={"dt": "VARCHAR"} if partitioned else None,
    )


def _duckdb_type(glue: str) -> str:
    if not glue.startswith("struct<"):
        return TYPES[glue]
    fields = (field.split(":") for field in glue.removeprefix("struct<").removesuffix(">").split(","))
    return "STRUCT(" + ", ".join(f'"{name}" {TYPES[type_]}' for name, type_ in fields) + ")"


def _in_duckdb(sql: str) -> str:
    (translated,) = sqlglot.transpile(sql, read="athena", write="duckdb")
    return translated


def _write(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


# How fast rows are recorded


def measure_recording(found: Sequence[Prediction]) -> list[Recording]:
    """The whole function, and its parts on their own, each over every batch."""
    full = [found[start : start + BATCH] for start in range(0, len(found), BATCH)]
    rows = sum(len(one.labels) or 1 for one in found)
    files: list[RowFile] = []

    def compress() -> None:
        files.clear()
        for batch in encoded:
            files.extend(row_files(batch))

    with _function() as (handler, put):
        events = [_event(batch) for batch in full]
        encoded = [_encoded(batch) for batch in full]
        parts: dict[str, Callable[[], object]] = {
            "handler, with moto as S3": lambda: [handler(event) for event in events],
            "reading messages": lambda: [
                Prediction.model_validate_json(record["body"]) for event in events for record in event["Records"]
            ],
            "encoding rows": lambda: [_encoded(batch) for batch in full],
            "hashing and compressing": compress,
            "putting files, to moto": lambda: [put(file) for file in files],
        }
        return [_time(part, work, rows, len(full)) for part, work in parts.items()]


def _time(part: str, work: Callable[[], object], rows: int, calls: int) -> Recording:
    work()
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    median = statistics.median(seconds)
    return Recording(part, round(rows / median), 1000 * median / calls)


@contextmanager
def _function() -> Iterator[tuple[Callable[[dict[str, Any]], None], Callable[[RowFile], None]]]:
    """record-predictions, without its log lines, and what it puts a file with; moto answers in this process."""
    os.environ |= {
        "ANALYTICS_BUCKET_NAME": "rows",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "record-predictions",
        "POWERTOOLS_METRICS_NAMESPACE": "CustomLabelsBatch",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
    }
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="rows")
        from custom_labels_batch.functions.record_predictions.analytics_bucket import AnalyticsBucket
        from custom_labels_batch.functions.record_predictions.handler import handler
        from custom_labels_batch.functions.record_predictions.wiring import s3

        def call(event: dict[str, Any]) -> None:
            with redirect_stdout(io.StringIO()):
                failures = handler(event, Context())["batchItemFailures"]
            if failures:
                raise SystemExit(f"bench: {len(failures)} messages of a batch failed")

        yield call, AnalyticsBucket(s3, "rows").put


def _event(batch: Sequence[Prediction]) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": one.image_id,
                "receiptHandle": "receipt",
                "body": one.to_json(),
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:predictions",
            }
            for one in batch
        ]
    }


def _encoded(batch: Sequence[Prediction]) -> list[EncodedPrediction]:
    return [EncodedPrediction(one.image_id, day_of(one), encode(one)) for one in batch]


# What came out


def show(readings: Sequence[Reading], recordings: Sequence[Recording], rows: int) -> None:
    """Print both tables."""
    title = f"\nLabels by count, of {IMAGES:,} images ({rows:,} rows) uploaded on {DAYS} days; DuckDB, local disk"
    table = Table(title=title, title_justify="left", box=None)
    for heading in ("kept as", "asked about", "files", "kB", "ms"):
        table.add_column(heading, justify="left" if heading in ("kept as", "asked about") else "right")
    for r in readings:
        table.add_row(r.layout, r.asked, f"{r.files:,}", f"{r.kilobytes:,.0f}", f"{r.milliseconds:,.0f}")
    console.print(table)
    title = f"\nrecord-predictions, batches of {BATCH:,} messages; median of {REPEATS}"
    table = Table(title=title, title_justify="left", box=None)
    for heading in ("part", "rows/s", "ms a batch"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for part in recordings:
        table.add_row(part.part, f"{part.rows_a_second:,}", f"{part.milliseconds_a_batch:.0f}")
    console.print(table)
    console.print(f"\nThe same as JSON: {RESULTS_FILE.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    sys.exit(main())
