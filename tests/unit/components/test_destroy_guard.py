"""What is deleted first, and may refuse."""

from custom_labels_batch.components.destroy_guard import TIMEOUT_SECONDS
from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import FUNCTION, TABLE, allowed, cloud_resources

INVOCATION = "aws:lambda/invocation:Invocation"


def test_nothing_is_destroyed_before_the_guard_has_agreed(scheduled: Result) -> None:
    """Pulumi deletes what depends on others before those."""
    invocation = scheduled.named("destroy-guard", INVOCATION)
    after = scheduled.created_before(invocation)

    assert [r.label for r in cloud_resources(scheduled) if r.urn not in {*after, invocation.urn}] == []


def test_the_guard_is_asked_when_it_is_deleted(scheduled: Result) -> None:
    invocation = scheduled.named("destroy-guard", INVOCATION).properties
    function = scheduled.named("destroy-guard-refuse-destroy", FUNCTION).properties

    assert (invocation["lifecycleScope"], invocation["functionName"]) == ("CRUD", function["name"])
    assert function["timeout"] == TIMEOUT_SECONDS


def test_the_guard_reads_the_lock_and_may_do_nothing_else(scheduled: Result) -> None:
    (table,) = scheduled.of_type(TABLE)
    may = allowed(scheduled, "destroy-guard-refuse-destroy")

    assert set(may) == {"dynamodb:GetItem", "logs:CreateLogStream", "logs:PutLogEvents"}
    assert may["dynamodb:GetItem"] == {f"arn:aws:dynamodb:us-east-1:123456789012:table/{table.properties['name']}"}


def test_a_model_that_people_keep_running_needs_no_guard(on_upload: Result) -> None:
    assert on_upload.of_type(INVOCATION) == []
