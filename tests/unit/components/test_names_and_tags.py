"""Names that fit everywhere and clash nowhere, and tags on everything that takes them."""

import re
from collections import Counter

import pulumi
import pulumi_aws as aws
import pytest

from custom_labels_batch.components.batch_inference import BatchInference
from custom_labels_batch.components.naming import MAX_NAME_LENGTH
from sandbox.deployer.schema import takes_tags
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Result, record_program
from tests.unit.components.graph import PROJECT_ARN, cloud_resources, record_component

LONGEST_NAME = "n" * MAX_NAME_LENGTH

LIMITS = {
    "aws:cloudwatch/eventRule:EventRule": 64,
    "aws:cloudwatch/eventTarget:EventTarget": 64,
    "aws:iam/role:Role": 64,
    "aws:lambda/function:Function": 64,
    "aws:s3/bucket:Bucket": 63,
    "aws:scheduler/schedule:Schedule": 64,
    "aws:scheduler/scheduleGroup:ScheduleGroup": 64,
    "aws:sfn/stateMachine:StateMachine": 80,
    "aws:sqs/queue:Queue": 80,
    "aws:iam/rolePolicy:RolePolicy": 128,
    "aws:dynamodb/table:Table": 255,
    "aws:sns/topic:Topic": 256,
    "aws:cloudwatch/logGroup:LogGroup": 512,
}
"""The longest names each service's API reference allows."""


def test_logical_names_are_short_and_plain(graph: Result) -> None:
    for resource in graph.resources:
        assert re.fullmatch(r"[a-z][a-z0-9-]{0,54}", resource.name)


def test_names_of_the_longest_component_still_fit() -> None:
    graph = record_component(LONGEST_NAME, image_prefix="photographs/")

    for resource in cloud_resources(graph):
        assert len(resource.name) <= 55
        name = next(
            (resource.properties[key] for key in ("bucket", "targetId", "name") if key in resource.properties), ""
        )
        assert len(name) <= LIMITS.get(resource.type, 63), (resource.type, name)


def test_no_two_resources_of_a_type_have_one_name(graph: Result) -> None:
    twice = [key for key, count in Counter((r.type, r.name) for r in graph.resources).items() if count > 1]

    assert twice == []


def test_two_components_live_in_one_program() -> None:
    def program() -> None:
        BatchInference("roofs", {"project_arn": PROJECT_ARN})
        BatchInference("roads", {"project_arn": PROJECT_ARN, "trigger": "upload"})

    graph = record_program(program)

    assert {resource.name.partition("-")[0] for resource in graph.resources} == {"roofs", "roads"}
    assert [machine.name for machine in graph.of_type("aws:sfn/stateMachine:StateMachine")] == [
        "roofs-release-model",
        "roofs-run",
    ]


@pytest.mark.parametrize("name", ["n" * (MAX_NAME_LENGTH + 1), "Roofs", "roofs_1", "1roofs", "-roofs", ""])
def test_a_name_that_would_not_fit_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(SandboxError, match=rf"component name '{name}' is not allowed: at most 30 lower-case"):
        record_component(name)


def test_an_unknown_trigger_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(SandboxError, match="trigger is 'hourly'; allowed is one of schedule, upload"):
        record_component(trigger="hourly")


# Tags


def test_everything_that_takes_tags_has_those_of_stack_component_and_user(scheduled: Result) -> None:
    tagged = [resource for resource in cloud_resources(scheduled) if takes_tags(resource.type)]

    assert len(tagged) > 20
    components = {
        "batch": "BatchInference",
        "notification": "Notification",
        "analytics": "Analytics",
        "monitoring": "Monitoring",
        "destroy": "DestroyGuard",
    }
    for resource in tagged:
        assert resource.properties["tags"] == {
            "Project": "custom-labels-batch",
            "Stack": "mine",
            "Component": components[resource.name.partition("-")[0]],
            "owner": "vision-team",
        }


def test_the_stack_is_named_where_the_user_does_not(on_upload: Result) -> None:
    for resource in cloud_resources(on_upload):
        if takes_tags(resource.type):
            assert resource.properties["tags"]["Stack"] == "test"


def test_only_types_without_tags_have_none(graph: Result) -> None:
    bare = {resource.type for resource in cloud_resources(graph) if "tags" not in resource.properties}

    assert not {type_ for type_ in bare if takes_tags(type_)}


def test_a_components_tags_stay_its_own() -> None:
    def program() -> None:
        BatchInference("roofs", {"project_arn": PROJECT_ARN, "tags": {"owner": "roofers"}})
        aws.sqs.Queue("others", tags={"owner": "others"})

    graph = record_program(program)

    assert graph.named("others").properties["tags"] == {"owner": "others"}
    assert graph.named("roofs-images", "aws:sqs/queue:Queue").properties["tags"]["owner"] == "roofers"


def test_the_callers_options_are_kept() -> None:
    def program() -> None:
        aws_elsewhere = aws.Provider("elsewhere", region="us-east-1")
        BatchInference("roofs", {"project_arn": PROJECT_ARN}, pulumi.ResourceOptions(providers=[aws_elsewhere]))

    graph = record_program(program)

    for resource in cloud_resources(graph):
        if resource.type.startswith("aws:"):
            assert "::elsewhere::" in resource.options.provider
