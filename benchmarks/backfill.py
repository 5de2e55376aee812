"""`cli backfill` over 10,000 and over 1,000,000 keys: peak memory and keys a second, each in a process of its own.

The lister and the queue are made up, and answer at once: what is measured is the command's own work. On AWS the listing
sets the pace: one request for 1,000 versions after the other.

    python -m benchmarks.backfill [--listing-milliseconds N]
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from custom_labels_batch.cli.backfill_run import Backfill
from custom_labels_batch.cli.backfill_state import Progress
from custom_labels_batch.cli.queues import send
from custom_labels_batch.cli.source_objects import SourceObject, pages
from custom_labels_batch.cli.upload_event import UploadEvents
from custom_labels_batch.functions.analyze_image.message import parse_message

KEYS = (10_000, 1_000_000)
_PAGE = 1_000
_AT_ONCE = 32
_MODIFIED = datetime(2024, 5, 1, tzinfo=UTC)
_MOST_GROWTH = 1.1


class _Lister:
    """An S3 with so many keys, which does not keep them."""

    def __init__(self, keys: int, milliseconds: float) -> None:
        self._keys, self._seconds = keys, milliseconds / 1000

    def list_object_versions(self, KeyMarker: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's
        time.sleep(self._seconds)
        first = int(KeyMarker.rpartition("/")[2].removesuffix(".jpg")) + 1 if KeyMarker else 0
        numbers = range(first, min(first + _PAGE, self._keys))
        return {
            "Versions": [_version(number) for number in numbers],
            "IsTruncated": numbers.stop < self._keys,
            "NextKeyMarker": _key(numbers.stop - 1),
            "NextVersionIdMarker": "null",
        }


class _Queue:
    """An SQS that counts what it is sent, and reads every thousandth message as analyze-image does."""

    def __init__(self) -> None:
        self.messages = 0

    def send_message_batch(self, QueueUrl: str, Entries: list[Mapping[str, str]]) -> dict[str, Any]:  # noqa: ARG002, N803 - boto3's
        before, self.messages = self.messages, self.messages + len(Entries)
        if before // 1000 != self.messages // 1000:
            parse_message(Entries[0]["MessageBody"])
        return {}


def _key(number: int) -> str:
    return f"archive/{number // 10_000:05d}/{number:09d}.jpg"


def _version(number: int) -> dict[str, Any]:
    return {
        "Key": _key(number),
        "VersionId": f"3HL4kqtJlcpXroDTDmJ.rmSpXd3d{number:09d}",
        "IsLatest": True,
        "ETag": f'"{number:032x}"',
        "Size": 2_000_000,
        "LastModified": _MODIFIED,
        "StorageClass": "STANDARD",
    }


def measure(keys: int, listing_milliseconds: float) -> dict[str, float]:
    """Queue so many keys: megabytes this process had in memory at most, before and after, and seconds."""
    lister: Any = _Lister(keys, listing_milliseconds)
    queue: Any = _Queue()
    events = UploadEvents("acme-photographs", "123456789012", "eu-west-1")

    def queued(objects: Sequence[SourceObject]) -> None:
        send(queue, "queue", [events.event(found) for found in objects])

    begun = Progress(bucket="acme-photographs", prefix="", until=datetime.now(UTC))
    work = Backfill(begun, queued, lambda _: None)
    before, started = _peak_megabytes(), time.monotonic()
    work.run(pages(lister, "acme-photographs", ""), _AT_ONCE)
    seconds = time.monotonic() - started
    if work.progress.queued != keys or work.progress.finished_at is None:
        raise SystemExit(f"{work.progress.queued} of {keys} keys were queued")
    return {"keys": keys, "seconds": seconds, "before": before, "peak": _peak_megabytes()}


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def _measured(listing_milliseconds: float) -> Iterator[dict[str, float]]:
    """In processes of their own: a process's peak never falls."""
    for keys in KEYS:
        command = [sys.executable, "-m", "benchmarks.backfill", "--keys", str(keys)]
        command += ["--listing-milliseconds", str(listing_milliseconds)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        yield json.loads(ran.stdout)


def main() -> int:
    """Print a table; 1 if a hundred times the keys take noticeably more memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, help="only so many, in this process, as JSON")
    parser.add_argument("--listing-milliseconds", type=float, default=0.0, help="what a listing request takes")
    options = parser.parse_args()
    if options.keys:
        sys.stdout.write(json.dumps(measure(options.keys, options.listing_milliseconds)))
        return 0
    table = Table("keys", "seconds", "keys a second", "peak MB", "of it the program, before", box=None)
    found = list(_measured(options.listing_milliseconds))
    for row in found:
        rate = row["keys"] / row["seconds"]
        table.add_row(*(f"{n:,.0f}" for n in (row["keys"], row["seconds"], rate, row["peak"], row["before"])))
    Console().print(table)
    few, many = (row["peak"] for row in found)
    return int(many > _MOST_GROWTH * few)


if __name__ == "__main__":
    sys.exit(main())
