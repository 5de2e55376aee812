"""Who may do what: real actions, on ARNs, for named sources."""

import json
import re
from pathlib import Path
from typing import Any

import cfnlint
import pulumi
import pytest

from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Result, record_program
from tests.unit.components.graph import (
    ACCOUNT,
    PROJECT_ARN,
    ROLE,
    ROLE_POLICY,
    RULE,
    STATE_MACHINE,
    Statement,
    allowed,
    as_list,
    policies,
    record_component,
    record_stack,
    role_statements,
    statements,
)

LOG_DELIVERY = {
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}
"""What AWS offers no ARN for (Step Functions developer guide, "Logging")."""

ACTIONS: dict[str, Any] = json.loads(
    (Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json").read_text(encoding="utf-8")
)
"""Every service's actions, as the Service Authorization Reference lists them."""


def stands_for_anything(resource: str) -> bool:
    """Whether an ARN names neither a service's resource nor anything of it."""
    parts = resource.split(":", 5)
    return resource == "*" or len(parts) < 6 or "*" in "".join(parts[:5]) or parts[5].startswith("*")


def test_no_policy_allows_anything_on_everything(graph: Result) -> None:
    for resource, statement in statements(graph):
        if statement["Effect"] == "Deny" or resource.type == ROLE:
            continue
        stars = [arn for arn in as_list(statement["Resource"]) if stands_for_anything(arn)]
        assert not stars or set(statement["Action"]) == LOG_DELIVERY or is_own_metrics(statement), (
            resource.name,
            statement,
        )


def is_own_metrics(statement: Statement) -> bool:
    """CloudWatch has no ARN for a metric; a namespace is the least it can be held to."""
    own = {"StringEquals": {"cloudwatch:namespace": "CustomLabelsBatch"}}
    return statement["Action"] == ["cloudwatch:PutMetricData"] and statement.get("Condition") == own


def test_the_release_says_only_what_is_its_own_on_the_default_bus(scheduled: Result) -> None:
    (statement,) = (s for s in role_statements(scheduled, "batch-release-model") if "events:PutEvents" in s["Action"])

    assert statement["Resource"] == f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
    assert statement["Condition"] == {
        "ForAllValues:StringEquals": {"events:source": "custom-labels-batch"},
        "Null": {"events:source": "false"},
    }
    definition = scheduled.named("batch-release-model", STATE_MACHINE).properties["definition"]
    (entry,) = json.loads(definition)["States"]["Announce the end of the run"]["Arguments"]["Entries"]
    assert entry["Source"] == "custom-labels-batch"


def test_stars_inside_an_arn_stand_for_what_is_below_one_resource(graph: Result) -> None:
    below = re.compile(
        r"arn:aws:s3:::[a-z0-9-]+(/(images|superseded|rejected|predictions))?/\*"
        r"|arn:aws:logs:us-east-1:\d+:log-group:/aws/lambda/[a-z-]+-(analyze-image|refuse-destroy|[a-z]+-(labels|predictions))-\w+:\*"
        r"|arn:aws:rekognition:us-east-1:\d+:project/surfaces/version/\*/\*"
        r"|arn:aws:states:us-east-1:\d+:execution:batch-(run|release-model)-\*:\*"
    )
    for resource, statement in statements(graph):
        for arn in as_list(statement.get("Resource", [])):
            if "*" in arn and arn != "*":
                assert below.fullmatch(arn), (resource.name, arn)


def test_no_action_is_a_pattern_except_to_refuse_it(graph: Result) -> None:
    for _, statement in statements(graph):
        if statement["Effect"] == "Allow":
            assert not any("*" in action for action in as_list(statement["Action"]))


def test_only_refusals_are_for_everyone(graph: Result) -> None:
    for _, statement in statements(graph):
        principal = statement.get("Principal")
        assert statement["Effect"] == "Deny" if principal == "*" else "*" not in str(principal)


def test_no_statement_inverts_what_it_names(graph: Result) -> None:
    for _, statement in statements(graph):
        assert not set(statement) & {"NotAction", "NotResource", "NotPrincipal"}


def test_every_action_exists(graph: Result) -> None:
    for _, statement in statements(graph):
        for action in as_list(statement["Action"]):
            service, _, name = action.partition(":")
            assert name == "*" or name.lower() in ACTIONS[service]["Actions"], action


def test_every_allowed_resource_is_of_a_kind_the_action_works_on(graph: Result) -> None:
    for resource, statement in statements(graph):
        if resource.type != ROLE_POLICY or statement["Resource"] == "*":
            continue
        for action in statement["Action"]:
            service, _, name = action.partition(":")
            forms = [
                form for kind in kinds(action) for form in ACTIONS[service]["Resources"][kind.lower()]["ARNFormats"]
            ]
            for arn in as_list(statement["Resource"]):
                assert any(re.fullmatch(re.sub(r"\$\{\w+\}", "[^:]*", form), arn) for form in forms), (name, arn)


def kinds(action: str) -> list[str]:
    service, _, name = action.partition(":")
    return list(ACTIONS[service]["Actions"][name.lower()]["Resources"])


def test_rights_on_a_bucket_are_not_given_on_its_objects_nor_the_other_way_round(graph: Result) -> None:
    for action, resources in allowed(graph, "batch-analyze-image").items():
        if action.startswith("s3:"):
            assert {"/" in arn for arn in resources} == {"object" in kinds(action)}, action


def test_policies_fit_into_their_roles(graph: Result) -> None:
    """IAM allows all inline policies of a role 10,240 characters, its trust policy 2,048; white space is free."""
    for role in graph.of_type(ROLE):
        inline = [
            p.properties["policy"]
            for p in graph.of_type(ROLE_POLICY)
            if p.properties["role"] == role.properties["name"]
        ]
        assert len(re.sub(r"\s", "", "".join(inline))) < 10_240
        assert len(re.sub(r"\s", "", role.properties["assumeRolePolicy"])) < 2048


def test_every_document_has_the_current_version(graph: Result) -> None:
    assert {document["Version"] for _, document in policies(graph)} == {"2012-10-17"}


# Roles


def trust(graph: Result, role: str) -> Statement:
    (statement,) = json.loads(graph.named(role, ROLE).properties["assumeRolePolicy"])["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    return dict(statement)


def test_everything_that_acts_has_a_role_of_its_own(scheduled: Result) -> None:
    assert {role.name: trust(scheduled, role.name)["Principal"]["Service"] for role in scheduled.of_type(ROLE)} == {
        "batch-analyze-image": "lambda.amazonaws.com",
        "batch-run": "states.amazonaws.com",
        "batch-release-model": "states.amazonaws.com",
        "batch-run-schedule": "scheduler.amazonaws.com",
        "batch-release-model-schedule": "scheduler.amazonaws.com",
        "batch-rescue": "events.amazonaws.com",
        "notification-notify-labels": "lambda.amazonaws.com",
        "analytics-record-predictions": "lambda.amazonaws.com",
        "destroy-guard-refuse-destroy": "lambda.amazonaws.com",
    }


@pytest.mark.parametrize("role", ["batch-run-schedule", "batch-release-model-schedule"])
def test_scheduler_acts_for_this_group_of_this_account(scheduled: Result, role: str) -> None:
    (group,) = scheduled.of_type("aws:scheduler/scheduleGroup:ScheduleGroup")

    assert trust(scheduled, role)["Condition"] == {
        "ArnLike": {"aws:SourceArn": group.outputs["arn"]},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
    }


@pytest.mark.parametrize("role", ["batch-run", "batch-release-model"])
def test_step_functions_acts_for_this_account(scheduled: Result, role: str) -> None:
    assert trust(scheduled, role)["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_eventbridge_acts_for_this_rule(scheduled: Result) -> None:
    rule = scheduled.named("batch-rescue", RULE)

    assert trust(scheduled, "batch-rescue")["Condition"] == {"ArnLike": {"aws:SourceArn": rule.outputs["arn"]}}


@pytest.mark.parametrize(
    ("role", "target"),
    [
        ("batch-run-schedule", "batch-run"),
        ("batch-release-model-schedule", "batch-release-model"),
        ("batch-rescue", "batch-release-model"),
    ],
)
def test_whoever_starts_a_workflow_may_do_nothing_else(scheduled: Result, role: str, target: str) -> None:
    machine = scheduled.named(target, "aws:sfn/stateMachine:StateMachine")

    assert allowed(scheduled, role) == {"states:StartExecution": {machine.outputs["arn"]}}


def test_the_function_may_do_what_its_calls_need_and_no_more(scheduled: Result) -> None:
    assert set(allowed(scheduled, "batch-analyze-image")) == {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "rekognition:DetectCustomLabels",
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:PutObject",
        "sns:Publish",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }


def test_the_function_deletes_from_the_source_bucket_only(scheduled: Result) -> None:
    source = scheduled.outputs["sourceBucketName"]

    for action in ("s3:DeleteObject", "s3:DeleteObjectVersion"):
        assert allowed(scheduled, "batch-analyze-image")[action] == {f"arn:aws:s3:::{source}/*"}


def test_on_upload_the_function_looks_for_the_running_version_and_has_no_table(on_upload: Result) -> None:
    actions = allowed(on_upload, "batch-analyze-image")

    assert actions["rekognition:DescribeProjectVersions"] == {PROJECT_ARN}
    assert not any(action.startswith("dynamodb:") for action in actions)


def test_a_pinned_version_is_the_only_one_that_is_started_and_any_may_be_asked_and_stopped() -> None:
    graph = record_stack(modelVersion="v.2")
    versions = "arn:aws:rekognition:us-east-1:123456789012:project/surfaces/version"

    assert allowed(graph, "batch-run")["rekognition:StartProjectVersion"] == {f"{versions}/v.2/*"}
    # A run that began before the version was pinned still has another one.
    assert allowed(graph, "batch-analyze-image")["rekognition:DetectCustomLabels"] == {f"{versions}/*/*"}
    assert allowed(graph, "batch-release-model")["rekognition:StopProjectVersion"] == {f"{versions}/*/*"}


def test_only_the_run_starts_and_only_the_release_stops_a_model(scheduled: Result) -> None:
    may = {
        role.name: {action for s in role_statements(scheduled, role.name) for action in s["Action"]}
        for role in scheduled.of_type(ROLE)
    }

    assert [name for name, actions in may.items() if "rekognition:StartProjectVersion" in actions] == ["batch-run"]
    assert [name for name, actions in may.items() if "rekognition:StopProjectVersion" in actions] == [
        "batch-release-model"
    ]


# Where the project is


@pytest.mark.parametrize(
    ("arn", "otherwise"),
    [
        (PROJECT_ARN.replace("us-east-1", "eu-west-1"), "or train the model in a project that is here"),
        (PROJECT_ARN.replace(ACCOUNT, "210987654321"), "or copy the model version"),
    ],
)
def test_a_project_that_is_elsewhere_is_refused_with_what_can_be_done(arn: str, otherwise: str) -> None:
    with pytest.raises(SandboxError, match=f"{arn} is not in us-east-1 and account {ACCOUNT}.*{otherwise}"):
        record_component(project_arn=arn)


def test_the_project_may_be_an_output() -> None:
    from custom_labels_batch.components.batch_inference import BatchInference

    graph = record_program(lambda: BatchInference("batch", {"project_arn": pulumi.Output.from_input(PROJECT_ARN)}))

    assert allowed(graph, "batch-run")["rekognition:DescribeProjectVersions"] == {PROJECT_ARN}


def test_a_project_in_another_region_is_fine_if_the_stack_is_there_too() -> None:
    from custom_labels_batch.components.batch_inference import BatchInference

    arn = PROJECT_ARN.replace("us-east-1", "eu-west-1")

    assert record_program(lambda: BatchInference("batch", {"project_arn": arn}), region="eu-west-1").resources
