"""The analyze function is killed in the middle of its work, as when it runs out of memory or time."""

import pytest

from tests.faults.invariants import assert_heals, assert_holds
from tests.faults.pipeline import Document, Pipeline

pytestmark = pytest.mark.xdist_group("faults")

IMAGES = 5

STEPS = {
    "detect": {"service": "rekognition", "operation": "DetectCustomLabels"},
    "copy": {"service": "s3", "operation": "CopyObject"},
    "publish": {"service": "sns", "operation": "Publish"},
    "write document": {"service": "s3", "operation": "PutObject"},
    "delete": {"service": "s3", "operation": "DeleteObject"},
}


@pytest.mark.parametrize("call", STEPS.values(), ids=STEPS)
def test_a_function_killed_after_a_step_finishes_its_images_the_next_time(pipeline: Pipeline, call: Document) -> None:
    pipeline.upload_pictures(IMAGES)
    pipeline.break_calls({**call, "caller": "analyze-image", "when": "after", "do": "kill", "times": 2})

    pipeline.run()

    assert pipeline.happened() == 2
    assert_holds(pipeline)
    assert_heals(pipeline)
