"""How much memory each part of the sandbox takes: peaks that Linux keeps for every process, read while it lives."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_PROC = Path("/proc")
_LOOK_SECONDS = 0.5

MEBIBYTE = 1024


@dataclass(frozen=True)
class Peak:
    """The most memory one process had at once, in MiB, and what it is a process of."""

    part: str
    mebibytes: float


class MemoryWatch:
    """Watches a process and all it starts, from entry to exit: one peak for each process that ever lived.

    A process is called by the function package in its working directory, where the emulator unpacks a function's code,
    and otherwise as the caller says. Linux only: VmHWM of proc(5), the largest resident set so far.
    """

    def __init__(self, root: int, root_name: str) -> None:
        self._root, self._root_name = root, root_name
        self._peaks: dict[int, Peak] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    @property
    def peaks(self) -> list[Peak]:
        return list(self._peaks.values())

    def _watch(self) -> None:
        while not self._done.wait(_LOOK_SECONDS):
            for process in (self._root, *descendants(self._root)):
                self._look(process)

    def _look(self, process: int) -> None:
        try:
            peak = peak_mebibytes(process)
            part = self._root_name if process == self._root else _function_of(process)
        except (OSError, ValueError):  # it has ended meanwhile
            return
        if part:
            self._peaks[process] = Peak(part, peak)


def peak_mebibytes(process: int) -> float:
    """The largest resident set of a process so far.

    Raises
    ------
    OSError, ValueError
        There is no such process, or it has ended.
    """
    for line in (_PROC / str(process) / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / MEBIBYTE
    raise ValueError(f"process {process} has no memory")


def descendants(root: int) -> Iterable[int]:
    """Processes that a process has started, and that these have."""
    try:
        children = [
            int(child)
            for task in (_PROC / str(root) / "task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return
    for child in children:
        yield child
        yield from descendants(child)


def _function_of(process: int) -> str:
    """The package of the function a process runs; empty for any other process."""
    folder = _PROC / str(process) / "cwd" / "functions"
    packages = [path.name for path in folder.iterdir() if path.is_dir() and path.name not in ("shared", "__pycache__")]
    return packages[0].replace("_", "-") if len(packages) == 1 else ""
