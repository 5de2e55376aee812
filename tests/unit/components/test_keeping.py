"""What becomes of a bucket when the stack is destroyed: it goes, stays as private as it is, or is protected."""

import pytest

from sandbox.deployer.model import Registration
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import BUCKET, PROJECT_ARN, record_component, record_stack

SETTINGS_OF_A_BUCKET = 6
"""Public access block, versioning, ownership, encryption, lifecycle, policy."""


def of_buckets(graph: Result) -> list[Registration]:
    """Every bucket and what makes it private; not the notification, which is the source's way to the queue."""
    kinds = ("aws:s3/bucketNotification:BucketNotification",)
    return [r for r in graph.resources if r.type.startswith("aws:s3/") and r.type not in kinds]


def others(graph: Result) -> list[Registration]:
    kept = {resource.urn for resource in of_buckets(graph)}
    return [resource for resource in graph.resources if resource.urn not in kept]


def test_a_bucket_stays_with_all_that_makes_it_private_unless_it_is_to_go() -> None:
    for graph in (record_stack(), record_stack(dataBuckets="retain")):
        assert len(of_buckets(graph)) == 3 * (1 + SETTINGS_OF_A_BUCKET)
        assert {(r.options.retain_on_delete, r.options.protect) for r in of_buckets(graph)} == {(True, False)}
        assert not any(r.options.retain_on_delete for r in others(graph))


def test_a_protected_bucket_is_protected_with_all_that_makes_it_private() -> None:
    graph = record_stack(dataBuckets="protect")

    assert {(r.options.retain_on_delete, r.options.protect) for r in of_buckets(graph)} == {(True, True)}
    assert not any(r.options.protect for r in others(graph))


@pytest.mark.parametrize("config", [{"dataBuckets": "delete"}, {"forceDestroy": "true"}])
def test_a_bucket_goes_where_that_is_chosen(config: dict[str, str]) -> None:
    graph = record_stack(**config)

    assert {(r.options.retain_on_delete, r.options.protect) for r in of_buckets(graph)} == {(False, False)}


def test_what_makes_a_bucket_private_goes_with_it_and_never_before_it() -> None:
    """A bucket that cannot be deleted, since it holds objects, would else be left without its policy."""
    graph = record_stack(dataBuckets="delete")
    buckets = {bucket.properties["bucket"]: bucket.urn for bucket in graph.of_type(BUCKET)}

    for resource in of_buckets(graph):
        expected = "" if resource.type == BUCKET else buckets[resource.properties["bucket"]]
        assert resource.options.deleted_with == expected


@pytest.mark.parametrize("kept", ["retain", "protect"])
def test_to_keep_buckets_and_to_delete_them_with_what_they_hold_contradict_each_other(kept: str) -> None:
    with pytest.raises(SandboxError, match=rf"forceDestroy: .* and dataBuckets is {kept}, which keeps them; leave one"):
        record_stack(dataBuckets=kept, forceDestroy="true")
    with pytest.raises(SandboxError, match=rf"data_buckets is '{kept}', which keeps .* and force_destroy is true"):
        record_component(data_buckets=kept, force_destroy=True)


def test_an_unknown_choice_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(SandboxError, match="data_buckets is 'keep'; allowed is one of delete, retain, protect"):
        record_component(data_buckets="keep")


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ({}, ["sourceBucketName", "finalBucketName", "analyticsBucketName"]),
        ({"dataBuckets": "protect"}, ["sourceBucketName", "finalBucketName", "analyticsBucketName"]),
        ({"dataBuckets": "delete"}, []),
        ({"forceDestroy": "true"}, []),
        ({"dataBuckets": "delete", "existingSourceBucketName": "acme-photographs"}, ["sourceBucketName"]),
    ],
)
def test_an_output_says_what_destroy_keeps(config: dict[str, str], kept: list[str]) -> None:
    graph = record_stack(**config)

    buckets = [f"s3://{graph.outputs[name]}" for name in kept]
    assert graph.outputs["keptOnDestroy"] == [*buckets, PROJECT_ARN]
