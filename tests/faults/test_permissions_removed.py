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

TAKEN = {
    ANALYZE: (
        "rekognition:DetectCustomLabels",
        "s3:GetObjectVersion",
        "s3:PutObject",
        "s3:ListBucketVersions",
        "sns:Publish",
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "sqs:ChangeMessageVisibility",
    ),
    RUN: (
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "sqs:GetQueueAttributes",
        "lambda:UpdateEventSourceMapping",
        "rekognition:DescribeProjectVersions",
        "states:StartExecution",
        "states:DescribeExecution",
    ),
    RELEASE: (
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "dynamodb:PutItem",
        "dynamodb:DeleteItem",
        "sqs:GetQueueAttributes",
        "lambda:GetEventSourceMapping",
        "rekognition:DescribeProjectVersions",
        "rekognition:StopProjectVersion",
    ),
    NOTIFY: ("sns:Publish",),
    RECORD: ("s3:PutObject",),
}
IN_MAKE_TEST = {(ANALYZE, "rekognition:DetectCustomLabels"), (RELEASE, "rekognition:StopProjectVersion")}


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


@case(
    "One right is taken from one role when the model runs, before the mapping opens, and given back an hour later",
    "analyze-image: its images wait, the run ends and stops the model. The run: it fails and is released. "
    "release_model: it goes on with its other steps, and the guard does the rest once it may. The listeners: their "
    "predictions wait.",
)
@pytest.mark.parametrize(
    ("role", "action"),
    [
        pytest.param(role, action, marks=always if (role, action) in IN_MAKE_TEST else ())
        for role, actions in TAKEN.items()
        for action in actions
    ],
)
def test_a_right_taken_away_for_an_hour_loses_nothing(pipeline: Pipeline, role: str, action: str) -> None:
    pipeline.upload_pictures(IMAGES)
    pipeline.start_run()
    pipeline.until_model("RUNNING")

    with without(pipeline, role, action):
        pipeline.skip_hours(HOURS)

    assert_holds(pipeline)
    assert_heals(pipeline)


@case(
    "analyze-image may not delete from the source bucket for an hour",
    "Every image is labelled, recorded and announced; its message comes again and ends in the dead-letter queue, so "
    "that somebody hears of it. Sent home, it only deletes.",
)
def test_an_image_that_may_not_be_deleted_is_done_and_told_of(pipeline: Pipeline) -> None:
    pipeline.upload_pictures(IMAGES)
    pipeline.start_run()
    pipeline.until_model("RUNNING")

    with without(pipeline, ANALYZE, "s3:DeleteObjectVersion"):
        pipeline.skip_hours(HOURS)

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
    pipeline.upload_pictures(IMAGES)
    pipeline.start_run()
    pipeline.until_model("RUNNING")

    with without(pipeline, RELEASE, "lambda:UpdateEventSourceMapping"):
        pipeline.skip_hours(HOURS)
        assert pipeline.model_status() == "STOPPED"

    assert pipeline.run()["status"] == "SUCCEEDED"
    assert_holds(pipeline)
    assert_heals(pipeline)
