"""What the documents say, held against the code."""

import re

from docs import faults_table
from docs.settings_table import table
from sandbox.deploy import REPOSITORY


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
