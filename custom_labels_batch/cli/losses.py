"""What goes with a stack when it is destroyed, and what stays."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from custom_labels_batch.cli.aws_errors import is_gone
from custom_labels_batch.cli.queues import depth
from custom_labels_batch.cli.removal import Removal
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
    goes_with_them
        Whether they are deleted too; None for a bucket that is not the stack's.
    """

    name: str
    objects: str
    is_empty: bool
    goes_with_them: bool | None

    @property
    def told(self) -> str:
        """What becomes of it."""
        if self.goes_with_them is None:
            return f"stays, {self.objects}: it is not the stack's own"
        if self.is_empty:
            return "deleted; it is empty"
        return f"deleted with {self.objects}" if self.goes_with_them else f"stays, {self.objects}"


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
        return [bucket.name for bucket in self.buckets if bucket.goes_with_them is False and not bucket.is_empty]


def find_losses(stack: Stack, removal: Removal) -> Losses:
    """Ask AWS."""
    waiting = {
        name: sum(_messages(stack, stack.output(url)) for url in urls) for name, urls in queues_of(stack).items()
    }
    names = [stack.optional(f"{kind}BucketName") for kind in ("source", "final", "analytics")]
    found = [_bucket(stack, name, removal.deletes_objects_of(name)) for name in names if name]
    return Losses(waiting, _runs(stack) if stack.is_scheduled else None, [bucket for bucket in found if bucket])


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


def _bucket(stack: Stack, name: str, goes_with_them: bool | None) -> Bucket | None:
    try:
        answer = stack.s3.list_object_versions(Bucket=name, MaxKeys=_MOST_COUNTED)
    except ClientError as error:
        if is_gone(error):
            return None
        return Bucket(name, "nobody may count its objects", False, goes_with_them)
    found = len(answer.get("Versions", [])) + len(answer.get("DeleteMarkers", []))
    more = "over " if answer.get("IsTruncated") else ""
    return Bucket(name, f"{more}{count(found, 'version')} of objects", found == 0, goes_with_them)
