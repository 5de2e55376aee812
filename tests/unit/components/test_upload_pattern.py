"""Which uploads become messages, by the emulator's matcher of EventBridge patterns."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ministack.services import eventbridge

from custom_labels_batch.components.batch_inference import BatchInference
from custom_labels_batch.components.uploads import image_keys, upload_pattern
from sandbox.pulumi_runtime import Result, record_program
from tests.unit.components.graph import PROJECT_ARN, RULE, TARGET, record_stack

PREFIX = "photographs/"

PATTERN_CHARACTERS = 2048
"""EventBridge's quota for the size of a pattern, before an increase (EventBridge quotas)."""


def upload(key: str, bucket: str = "acme-in", **more: Any) -> dict[str, Any]:
    detail = {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 1}, "reason": "PutObject"}
    return {"Source": "aws.s3", "DetailType": "Object Created", "Detail": json.dumps(detail)} | more


def matching_rules(event: dict[str, Any], prefix: str = "", bucket: str = "acme-in") -> int:
    """How many of a stack's rules let an event through: each would send a message."""
    patterns = [json.dumps(upload_pattern(bucket, keys), ensure_ascii=False) for keys in image_keys(prefix).values()]
    return sum(eventbridge._matches_pattern(pattern, event) for pattern in patterns)


IMAGES = [
    "a.jpg",
    "a.JPG",
    "a.jPg",
    "a.jpeg",
    "a.JPEG",
    "a.JpEg",
    "a.png",
    "a.PNG",
    "nested/folder/a b+c.Png",
    "éà/📷 %41.jpg",
    ".jpg",
    "a.txt.png",
]
OTHERS = ["a.gif", "ajpg", "a.jpg.json", "a.jpg/", "a.png ", "a.jp", "jpeg", "a.jpgg", "", "a.ſpg"]


@pytest.mark.parametrize("prefix", ["", PREFIX])
@pytest.mark.parametrize("key", IMAGES)
def test_an_image_is_one_message_whatever_case_its_suffix_has(key: str, prefix: str) -> None:
    assert matching_rules(upload(prefix + key), prefix) == 1


@pytest.mark.parametrize("prefix", ["", PREFIX])
@pytest.mark.parametrize("key", OTHERS)
def test_anything_else_is_none(key: str, prefix: str) -> None:
    assert matching_rules(upload(prefix + key), prefix) == 0


@pytest.mark.parametrize("key", ["a.jpg", "other/a.jpg", "Photographs/a.jpg", "x/photographs/a.jpg", "photographs"])
def test_an_image_outside_the_prefix_is_none(key: str) -> None:
    assert matching_rules(upload(key), PREFIX) == 0


@pytest.mark.parametrize(
    "event",
    [
        upload("a.jpg", bucket="another"),
        upload("a.jpg", DetailType="Object Deleted"),
        upload("a.jpg", Source="someone.else"),
    ],
)
def test_other_events_are_none(event: dict[str, Any]) -> None:
    assert matching_rules(event) == 0


@given(st.text(max_size=100), st.text(max_size=8))
@example("50 %*\\", "a")
def test_a_prefix_is_taken_literally(prefix: str, name: str) -> None:
    assert matching_rules(upload(f"{prefix}{name}.jPg"), prefix) == 1
    assert not prefix or matching_rules(upload(f"?{prefix[1:]}{name}.jPg"), prefix) == (prefix[0] == "?")


@pytest.mark.parametrize("prefix", ["", PREFIX, "📷" * 100, '"' * 100, "\\" * 100])
def test_eventbridge_takes_the_patterns(prefix: str) -> None:
    rules = record_stack(imagePrefix=prefix, sourceBucketName="b" * 63).of_type(RULE)

    for rule in rules:
        pattern = rule.properties["eventPattern"]
        assert eventbridge._event_pattern_error(pattern) is None
        assert len(pattern) <= PATTERN_CHARACTERS


def test_no_pattern_has_more_wildcards_than_eventbridge_can_take(prefixed: Result) -> None:
    """Five already make it refuse the rule as too complex; the emulator would take any number."""
    uploads = [rule for rule in prefixed.of_type(RULE) if rule.name.startswith("batch-uploads")]

    for rule in uploads:
        keys = json.loads(rule.properties["eventPattern"])["detail"]["object"]["key"]
        assert [list(key) for key in keys] == [["wildcard"]] * len(keys)
        assert len(keys) <= 4
        assert all(key["wildcard"].count("*") == 1 for key in keys)
    assert sum(len(json.loads(rule.properties["eventPattern"])["detail"]["object"]["key"]) for rule in uploads) == 32


def test_every_rule_of_uploads_sends_to_the_image_queue(graph: Result) -> None:
    queue = graph.named("batch-images", "aws:sqs/queue:Queue").outputs["arn"]
    dead_letters = graph.named("batch-images-dlq", "aws:sqs/queue:Queue").outputs["arn"]
    rules = {rule.properties["name"] for rule in graph.of_type(RULE) if rule.name.startswith("batch-uploads")}
    targets = [target.properties for target in graph.of_type(TARGET) if target.name.startswith("batch-uploads")]

    assert {target["rule"] for target in targets} == rules
    assert len(targets) == len(rules)
    for target in targets:
        assert (target["arn"], target["deadLetterConfig"]) == (queue, {"arn": dead_letters})
        assert not {"input", "inputPath", "inputTransformer"} & set(target)


def test_the_rule_follows_the_bucket_where_its_name_is_not_known_before() -> None:
    graph = record_program(lambda: BatchInference("batch", {"project_arn": PROJECT_ARN}))
    bucket = graph.named("batch-source", "aws:s3/bucket:Bucket")

    pattern = json.loads(graph.named("batch-uploads", RULE).properties["eventPattern"])
    assert pattern["detail"]["bucket"]["name"] == [bucket.outputs["bucket"]]
