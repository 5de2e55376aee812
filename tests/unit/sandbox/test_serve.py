"""`python -m sandbox serve` as a process: how it starts, refuses and ends."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.emulator import patching
from sandbox.errors import SandboxError
from tests.ports import free_port
from tests.unit.sandbox.support import ROOT, Sandbox, environment, wait_until

pytestmark = pytest.mark.xdist_group("sandbox")


def serve(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sandbox", "serve", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment(**variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not collected yet does not."""
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(status.stdout.strip()) and not status.stdout.strip().startswith("Z")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_and_cleanly(name: signal.Signals) -> None:
    process = serve(SANDBOX_PORT=str(free_port()))
    assert process.stdout is not None
    assert "ready" in process.stdout.readline()

    process.send_signal(name)

    assert process.wait(timeout=5) == 0


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGKILL])
def test_no_lambda_worker_outlives_it(name: signal.Signals) -> None:
    port = free_port()
    process = serve(SANDBOX_PORT=str(port))
    assert process.stdout is not None
    assert "ready" in process.stdout.readline()
    sandbox = Sandbox(f"http://127.0.0.1:{port}")
    role = sandbox.role("lambda.amazonaws.com")
    function = sandbox.function(role, "import os\ndef handler(event, context): return os.getpid()\n")
    worker = int(sandbox.client("lambda").invoke(FunctionName=function)["Payload"].read())
    assert alive(worker)

    process.send_signal(name)
    process.wait(timeout=5)

    wait_until(lambda: not alive(worker), seconds=5)


def test_a_port_in_use_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        process = serve(SANDBOX_PORT=str(port))
        _, errors = process.communicate(timeout=20)

    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert f"Port {port}" in errors


def test_a_wrong_setting_is_one_line() -> None:
    process = serve(SANDBOX_TIME_SCALE="fast")
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 1
    assert errors == (
        "sandbox: SANDBOX_TIME_SCALE is 'fast'; allowed is a number above 0 and up to 1, "
        "in real seconds for each simulated second\n"
    )


@pytest.mark.parametrize("package", ["ministack", "pydantic"])
def test_a_missing_dependency_is_one_line(package: str) -> None:
    program = (
        f"import runpy, sys; sys.modules[{package!r}] = None; sys.argv = ['sandbox', 'serve']; "
        "runpy.run_module('sandbox', run_name='__main__')"
    )
    process = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(SANDBOX_PORT=str(free_port())),
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 1
    assert process.stderr.count("\n") == 1
    assert f"{package} is not installed" in process.stderr


def test_it_ends_when_its_parent_does(tmp_path: Path) -> None:
    port = free_port()
    starter = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-m', 'sandbox', 'serve', '--until-parent-ends'],\n"
        "                     stdout=subprocess.PIPE, text=True)\n"
        "print(p.stdout.readline(), flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", starter],
        cwd=ROOT,
        env=environment(SANDBOX_PORT=str(port)),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert "ready" in parent.stdout.readline()

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    wait_until(lambda: not answers(port), seconds=5)


def test_a_function_of_ministack_that_moved_stops_the_sandbox_with_one_line() -> None:
    with pytest.raises(SandboxError, match=r"does not fit this sandbox: .*patching\.gone"):
        patching.replace(patching, "gone", "", lambda original: original)
    with pytest.raises(SandboxError, match=r"require\(module name\), expected \(module\)"):
        patching.replace(patching, "require", "module", lambda original: original)
