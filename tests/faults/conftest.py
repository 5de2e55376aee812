"""One emulator and one stack for all fault cases; each begins on a clean one, and a few have one of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox.deploy import REPOSITORY, deploy
from sandbox.deployer.cloud import Cloud
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings
from tests.e2e.conftest import NEVER
from tests.faults.pipeline import Pipeline
from tests.faults.results import TABLE_FILE, measured, results_table
from tests.ports import free_port

_TPS = 100
_CONFIG = {
    "schedule": NEVER,
    "tpsPerInferenceUnit": str(_TPS),
    "labelsOfInterest": "brick",
    "notificationEmails": "quality@example.com",
}

Made = Callable[..., Pipeline]


@pytest.fixture(scope="session")
def make_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Make an emulator of one's own with a stack in it, by the given settings of the stack.

    Time is not scaled, since it is skipped: what is hidden, waits or retries does so for exactly as long as on AWS.
    """
    with ExitStack() as cleanup:

        def make(**config: str) -> Pipeline:
            build: Path = tmp_path_factory.mktemp("faults")
            settings = SandboxSettings(
                port=free_port(), time_scale=1, model_start_minutes=1, model_stop_minutes=0.5, tps_per_unit=_TPS
            )
            server = cleanup.enter_context(ServerProcess(settings, build))
            cloud = Cloud.of(settings)
            made = Pipeline(server, cloud, {}, settings)

            def update(program: Path = REPOSITORY, **changed: str) -> None:
                made.outputs = deploy(program, "faults", {**_CONFIG, **config, **changed}, settings, build=build)

            made.update = update
            with made.skipping():
                made.update()
            return made

        yield make


@pytest.fixture(scope="session")
def _shared_pipeline(make_pipeline: Made) -> Pipeline:
    return make_pipeline()


@pytest.fixture
def pipeline(_shared_pipeline: Pipeline, request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    """The shared stack, as clean as new."""
    yield from _used(_shared_pipeline, request)


@pytest.fixture
def own_pipeline(make_pipeline: Made, request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    """A stack for a case that changes it for good."""
    yield from _used(make_pipeline(), request)


def _used(pipeline: Pipeline, request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    pipeline.begin()
    yield pipeline
    request.node.user_properties += measured(pipeline).items()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave all but a few cases to `make faults`."""
    for item in items:
        if item.get_closest_marker("fault") and not item.get_closest_marker("always"):
            item.add_marker("faults")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of the cases that ran, and keep it."""
    # What passed in setup and teardown is of no kind; the teardown has what was measured.
    reports = [report for kind in ("", "passed", "failed") for report in terminalreporter.getreports(kind)]
    table = results_table(reports)
    if table:
        TABLE_FILE.parent.mkdir(parents=True, exist_ok=True)
        TABLE_FILE.write_text(table, encoding="utf-8")
        terminalreporter.section("Fault cases")
        terminalreporter.write(table)
        terminalreporter.write_line(f"Written to {TABLE_FILE.relative_to(REPOSITORY)}.")
