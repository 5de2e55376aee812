"""What the documents say, held against the code."""

import re
from pathlib import Path
from types import ModuleType

import pytest

from docs import analytics_tables, faults_table, settings_table
from sandbox.deploy import REPOSITORY
from settings import Settings

DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def links(document: Path) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("tables", [settings_table, analytics_tables], ids=lambda tables: tables.__name__)
def test_the_tables_are_as_the_code_is(tables: ModuleType) -> None:
    text = tables.DOCUMENT.read_text(encoding="utf-8")
    assert text == tables.renewed(text), f"python -m {tables.__name__} writes them anew"


def test_every_setting_is_in_one_group() -> None:
    assert sorted(name for names in settings_table.GROUPS.values() for name in names) == sorted(Settings.model_fields)


def test_the_fault_cases_are_listed_as_they_are() -> None:
    text = (REPOSITORY / "docs" / "faults.md").read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- cases: python -m docs.faults_table -->\n")
    assert rest.partition("<!-- /cases -->")[0] == faults_table.table()


def test_every_stack_output_is_documented() -> None:
    program = (REPOSITORY / "__main__.py").read_text(encoding="utf-8")
    document = (REPOSITORY / "docs" / "deploy.md").read_text(encoding="utf-8")
    outputs = re.findall(r'pulumi\.export\("(\w+)"', program)
    assert outputs
    assert [output for output in outputs if f"`{output}`" not in document] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
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
