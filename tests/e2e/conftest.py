"""A sandbox for the tests: an emulator of their own on a free port, with stacks side by side in it."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from sandbox.deploy import REPOSITORY, deploy
from sandbox.deployer.changes import Step
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.deployer import Progress
from sandbox.deployer.state import StateFile
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings
from tests.e2e.deployed_stack import Stack
from tests.ports import free_port


@pytest.fixture(scope="module")
def settings() -> SandboxSettings:
    return SandboxSettings(port=free_port(), time_scale=1 / 60, model_start_minutes=2, model_stop_minutes=0.5)


@pytest.fixture(scope="module")
def server(settings: SandboxSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(settings, tmp_path_factory.mktemp("serve")) as running:
        yield running


Deploy = Callable[..., Stack]
_numbers = count()

NEVER = "cron(0 0 1 1 ? 2099)"
"""A schedule that leaves starting runs to the test: the sandbox's schedules follow simulated time."""


@pytest.fixture
def deploy_stack(server: ServerProcess, settings: SandboxSettings, tmp_path: Path) -> Deploy:
    """Deploy the repository's program with the given settings; stacks live side by side, by names of their own."""

    def deployed(**config: str) -> Stack:
        outputs = deploy(REPOSITORY, f"e2e-{next(_numbers)}", {"schedule": NEVER, **config}, settings, build=tmp_path)
        cloud = Cloud.of(settings)
        return Stack(server, cloud, outputs, settings)

    return deployed


@pytest.fixture
def stack(deploy_stack: Deploy) -> Stack:
    return deploy_stack()


Update = Callable[..., dict[str, Step]]


@pytest.fixture
def update_stack(settings: SandboxSettings, tmp_path: Path) -> Update:
    """Deploy the test's stack again with other settings; answers what changed, by `Type name`."""

    def update(**config: str) -> dict[str, Step]:
        steps: dict[str, Step] = {}

        def note(progress: Progress) -> None:
            if progress.step not in (None, Step.UNCHANGED):
                steps[f"{progress.type.rpartition(':')[2]} {progress.name}"] = progress.step

        name = StateFile(tmp_path / "state.json").read()["stack"]
        deploy(REPOSITORY, name, {"schedule": NEVER, **config}, settings, note, build=tmp_path)
        return steps

    return update
