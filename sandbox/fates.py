"""What became of every uploaded image, read from the stack as an operator would."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.deployer.cloud import Cloud
from sandbox.uploads import Upload


class Fate(StrEnum):
    LABELLED = "labelled"
    REJECTED = "rejected"
    WAITING = "waiting"
    DEAD_LETTER = "dead-letter queue"
    LOST = "lost"


@dataclass(frozen=True)
class Image:
    """One version of one uploaded object, and what became of it.

    Attributes
    ----------
    document
        The JSON beside the image in the final bucket; empty while there is none.
    """

    upload: Upload
    version_id: str
    fate: Fate
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def labels(self) -> list[tuple[str, float]]:
        """Name and confidence (0 to 100) of each label, surest first."""
        found = ((label["name"], label["confidence"]) for label in self.document.get("labels", []))
        return sorted(found, key=lambda label: -label[1])

    @property
    def reason(self) -> str:
        """Why it was rejected, in words."""
        return str((self.document.get("reason") or {}).get("message", ""))

    @property
    def is_right(self) -> bool:
        """Whether the surest label is what the photograph shows."""
        return bool(self.labels) and self.labels[0][0] == self.upload.label


def fates(cloud: Cloud, outputs: Mapping[str, Any], uploaded: Mapping[str, Upload]) -> list[Image]:
    """Look every uploaded version up.

    Parameters
    ----------
    outputs
        The stack's outputs.
    uploaded
        Version id in the source bucket -> what was uploaded.
    """
    documents = {document["versionId"]: document for document in _documents(cloud, outputs["finalBucketName"])}
    waiting = {entry["VersionId"] for entry in _versions(cloud, outputs["sourceBucketName"])}
    dead = _messages(cloud, outputs["imageDeadLetterQueueUrl"])

    def fate(version_id: str) -> Fate:
        if version_id in documents:
            return Fate(documents[version_id]["status"])
        if any(version_id in message for message in dead):
            return Fate.DEAD_LETTER
        return Fate.WAITING if version_id in waiting else Fate.LOST

    return [
        Image(upload, version_id, fate(version_id), documents.get(version_id, {}))
        for version_id, upload in uploaded.items()
    ]


def _documents(cloud: Cloud, bucket: str) -> Iterator[dict[str, Any]]:
    """Every JSON document, also of images that a newer upload of their key has replaced."""
    for entry in _versions(cloud, bucket):
        if entry["Key"].endswith(".json"):
            stored = cloud.s3.get_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])
            yield json.loads(stored["Body"].read())


def _versions(cloud: Cloud, bucket: str) -> Iterator[Any]:
    for page in cloud.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        yield from page.get("Versions", [])


def _messages(cloud: Cloud, queue_url: str) -> list[str]:
    """Look at the messages of a queue; the short visibility timeout gives them back at once."""
    bodies: list[str] = []
    while received := cloud.sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=5, WaitTimeSeconds=0
    ).get("Messages", []):
        bodies += [message.get("Body", "") for message in received]
    return bodies
