"""Buckets: private, encrypted, versioned, TLS only, and without endless old versions."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from sandbox.deployer.model import Registration
from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import BUCKET, NOTIFICATION, precedes, record_stack


def of_bucket(graph: Result, kind: str, bucket: Registration) -> Registration:
    type_ = f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}"
    (found,) = (r for r in graph.of_type(type_) if r.properties["bucket"] == bucket.properties["bucket"])
    return found


def test_there_is_a_source_a_final_and_an_analytics_bucket(scheduled: Result) -> None:
    names = {bucket.name for bucket in scheduled.of_type(BUCKET)}

    assert names == {"batch-source", "batch-final", "analytics-rows"}


def test_no_bucket_can_be_public(graph: Result) -> None:
    for bucket in graph.of_type(BUCKET):
        block = of_bucket(graph, "BucketPublicAccessBlock", bucket).properties
        names = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        assert [block[name] for name in names] == [True] * 4


def test_every_bucket_belongs_to_its_owner_alone(graph: Result) -> None:
    for bucket in graph.of_type(BUCKET):
        rule = of_bucket(graph, "BucketOwnershipControls", bucket).properties["rule"]
        assert rule == {"objectOwnership": "BucketOwnerEnforced"}


def test_every_bucket_is_encrypted(graph: Result) -> None:
    for bucket in graph.of_type(BUCKET):
        (rule,) = of_bucket(graph, "BucketServerSideEncryptionConfiguration", bucket).properties["rules"]
        assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}


def test_every_bucket_keeps_versions(graph: Result) -> None:
    for bucket in graph.of_type(BUCKET):
        versioning = of_bucket(graph, "BucketVersioning", bucket).properties
        assert versioning["versioningConfiguration"] == {"status": "Enabled"}


def test_every_bucket_refuses_calls_without_tls(graph: Result) -> None:
    for bucket in graph.of_type(BUCKET):
        policy = of_bucket(graph, "BucketPolicy", bucket)
        (statement,) = json.loads(policy.properties["policy"])["Statement"]
        arn = bucket.outputs["arn"]
        assert statement["Effect"] == "Deny"
        assert (statement["Principal"], statement["Action"]) == ("*", "s3:*")
        assert statement["Resource"] == [arn, f"{arn}/*"]
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert precedes(graph, of_bucket(graph, "BucketPublicAccessBlock", bucket), policy)


def test_old_versions_and_broken_uploads_are_expired() -> None:
    graph = record_stack(noncurrentVersionRetentionDays=9)
    for bucket in graph.of_type(BUCKET):
        lifecycle = of_bucket(graph, "BucketLifecycleConfiguration", bucket)
        rule = lifecycle.properties["rules"][0]
        assert (rule["status"], rule["filter"]) == ("Enabled", {"prefix": ""})
        assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 9}
        assert rule["abortIncompleteMultipartUpload"]["daysAfterInitiation"] >= 1
        assert rule["expiration"] == {"expiredObjectDeleteMarker": True}
        assert precedes(graph, of_bucket(graph, "BucketVersioning", bucket), lifecycle)


def test_no_rule_expires_an_image_or_its_labels(scheduled: Result) -> None:
    rules = {
        bucket.name: of_bucket(scheduled, "BucketLifecycleConfiguration", bucket).properties["rules"]
        for bucket in scheduled.of_type(BUCKET)
    }

    expiring = {
        name: [r["filter"]["prefix"] for r in found if "days" in r.get("expiration", {})]
        for name, found in rules.items()
    }
    assert expiring == {
        "batch-source": [],
        "batch-final": ["superseded/"],
        "analytics-rows": ["athena-results/"],
    }


def test_lifecycle_rules_are_what_s3_takes(graph: Result) -> None:
    operations = botocore.session.get_session().get_service_model("s3")
    shape = operations.operation_model("PutBucketLifecycleConfiguration").input_shape
    assert shape
    for bucket in graph.of_type(BUCKET):
        rules = of_bucket(graph, "BucketLifecycleConfiguration", bucket).properties["rules"]
        request = {"Bucket": "b", "LifecycleConfiguration": {"Rules": [_as_in_the_api(rule) for rule in rules]}}
        report = ParamValidator().validate(request, shape)
        assert not report.has_errors(), report.generate_report()


def _as_in_the_api(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {"ID" if key == "id" else key[0].upper() + key[1:]: _as_in_the_api(item) for key, item in value.items()}


def test_the_source_bucket_sends_events_last(scheduled: Result) -> None:
    (notification,) = scheduled.of_type(NOTIFICATION)
    source = scheduled.named("batch-source", BUCKET)

    assert notification.properties["bucket"] == source.properties["bucket"]
    assert notification.properties["eventbridge"] is True
    assert precedes(scheduled, scheduled.named("batch-uploads", "aws:cloudwatch/eventTarget:EventTarget"), notification)
    assert precedes(scheduled, of_bucket(scheduled, "BucketVersioning", source), notification)


def test_buckets_get_the_names_that_were_chosen() -> None:
    graph = record_stack(sourceBucketName="acme-in", finalBucketName="acme-out", analyticsBucketName="acme-rows")

    assert graph.outputs["sourceBucketName"] == "acme-in"
    assert graph.outputs["finalBucketName"] == "acme-out"
    assert graph.outputs["analyticsBucketName"] == "acme-rows"


@pytest.mark.parametrize("force", [True, False])
def test_buckets_with_objects_are_only_destroyed_on_demand(force: bool) -> None:
    graph = record_stack(dataBuckets="delete", forceDestroy=force)

    assert [bucket.properties["forceDestroy"] for bucket in graph.of_type(BUCKET)] == [force] * 3


# A bucket that exists already


def test_an_existing_source_bucket_is_left_as_it_is(existing_bucket: Result) -> None:
    of_s3 = [resource for resource in existing_bucket.resources if resource.type.startswith("aws:s3/")]

    assert {bucket.name for bucket in existing_bucket.of_type(BUCKET)} == {"batch-final", "analytics-rows"}
    assert {resource.properties["bucket"] for resource in of_s3} == {
        existing_bucket.outputs["finalBucketName"],
        existing_bucket.outputs["analyticsBucketName"],
    }
    assert existing_bucket.outputs["sourceBucketName"] == "acme-photographs"


def test_the_rule_and_the_function_name_the_existing_bucket(existing_bucket: Result) -> None:
    rule = existing_bucket.named("batch-uploads", "aws:cloudwatch/eventRule:EventRule")
    assert json.loads(rule.properties["eventPattern"])["detail"]["bucket"]["name"] == ["acme-photographs"]

    policy = existing_bucket.named("batch-analyze-image", "aws:iam/rolePolicy:RolePolicy").properties["policy"]
    assert '"arn:aws:s3:::acme-photographs/*"' in policy
    assert '"arn:aws:s3:::acme-photographs"' in policy
