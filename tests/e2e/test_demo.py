"""`make demo` and `make sandbox` as a user meets them: what they print, leave, and say when something is wrong."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.demo_report import MAILS, REPORT_FILE, SUMMARY_FILE
from sandbox.deploy import OUTPUTS_FILE, REPOSITORY
from tests.ports import free_port

pytestmark = pytest.mark.xdist_group("demo")

FAST = {"SANDBOX_TIME_SCALE": "0.0167", "SANDBOX_MODEL_START_MINUTES": "1"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's files in a place of their own: what a demo left in `build/` is not written over."""
    copy = tmp_path_factory.mktemp("clone") / "app"
    return shutil.copytree(REPOSITORY, copy, ignore=shutil.ignore_patterns(".*", "build", "__pycache__"))


def left(app: Path, file: Path) -> Path:
    """Where a copy leaves what the repository leaves at a place."""
    return app / file.relative_to(REPOSITORY)


def command(verb: str) -> list[str]:
    return [sys.executable, "-m", "sandbox", *verb.split()]


def environment(port: int, **more: str) -> dict[str, str]:
    return {**os.environ, **FAST, "SANDBOX_PORT": str(port), **more}


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def started(app: Path, verb: str, port: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command(verb),
        cwd=app,
        env=environment(port),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """The lines a command prints up to one that holds a text."""
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if text in line:
            return printed
    raise AssertionError(f"{text!r} was never printed, but: {printed}")


def eventually_silent(port: int) -> bool:
    deadline = time.monotonic() + 10
    while answers(port) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not answers(port)


class TestTheDemo:
    def test_accounts_for_every_image_and_leaves_nothing_running(self, app: Path) -> None:
        port = free_port()

        demo = subprocess.run(command("demo"), cwd=app, env=environment(port), capture_output=True, text=True)

        assert demo.returncode == 0, demo.stdout + demo.stderr
        summary = json.loads(left(app, SUMMARY_FILE).read_text(encoding="utf-8"))
        assert (summary["images_uploaded"], summary["images_processed"], summary["images_rejected"]) == (72, 67, 5)
        assert (summary["images_lost"], summary["execution_status"], summary["model_status"]) == (
            *(0, "SUCCEEDED", "STOPPED"),
        )
        assert summary["accuracy"] > 0.9
        assert summary["billed_inference_unit_minutes"] > summary["inference_unit_minutes_of_work"]
        assert (summary["images_recorded"], summary["saved_queries_answered"]) == (72, 5)
        for told in ("🧱 wall.jpg", "the file is empty", "32 x 32 pixels", "72 uploaded: 67 labelled, 5 rejected"):
            assert told in demo.stdout
        for told in ("To quality@example.com", "Labels by count", "Low confidence to review", "report.html"):
            assert told in demo.stdout
        assert len(list(left(app, MAILS).glob("*.txt"))) == summary["mails"] > 0
        report = left(app, REPORT_FILE).read_text(encoding="utf-8")
        for shown in ("emoji/🧱 wall.jpg", "broken/empty.jpg", "quality@example.com"):
            assert json.dumps(shown)[1:-1] in report or shown in report
        assert eventually_silent(port)

    def test_says_in_one_line_that_its_port_is_in_use(self, app: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]

            demo = subprocess.run(command("demo"), cwd=app, env=environment(port), capture_output=True, text=True)

        assert demo.returncode == 1
        assert demo.stderr.strip().count("\n") == 0
        assert f"Port {port}" in demo.stderr
        assert "SANDBOX_PORT" in demo.stderr

    def test_says_in_one_line_which_setting_is_wrong(self, app: Path) -> None:
        wrong = environment(free_port(), SANDBOX_TIME_SCALE="fast")

        demo = subprocess.run(command("demo"), cwd=app, env=wrong, capture_output=True, text=True)

        assert demo.returncode == 1
        assert demo.stderr.strip().count("\n") == 0
        assert "SANDBOX_TIME_SCALE is 'fast'" in demo.stderr

    def test_says_in_one_line_that_the_emulator_died_and_ends(self, app: Path) -> None:
        port = free_port()
        with started(app, "demo", port) as demo:
            read_until(demo, "Started the workflow")
            children = subprocess.run(["pgrep", "-P", str(demo.pid)], capture_output=True, text=True).stdout.split()
            for child in children:
                os.kill(int(child), signal.SIGKILL)

            _, errors = demo.communicate(timeout=30)

        assert demo.returncode == 1
        assert errors.strip().count("\n") == 0
        assert "emulator" in errors
        assert eventually_silent(port)


class TestTheSandbox:
    def test_stays_up_until_ctrl_c_and_says_how_to_use_it(self, app: Path) -> None:
        port = free_port()
        with started(app, "up", port) as sandbox:
            printed = read_until(sandbox, "s3.upload_file")
            outputs = json.loads(left(app, OUTPUTS_FILE).read_text(encoding="utf-8"))
            with urllib.request.urlopen(f"{outputs['endpointUrl']}/_sandbox/model", timeout=10) as ledger:  # noqa: S310
                assert json.load(ledger)["billedInferenceUnitMinutes"] == 0

            sandbox.send_signal(signal.SIGINT)
            sandbox.communicate(timeout=20)

        assert sandbox.returncode == 0
        assert f"AWS_ENDPOINT_URL={outputs['endpointUrl']}" in printed
        assert outputs["stateMachineArn"] in printed
        assert eventually_silent(port)

    def test_keeps_another_program_up_and_says_how_to_use_that(self, app: Path) -> None:
        port = free_port()
        with started(app, "up examples/minimal", port) as sandbox:
            printed = read_until(sandbox, "AWS_SECRET_ACCESS_KEY")
            outputs = json.loads(left(app, OUTPUTS_FILE).read_text(encoding="utf-8"))

            sandbox.send_signal(signal.SIGINT)
            sandbox.communicate(timeout=20)

        assert sandbox.returncode == 0
        assert "sourceBucketName" in outputs
        assert "athenaTable" not in outputs
        assert "clb run --wait" in printed
        assert "python -m sandbox deploy examples/minimal" in printed

    def test_leaves_nothing_running_when_it_is_killed(self, app: Path) -> None:
        port = free_port()
        with started(app, "up", port) as sandbox:
            read_until(sandbox, "s3.upload_file")

            sandbox.kill()

        assert eventually_silent(port)
