"""What a changed setting changes of a live stack, which docs/stacks.md shows."""

import pytest

from docs.settings_changes import BUCKET, CHANGES, FUNCTION, STATE_MACHINE, effect_of
from settings import Settings

# With the table in the document (test_documents.py), which needs the same graphs.
pytestmark = pytest.mark.xdist_group("settings changes")

HOLDS_WORK = ("aws:sqs/queue:Queue", "aws:dynamodb/table:Table", FUNCTION, STATE_MACHINE)


def test_every_setting_is_changed() -> None:
    assert list(CHANGES) == [field.alias for field in Settings.model_fields.values()]


@pytest.mark.parametrize("setting", CHANGES)
def test_no_setting_replaces_what_holds_messages_records_or_a_run(setting: str) -> None:
    assert [resource.urn for resource in effect_of(setting).replaced if resource.type in HOLDS_WORK] == []


def test_another_name_makes_another_bucket_and_what_refers_to_it_follows() -> None:
    effect = effect_of("finalBucketName")

    assert "batch-final" in {resource.name for resource in effect.replaced if resource.type == BUCKET}
    assert "batch-analyze-image" in {resource.name for resource in effect.updated if resource.type == FUNCTION}
