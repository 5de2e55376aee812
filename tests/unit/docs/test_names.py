"""What documents tell people to type, and GitHub to run, exists: make targets, commands, options, settings, files."""

import re
import shlex
from typing import Any

import pytest
import typer

from custom_labels_batch.cli.app import app
from sandbox.deploy import REPOSITORY
from settings import Settings
from tests.unit.docs.markdown import Document, documents, tracked

CURRENT = {path: found for path, found in documents().items() if path.name != "CHANGELOG.md"}
"""A changelog also names what is no more."""

for path in sorted(path for path in tracked() if path.is_relative_to(REPOSITORY / ".github")):
    text = path.read_text(encoding="utf-8")
    CURRENT[path] = Document(path, spans=re.findall(r"[\w./-]+", text), blocks=[text])

TARGETS = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
SETTINGS = {field.alias for field in Settings.model_fields.values()}
OUTPUTS = set(re.findall(r'pulumi\.export\(\s*"(\w+)"', (REPOSITORY / "__main__.py").read_text(encoding="utf-8")))

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]

FOLDERS = {path.relative_to(REPOSITORY).parts[0] for path in tracked() if path.parent != REPOSITORY}
FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)+\.(?:css|csv|html|ini|js|json|md|png|py|sql|toml|ts|txt|ya?ml)")


@pytest.fixture(params=CURRENT.values(), ids=[str(path.relative_to(REPOSITORY)) for path in CURRENT])
def document(request: pytest.FixtureRequest) -> Document:
    found: Document = request.param
    return found


def named(document: Document, pattern: str) -> set[str]:
    return {name for code in document.code for name in re.findall(pattern, code)}


def options(name: str) -> set[str]:
    """Those that a `clb` command has."""
    return {"--help", *(text for found in COMMANDS[name].params for text in (*found.opts, *found.secondary_opts))}


def calls(document: Document) -> list[list[str]]:
    """The words of every `clb ...` in a code block or span, up to the end of that command."""
    lines = [line for code in document.code for line in code.replace("\\\n", " ").splitlines()]
    found = [match for line in lines for match in re.findall(r"(?<![\w./-])(?:\.venv/bin/)?clb ([^|><&;#$()]+)", line)]
    return [words for match in found if (words := _words(match))]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # an apostrophe of a sentence
        return text.split()


def test_every_make_target_exists(document: Document) -> None:
    assert named(document, r"(?m)(?:^|\$ |&& |run: )make ([a-z]+)\b(?!=)") - TARGETS == set()


def test_every_clb_command_exists(document: Document) -> None:
    assert {words[0] for words in calls(document) if re.fullmatch(r"[a-z]+", words[0])} - set(COMMANDS) == set()


def test_every_option_of_a_clb_command_exists(document: Document) -> None:
    given = [(words[0], word.partition("=")[0]) for words in calls(document) for word in words if word.startswith("--")]
    assert [(name, option) for name, option in given if name in COMMANDS and option not in options(name)] == []


def test_every_setting_exists(document: Document) -> None:
    names = named(document, r"pulumi config set (?:--\S+ )*(?:custom-labels-batch:)?'?([a-z]\w*)\b(?!:)")
    names |= named(document, r"(?m)^\s*(?:# )?custom-labels-batch:(\w+):(?!\w)")
    shown_as_wrong = named(document, r"(\w+): there is no such setting")
    assert names - SETTINGS - shown_as_wrong == set()


def test_every_stack_output_exists(document: Document) -> None:
    assert named(document, r"pulumi stack output (\w+)") - OUTPUTS == set()


def test_every_file_named_in_a_code_span_exists(document: Document) -> None:
    names = {span for span in document.spans if FILE.fullmatch(span) and span.partition("/")[0] in FOLDERS}
    assert {name for name in names if REPOSITORY / name not in tracked()} == set()
