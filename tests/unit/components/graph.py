"""Programs to record, and questions about the resources they register."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from custom_labels_batch.components.batch_inference import BatchInference, BatchInferenceArgs
from sandbox.deployer.model import Registration
from sandbox.pulumi_runtime import Result, record_program

ROOT = Path(__file__).resolve().parents[3]
ACCOUNT = "123456789012"
PROJECT_ARN = f"arn:aws:rekognition:us-east-1:{ACCOUNT}:project/surfaces/1793491200000"

BUCKET = "aws:s3/bucket:Bucket"
EVENT_SOURCE_MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
FUNCTION = "aws:lambda/function:Function"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"
QUEUE = "aws:sqs/queue:Queue"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
RULE = "aws:cloudwatch/eventRule:EventRule"
SCHEDULE = "aws:scheduler/schedule:Schedule"
STATE_MACHINE = "aws:sfn/stateMachine:StateMachine"
TABLE = "aws:dynamodb/table:Table"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
TOPIC = "aws:sns/topic:Topic"

Statement = dict[str, Any]


def record_stack(**config: Any) -> Result:
    """What the program in the repository's folder registers."""
    return record_program(ROOT, config={"projectArn": PROJECT_ARN, **config})


def record_everything() -> Result:
    """The stack with all that a setting can add."""
    return record_stack(
        alarmEmails="operations@example.com",
        notificationEmails="quality@example.com",
        notificationSubscriptions=[{"protocol": "https", "endpoint": "https://example.com/labels"}],
        labelsOfInterest={"crack": 80},
        presignedUrlMinutes=60,
        predictionRetentionDays=365,
        quickSightPrincipalArn=f"arn:aws:quicksight:us-east-1:{ACCOUNT}:user/default/ana",
    )


def record_component(name: str = "batch", **args: Any) -> Result:
    """What one BatchInference registers in a program of its own."""
    inputs: BatchInferenceArgs = {"project_arn": PROJECT_ARN, **args}  # type: ignore[typeddict-item]
    return record_program(lambda: BatchInference(name, inputs))


def cloud_resources(graph: Result) -> list[Registration]:
    """Everything but the components."""
    return [resource for resource in graph.resources if resource.custom]


def policies(graph: Result) -> Iterator[tuple[Registration, dict[str, Any]]]:
    """Every policy document of a graph, trust policies among them, with the resource it is of."""
    for resource in graph.resources:
        for name in ("policy", "assumeRolePolicy"):
            if name in resource.properties:
                yield resource, json.loads(resource.properties[name])


def statements(graph: Result) -> Iterator[tuple[Registration, Statement]]:
    """Every statement of every policy."""
    for resource, document in policies(graph):
        for statement in document["Statement"]:
            yield resource, statement


def role_statements(graph: Result, role: str) -> list[Statement]:
    """What a role, by its logical name, is allowed."""
    name = graph.named(role, ROLE).properties["name"]
    return [
        statement
        for resource, statement in statements(graph)
        if resource.type == ROLE_POLICY and resource.properties["role"] == name
    ]


def as_list(value: Any) -> list[Any]:
    """Policies may write a list of one without the list."""
    return value if isinstance(value, list) else [value]


def allowed(graph: Result, role: str) -> dict[str, set[str]]:
    """Action -> resources that a role is allowed it on."""
    found: dict[str, set[str]] = {}
    for statement in role_statements(graph, role):
        for action in statement["Action"]:
            found.setdefault(action, set()).update(as_list(statement["Resource"]))
    return found


def precedes(graph: Result, first: Registration, then: Registration) -> bool:
    """Whether the engine is sure to create one resource before another."""
    return first.urn in graph.created_before(then)
