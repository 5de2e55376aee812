"""Images and runs from what a deployed stack keeps."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from custom_labels_batch.components.workflow import WORKFLOWS
from custom_labels_batch.report.data import Image, Sample, Status
from custom_labels_batch.report.stack import RunRecord, image, runs
from tests.unit.report.samples import BEGAN

RELEASE_MODEL = WORKFLOWS / "release_model.asl.json"


def milliseconds(minute: float) -> str:
    return str(int((BEGAN + timedelta(minutes=minute)).timestamp() * 1000))


def record(**changes: dict[str, str]) -> dict[str, Any]:
    """As a DynamoDB client gives it."""
    return {
        "kind": {"S": "run"},
        "id": {"S": "2026-11-22T09:00:00.000Z#a-name"},
        "outcome": {"S": "DRAINED"},
        "cause": {"S": ""},
        "startedByRun": {"S": "true"},
        "inferenceUnits": {"N": "2"},
        "backlogAtStart": {"N": "3"},
        "processed": {"N": "2"},
        "rejected": {"N": "1"},
        "startedAt": {"N": milliseconds(0)},
        "modelRunningAt": {"N": milliseconds(10)},
        "modelRanUntil": {"N": milliseconds(13)},
        "endedAt": {"N": milliseconds(15)},
        "billedInferenceUnitMinutes": {"N": "6"},
        **changes,
    }


def seen(uploaded: float, processed: float) -> Image:
    return Image(
        key="a",
        status=Status.LABELLED,
        uploaded_at=BEGAN + timedelta(minutes=uploaded),
        processed_at=BEGAN + timedelta(minutes=processed),
    )


DOCUMENT = {
    "imageId": "abc",
    "status": "labelled",
    "sourceBucket": "source",
    "imageKey": "a/b.jpg",
    "sourceUri": "s3://source/a/b.jpg",
    "finalUri": "s3://final/images/a/b.jpg",
    "finalVersionId": None,
    "versionId": "v1",
    "eTag": "e",
    "sequencer": "1",
    "size": 1200,
    "projectVersionArn": None,
    "uploadedAt": "2026-11-22T08:59:00.000Z",
    "processedAt": "2026-11-22T09:00:00.000Z",
    "labels": [
        {"name": "low", "confidence": 71.5},
        {"name": "high", "confidence": 99, "boundingBox": {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}},
    ],
    "reason": None,
}


class TestImages:
    def test_a_document_becomes_an_image_with_its_surest_label_first(self) -> None:
        made = image(DOCUMENT, thumbnail=b"webp", link="https://example.com")

        assert [label.name for label in made.labels] == ["high", "low"]
        assert made.labels[0].box is not None
        assert made.labels[0].box.width == 0.3
        assert (made.key, made.size, made.final_uri) == ("a/b.jpg", 1200, "s3://final/images/a/b.jpg")
        assert made.uploaded_at == datetime(2026, 11, 22, 8, 59, tzinfo=UTC)

    def test_a_rejected_one_says_why(self) -> None:
        rejected = DOCUMENT | {
            "status": "rejected",
            "labels": [],
            "reason": {"code": "EMPTY", "message": "it is empty"},
        }

        assert (image(rejected).status, image(rejected).reason) == (Status.REJECTED, "it is empty")

    def test_what_is_no_prediction_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="imageKey"):
            image({"hello": "world"})


class TestRuns:
    def test_a_record_alone_gives_the_model_its_times_and_the_bill(self) -> None:
        (run,) = runs([record()], [])

        assert [(state.status, state.begin, state.end) for state in run.states] == [
            ("STARTING", 0, 10),
            ("RUNNING", 10, 13),
            ("STOPPING", 13, 15),
        ]
        assert (run.billed[0].begin, run.billed[0].end, run.inference_units) == (10, 13, 2)
        assert (run.billed_minutes, run.duration_minutes, run.images, run.rejected) == (6, 15, 3, 1)

    def test_a_table_resource_gives_the_same_run_as_a_client(self) -> None:
        plain = {k: v.get("S", None) if "S" in v else Decimal(v["N"]) for k, v in record().items()}

        assert runs([plain], []) == runs([record()], [])

    def test_what_waited_and_what_was_done_comes_from_the_images(self) -> None:
        (run,) = runs([record()], [seen(-5, 11), seen(2, 12), seen(-60, -30), seen(1, 40)])

        assert run.backlog == tuple(Sample(minute=m, count=c) for m, c in ((0, 1), (2, 2), (11, 1), (12, 0)))
        assert run.done == tuple(Sample(minute=m, count=c) for m, c in ((0, 0), (2, 0), (11, 1), (12, 2)))

    def test_a_model_that_never_ran_has_no_bill(self) -> None:
        failed = record(modelRunningAt={"N": "0"}, billedInferenceUnitMinutes={"N": "0"}, outcome={"S": "FAILED"})

        (run,) = runs([failed], [])

        assert (run.states, run.billed, run.billed_minutes, run.outcome) == ((), (), 0, "FAILED")

    def test_a_model_somebody_else_keeps_running_is_not_billed_to_the_run(self) -> None:
        (run,) = runs([record(startedByRun={"S": "false"}, billedInferenceUnitMinutes={"N": "0"})], [])

        assert [(state.status, state.begin, state.end) for state in run.states] == [("RUNNING", 0, 15)]
        assert run.billed == ()

    def test_runs_are_numbered_from_the_oldest(self) -> None:
        later = record(startedAt={"N": milliseconds(60)}, endedAt={"N": milliseconds(70)}, outcome={"S": "LATER"})

        assert [(run.name, run.outcome) for run in runs([later, record()], [])] == [
            ("Run 1", "DRAINED"),
            ("Run 2", "LATER"),
        ]

    def test_simulated_time_runs_faster(self) -> None:
        (run,) = runs([record()], [seen(-5, 11)], time_scale=0.5)

        assert (run.duration_minutes, run.billed_minutes, run.done[-1].minute) == (30, 12, 22)

    def test_a_record_that_lacks_something_is_an_error(self) -> None:
        with pytest.raises(ValidationError, match="startedAt"):
            runs([{name: value for name, value in record().items() if name != "startedAt"}], [])

    def test_the_workflow_writes_every_attribute_that_is_read(self) -> None:
        written = re.findall(r'"(\w+)": \{ "[SN]": ', RELEASE_MODEL.read_text(encoding="utf-8"))

        assert {field.alias for field in RunRecord.model_fields.values()} <= set(written)
