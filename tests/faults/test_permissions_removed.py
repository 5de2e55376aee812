"""A right is taken from a role while a run is at work, and given back an hour later."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.cases import always, case
from tests.faults.invariants import Place, assert_heals, assert_holds, counts
from tests.faults.pipeline import Pipeline

pytestmark = pytest.mark.xdist_group("faults")

IMAGES = 4
HOURS = 1.0

ANALYZE, RUN, RELEASE = "batch-analyze-image", "batch-run", "batch-release-model"
NOTIFY, RECORD = "notification-notify-labels", "analytics-record-predictions"

OF_FUNCTIONS = [
    (ANALYZE, "rekognition:DetectCustomLabels"),
    (ANALYZE, "s3:GetObjectVersion"),
    (ANALYZE, "s3:PutObject"),
    (ANALYZE, "sns:Publish"),
    (ANALYZE, "dynamodb:GetItem"),
    (ANALYZE, "dynamodb:UpdateItem"),
    (NOTIFY, "sns:Publish"),
    (RECORD, "s3:PutObject"),
]
OF_THE_RUN = [
    "dynamodb:GetItem",
    "dynamodb:UpdateItem",
    "sqs:GetQueueAttributes",
    "lambda:UpdateEventSourceMapping",
    "rekognition:DescribeProjectVersions",
    "states:StartExecution",
    "states:DescribeExecution",
]
OF_THE_RELEASE = [
    "dynamodb:GetItem",
    "dynamodb:UpdateItem",
    "dynamodb:PutItem",
    "dynamodb:DeleteItem",
    "sqs:GetQueueAttributes",
    "lambda:GetEventSourceMapping",
    "rekognition:DescribeProjectVersions",
    "rekognition:StopProjectVersion",
]
IN_MAKE_TEST = {"states:StartExecution"}


@contextmanager
def without(pipeline: Pipeline, role: str, action: str) -> Iterator[None]:
    """Inside, a role of the stack may not do an action."""
    iam = pipeline.cloud.iam
    pages = iam.get_paginator("list_roles").paginate()
    names = [found["RoleName"] for page in pages for found in page["Roles"]]
    (name,) = (name for name in names if re.fullmatch(rf"{role}-[0-9a-f]{{7}}", name))
    policies = {
        policy: json.dumps(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }
    assert any(f'"{action}"' in document for document in policies.values()), f"{role} never had {action}"
    for policy, document in policies.items():
        # An action that does nothing takes its place: a statement needs one.
        less = document.replace(f'"{action}"', '"iam:GetContextKeysForCustomPolicy"')
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=less)
    try:
        yield
    finally:
        for policy, document in policies.items():
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)


def run_without(pipeline: Pipeline, role: str, action: str) -> str:
    """Start a run, take a right away while its model is STARTING, and give it back an hour later; the run's ARN."""
    pipeline.upload_pictures(IMAGES)
    run = pipeline.start_run()
    pipeline.until_model("STARTING")
    with without(pipeline, role, action):
        pipeline.skip_hours(HOURS)
    return run


@case(
    "A function misses one of its rights from the model's STARTING on, for an hour",
    "analyze-image: the images wait, the run ends when nothing was labelled for a while, and stops the model. Without "
    "the right to count its images it works on. The listeners: their predictions wait.",
)
@pytest.mark.parametrize(("role", "action"), OF_FUNCTIONS)
def test_a_right_taken_from_a_function_loses_nothing(pipeline: Pipeline, role: str, action: str) -> None:
    run_without(pipeline, role, action)

    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "The run misses one of its rights from the model's STARTING on, for an hour",
    "It fails, and its model is released: by itself or, if it may not even start that, by the rule.",
)
@pytest.mark.parametrize(
    "action", [pytest.param(action, marks=always if action in IN_MAKE_TEST else ()) for action in OF_THE_RUN]
)
def test_a_right_taken_from_the_run_fails_it_and_leaves_no_model_running(pipeline: Pipeline, action: str) -> None:
    run = run_without(pipeline, RUN, action)

    assert pipeline.execution(run)["status"] == "FAILED"
    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "release_model misses one of its rights from the model's STARTING on, for an hour",
    "What it may not look at it waits for as long as that can take; what it may not do the guard does once it may. "
    "Only without the rights to the lock, or to stop the model, does the model run until then.",
)
@pytest.mark.parametrize("action", OF_THE_RELEASE)
def test_a_right_taken_from_the_release_loses_nothing(pipeline: Pipeline, action: str) -> None:
    run_without(pipeline, RELEASE, action)

    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "analyze-image may not delete from the source bucket for an hour",
    "Every image is labelled, recorded and announced; its message comes again and ends in the dead-letter queue, so "
    "that somebody hears of it. Sent home, it only deletes.",
)
def test_an_image_that_may_not_be_deleted_is_done_and_told_of(pipeline: Pipeline) -> None:
    run_without(pipeline, ANALYZE, "s3:DeleteObjectVersion")

    pipeline.settle()
    assert counts(pipeline) == {Place.LABELLED: IMAGES, Place.DEAD_LETTER: IMAGES}
    assert_heals(pipeline)
    assert counts(pipeline) == {Place.LABELLED: IMAGES}
    assert set(pipeline.announced.values()) == {1}


@case(
    "release_model may not change the mapping for an hour",
    "It stops the model all the same, and ends; the schedule's next tick closes the mapping.",
)
def test_a_mapping_that_may_not_be_closed_keeps_no_model_running(pipeline: Pipeline) -> None:
    run_without(pipeline, RELEASE, "lambda:UpdateEventSourceMapping")
    assert (pipeline.model_status(), pipeline.mapping_state()) == ("STOPPED", "Enabled")

    assert pipeline.run()["status"] == "SUCCEEDED"
    assert_holds(pipeline)
    assert_heals(pipeline)
