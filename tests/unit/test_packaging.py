"""What `pip install ".[cli]"` brings, held against what the command line imports."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

import custom_labels_batch
from sandbox.deploy import REPOSITORY

PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGE = Path(custom_labels_batch.__file__).parent


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def promised() -> set[str]:
    """Libraries that the extra brings."""
    lines = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["cli"]]
    return {canonical(re.split(r"[\[<>=~ ]", line)[0]) for line in lines}


def imports(file: Path) -> set[str]:
    """Modules that a file imports, anywhere but where only a type checker looks."""
    found: set[str] = set()
    for node in running(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = absolute(node, file)
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return found


def absolute(node: ast.ImportFrom, file: Path) -> str:
    """The module that names are imported from; what runs in Lambda imports by relative names."""
    if not node.level:
        return str(node.module)
    package = file.parents[node.level - 1].relative_to(REPOSITORY).parts
    return ".".join([*package, *([node.module] if node.module else [])])


def running(node: ast.AST) -> list[ast.AST]:
    """What is run of a module."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return []
    return [node, *(found for child in ast.iter_child_nodes(node) for found in running(child))]


def file_of(module: str) -> Path | None:
    """Where a module of the repository is."""
    place = REPOSITORY.joinpath(*module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.exists()), None)


def reached() -> tuple[set[Path], set[str]]:
    """Files of the repository that the command line can come to import, and the libraries they import."""
    waiting = [*(PACKAGE / "cli").rglob("*.py")]
    files: set[Path] = set()
    libraries: set[str] = set()
    while waiting:
        file = waiting.pop()
        if file in files:
            continue
        files.add(file)
        for module in imports(file):
            ours = file_of(module)
            if ours:
                waiting.append(ours)
            elif file_of(module.rpartition(".")[0]) is None:
                libraries.add(module.partition(".")[0])
    return files, libraries - sys.stdlib_module_names


def test_the_extra_brings_every_library_that_the_command_line_imports() -> None:
    distributions = packages_distributions()
    _, libraries = reached()
    # Whoever has boto3 has botocore; Typer, Rich and Altair bring nothing that is imported here.
    missing = {name for name in libraries - {"botocore"} if not {*map(canonical, distributions[name])} & promised()}
    assert missing == set()


def test_every_file_that_the_command_line_imports_is_packaged() -> None:
    files, _ = reached()
    assert {file for file in files if not file.is_relative_to(PACKAGE)} == set()


def test_the_command_line_and_the_components_know_nothing_of_each_other() -> None:
    for room, other in (("cli", "components"), ("components", "cli"), ("report", "components"), ("rules", "")):
        for file in (PACKAGE / room).rglob("*.py"):
            others = [
                module
                for module in imports(file)
                if module.startswith(f"{PACKAGE.name}.{other}") and not module.startswith(f"{PACKAGE.name}.rules")
            ]
            assert others == [], file


@pytest.mark.parametrize("library", ["numpy", "altair", "PIL", "jinja2", "vl_convert", "pulumi"])
def test_a_command_that_does_not_need_it_does_not_wait_for(library: str) -> None:
    found = f"import sys, custom_labels_batch.cli.app; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", found], cwd=REPOSITORY, check=False).returncode == 0


def test_make_leaves_the_command_where_the_documents_say() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    setup = makefile.partition("\n$(READY):")[2]
    assert "pip install" in setup
    assert "--editable ." in setup
    assert PROJECT["project"]["scripts"] == {"clb": "custom_labels_batch.__main__:main"}


def test_the_package_shows_its_components_before_they_are_imported() -> None:
    shown = "import custom_labels_batch as package, sys; print(*dir(package), *({'pulumi'} & {*sys.modules}))"
    ran = subprocess.run([sys.executable, "-c", shown], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert {*custom_labels_batch.__all__} <= {*ran.stdout.split()}
    assert "pulumi" not in ran.stdout.split()
