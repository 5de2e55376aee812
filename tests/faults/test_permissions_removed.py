"""A right is taken from a role while a run is at work, and given back an hour later."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.cases import always, case
from tests.faults.invariants import assert_heals, assert_holds
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
        "s3:DeleteObjectVersion",
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
        "lambda:UpdateEventSourceMapping",
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
