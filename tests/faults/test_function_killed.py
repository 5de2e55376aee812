"""A function's process ends in the middle of its work, as when it runs out of memory."""

import pytest

from tests.faults.cases import always, case
from tests.faults.invariants import assert_heals, assert_holds
from tests.faults.pipeline import Document, Pipeline

pytestmark = pytest.mark.xdist_group("faults")

IMAGES = 5

STEPS: dict[str, Document] = {
    "detect": {"service": "rekognition", "operation": "DetectCustomLabels"},
    "copy": {"service": "s3", "operation": "CopyObject"},
    "publish": {"service": "sns", "operation": "Publish"},
    "write document": {"service": "s3", "operation": "PutObject"},
    "delete": {"service": "s3", "operation": "DeleteObject"},
}
INVOKE = {"service": "lambda", "operation": "Invoke"}


@case(
    "analyze-image is killed after it detected, copied, published, wrote the document, or deleted",
    "The batch comes again when its visibility timeout is over, within the same run. Images that were marked as done "
    "are only deleted; the others are done again.",
)
@pytest.mark.parametrize(
    "call", [pytest.param(call, id=step, marks=always if step == "publish" else ()) for step, call in STEPS.items()]
)
def test_a_function_killed_after_a_step_finishes_its_images_the_next_time(pipeline: Pipeline, call: Document) -> None:
    pipeline.upload_pictures(IMAGES)
    pipeline.break_calls({**call, "caller": "analyze-image", "when": "after", "do": "kill", "times": 1})

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert pipeline.happened() == 1
    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "The process of analyze-image ends between the receipt of a batch and the handler",
    "The batch comes again when its visibility timeout is over.",
)
def test_a_process_that_dies_before_its_handler_began_loses_nothing(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    pipeline.break_calls({**INVOKE, "contains": "analyze-image", "do": "kill", "times": 2})

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert pipeline.happened() == 2
    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "The answer of analyze-image is lost, or the deletion of its messages: all images are done, and all come again",
    "The run counts them as done and ends. The next one finds the messages, and nothing left to do: nothing is "
    "announced or written again.",
    "Left: that run starts the model for images that are done.",
)
def test_a_batch_that_comes_again_after_its_success_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    pipeline.break_calls({**INVOKE, "contains": "analyze-image", "when": "after", "do": "error", "times": 1})
    assert pipeline.run()["status"] == "SUCCEEDED"
    assert pipeline.happened() == 1
    assert pipeline.messages("imageQueueUrl") != []
    pipeline.skip_hours(1)

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert pipeline.messages("imageQueueUrl") == []
    assert_holds(pipeline)
    assert set(pipeline.announced.values()) == {1}


@case(
    "record-predictions is killed before and after it wrote its file, and S3 refuses a file",
    "The predictions come again; the file with the same rows takes the place of the first one.",
)
def test_record_predictions_killed_half_way_shows_every_image_once(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    put = {"service": "s3", "operation": "PutObject", "caller": "record-predictions", "times": 1}
    pipeline.break_calls(
        {**put, "do": "kill", "when": "after"},
        {**put, "do": "kill"},
        {**put, "do": "error", "code": "SlowDown", "status": 503, "times": 5},
    )

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert_holds(pipeline)
    assert pipeline.happened() == 7


@case(
    "notify-labels is killed after it sent its mail, and the topic refuses the next one",
    "People may get a mail twice; nothing else waits for it.",
)
def test_notify_labels_killed_after_its_mail_holds_nothing_up(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    publish = {"service": "sns", "operation": "Publish", "caller": "notify-labels", "times": 1}
    pipeline.break_calls({**publish, "do": "kill", "when": "after"}, {**publish, "do": "error", "times": 3})

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert_holds(pipeline)
    assert pipeline.happened() == 4
