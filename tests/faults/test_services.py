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


@always
@case(
    "SNS is down",
    "Nothing is marked as done before it is announced, so every image waits; the run ends when nothing was labelled "
    "for a while, and stops the model. With SNS back, a run finishes them.",
)
def test_a_topic_that_is_down_leaves_every_image_waiting(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(2)
    pipeline.break_calls({**ANALYZE, **WRITES["publish"]})

    pipeline.run()

    assert_holds(pipeline)
    assert set(counts(pipeline)) <= {Place.WAITING, Place.DEAD_LETTER}
    dead = counts(pipeline)[Place.DEAD_LETTER]
    assert dead == 0
    assert_heals(pipeline)


@case(
    "DynamoDB throttles half of all calls of workflows and functions",
    "Retried; counters that people read may be too low.",
)
def test_a_throttled_runs_table_stops_nothing(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    throttled = {"code": "ProvisionedThroughputExceededException", "status": 400}
    pipeline.break_calls({"service": "dynamodb", "caller": "assumed-role", "do": "error", **throttled, "share": 0.5})

    pipeline.run()

    assert pipeline.happened() > 0
    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "The lock is taken, and the answer of DynamoDB is lost",
    "The run finds its own lock and ends as if another run were active. The guard, or the next run, finds that its "
    "holder is dead and releases it.",
)
def test_a_lock_whose_answer_is_lost_is_released(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(2)
    pipeline.break_calls(
        {"service": "dynamodb", "operation": "PutItem", "when": "after", "do": "error", "contains": "lock", "times": 1}
    )

    pipeline.run()

    assert pipeline.happened() == 1
    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "Every clock but the functions' is right: S3 says RequestTimeTooSkewed to a third of analyze-image's calls",
    "Retried, then given back to the queue; every image is labelled.",
)
def test_a_skewed_clock_labels_every_image(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    skewed = {"service": "s3", "code": "RequestTimeTooSkewed", "status": 403, "share": 0.33}
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
