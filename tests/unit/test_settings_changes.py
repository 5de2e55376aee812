"""The table of docs/stacks.md: what a changed setting changes of a live stack."""

import pytest

from docs.settings_changes import BUCKET, CHANGES, FUNCTION, HEADER, STATE_MACHINE, effect_of, row
from sandbox.deploy import REPOSITORY
from settings import Settings

DOCUMENT = (REPOSITORY / "docs" / "stacks.md").read_text(encoding="utf-8")
TABLE = DOCUMENT.partition("<!-- changes: python -m docs.settings_changes -->\n")[2].partition("<!-- /changes -->")[0]

HOLDS_WORK = ("aws:sqs/queue:Queue", "aws:dynamodb/table:Table", FUNCTION, STATE_MACHINE)


def test_every_setting_is_in_the_table() -> None:
    settings = [field.alias for field in Settings.model_fields.values()]

    assert list(CHANGES) == settings
    assert TABLE.startswith(HEADER)
    assert [line.split("`")[1] for line in TABLE.removeprefix(HEADER).splitlines()] == settings


@pytest.mark.parametrize("setting", CHANGES)
def test_a_settings_row_is_as_the_program_is(setting: str) -> None:
    (found,) = [line for line in TABLE.splitlines(keepends=True) if line.startswith(f"| `{setting}` |")]

    assert found == row(setting)


@pytest.mark.parametrize("setting", CHANGES)
def test_no_setting_replaces_what_holds_messages_records_or_a_run(setting: str) -> None:
    assert [resource.urn for resource in effect_of(setting).replaced if resource.type in HOLDS_WORK] == []


def test_another_name_makes_another_bucket_and_what_refers_to_it_follows() -> None:
    effect = effect_of("finalBucketName")

    assert "batch-final" in {resource.name for resource in effect.replaced if resource.type == BUCKET}
    assert "batch-analyze-image" in {resource.name for resource in effect.updated if resource.type == FUNCTION}
