"""What the documents say, held against the code."""

import re
from types import ModuleType

import pytest

from docs import analytics_tables, faults_table, settings_table
from sandbox.deploy import REPOSITORY
from settings import Settings


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
