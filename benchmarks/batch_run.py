"""`make bench`: runs of the workflow on the sandbox, at a time scale at which the laptop keeps up with the model.

Two stacks label the same images in one go: one that is told the model's true TPS, and one that is told ten times as
much, so that only Rekognition's throttling holds it back. Printed beside them are the physical limit (images / TPS)
and, for 100 images, what the published sample's template costs (59.5 minutes, measured on the same emulator).
"""

import json
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sandbox.deploy import REPOSITORY, deploy
from sandbox.deployer.cloud import Cloud
from sandbox.errors import SandboxError
from sandbox.ledger import newest_version
from sandbox.photographs import photographs
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings

RESULTS_FILE = REPOSITORY / "build" / "bench" / "batch_run.json"

TPS = 5.0
SETTINGS = SandboxSettings(port=4571, time_scale=0.25, model_start_minutes=2, model_stop_minutes=0.5, tps_per_unit=TPS)
WORKLOADS = (100, 500)
STACKS = {"told the model's TPS": TPS, "told ten times as much": 10 * TPS}
SAMPLE_BILLED_MINUTES = {100: 59.5}

console = Console(highlight=False)


@dataclass(frozen=True)
class Measurement:
    """One run.

    Attributes
    ----------
    billed_minutes
        Inference-unit minutes by the sandbox's ledger, simulated.
    limit_minutes
        Images / TPS.
    images_per_second
        Images through the model between its first and its last call, in simulated seconds.
    throttled_share
        Calls Rekognition refused, of all calls that reached it.
    """

    stack: str
    images: int
    billed_minutes: float
    limit_minutes: float
    images_per_second: float
    throttled_share: float


def main() -> int:
    """Measure every workload on every stack, and print and write what came out."""
    measurements = []
    minute = 60 * SETTINGS.time_scale
    console.print(
        f"A simulated minute takes {minute:g} seconds here; the model takes {TPS:g} TPS. About five minutes.\n"
    )
    with ExitStack() as cleanup:
        build = RESULTS_FILE.parent
        cleanup.enter_context(ServerProcess(SETTINGS, build))
        for number, (stack, told) in enumerate(STACKS.items(), 1):
            cloud, outputs = _deploy(build / f"bench-{number}", told)
            for images in WORKLOADS:
                with console.status(f"{images} images, {stack}"):
                    measurements.append(_measure(cloud, outputs, stack, images))
                console.print(f"[green]✓[/green] {images} images, {stack}")
    RESULTS_FILE.write_text(json.dumps([asdict(m) for m in measurements], indent=2) + "\n", encoding="utf-8")
    _print(measurements)
    return 0


def _deploy(build: Path, tps: float) -> tuple[Cloud, dict[str, Any]]:
    build.mkdir(parents=True, exist_ok=True)
    config = {"tpsPerInferenceUnit": str(tps), "schedule": "cron(0 0 1 1 ? 2099)"}  # no run but the measured ones
    outputs = deploy(REPOSITORY, build.name, config, SETTINGS, build=build)
    return Cloud(SETTINGS.endpoint_url, SETTINGS.region, SETTINGS.account_id, SETTINGS.time_scale), outputs


def _measure(cloud: Cloud, outputs: dict[str, Any], stack: str, images: int) -> Measurement:
    for number, (label, body) in enumerate(photographs(images, seed=images)):
        cloud.s3.put_object(Bucket=outputs["sourceBucketName"], Key=f"{images}/{label}-{number}.jpg", Body=body)
    before = newest_version(SETTINGS)["calls"]
    started = cloud.stepfunctions.start_execution(stateMachineArn=outputs["stateMachineArn"])
    rate = _follow(cloud, started["executionArn"], before["ok"])
    version = newest_version(SETTINGS)
    calls = {name: version["calls"][name] - before[name] for name in before}
    if calls["ok"] != images:
        raise SandboxError(f"{calls['ok']} of {images} images were labelled; see {RESULTS_FILE.parent}/serve.log")
    session = version["sessions"][-1]
    seconds = _seconds(session["stopRequestedAt"]) - _seconds(session["runningAt"])
    return Measurement(
        stack=stack,
        images=images,
        billed_minutes=seconds / 60 * session["inferenceUnits"],
        limit_minutes=images / TPS / 60,
        images_per_second=rate,
        throttled_share=calls["throttled"] / (calls["ok"] + calls["throttled"]),
    )


def _follow(cloud: Cloud, execution: str, calls_before: int) -> float:
    """Wait for the run's end; images a simulated second between the first look with one done and the last change."""
    looks: list[tuple[float, int]] = []
    while cloud.stepfunctions.describe_execution(executionArn=execution)["status"] == "RUNNING":
        done = newest_version(SETTINGS)["calls"]["ok"] - calls_before
        if done and (not looks or done != looks[-1][1]):
            looks.append((time.monotonic(), done))
        time.sleep(0.2)
    status = cloud.stepfunctions.describe_execution(executionArn=execution)
    if status["status"] != "SUCCEEDED":
        raise SandboxError(f"The run ended as {status['status']}: {status.get('cause')}")
    (first, done_first), (last, done_last) = looks[0], looks[-1]
    return (done_last - done_first) / ((last - first) / SETTINGS.time_scale)


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


def _print(measurements: list[Measurement]) -> None:
    table = Table(title="\nBilled inference-unit minutes, and speed (simulated)", title_justify="left", box=None)
    for heading in ("stack", "images", "billed", "limit", "sample", "images/s", "of TPS", "throttled"):
        table.add_column(heading, justify="left" if heading == "stack" else "right")
    for m in measurements:
        sample = SAMPLE_BILLED_MINUTES.get(m.images)
        table.add_row(
            m.stack,
            str(m.images),
            f"{m.billed_minutes:.2f}",
            f"{m.limit_minutes:.2f}",
            f"{sample:.1f}" if sample else "not measured",
            f"{m.images_per_second:.2f}",
            f"{m.images_per_second / TPS:.0%}",
            f"{m.throttled_share:.1%}",
        )
    console.print(table)
    console.print(f"\nThe same as JSON: {RESULTS_FILE.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SandboxError as error:
        sys.exit(f"bench: {error}")
