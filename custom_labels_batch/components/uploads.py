"""Uploaded images become messages: EventBridge rules between a bucket and a queue."""

import itertools
import json

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components.queue import WorkQueue
from custom_labels_batch.rules.image_suffixes import IMAGE_SUFFIXES

WILDCARDS_IN_A_PATTERN = 4
"""EventBridge refuses a pattern as too complex where more than some ten states of its wildcards can be reached at
once. Wildcards with one prefix count twice each."""


def queue_uploads(
    name: str, bucket: pulumi.Output[str], prefix: str, queue: WorkQueue, parent: pulumi.Resource
) -> list[aws.cloudwatch.EventTarget]:
    """Send a message to the queue for every image uploaded to a bucket, below a key prefix.

    What cannot be delivered ends in the dead-letter queue. The bucket must send its events to EventBridge.
    """
    rules = {suffix: _upload_rule(name + suffix, bucket, keys, parent) for suffix, keys in image_keys(prefix).items()}
    policies = queue.accept("events", [rule.arn for rule in rules.values()])
    return [
        aws.cloudwatch.EventTarget(
            name + suffix,
            rule=rule.name,
            arn=queue.arn,
            dead_letter_config={"arn": queue.dead_letter_queue.arn},
            opts=pulumi.ResourceOptions(parent=parent, depends_on=policies),
        )
        for suffix, rule in rules.items()
    ]


def _upload_rule(
    name: str, bucket: pulumi.Output[str], keys: list[object], parent: pulumi.Resource
) -> aws.cloudwatch.EventRule:
    return aws.cloudwatch.EventRule(
        name,
        description="Images uploaded to the source bucket",
        # Unescaped, since a pattern may have 2,048 characters.
        event_pattern=bucket.apply(lambda known: json.dumps(upload_pattern(known, keys), ensure_ascii=False)),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def image_keys(prefix: str) -> dict[str, list[object]]:
    """The matchers of an image's key, for each rule they need, by the end of the rule's name.

    A pattern can ask for a suffix in any case, but not for a prefix as well. With a prefix every spelling of a suffix
    is asked for by a wildcard of its own, a few in each rule. A key has one spelling, so it matches one rule.
    """
    if not prefix:
        return {"": [{"suffix": {"equals-ignore-case": suffix}} for suffix in IMAGE_SUFFIXES]}
    literally = prefix.replace("\\", "\\\\").replace("*", "\\*")
    wildcards: list[object] = [
        {"wildcard": f"{literally}*.{''.join(letters)}"}
        for suffix in IMAGE_SUFFIXES
        for letters in itertools.product(*((letter, letter.upper()) for letter in suffix.removeprefix(".")))
    ]
    starts = range(0, len(wildcards), WILDCARDS_IN_A_PATTERN)
    return {f"-{n}": wildcards[start : start + WILDCARDS_IN_A_PATTERN] for n, start in enumerate(starts, 1)}


def upload_pattern(bucket: str, keys: list[object]) -> dict[str, object]:
    """The EventBridge pattern of an image uploaded to a bucket."""
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": keys}},
    }
