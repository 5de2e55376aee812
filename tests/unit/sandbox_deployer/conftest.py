"""A real emulator for the tests that deploy, started once, and a cloud to reach it by."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.deployer.cloud import Cloud
from sandbox.deployer.deployer import Deployer, Progress, silent
from sandbox.deployer.state import StateFile
from sandbox.pulumi_runtime import Program, Result, run_program

TIME_SCALE = 0.02

Deploy = Callable[[Program], Result]


@pytest.fixture(scope="session")
def endpoint_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A plain ministack with IAM enforced, on a free port of this machine only."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "LOG_LEVEL": "WARNING",
    }
    folder = tmp_path_factory.mktemp("ministack")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environment, cwd=folder, stdout=log, stderr=log
        )
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}/_ministack/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "ministack ended"
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 (a URL of our own)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("ministack did not answer")


@pytest.fixture
def cloud(endpoint_url: str) -> Cloud:
    """The emulator's account, with nothing registered by this test yet."""
    return Cloud(endpoint_url, "us-east-1", "000000000000", TIME_SCALE)


@pytest.fixture
def state(tmp_path: Path, endpoint_url: str) -> StateFile:
    """An empty state file."""
    file = StateFile(tmp_path / "state.json")
    file.start(endpoint_url, "project", "test")
    return file


@pytest.fixture
def steps() -> list[Progress]:
    """What the deployment reported."""
    return []


@pytest.fixture
def deploy(cloud: Cloud, state: StateFile, steps: list[Progress]) -> Deploy:
    """Deploy a program to the emulator."""

    def run(program: Program) -> Result:
        deployer = Deployer(cloud, {}, state, steps.append if steps is not None else silent)
        return run_program(program, project="project", stack="test", config={}, creator=deployer, timeout=60)

    return run
