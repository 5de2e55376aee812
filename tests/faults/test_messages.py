"""Messages that come twice, late or in the wrong order, and images that change while they wait."""

import pytest

from sandbox.uploads import Upload
from tests.faults.cases import always, case
from tests.faults.invariants import Place, assert_heals, assert_holds, counts
from tests.faults.pipeline import Pipeline

pytestmark = pytest.mark.xdist_group("faults")


def deliver(pipeline: Pipeline, *bodies: str) -> None:
    """Send messages as EventBridge does."""
    for body in bodies:
        pipeline.cloud.sqs.send_message(QueueUrl=pipeline.outputs["imageQueueUrl"], MessageBody=body)


def take_messages(pipeline: Pipeline) -> list[str]:
    """Take all messages out of the image queue, as if they were still on their way."""
    bodies = pipeline.messages("imageQueueUrl")
    pipeline.cloud.sqs.purge_queue(QueueUrl=pipeline.outputs["imageQueueUrl"])
    return bodies


def two_versions(pipeline: Pipeline) -> list[Upload]:
    """Two photographs, uploaded one after the other under one key."""
    first, second = pipeline.upload_pictures(2)
    pipeline.begin()
    both = [Upload("line/same.jpg", each.body, each.label) for each in (first, second)]
    for upload in both:
        pipeline.upload_now(upload)
    return both


@always
@case(
    "EventBridge delivers every event twice",
    "Each image is labelled and written once. It is announced twice if two functions have it in hand at once.",
)
def test_every_message_delivered_twice_is_done_once(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(6)
    deliver(pipeline, *pipeline.messages("imageQueueUrl"))

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: 6}
    assert max(pipeline.announced.values()) <= 2


@case("An event comes again after its image is done", "Found done: nothing is announced or written again.")
def test_an_event_that_comes_again_hours_later_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(4)
    bodies = pipeline.messages("imageQueueUrl")
    assert pipeline.run()["status"] == "SUCCEEDED"
    pipeline.skip_hours(3)
    deliver(pipeline, *bodies)

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: 4}
    assert set(pipeline.announced.values()) == {1}


@always
@case(
    "The event of a key's older version comes after its newer version is done",
    "Both are labelled and announced; the older one goes to superseded/, and the newer one stays on top.",
)
def test_an_older_version_that_comes_late_does_not_hide_the_newer_one(pipeline: Pipeline) -> None:
    first, second = two_versions(pipeline)
    older, newer = take_messages(pipeline)
    deliver(pipeline, newer)
    assert pipeline.run()["status"] == "SUCCEEDED"
    deliver(pipeline, older)

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: 2}
    final = pipeline.outputs["finalBucketName"]
    on_top = pipeline.cloud.s3.get_object(Bucket=final, Key=f"images/{second.key}")["Body"].read()
    assert (on_top == second.body, first.body == second.body) == (True, False)


@case(
    "An image is overwritten while it waits in the queue",
    "Both versions are labelled and announced, and the newer one is on top.",
)
def test_an_image_overwritten_while_it_waits_is_two_images(pipeline: Pipeline) -> None:
    two_versions(pipeline)

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: 2}


@case(
    "The version of an image is deleted for good while it waits in the queue",
    "Its message is dropped with a line in the log; the other images are labelled.",
)
def test_an_image_deleted_for_good_while_it_waits_is_dropped(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(3)
    version, upload = next(iter(pipeline.uploaded.items()))
    pipeline.cloud.s3.delete_object(Bucket=pipeline.outputs["sourceBucketName"], Key=upload.key, VersionId=version)
    del pipeline.uploaded[version]

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: 2}
    assert pipeline.messages("imageQueueUrl") == []


@case(
    "An image is deleted the usual way while it waits: its version stays, under a delete marker",
    "The version is labelled: it was uploaded, and its bytes are there.",
)
def test_an_image_under_a_delete_marker_is_still_labelled(pipeline: Pipeline) -> None:
    (upload,) = pipeline.upload_pictures(1)
    pipeline.cloud.s3.delete_object(Bucket=pipeline.outputs["sourceBucketName"], Key=upload.key)

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: 1}


@case(
    "A message is no event of S3's, and an image is broken",
    "The message goes to the dead-letter queue after ten receives, the image to rejected/; the others are labelled.",
)
def test_a_message_that_nobody_understands_keeps_no_image_waiting(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(2)
    pipeline.upload_now(Upload("line/broken.jpg", b"\xff\xd8\xff\xe0 not an image", None))
    deliver(pipeline, '{"hello": "world"}')

    pipeline.run()

    assert_heals(pipeline)
    assert counts(pipeline) == {Place.LABELLED: 2, Place.REJECTED: 1}
    assert pipeline.messages("imageDeadLetterQueueUrl") == ['{"hello": "world"}']
