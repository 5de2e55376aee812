"""`make bench`: what this stack and the published sample's policy bill for the same images, on the sandbox.

Every workload is played to every policy with the same start time and TPS of the model, each on an emulated AWS of its
own. `--minutes` is the real time there is: it sets how fast the clock may run, and whether the largest workloads are
measured smaller, which the results then say.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from benchmarks.chart import draw
from benchmarks.measure import Measurement, measure
from benchmarks.pace import Capacity, Play, plan
from benchmarks.play import Moment, Played, play
from benchmarks.results import RESULTS_FILE, Results, write
from benchmarks.tables import terminal_tables
from benchmarks.workloads import (
    BOTH,
    MODEL_START_MINUTES,
    MODEL_STOP_MINUTES,
    TICK_MINUTES,
    TPS,
    WORKLOADS,
    Workload,
    at_once,
)
from sandbox.deploy import REPOSITORY
from sandbox.errors import SandboxError

CALIBRATION = Workload("calibration", at_once(200), BOTH)
CALIBRATION_SCALE = 0.02
"""At 50 simulated seconds a real one the model takes 250 images a real second, more than any laptop labels here."""

console = Console(highlight=False)
console.width = max(120, console.width)  # the tables' width, also where nobody looks


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print tables, and leave JSON and a chart."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch_run", description=__doc__)
    parser.add_argument("--minutes", type=float, default=40, help="real minutes there are (default 40)")
    parser.add_argument("--only", metavar="TEXT", default="", help="only workloads whose name holds this")
    parser.add_argument("--port", type=int, default=4571, help="the emulator's port (default 4571)")
    arguments = parser.parse_args(argv)
    chosen = [workload for workload in WORKLOADS if arguments.only in workload.name]
    if not chosen:
        parser.error(f"no workload's name holds {arguments.only!r}: {', '.join(each.name for each in WORKLOADS)}")
    bench(chosen, 60 * arguments.minutes, arguments.port, RESULTS_FILE)
    return 0


def bench(
    workloads: Sequence[Workload], seconds: float, port: int, file: Path, capacity: Capacity | None = None
) -> Results:
    """Measure workloads within a time, and show and keep what came out.

    Parameters
    ----------
    file
        Where the JSON goes; the chart goes beside it.
    capacity
        What this machine does in a second; measured first, if not given.
    """
    deadline = time.monotonic() + seconds
    build = file.parent / "stacks"
    capacity = capacity or _calibrate(port, build)
    plays = plan(workloads, capacity, deadline - time.monotonic())
    expected = sum(each.seconds(capacity) for each in plays)
    console.print(
        f"This machine labels up to {capacity.labelled:.0f} images a second, and is asked for {_busiest(plays):.0f} at "
        f"most. About {expected / 60:.0f} minutes.\n"
    )
    results = Results(
        measured_on=datetime.now(UTC).date(),
        tps=TPS,
        model_start_minutes=MODEL_START_MINUTES,
        model_stop_minutes=MODEL_STOP_MINUTES,
        tick_minutes=TICK_MINUTES,
        labelled_a_second=capacity.labelled,
        measurements=(),
    )
    for measured in _play_all(plays, capacity, port, build):
        results = replace(results, measurements=(*results.measurements, measured))
        write(results, file)  # what is measured is kept, whatever comes after it
    draw(results, file.parent, file.stem)
    _show(results, file)
    return results


def _calibrate(port: int, build: Path) -> Capacity:
    """How many images this machine uploads and labels in a second, with the policy it does worse."""
    with console.status("How fast is this machine?"):
        played = [
            play(CALIBRATION, policy, port, CALIBRATION_SCALE, build, watch=lambda _: None)
            for policy in CALIBRATION.policies
        ]
    return Capacity(
        labelled=min(_labelled_a_real_second(each) for each in played),
        uploaded=min(each.workload.images / each.upload_real_seconds for each in played),
    )


def _labelled_a_real_second(played: Played) -> float:
    minutes = max(played.written.values()) - min(played.written.values())
    return (played.workload.images - 1) / (minutes * 60 * played.time_scale)


def _busiest(plays: Sequence[Play]) -> float:
    """The most images a real second that the model takes."""
    return max(TPS * each.policy.units / each.time_scale for each in plays)


def _play_all(plays: Sequence[Play], capacity: Capacity, port: int, build: Path) -> Iterator[Measurement]:
    columns = (SpinnerColumn(), BarColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=sum(each.seconds(capacity) for each in plays))
        for each in plays:
            name = f"{each.workload.name}, {each.policy.name}"

            def watch(moment: Moment, name: str = name) -> None:
                waiting = moment.uploaded - moment.labelled
                told = f"{name}: minute {moment.minute:.0f}, model {moment.model}, {waiting:,} images wait"
                progress.update(bar, description=told)

            measured = measure(play(each.workload, each.policy, port, each.time_scale, build, watch))
            progress.advance(bar, each.seconds(capacity))
            progress.console.print(_line(name, measured))
            yield measured


def _line(name: str, measured: Measurement) -> str:
    return (
        f"[green]✓[/green] {name}: {measured.billed_minutes:.2f} inference-unit minutes "
        f"[dim]({measured.real_seconds:.0f} s, {1 / measured.time_scale:.1f} times real speed)[/dim]"
    )


def _show(results: Results, file: Path) -> None:
    for table in terminal_tables(results):
        console.print(table)
    for note in results.notes:
        console.print(f"[yellow]{note}[/yellow]")
    shown = file.relative_to(REPOSITORY) if file.is_relative_to(REPOSITORY) else file
    console.print(
        f"\nMinutes are simulated: the model starts in {results.model_start_minutes:g} and takes {results.tps:g} TPS a "
        "unit. GB-seconds are as long\nas this machine takes, more than on AWS. List prices: rules/prices.py; logs and "
        f"storage are left out.\nThe same as JSON: {shown}; as a chart: {shown.with_suffix('.png')}"
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SandboxError as error:
        sys.exit(f"bench: {error}")
