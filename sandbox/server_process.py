"""The emulated AWS as a child process: started, waited for, watched, and never left behind."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.errors import SandboxError
from sandbox.settings import SandboxSettings

READY_SECONDS = 60.0
"""Real seconds the emulator may take to train its model and listen."""

_STOP_SECONDS = 5.0


class ServerProcess:
    """`python -m sandbox serve` as a context manager.

    Example
    -------
    >>> with ServerProcess(SandboxSettings.from_environment(), Path("build/sandbox")) as server:
    ...     server.check()
    """

    module = "sandbox"
    """What is run; a test may add a service to the sandbox."""

    def __init__(self, settings: SandboxSettings, build: Path) -> None:
        """Serve as the settings say; what the emulator prints goes to `serve.log` in `build`."""
        self._settings = settings
        self.log = build / "serve.log"

    def __enter__(self) -> Self:
        """Start, and wait until it listens.

        Raises
        ------
        SandboxError
            The emulator ended at once (its own one line, such as a port in use), or does not listen in time.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a module of this repository
                [sys.executable, "-m", self.module, "serve", "--until-parent-ends"],
                cwd=Path(__file__).resolve().parent.parent,
                env={**os.environ, **self._settings.environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the parent, which stops this process in its own time.
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop it."""
        self._stop()

    @property
    def pid(self) -> int:
        """The emulator's process; the functions run in processes that it starts."""
        return self._process.pid

    def check(self, within_seconds: float = 0) -> None:
        """Raise a SandboxError if the emulator is gone, or ends within some real seconds."""
        try:
            code = self._process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            return
        raise SandboxError(f"The emulator ended with exit code {code}: {self._last_line()}")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise SandboxError(self._last_line().removeprefix("sandbox: "))
            if json.dumps({"ready": self._settings.endpoint_url}) in self._output():
                return
            time.sleep(0.05)
        raise SandboxError(f"The emulator does not listen after {READY_SECONDS:.0f} seconds; see {self.log}")

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def _last_line(self) -> str:
        lines = [line for line in self._output().splitlines() if line.strip()]
        return lines[-1] if lines else f"it printed nothing; see {self.log}"
