"""Rekognition throttles, errs, is slow, does not start, dies, or does not stop."""

from typing import Any

import pytest

from tests.faults.cases import always, case
from tests.faults.invariants import Place, assert_heals, assert_holds, counts
from tests.faults.pipeline import Pipeline

pytestmark = pytest.mark.xdist_group("faults")

IMAGES = 8


@always
@case(
    "Rekognition throttles half of all calls",
    "Retried within the call and, where that is not enough, within seconds; every image is labelled in the same run.",
)
def test_half_of_all_calls_throttled_labels_every_image(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(5)
    failed_before = pipeline.model()["calls"]["failed"]
    pipeline.break_calls(errorRate={"ProvisionedThroughputExceededException": 0.5})

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: 5}
    assert pipeline.model()["calls"]["failed"] > failed_before


@case(
    "Rekognition answers every call with an internal error",
    "The run ends when nothing was labelled for a while, and stops the model; the images wait, or are in the "
    "dead-letter queue once they failed ten times. When Rekognition is well again, a run labels what waits.",
    "Left: ten receives of a passing trouble last about five minutes, then an image needs a redrive.",
)
def test_internal_errors_without_end_lose_nothing_and_end_the_run(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(3)
    pipeline.break_calls(errorRate={"InternalServerError": 1.0})

    pipeline.run()

    assert_holds(pipeline)
    assert set(counts(pipeline)) <= {Place.WAITING, Place.DEAD_LETTER}
    assert_heals(pipeline)


@case("Rekognition answers a third of all calls with an internal error", "Retried; every image is labelled.")
def test_some_internal_errors_label_every_image(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    pipeline.break_calls(errorRate={"InternalServerError": 0.33})

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "Rekognition takes 3 seconds for a call, and 11 for one, which is longer than the function waits",
    "The call that was given up is made again; every image is labelled.",
)
def test_a_slow_model_labels_every_image(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    detect = {"service": "rekognition", "operation": "DetectCustomLabels", "do": "delay"}
    pipeline.break_calls({**detect, "seconds": 11.0, "times": 1}, {**detect, "seconds": 3.0})

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: IMAGES}


@case(
    "Rekognition answers nothing for longer than the function retries a call",
    "The images are given back before the function's own time runs out, and labelled the next time.",
)
def test_a_model_that_does_not_answer_uses_up_no_function(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(3)
    detect = {"service": "rekognition", "operation": "DetectCustomLabels"}
    pipeline.break_calls({**detect, "do": "delay", "seconds": 20.0, "times": 12})

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert pipeline.happened() == 12
    assert "Task timed out" not in pipeline.function_log()
    assert_holds(pipeline)
    assert counts(pipeline) == {Place.LABELLED: 3}


@case(
    "Rekognition refuses to start the model; or starts it, and it ends FAILED",
    "The run fails and says why, nothing is billed, and the images wait for the next run.",
)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"startError": "InternalServerError"}, id="internal error"),
        pytest.param({"startError": "LimitExceededException"}, id="no unit left"),
        pytest.param({"startFails": True}, id="fails", marks=always),
    ],
)
def test_a_model_that_cannot_start_leaves_every_image_waiting(pipeline: Pipeline, fault: dict[str, Any]) -> None:
    pipeline.upload_pictures(3)
    pipeline.break_calls(**fault)

    assert pipeline.run()["status"] == "FAILED"

    assert_holds(pipeline)
    assert (counts(pipeline), pipeline.billed_minutes()) == ({Place.WAITING: 3}, 0)
    assert_heals(pipeline)


@case(
    "The model stays STARTING for an hour and a half",
    "The run fails after an hour. It cannot be stopped while it is STARTING, so the release, and the guard after it, "
    "try until it can. Then it is stopped.",
)
def test_a_model_that_never_gets_up_is_stopped_once_it_can_be(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(3)
    pipeline.break_calls(neverStarts=True)

    assert pipeline.run()["status"] == "FAILED"
    assert pipeline.model_status() == "STARTING"

    pipeline.skip_hours(0.5)
    assert pipeline.billed_minutes() == 0
    assert_heals(pipeline)


@case(
    "The model dies after three calls",
    "The mapping is closed at once, the run fails; the images that were not labelled wait.",
)
def test_a_model_that_dies_leaves_the_rest_waiting(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(25)
    pipeline.break_calls(dieAfterCalls=3)

    assert pipeline.run()["status"] == "FAILED"

    assert_holds(pipeline)
    assert counts(pipeline)[Place.WAITING] > 0
    assert_heals(pipeline)


@case(
    "The model stays STOPPING for two hours",
    "No other run begins meanwhile, since the lock is kept. The release gives up after 90 minutes, and the guard takes "
    "it up again.",
)
def test_a_model_stuck_in_stopping_is_released_when_it_stops(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(3)
    sessions = len(pipeline.model()["sessions"])
    pipeline.break_calls(neverStops=True)
    first = pipeline.start_run()
    pipeline.until_model("STOPPING")
    pipeline.upload_pictures(2)

    pipeline.skip_hours(2)
    pipeline.finish(pipeline.start_run())

    assert pipeline.execution(first)["status"] == "FAILED"
    assert len(pipeline.items("lock")) == 1
    assert len(pipeline.model()["sessions"]) == sessions + 1
    assert_heals(pipeline)


@case(
    "Rekognition does what it is asked to, and its answer is lost: StartProjectVersion, StopProjectVersion",
    "Asked again, it says that the model is STARTING or STOPPING, which is taken as done.",
)
def test_a_start_and_a_stop_whose_answers_are_lost_are_not_repeated(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(3)
    sessions = len(pipeline.model()["sessions"])
    lost = {"service": "rekognition", "when": "after", "do": "error", "code": "InternalServerError", "times": 1}
    pipeline.break_calls({**lost, "operation": "StartProjectVersion"}, {**lost, "operation": "StopProjectVersion"})

    assert pipeline.run()["status"] == "SUCCEEDED"

    assert pipeline.happened() == 2
    assert_holds(pipeline)
    assert len(pipeline.model()["sessions"]) == sessions + 1
