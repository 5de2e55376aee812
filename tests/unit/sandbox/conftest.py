"""One sandbox for all of these tests, started as a person starts it, on a free port."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.ports import free_port
from tests.unit.sandbox.support import ROOT, TIME_SCALE, VERSION_ARN, Sandbox, environment, wait_until


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    port = free_port()
    variables = environment(
        SANDBOX_PORT=str(port),
        SANDBOX_TIME_SCALE=str(TIME_SCALE),
        SANDBOX_MODEL_START_MINUTES="0.2",
        SANDBOX_MODEL_STOP_MINUTES="0.2",
    )
    command = [sys.executable, "-m", "sandbox", "serve", "--until-parent-ends"]
    process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "ready" in process.stdout.readline()
    yield Sandbox(f"http://127.0.0.1:{port}")
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
def stopped_model(sandbox: Sandbox) -> Iterator[None]:
    """The model can be started before the test, and is stopped after it."""
    rekognition = sandbox.client("rekognition")

    def settle() -> None:
        sandbox.faults()
        wait_until(lambda: sandbox.model_status() not in {"STARTING", "STOPPING"})
        if sandbox.model_status() == "RUNNING":
            rekognition.stop_project_version(ProjectVersionArn=VERSION_ARN)
            wait_until(lambda: sandbox.model_status() == "STOPPED")

    settle()
    yield
    settle()


@pytest.fixture
def running_model(sandbox: Sandbox, stopped_model: None) -> None:
    sandbox.client("rekognition").start_project_version(ProjectVersionArn=VERSION_ARN, MinInferenceUnits=1)
    wait_until(lambda: sandbox.model_status() == "RUNNING")
