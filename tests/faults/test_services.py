"""S3, SNS, DynamoDB or Lambda fail, or do their work and lose the answer."""

import pytest

from tests.faults.cases import always, case
from tests.faults.invariants import Place, assert_heals, assert_holds, counts
from tests.faults.pipeline import Document, Pipeline

pytestmark = pytest.mark.xdist_group("faults")

IMAGES = 6

ANALYZE: Document = {"caller": "analyze-image", "do": "error"}
SLOW_DOWN: Document = {"code": "SlowDown", "status": 503}
WRITES: dict[str, Document] = {
    "copy": {"service": "s3", "operation": "CopyObject", **SLOW_DOWN},
    "document": {"service": "s3", "operation": "PutObject", **SLOW_DOWN},
    "delete": {"service": "s3", "operation": "DeleteObject", **SLOW_DOWN},
    "publish": {"service": "sns", "operation": "Publish", "code": "InternalError"},
}


@case(
    "S3 or SNS does a write of analyze-image half of the time, and loses the answer half of the time",
    "Repeated: a copy is made again, a document that is there already is found to be our own, a topic may hear twice.",
)
@pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)
def test_a_write_whose_answer_is_lost_is_repeated_without_harm(pipeline: Pipeline, call: Document) -> None:
    pipeline.upload_pictures(IMAGES)
    pipeline.break_calls({**ANALYZE, **call, "when": "after", "share": 0.5})

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert pipeline.happened() > 0
    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "S3 refuses two of three copies",
    "Retried within the call, then within seconds; every image is labelled.",
)
def test_a_copy_that_fails_most_of_the_time_succeeds_in_the_end(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    pipeline.break_calls({**ANALYZE, **WRITES["copy"], "share": 0.67})

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert pipeline.happened() > 0
    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: IMAGES}


@case(
    "SNS is down",
    "Nothing is marked as done before it is announced. An image that failed ten times, within some minutes, goes to "
    "the dead-letter queue; the run ends and stops the model. With SNS back and the dead letters sent home, a run "
    "finishes all.",
    "Left: ten receives of a passing trouble last about five minutes, then an image needs a redrive.",
)
def test_a_topic_that_is_down_marks_no_image_as_done(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(2)
    pipeline.break_calls({**ANALYZE, **WRITES["publish"]})

    pipeline.run()

    assert_holds(pipeline)
    assert set(counts(pipeline)) <= {Place.WAITING, Place.DEAD_LETTER}
    assert_heals(pipeline)


@always
@case(
    "SNS is down for the first minutes of a run",
    "Images are given back, and announced and marked when it is back, in the same run.",
)
def test_a_topic_that_comes_back_finishes_every_image_in_the_same_run(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(3)
    pipeline.break_calls({**ANALYZE, **WRITES["publish"], "times": 15})

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert pipeline.happened() == 15
    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: 3}


@case(
    "S3 refuses every deletion",
    "The images are labelled, and their messages go to the dead-letter queue, since their source versions are still "
    "there: until they are sent home, these images are in two places. Then the versions are deleted, and nothing else.",
    "Left: deleting is the last step, so nothing later can make up for it.",
)
def test_deletions_that_fail_for_long_are_made_up_for_after_a_redrive(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(2)
    pipeline.break_calls({**ANALYZE, **WRITES["delete"]})

    pipeline.run()

    pipeline.settle()
    assert counts(pipeline) == {Place.LABELLED: 2, Place.DEAD_LETTER: 2}
    pipeline.hear()
    announced = pipeline.announced.total()
    assert_heals(pipeline)
    assert pipeline.announced.total() == announced


@case(
    "DynamoDB throttles half of all calls of workflows and functions",
    "Retried. A run fails where that does not suffice, and is released; counters that people read may be too low.",
)
def test_a_throttled_runs_table_loses_nothing(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    throttled = {"code": "ProvisionedThroughputExceededException", "status": 400}
    pipeline.break_calls({"service": "dynamodb", "caller": "assumed-role", "do": "error", **throttled, "share": 0.5})

    pipeline.run()

    assert pipeline.happened() > 0
    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "The lock is taken, and the answer of DynamoDB is lost",
    "Taken again, the lock is found to be the run's own, and the run goes on.",
)
def test_a_lock_whose_answer_is_lost_is_kept(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(2)
    pipeline.break_calls(
        {"service": "dynamodb", "operation": "PutItem", "when": "after", "do": "error", "contains": "lock", "times": 1}
    )

    pipeline.run()

    assert pipeline.happened() == 1
    assert counts(pipeline) == {Place.LABELLED: 2}
    assert_holds(pipeline)


@case(
    "Every clock but the functions' is right: S3 says RequestTimeTooSkewed to a tenth of analyze-image's calls",
    "Retried, then given back to the queue; every image is labelled.",
)
def test_a_skewed_clock_labels_every_image(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    skewed = {"service": "s3", "code": "RequestTimeTooSkewed", "status": 403, "share": 0.1}
    pipeline.break_calls({**ANALYZE, **skewed})

    pipeline.run()

    assert pipeline.happened() > 0
    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "A tenth of all calls that functions and workflows make fail, and of another tenth the answer is lost",
    "Retried, given back, released by the guard: what is left is labelled by the next runs.",
)
def test_errors_everywhere_lose_nothing(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    services = ("s3", "sns", "dynamodb", "rekognition", "lambda", "sqs", "stepfunctions")
    pipeline.break_calls(
        *(
            {"service": service, "caller": "assumed-role", "when": when, "do": "error", "status": 503, "share": 0.1}
            for service in services
            for when in ("before", "after")
        )
    )

    pipeline.run()

    assert pipeline.happened() > 0
    assert_holds(pipeline)
    assert_heals(pipeline)
