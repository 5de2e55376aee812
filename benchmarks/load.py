"""`make load`: ten thousand images through the whole sandbox, with the memory of each part.

The command line uploads real, different images; a run labels them; notify-labels and record-predictions hear of them.
The same is done with a tenth of the images first, on an emulated AWS of its own: what grows with the number of images
shows in the comparison. It fails if an image is lost, has no row or announcement, or if a part of ours takes more
memory for more images.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.memory import MemoryWatch, Peak, peak_mebibytes
from benchmarks.play import switch_schedule_off
from custom_labels_batch.cli.runs import start_or_join
from sandbox.deploy import REPOSITORY, deploy
from sandbox.deployer.cloud import Cloud
from sandbox.endpoint import newest_version, read_json
from sandbox.errors import SandboxError
from sandbox.listeners import backlog, wait_for_listeners
from sandbox.photographs import LABELS, patch
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings

BUILD = REPOSITORY / "build" / "load"
MODEL_START_MINUTES = 1.0
QUEUED_SECONDS = 120.0
LISTENER_SECONDS = 1800.0
MOST_RUNS = 5
"""A run may end with images left, on a machine that labels slower than the simulated clock goes."""

EMULATOR, UPLOADER, SELF = "emulator", "cli upload", "this program"
FUNCTIONS = ("analyze-image", "notify-labels", "record-predictions")

MOST_GROWTH_MEBIBYTES = 48.0
"""What the peak of a function or the uploader may differ by: fuller batches of messages come with more images, and the
uploader knows every file it was told to upload."""

_LOOK_SECONDS = 1.0

console = Console(highlight=False)


@dataclass(frozen=True)
class Load:
    """What so many images came to; seconds are real, memory is in MiB.

    Attributes
    ----------
    upload_seconds, label_seconds, run_seconds, listen_seconds
        Of the upload; from the first result to the last; of the runs; until the listeners had finished then.
    peaks
        Part -> the most memory one process of it had.
    processes
        Part -> how many there were.
    invocations
        Function -> how often it was called.
    lost, rows, announced
        Images that are nowhere; that have rows; messages the predictions topic handed to each listener.
    """

    images: int
    image_bytes: int
    upload_seconds: float
    label_seconds: float
    run_seconds: float
    listen_seconds: float
    runs: int
    peaks: dict[str, float]
    processes: dict[str, int]
    invocations: dict[str, int]
    labelled: int
    left: int
    dead_letters: int
    lost: int
    rows: int
    announced: int
    model: str

    @property
    def problems(self) -> list[str]:
        """What is not as it should be, in words."""
        wrong = {
            f"{self.labelled:,} images are in the final bucket": self.labelled != self.images,
            f"{self.lost:,} images are lost": self.lost != 0,
            f"{self.left:,} images are left in the source bucket": self.left != 0,
            f"{self.dead_letters:,} messages are in dead-letter queues": self.dead_letters != 0,
            f"{self.rows:,} images have rows": self.rows != self.images,
            f"{self.announced:,} images were announced": self.announced < self.images,
            f"the model is {self.model}": self.model != "STOPPED",
        }
        return [f"of {self.images:,} images: {problem}" for problem, is_wrong in wrong.items() if is_wrong]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure both sizes, print a table, and leave JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--images", type=int, default=10_000, help="images (default 10,000), after a tenth of them")
    parser.add_argument("--port", type=int, default=4573, help="the emulator's port (default 4573)")
    arguments = parser.parse_args(argv)
    loads = [put(images, arguments.port) for images in (arguments.images // 10, arguments.images)]
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "load.json").write_text(json.dumps([asdict(load) for load in loads], indent=2) + "\n", encoding="utf-8")
    console.print(table(loads))
    problems = [*(problem for load in loads for problem in load.problems), *growth(*loads)]
    for problem in problems:
        console.print(f"[red]✗[/red] {problem}")
    return 1 if problems else 0


def growth(few: Load, many: Load) -> list[str]:
    """Parts of ours that take more memory for more images. The emulator is none: it keeps every object in memory."""
    return [
        f"{part} took {few.peaks[part]:.0f} MiB for {few.images:,} images, {many.peaks[part]:.0f} for {many.images:,}"
        for part in (*FUNCTIONS, UPLOADER)
        if many.peaks[part] > few.peaks[part] + MOST_GROWTH_MEBIBYTES
    ]


def put(images: int, port: int) -> Load:
    """Upload, label and hear of so many images, on an emulated AWS of its own.

    Raises
    ------
    SandboxError
        The emulator ended, or it takes for ever.
    """
    build = BUILD / str(images)
    folder = build / "images"
    size = write_images(folder, images)
    settings = SandboxSettings(port=port, model_start_minutes=MODEL_START_MINUTES)
    with ServerProcess(settings, build) as server, MemoryWatch(server.pid, EMULATOR) as memory:
        outputs = deploy(REPOSITORY, "sandbox", {}, settings, build=build)
        cloud = Cloud.of(settings)
        switch_schedule_off(outputs)
        with console.status(f"{images:,} images: uploading"):
            upload_seconds, uploader = upload(folder, build)
            wait_until_queued(cloud, outputs, images)
        began = time.monotonic()
        runs = label_all(server, cloud, outputs, images)
        labelled_at = time.monotonic()
        with console.status(f"{images:,} images: the listeners finish"):
            wait_for_listeners(cloud, outputs, LISTENER_SECONDS)
        listened_at = time.monotonic()
        label_seconds = seconds_of_results(settings, outputs["finalBucketName"])
        usage, model = read_json(settings, "usage"), newest_version(settings)["status"]
        results = keys(cloud, outputs["finalBucketName"], "images/")
        found = Counter("document" if key.endswith(".json") else "image" for key in results)
        rows = images_with_rows(cloud, outputs["analyticsBucketName"])
        left = sum(1 for _ in keys(cloud, outputs["sourceBucketName"]))
        dead = sum(backlog(cloud, url) for name, url in outputs.items() if name.endswith("DeadLetterQueueUrl"))
    peaks = [*memory.peaks, uploader, Peak(SELF, peak_mebibytes(os.getpid()))]
    return Load(
        images=images,
        image_bytes=size,
        upload_seconds=upload_seconds,
        label_seconds=label_seconds,
        run_seconds=labelled_at - began,
        listen_seconds=listened_at - labelled_at,
        runs=runs,
        peaks={part: max(each.mebibytes for each in peaks if each.part == part) for part in {p.part for p in peaks}},
        processes=dict(Counter(each.part for each in peaks)),
        invocations={part: invocations(usage, part) for part in FUNCTIONS},
        labelled=min(found["image"], found["document"]),
        left=left,
        dead_letters=dead,
        lost=images - found["image"] - left,
        rows=rows,
        # Each announcement is handed to the two listeners' queues.
        announced=usage["snsDeliveriesToSqs"] // 2,
        model=model,
    )


def write_images(folder: Path, images: int) -> int:
    """Write so many different photographs of 64 to 128 pixels, unless they are there; give their bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(11)
    size = 0
    for number in range(images):
        file = folder / f"image-{number:05}.png"
        side = int(random.integers(64, 128, endpoint=True))
        picture = patch(LABELS[number % len(LABELS)], "demo", random)
        if not file.exists():
            picture.resize((side, side), Image.Resampling.BILINEAR).save(file)
        size += file.stat().st_size
    return size


def upload(folder: Path, build: Path) -> tuple[float, Peak]:
    """Let the command line upload a folder; give real seconds and its memory.

    Raises
    ------
    SandboxError
        It failed.
    """
    command = [
        sys.executable,
        "-m",
        "custom_labels_batch",
        "upload",
        str(folder),
        "--outputs",
        str(build / "outputs.json"),
    ]
    began = time.monotonic()
    with (build / "upload.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
        with MemoryWatch(process.pid, UPLOADER) as memory:
            code = process.wait()
    if code:
        raise SandboxError(f"the upload ended with exit code {code}; see {log.name}")
    return time.monotonic() - began, memory.peaks[0]


def wait_until_queued(cloud: Cloud, outputs: Mapping[str, Any], images: int) -> None:
    """Wait until the queue holds every image that was uploaded.

    Raises
    ------
    SandboxError
        It does not, a while after the last upload.
    """
    deadline = time.monotonic() + QUEUED_SECONDS
    while (queued := backlog(cloud, outputs["imageQueueUrl"])) < images:
        if time.monotonic() > deadline:
            raise SandboxError(
                f"{queued:,} of {images:,} uploaded images are in the queue after {QUEUED_SECONDS:.0f} s"
            )
        time.sleep(_LOOK_SECONDS)


def label_all(server: ServerProcess, cloud: Cloud, outputs: Mapping[str, Any], images: int) -> int:
    """Run the workflow until no image waits; give how many runs it took."""
    queue = outputs["imageQueueUrl"]
    for number in range(1, MOST_RUNS + 1):
        arn, _ = start_or_join(cloud.stepfunctions, outputs["stateMachineArn"])
        with console.status(f"{images:,} images: labelling") as status:
            while cloud.stepfunctions.describe_execution(executionArn=arn)["status"] == "RUNNING":
                server.check()
                status.update(f"{images:,} images: labelling, {backlog(cloud, queue):,} wait")
                time.sleep(_LOOK_SECONDS)
        if not backlog(cloud, queue):
            return number
    raise SandboxError(f"{backlog(cloud, queue):,} images still wait after {MOST_RUNS} runs")


def keys(cloud: Cloud, bucket: str, prefix: str = "") -> list[str]:
    """The keys of a bucket, each once."""
    pages = cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return sorted({item["Key"] for page in pages for item in page.get("Contents", [])})


def seconds_of_results(settings: SandboxSettings, bucket: str) -> float:
    """Real seconds from the first document in a bucket to the last."""
    writes = read_json(settings, "usage/writes").items()
    moments = [datetime.fromisoformat(moment) for path, moment in writes if path.startswith(f"{bucket}/images/")]
    return (max(moments) - min(moments)).total_seconds() * settings.time_scale


def images_with_rows(cloud: Cloud, bucket: str) -> int:
    """How many images the rows in the analytics bucket are about."""
    found: set[str] = set()
    for key in keys(cloud, bucket, "predictions/"):
        body = gzip.decompress(cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        found.update(json.loads(line)["image_id"] for line in body.splitlines())
    return len(found)


def invocations(usage: Mapping[str, Any], part: str) -> int:
    return sum(each["invocations"] for name, each in usage["functions"].items() if part in name)


def table(loads: Sequence[Load]) -> Table:
    """One column a size."""
    shown = Table(title="Through the whole sandbox", title_justify="left")
    shown.add_column("")
    for load in loads:
        shown.add_column(f"{load.images:,} images", justify="right")
    lines = {
        "bytes of an image": [f"{load.image_bytes / load.images:,.0f}" for load in loads],
        "uploaded, images a second": [f"{load.images / load.upload_seconds:.0f}" for load in loads],
        "labelled, images a second": [f"{load.images / load.label_seconds:.0f}" for load in loads],
        "runs, and their seconds": [f"{load.runs}, {load.run_seconds:.0f}" for load in loads],
        "listeners finished after, s": [f"{load.listen_seconds:.0f}" for load in loads],
        "in the final bucket": [f"{load.labelled:,}" for load in loads],
        "lost": [f"{load.lost:,}" for load in loads],
        "with rows": [f"{load.rows:,}" for load in loads],
        "announced": [f"{load.announced:,}" for load in loads],
        "model at the end": [load.model for load in loads],
    }
    for part in FUNCTIONS:
        lines[f"{part}: calls"] = [f"{load.invocations[part]:,}" for load in loads]
        lines[f"{part}: processes"] = [str(load.processes[part]) for load in loads]
    for part in (*FUNCTIONS, UPLOADER, EMULATOR, SELF):
        lines[f"{part}: peak MiB"] = [f"{load.peaks[part]:.0f}" for load in loads]
    for name, values in lines.items():
        shown.add_row(name, *values)
    return shown


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SandboxError as error:
        sys.exit(f"load: {error}")
