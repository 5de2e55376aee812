"""The load's own judgement: what it calls a problem, and how it reads memory."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.load import EMULATOR, FUNCTIONS, MOST_GROWTH_MEBIBYTES, SELF, UPLOADER, Load, growth, table
from benchmarks.memory import MemoryWatch, descendants, peak_mebibytes

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak")

PARTS = (*FUNCTIONS, UPLOADER, EMULATOR, SELF)
WELL = Load(
    images=1000,
    image_bytes=5_000_000,
    upload_seconds=10,
    label_seconds=40,
    run_seconds=50,
    listen_seconds=1,
    runs=1,
    peaks=dict.fromkeys(PARTS, 70.0),
    processes=dict.fromkeys(PARTS, 1),
    invocations=dict.fromkeys(FUNCTIONS, 100),
    labelled=1000,
    left=0,
    dead_letters=0,
    lost=0,
    rows=1000,
    announced=1003,
    model="STOPPED",
)
HOLDING_64_MEBIBYTES = "import sys, time; held = bytearray(64 * 2**20); print(flush=True); time.sleep(60)"


@pytest.fixture
def parent(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that started another, in a folder that holds a function's code as the emulator unpacks it."""
    for package in ("shared", "notify_labels"):
        (tmp_path / "functions" / package).mkdir(parents=True)
    run = f"subprocess.run([sys.executable, '-c', {HOLDING_64_MEBIBYTES!r}], cwd={str(tmp_path)!r})"
    start = f"import subprocess, sys; {run}"
    process = subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    children = list(descendants(process.pid))
    yield process
    for each in children:
        subprocess.run(["kill", str(each)], check=True)
    process.wait()
    process.stdout.close()


def test_nothing_is_wrong_where_all_went_well() -> None:
    assert WELL.problems == []
    assert growth(replace(WELL, images=100), WELL) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"labelled": 999}, "999 images are in the final bucket"),
        ({"lost": 1}, "1 images are lost"),
        ({"left": 2}, "2 images are left in the source bucket"),
        ({"dead_letters": 3}, "3 messages are in dead-letter queues"),
        ({"rows": 1001}, "1,001 images have rows"),
        ({"announced": 999}, "999 images were announced"),
        ({"model": "RUNNING"}, "the model is RUNNING"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, object], problem: str) -> None:
    assert replace(WELL, **change).problems == [f"of 1,000 images: {problem}"]  # type: ignore[arg-type]


@pytest.mark.parametrize("part", [*FUNCTIONS, UPLOADER])
def test_a_part_of_ours_that_grows_is_said(part: str) -> None:
    more = {**WELL.peaks, part: 70 + MOST_GROWTH_MEBIBYTES + 1}

    assert growth(replace(WELL, images=100), replace(WELL, peaks=more)) == [
        f"{part} took 70 MiB for 100 images, 119 for 1,000"
    ]


def test_the_emulator_may_grow_for_it_holds_every_object() -> None:
    assert growth(WELL, replace(WELL, peaks={**WELL.peaks, EMULATOR: 9000})) == []


def test_every_part_has_a_line() -> None:
    lines = list(table([WELL]).columns[0].cells)

    assert [f"{part}: peak MiB" for part in PARTS] == lines[-len(PARTS) :]


def test_memory_is_watched_of_what_a_process_starts(parent: "subprocess.Popen[bytes]") -> None:
    with MemoryWatch(parent.pid, "parent") as memory:
        deadline = time.monotonic() + 30
        while len(memory.peaks) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)

    peaks = {peak.part: peak.mebibytes for peak in memory.peaks}
    assert set(peaks) == {"parent", "notify-labels"}
    assert peaks["notify-labels"] > 64 > peaks["parent"]


def test_a_process_that_has_ended_has_no_memory() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    with pytest.raises(OSError, match="No such file"):
        peak_mebibytes(process.pid)
