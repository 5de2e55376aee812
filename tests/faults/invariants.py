"""What must hold whatever broke: every case ends in these assertions, and they are written only here."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sandbox.queries import run_query
from tests.faults.pipeline import Pipeline

_WATCHED_HOURS = 0.5
"""Simulated time after a case in which nothing may be billed: two ticks of the guard."""

_LONGEST_WAIT_HOURS = 1.1
"""A message that was given back is hidden for an hour at most, or for the queue's visibility timeout."""

_MOST_RUNS = 12
"""A message goes to the dead-letter queue after ten receives, so more runs than that change nothing."""


class Place(StrEnum):
    LABELLED = "labelled"
    REJECTED = "rejected"
    WAITING = "waiting"
    DEAD_LETTER = "dead letter"


@dataclass(frozen=True)
class Result:
    """A document of the final bucket, and where it is."""

    key: str
    document: dict[str, Any]

    @property
    def place(self) -> Place:
        return Place(self.document["status"])


def places(pipeline: Pipeline) -> dict[str, list[Place]]:
    """Version id of each uploaded image -> every place it is in; right is one place each."""
    found: dict[str, list[Place]] = {version: [] for version in pipeline.uploaded}
    for result in _results(pipeline):
        found.setdefault(result.document["versionId"], []).append(result.place)
    waiting, dead = pipeline.messages("imageQueueUrl"), pipeline.messages("imageDeadLetterQueueUrl")
    for _, version in pipeline.versions("sourceBucketName"):
        if any(version in message for message in waiting):
            found.setdefault(version, []).append(Place.WAITING)
        if any(version in message for message in dead):
            found.setdefault(version, []).append(Place.DEAD_LETTER)
    return found


def counts(pipeline: Pipeline) -> Counter[Place]:
    """How many images are in each place."""
    return Counter(place for each in places(pipeline).values() for place in each)


def assert_holds(pipeline: Pipeline) -> None:
    """Wait until nothing goes on, then see that nothing is lost, doubled, hidden, left open or billed.

    The guard, and the retries of the listeners, may act before: whatever the stack does by itself, hours included.
    """
    pipeline.settle()
    pipeline.settle_listeners()
    pipeline.hear()
    problems = [
        *_lost_or_doubled(pipeline),
        *_unannounced(pipeline),
        *_wrongly_recorded(pipeline),
        *_not_released(pipeline),
    ]
    assert not problems, "\n".join(problems)
    pipeline.verdicts.append("held")


def assert_heals(pipeline: Pipeline) -> None:
    """Take the fault away, and see that runs, one an hour, label or reject every image that is left.

    What is in the dead-letter queue is sent home first, as a person does with `redrive`.
    """
    pipeline.lift()
    pipeline.settle()
    if Place.DEAD_LETTER in counts(pipeline):
        pipeline.redrive()
    for _ in range(_MOST_RUNS):
        if not pipeline.messages("imageQueueUrl"):
            break
        if pipeline.run()["status"] != "SUCCEEDED" or pipeline.messages("imageQueueUrl"):
            pipeline.skip_hours(_LONGEST_WAIT_HOURS)
    assert_holds(pipeline)
    assert set(counts(pipeline)) <= {Place.LABELLED, Place.REJECTED}, counts(pipeline)
    pipeline.verdicts[-1] = "healed"


def _results(pipeline: Pipeline) -> Iterator[Result]:
    """Every document that was ever written, also where a newer upload of the key has replaced it."""
    bucket = pipeline.outputs["finalBucketName"]
    for key, version in pipeline.versions("finalBucketName"):
        if key.endswith(".json"):
            stored = pipeline.cloud.s3.get_object(Bucket=bucket, Key=key, VersionId=version)
            yield Result(key, json.loads(stored["Body"].read()))


def _lost_or_doubled(pipeline: Pipeline) -> Iterator[str]:
    """Every image is in exactly one place, and what is final is the image that was uploaded."""
    for version, found in places(pipeline).items():
        if len(found) != 1:
            upload = pipeline.uploaded.get(version)
            where = " and ".join(found) or "nowhere"
            yield f"{upload.key if upload else 'an image nobody uploaded'}, version {version}: {where}"
    for result in _results(pipeline):
        upload = pipeline.uploaded.get(result.document["versionId"])
        if upload is not None and _final_image(pipeline, result) != upload.body:
            yield f"{result.key}: its image is not the one that was uploaded"
    yield from _hidden(pipeline)


def _hidden(pipeline: Pipeline) -> Iterator[str]:
    """On top of a key are the image and the document of its newest upload of that kind, and they are of one version."""
    s3, bucket = pipeline.cloud.s3, pipeline.outputs["finalBucketName"]
    newest: dict[str, Result] = {}
    for result in _results(pipeline):
        there = newest.get(result.key)
        if there is None or there.document["sequencer"] < result.document["sequencer"]:
            newest[result.key] = result
    for key, result in newest.items():
        document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        if document["versionId"] != result.document["versionId"]:
            yield f"{key}: an older upload hides a newer one"
        on_top = s3.get_object(Bucket=bucket, Key=_key_of(document["finalUri"]))["Body"].read()
        upload = pipeline.uploaded.get(document["versionId"])
        if upload is not None and on_top != upload.body:
            yield f"{key}: the image beside it is another one"


def _final_image(pipeline: Pipeline, result: Result) -> bytes:
    found = pipeline.cloud.s3.get_object(
        Bucket=pipeline.outputs["finalBucketName"],
        Key=_key_of(result.document["finalUri"]),
        VersionId=result.document["finalVersionId"],
    )
    return bytes(found["Body"].read())


def _key_of(uri: str) -> str:
    return uri.removeprefix("s3://").partition("/")[2]


def _unannounced(pipeline: Pipeline) -> Iterator[str]:
    """Every processed image was announced, once at least, and as what it is."""
    for result in _results(pipeline):
        image = result.document["imageId"]
        if pipeline.announced[image] < 1:
            yield f"{result.key}: never announced"
        elif pipeline.announced_as[image] != result.document["status"]:
            yield f"{result.key}: announced as {pipeline.announced_as[image]}"


def _wrongly_recorded(pipeline: Pipeline) -> Iterator[str]:
    """The analytics view shows every processed image once: one prediction, a row a label, or one row without labels."""
    view = pipeline.outputs["athenaTable"]
    sql = (
        "SELECT image_id, count(*), count(label_number), count(DISTINCT label_number), count(DISTINCT processed_at), "  # noqa: S608
        f"min(status), max(status) FROM {view} GROUP BY image_id"
    )
    rows = {str(row[0]): row[1:] for row in run_query(pipeline.cloud, pipeline.outputs, sql).rows}
    for result in _results(pipeline):
        document = result.document
        labels = len(document.get("labels", []))
        expected = (max(labels, 1), labels, labels, 1)
        found = rows.get(document["imageId"])
        if found is None:
            yield f"{result.key}: not in the analytics view"
        elif tuple(int(value or 0) for value in found[:4]) != expected or set(found[4:]) != {document["status"]}:
            yield f"{result.key}: {found} in the analytics view, expected {expected} and {document['status']}"


def _not_released(pipeline: Pipeline) -> Iterator[str]:
    """The model is stopped, or as a person left it, the mapping is closed, the lock is gone, and nothing is billed."""
    expected = ("RUNNING",) if pipeline.persons_model else ("TRAINING_COMPLETED", "STOPPED", "FAILED")
    if pipeline.model_status() not in expected:
        yield f"the model is {pipeline.model_status()}"
    if pipeline.mapping_state() != "Disabled":
        yield f"the mapping is {pipeline.mapping_state()}"
    if lock := pipeline.items("lock"):
        yield f"the lock is held: {lock}"
    if not pipeline.persons_model:
        billed = pipeline.billed_minutes()
        pipeline.skip_hours(_WATCHED_HOURS)
        if pipeline.billed_minutes() > billed:
            yield f"{pipeline.billed_minutes() - billed} minutes billed after the end"
