"""What goes with a stack when it is destroyed, and what stays."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from custom_labels_batch.cli.aws_errors import is_gone
from custom_labels_batch.cli.queues import depth
from custom_labels_batch.cli.removal import Fate, Removal
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.cli.stack_status import queues_of
from custom_labels_batch.cli.wording import count

_MOST_COUNTED = 1000
"""Versions of objects that one request lists."""


@dataclass(frozen=True)
class Bucket:
    """A bucket of the stack.

    Attributes
    ----------
    objects
        Versions that it holds, in words.
    is_empty
        Only an empty one can be deleted without what it holds.
    """

    name: str
    objects: str
    is_empty: bool
    fate: Fate

    @property
    def is_kept(self) -> bool:
        """Whether it is there afterwards, and is meant to be."""
        return self.fate in (Fate.NOT_OURS, Fate.RETAINED)

    @property
    def is_in_the_way(self) -> bool:
        """Whether it cannot be deleted."""
        return self.fate is Fate.DELETED_IF_EMPTY and not self.is_empty

    @property
    def told(self) -> str:
        """What becomes of it."""
        if self.fate is Fate.NOT_OURS:
            return f"stays, {self.objects}: it is not the stack's own"
        if self.fate is Fate.RETAINED:
            return f"stays, {self.objects}: dataBuckets retains it, private as it is"
        if self.is_empty:
            return "deleted; it is empty"
        return f"stays, {self.objects}" if self.is_in_the_way else f"deleted with {self.objects}"


@dataclass(frozen=True)
class Losses:
    """Counts are SQS's own, which are approximate.

    Attributes
    ----------
    waiting
        What waits -> messages, its dead letters among them.
    runs
        Records of runs; None without a runs table.
    """

    waiting: dict[str, int]
    runs: int | None
    buckets: list[Bucket]

    @property
    def in_the_way(self) -> list[str]:
        """Buckets that cannot be deleted, at which the destroy fails after all else is gone."""
        return [bucket.name for bucket in self.buckets if bucket.is_in_the_way]


def find_losses(stack: Stack, removal: Removal) -> Losses:
    """Ask AWS."""
    waiting = {
        name: sum(_messages(stack, stack.output(url)) for url in urls) for name, urls in queues_of(stack).items()
    }
    return Losses(waiting, _runs(stack) if stack.is_scheduled else None, find_buckets(stack, removal))


def find_buckets(stack: Stack, removal: Removal) -> list[Bucket]:
    """The stack's buckets that are there, with what they hold now."""
    names = [stack.optional(f"{kind}BucketName") for kind in ("source", "final", "analytics")]
    found = [_bucket(stack, name, removal.fate_of(name)) for name in names if name]
    return [bucket for bucket in found if bucket]


def _messages(stack: Stack, url: str) -> int:
    try:
        return depth(stack.sqs, url).total
    except ClientError as error:
        if is_gone(error):  # by an earlier destroy that failed half-way
            return 0
        raise


def _runs(stack: Stack) -> int:
    try:
        pages = stack.dynamodb.get_paginator("query").paginate(
            TableName=stack.output("runsTableName"),
            KeyConditionExpression="kind = :kind",
            ExpressionAttributeValues={":kind": {"S": "run"}},
            Select="COUNT",
        )
        return sum(page["Count"] for page in pages)
    except ClientError as error:
        if is_gone(error):
            return 0
        raise


def _bucket(stack: Stack, name: str, fate: Fate) -> Bucket | None:
    try:
        answer = stack.s3.list_object_versions(Bucket=name, MaxKeys=_MOST_COUNTED)
    except ClientError as error:
        if is_gone(error):
            return None
        return Bucket(name, "nobody may count its objects", False, fate)
    found = len(answer.get("Versions", [])) + len(answer.get("DeleteMarkers", []))
    more = "over " if answer.get("IsTruncated") else ""
    return Bucket(name, f"{more}{count(found, 'version')} of objects", found == 0, fate)
