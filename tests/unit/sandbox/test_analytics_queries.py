"""This project's own table, view and saved queries, deployed to the sandbox and asked about rows of the tests' own."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from custom_labels_batch.components.analytics import Analytics
from custom_labels_batch.components.query_files import saved_queries
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.deployer import Deployer, destroy_recorded
from sandbox.deployer.state import StateFile
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import run_program
from sandbox.queries import Answer, ask_saved_queries, run_query
from tests.unit.sandbox.support import TIME_SCALE, Sandbox

pytestmark = pytest.mark.xdist_group("sandbox")

VIEW = "rekognition_customlabels_analytics"


def row(image: str, label: str | None, confidence: float | None, number: int | None, **changes: Any) -> dict[str, Any]:
    box = {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}
    return {
        "image_id": f"id-{image}",
        "image_key": image,
        "image_uri": f"s3://final/images/{image}",
        "source_bucket": "source",
        "label": label,
        "confidence": confidence,
        "bounding_box": box if label else None,
        "label_number": number,
        "model_version": "v1",
        "status": "labelled",
        "reason_code": None,
        "reason_message": None,
        "size": 1000,
        "uploaded_at": "2026-01-02 05:00:00.000",
        "processed_at": "2026-01-02 05:01:00.000",
        **changes,
    }


CAT = [row("cat.jpg", "cat", 99.5, 0), row("cat.jpg", "whiskers", 55.25, 1)]
AGAIN = [row("cat.jpg", "cat", 80.0, 0, processed_at="2026-01-02 06:00:00.000")]
EMPTY = [row("sky.jpg", None, None, None)]
BROKEN = [
    row(
        *("=1+1.jpg", None, None, None),
        status="rejected",
        reason_code="NotAnImage",
        reason_message='a "quoted", text\nof two lines',
        model_version=None,
    )
]


class Stack:
    """The deployed component."""

    def __init__(self, cloud: Cloud, outputs: dict[str, Any]) -> None:
        self.cloud, self.outputs = cloud, outputs

    def put(self, day: str, name: str, rows: list[dict[str, Any]]) -> int:
        body = gzip.compress("".join(json.dumps(each) + "\n" for each in rows).encode())
        self.cloud.s3.put_object(Bucket=self.outputs["bucket"], Key=f"predictions/dt={day}/{name}.json.gz", Body=body)
        return len(body)

    def ask(self, sql: str) -> Answer:
        return run_query(self.cloud, self.outputs, sql)

    def saved(self) -> dict[str, list[tuple[str | None, ...]]]:
        """Rows of each saved query's answer."""
        return {query.name: query.answer.rows for query in ask_saved_queries(self.cloud, self.outputs)}


@pytest.fixture(scope="module")
def stack(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    def program() -> None:
        topic = aws.sns.Topic("predictions")
        made = Analytics("seen", {"predictions_topic_arn": topic.arn, "force_destroy": True})
        pulumi.export("athenaDatabase", made.athena_database)
        pulumi.export("athenaWorkgroup", made.athena_workgroup)
        pulumi.export("bucket", made.analytics_bucket_name)

    cloud = Cloud(sandbox.endpoint, "us-east-1", "000000000000", TIME_SCALE)
    state = StateFile(Path(tmp_path_factory.mktemp("state")) / "state.json")
    state.start(sandbox.endpoint, "project", "test")
    deployed = run_program(
        program, project="project", stack="test", config={}, creator=Deployer(cloud, {}, state), timeout=60
    )
    stack = Stack(cloud, deployed.outputs)
    # What is delivered twice is there twice.
    stack.put("2026-01-02", "first", CAT + EMPTY)
    stack.put("2026-01-02", "second", CAT + BROKEN)
    yield stack
    destroy_recorded(cloud, state)


class TestTheView:
    def test_shows_each_label_of_an_image_once(self, stack: Stack) -> None:
        found = stack.ask(f"SELECT image, label, confidence FROM {VIEW} ORDER BY image, label").rows  # noqa: S608

        assert found == [
            ("=1+1.jpg", None, None),
            ("cat.jpg", "cat", "99.5"),
            ("cat.jpg", "whiskers", "55.25"),
            ("sky.jpg", None, None),
        ]

    def test_takes_the_samples_query(self, stack: Stack) -> None:
        answer = stack.ask(f"SELECT * FROM {VIEW} LIMIT 10")  # noqa: S608

        assert answer.columns[:3] == ("image", "label", "confidence")
        assert len(answer.rows) == 4

    def test_shows_the_newest_prediction_of_an_image(self, stack: Stack) -> None:
        stack.put("2026-01-03", "first", CAT)
        stack.put("2026-01-03", "second", AGAIN)

        assert stack.ask(f"SELECT label, confidence FROM {VIEW} WHERE dt = '2026-01-03'").rows == [("cat", "80.0")]  # noqa: S608

    def test_reads_the_files_of_the_days_that_are_asked_for_only(self, stack: Stack) -> None:
        stored = stack.put("2026-01-04", "first", EMPTY)

        assert stack.ask(f"SELECT count(*) FROM {VIEW} WHERE dt >= '2026-01-04'").scanned_bytes == stored  # noqa: S608


class TestSavedQueries:
    def test_every_one_of_them_answers(self, stack: Stack) -> None:
        assert list(stack.saved()) == sorted(query.title for query in saved_queries())

    def test_labels_by_count(self, stack: Stack) -> None:
        assert stack.saved()["Labels by count"][-1][:2] == ("whiskers", "1")

    def test_rejected_images_with_every_character_of_the_reason(self, stack: Stack) -> None:
        ((image, reason, explanation, *_),) = stack.saved()["Rejected images"]

        assert (image, reason, explanation) == ("=1+1.jpg", "NotAnImage", 'a "quoted", text\nof two lines')

    def test_images_with_several_labels(self, stack: Stack) -> None:
        (found,) = stack.saved()["Images with several labels"]

        assert found[:3] == ("cat.jpg", "2", "cat, whiskers")


class TestFailures:
    def test_are_told_in_athenas_words(self, stack: Stack) -> None:
        with pytest.raises(SandboxError, match="FAILED: COLUMN_NOT_FOUND: line 1:8: Column 'nothing'"):
            stack.ask(f"SELECT nothing FROM {VIEW}")  # noqa: S608
