"""The wheel that a stranger installs: what is in it, and a program that has nothing else of this repository."""

import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from sandbox.deploy import REPOSITORY
from sandbox.deployer.cloud import Cloud
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings
from tests.e2e.test_examples import EXAMPLES, Example

pytestmark = pytest.mark.xdist_group("wheel")

PACKAGE = REPOSITORY / "custom_labels_batch"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))

BUILD = """
import sys
from flit_core import buildapi
buildapi.build_wheel(sys.argv[1])
buildapi.build_sdist(sys.argv[1])
"""
WHERE = """
import sys
import custom_labels_batch
from custom_labels_batch.components.function import source_archive
pulumi.export("package", custom_labels_batch.__file__)
pulumi.export("sources", [asset.path for asset in source_archive("analyze_image").assets.values()])
pulumi.export("path", sys.path)
"""


def new_environment(folder: Path) -> Path:
    venv.create(folder, symlinks=True)
    return folder / "bin" / "python"


def pip(python: Path, *arguments: str) -> None:
    """Install with the tests' own pip, since making an environment with pip takes seconds."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "install", "-q"]
    subprocess.run([*command, *arguments], check=True)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as a clone has it."""
    copy = tmp_path_factory.mktemp("copy") / "repository"
    left_out = shutil.ignore_patterns(".*", "build", "venv", "node_modules", "__pycache__", "*.egg-info")
    return Path(shutil.copytree(REPOSITORY, copy, ignore=left_out))


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with what builds the package."""
    python = new_environment(tmp_path_factory.mktemp("builder"))
    pip(python, *PROJECT["build-system"]["requires"])
    return python


def build(builder: Path, copy: Path, out: Path) -> Path:
    """Wheel and sdist, in a folder."""
    subprocess.run([builder, "-c", BUILD, str(out)], cwd=copy, check=True, stdout=subprocess.DEVNULL)
    return out


@pytest.fixture(scope="module")
def built(builder: Path, copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both."""
    return build(builder, copy, tmp_path_factory.mktemp("dist"))


def in_the_wheel(built: Path) -> set[str]:
    (wheel,) = built.glob("*.whl")
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_the_wheel_has_the_whole_package_and_nothing_else(built: Path) -> None:
    there = {file for file in PACKAGE.rglob("*") if file.is_file() and "__pycache__" not in file.parts}

    assert in_the_wheel(built) == {file.relative_to(REPOSITORY).as_posix() for file in there}


def test_a_file_that_is_removed_is_not_in_the_next_wheel(
    builder: Path, copy: Path, built: Path, tmp_path: Path
) -> None:
    """It would else be deployed on: whole folders become functions, workflows and saved queries."""
    removed = copy / "custom_labels_batch" / "queries" / "removed.sql"
    removed.write_text("SELECT 1")
    assert "custom_labels_batch/queries/removed.sql" in in_the_wheel(build(builder, copy, tmp_path))
    removed.unlink()
    assert in_the_wheel(build(builder, copy, tmp_path)) == in_the_wheel(built)


def test_the_sdist_has_what_the_wheel_is_built_from(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {*in_the_wheel(built), "pyproject.toml", "README.md", "LICENSE"} <= names
    assert [name for name in names if name.startswith(("tests", "sandbox", "Pulumi", "__main__"))] == []


@pytest.fixture
def python(built: Path, tmp_path: Path) -> Path:
    """A new environment with the wheel; its requirements are the tests' own, which are on no list of a registry."""
    python = new_environment(tmp_path / "venv")
    (wheel,) = built.glob("*.whl")
    pip(python, "--no-deps", str(wheel))
    # A path is added and no .pth file in it is read: what make installs as editable stays out.
    libraries = Path(pytest.__file__).parents[1]
    (site_packages,) = (tmp_path / "venv").glob("lib/*/site-packages")
    (site_packages / "libraries.pth").write_text(f"{libraries}\n")
    return python


def test_a_program_outside_the_repository_is_deployed_and_labels_an_image(
    python: Path, server: ServerProcess, settings: SandboxSettings, tmp_path: Path
) -> None:
    program = shutil.copytree(EXAMPLES / "minimal", tmp_path / "program")
    with (program / "__main__.py").open("a") as main:
        main.write(WHERE)
    # Of the repository the deployer is needed, and nothing else.
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "sandbox").symlink_to(REPOSITORY / "sandbox")

    subprocess.run(
        [python, "-m", "sandbox", "deploy", "program", "--build", "build"],
        cwd=tmp_path,
        env={**settings.environment(), "PYTHONPATH": str(tmp_path / "only"), "PATH": ""},
        check=True,
    )

    outputs = json.loads((tmp_path / "build" / "outputs.json").read_text())
    installed = python.parents[1]
    assert Path(outputs["package"]).is_relative_to(installed)
    assert len(outputs["sources"]) > 10
    assert [source for source in outputs["sources"] if not Path(source).is_relative_to(installed)] == []
    assert [entry for entry in outputs["path"] if Path(entry) == REPOSITORY] == []
    cloud = Cloud(settings.endpoint_url, settings.region, settings.account_id, settings.time_scale)
    example = Example(server, cloud, outputs, settings)
    example.put("first.jpg", "brick")
    example.run_until_labelled("first.jpg", "brick")


def test_the_command_line_without_its_extra_says_what_brings_it(built: Path, tmp_path: Path) -> None:
    python = new_environment(tmp_path / "venv")
    (wheel,) = built.glob("*.whl")
    pip(python, "--no-deps", str(wheel))

    ran = subprocess.run([python.parent / "clb", "status"], cwd=tmp_path, capture_output=True, text=True)

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "clb needs typer; pip install 'custom-labels-batch[cli]' brings it\n"
