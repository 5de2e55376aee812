"""What the documents say, held against the code."""

import re
from pathlib import Path

import pytest

from docs import faults_table
from docs.settings_table import table
from sandbox.deploy import REPOSITORY

FOLDERS = (REPOSITORY / "docs", REPOSITORY / "examples")
DOCUMENTS = [
    REPOSITORY / "README.md",
    REPOSITORY / "CHANGELOG.md",
    *(document for folder in FOLDERS for document in sorted(folder.glob("*.md"))),
]


def links(document: Path) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_lists_every_setting_as_it_is() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- settings: python -m docs.settings_table -->\n")
    assert rest.partition("<!-- /settings -->")[0] == table()


def test_the_fault_cases_are_listed_as_they_are() -> None:
    text = (REPOSITORY / "docs" / "faults.md").read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- cases: python -m docs.faults_table -->\n")
    assert rest.partition("<!-- /cases -->")[0] == faults_table.table()


def test_the_readme_names_every_stack_output() -> None:
    program = (REPOSITORY / "__main__.py").read_text(encoding="utf-8")
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    outputs = re.findall(r'pulumi\.export\("(\w+)"', program)
    assert outputs
    assert [output for output in outputs if f"`{output}`" not in readme] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_links_within_the_repository_lead_somewhere(document: Path) -> None:
    for link in links(document):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_make_help_names_every_verb_the_readme_uses() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for verb in re.findall(r"make (\w+)", (REPOSITORY / "README.md").read_text(encoding="utf-8")):
        assert f"\n{verb}:" in makefile
