"""Wrong inputs: what a user of another language is told, and where."""

from typing import Any

import pytest

from tests.unit.plugin.engine import ConstructError, Deployment, output, secret
from tests.unit.plugin.inputs import LEAST, PROJECT_ARN

WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    # Of the wrong type
    ("BatchInference", {"projectArn": None}, "projectArn", "Missing required input 'projectArn'"),
    ("BatchInference", {"maxInferenceUnits": 1.5}, "maxInferenceUnits", "1.5 is not a whole number"),
    ("BatchInference", {"maxRunMinutes": "long"}, "maxRunMinutes", "'long' is not a whole number"),
    ("BatchInference", {"minConfidence": "high"}, "minConfidence", "'high' is not a number"),
    ("BatchInference", {"forceDestroy": "yes"}, "forceDestroy", "'yes' is not true or false"),
    ("BatchInference", {"dataBuckets": "keep"}, "dataBuckets", "'keep'; allowed is one of delete, retain, protect"),
    ("Analytics", {"dataBuckets": "retain", "forceDestroy": True}, "dataBuckets", "and forceDestroy is true"),
    ("BatchInference", {"labelThresholds": {"crack": "high"}}, "labelThresholds.crack", "'high' is not a number"),
    ("Notification", {"labelsOfInterest": ["crack"]}, "labelsOfInterest", "['crack'] is not a map"),
    ("Notification", {"notificationEmails": "a@example.com"}, "notificationEmails", "is not a list"),
    ("Notification", {"subscriptions": ["a"]}, "subscriptions[0]", "'a' is not a map"),
    ("Analytics", {"predictionsTopicArn": 5}, "predictionsTopicArn", "5.0 is not text"),
    # Misspelt
    ("BatchInference", {"maxInferenceUnit": 1}, "maxInferenceUnit", "BatchInference has no such input"),
    ("BatchInference", {"max_inference_units": 1}, "max_inference_units", "has no such input"),
    (
        "Notification",
        {"subscriptions": [{"protocol": "sqs", "endpoint": "x", "filter": {}}]},
        "subscriptions[0].filter",
        "NotificationSubscription has no such key",
    ),
    # Not known when the component is made
    ("BatchInference", {"modelVersion": output("v1")}, "modelVersion", "it can be no output and no secret"),
    ("BatchInference", {"maxInferenceUnits": output(None)}, "maxInferenceUnits", "no output"),
    ("Notification", {"notificationEmails": [secret("a@example.com")]}, "notificationEmails", "no secret"),
    ("Notification", {"notificationEmails": ["a@b.io", output("b@b.io")]}, "notificationEmails[1]", "no output"),
    (
        "Notification",
        {"subscriptions": [{"protocol": "https", "endpoint": "https://x", "filterPolicy": {"labels": [output("x")]}}]},
        "subscriptions[0].filterPolicy.labels",
        "no output",
    ),
    # Not allowed
    ("BatchInference", {"trigger": "hourly"}, "trigger", "'hourly'; allowed is one of schedule, upload"),
    ("BatchInference", {"maxInferenceUnits": 0}, "maxInferenceUnits", "is 0; allowed is a whole number from 1 to 500"),
    ("BatchInference", {"minConfidence": 101}, "minConfidence", "allowed is a number from 0 to 100, such as 70"),
    ("BatchInference", {"maxQueueAgeMinutes": 1}, "maxQueueAgeMinutes", "maxQueueAgeMinutes is 1; allowed is"),
    ("BatchInference", {"modelVersion": f"{PROJECT_ARN}/version/v1/2"}, "modelVersion", "modelVersion is an ARN"),
    ("Notification", {"mode": "weekly"}, "mode", "allowed is one of digest, image"),
    ("Notification", {"labelsOfInterest": {"crack": 101}}, "labelsOfInterest", "The threshold of 'crack' is 101"),
    ("Notification", {"notificationEmails": ["nobody"]}, "notificationEmails", "must have an @-sign"),
    ("Notification", {"presignedUrlMinutes": 60}, "finalBucketName", "presignedUrlMinutes needs finalBucketName"),
    (
        "Notification",
        {"subscriptions": [{"protocol": "sqs", "endpoint": "x"}]},
        "subscriptions",
        "is not the ARN of a queue",
    ),
    ("Analytics", {"databaseName": "A-b"}, "databaseName", "lower-case letters, digits and underscores"),
    ("Analytics", {"quickSightPrincipalArn": "ana"}, "quickSightPrincipalArn", "is not a QuickSight user's"),
    ("Monitoring", {"longestWaitMinutes": 0}, "longestWaitMinutes", "is 0; allowed is a whole number from 1"),
    ("Monitoring", {"alarmEmails": ["nobody"]}, "alarmEmails", "must have an @-sign"),
]


@pytest.mark.parametrize(("component", "wrong", "property_", "told"), WRONG, ids=lambda value: str(value)[:40])
def test_is_refused_by_its_name(
    deployment: Deployment, component: str, wrong: dict[str, Any], property_: str, told: str
) -> None:
    with pytest.raises(ConstructError) as refused:
        deployment.construct(component, "wrong", {**LEAST[component], **wrong})

    assert [*refused.value.properties] == [property_]
    assert told in refused.value.properties[property_]
    assert "Traceback" not in str(refused.value)
    assert deployment.graph.resources == ()


def test_of_a_name_are_refused_with_what_is_allowed(deployment: Deployment) -> None:
    with pytest.raises(ConstructError, match="'Surfaces' is not allowed: at most 30 lower-case letters"):
        deployment.construct("Analytics", "Surfaces", LEAST["Analytics"])


@pytest.mark.parametrize(
    ("project_arn", "told"),
    [
        (PROJECT_ARN.replace("us-east-1", "eu-west-1"), "is not in us-east-1 and account 123456789012"),
        (PROJECT_ARN.replace("/1793", "/version/v1/1793"), "is the ARN of a project version"),
    ],
)
def test_that_only_the_deployment_shows_to_be_wrong_are_told_without_a_traceback(
    deployment: Deployment, project_arn: str, told: str
) -> None:
    with pytest.raises(ConstructError, match=told) as refused:
        deployment.construct("BatchInference", "batch", {"projectArn": project_arn})

    assert "File " not in str(refused.value)
    assert "While processing" not in str(refused.value)


def test_do_not_end_the_plugin(deployment: Deployment) -> None:
    with pytest.raises(ConstructError):
        deployment.construct("Analytics", "wrong", {**LEAST["Analytics"], "databaseName": "A-b"})

    made = deployment.construct("Analytics", "right", {**LEAST["Analytics"], "databaseName": "right"})
    assert made.outputs["athenaDatabase"] == "right"
