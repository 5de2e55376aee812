"""Stacks side by side: the example settings of three environments, and names that no two stacks share."""

import json
import string
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_labels_batch.components.naming import stack_name
from sandbox.deploy import REPOSITORY
from sandbox.deployer.arns import identifiers
from sandbox.deployer.model import Registration
from sandbox.deployer.project import read_project
from sandbox.pulumi_runtime import Result, record_program
from settings import Settings, parse
from tests.unit.components.graph import BUCKET, PROJECT_ARN, cloud_resources

ENVIRONMENTS = ("dev", "staging", "prod")
NAMESPACE = "custom-labels-batch:"


def example_settings(stack: str) -> Settings:
    config = read_project(REPOSITORY, stack, {}).config
    return parse({key.removeprefix(NAMESPACE): value for key, value in config.items() if key.startswith(NAMESPACE)})


def record_example(stack: str) -> Result:
    region, account = example_settings(stack).project_arn.split(":")[3:5]
    return record_program(REPOSITORY, stack=stack, region=region, account_id=account)


# Pulumi.dev.yaml, Pulumi.staging.yaml, Pulumi.prod.yaml


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_each_example_deploys_with_nothing_but_a_project_of_ones_own(stack: str) -> None:
    graph = record_example(stack)

    assert graph.outputs["projectArn"] == example_settings(stack).project_arn
    assert len(graph.of_type(BUCKET)) == 3


def test_each_example_has_a_project_of_its_own() -> None:
    assert len({example_settings(stack).project_arn for stack in ENVIRONMENTS}) == len(ENVIRONMENTS)


@pytest.mark.parametrize(
    "setting", ["max_inference_units", "max_run_minutes", "noncurrent_version_retention_days", "run_retention_days"]
)
def test_what_is_closer_to_production_is_larger_and_kept_longer(setting: str) -> None:
    chosen = [getattr(example_settings(stack), setting) for stack in ENVIRONMENTS]

    assert chosen == sorted(chosen)
    assert chosen[0] < chosen[-1]


def test_the_example_for_production_keeps_data_and_tells_somebody_of_trouble() -> None:
    prod = example_settings("prod")

    assert (prod.data_buckets, prod.prediction_retention_days) == ("protect", None)
    assert prod.alarm_emails
    assert prod.model_version


def test_only_the_example_for_development_deletes_data() -> None:
    assert [stack for stack in ENVIRONMENTS if not example_settings(stack).keeps_buckets] == ["dev"]


# Names


QUICKSIGHT = "arn:aws:quicksight:us-east-1:123456789012:user/default/ana"

PARTS = {
    "aws:lambda/permission:Permission": ("function", "statementId"),
    "aws:lambda/invocation:Invocation": ("functionName", "input"),
    "aws:sns/topicSubscription:TopicSubscription": ("topic", "endpoint"),
    "aws:athena/namedQuery:NamedQuery": ("workgroup", "name"),
    "aws:cloudwatch/eventTarget:EventTarget": ("rule", "targetId"),
    "aws:quicksight/refreshSchedule:RefreshSchedule": ("dataSetId", "scheduleId"),
}
"""Types whose id AWS makes up, with what says whose part it is and which."""


def stack_of(project: str, stack: str, **config: Any) -> Result:
    given = {
        "projectArn": PROJECT_ARN,
        "quickSightPrincipalArn": QUICKSIGHT,
        "notificationEmails": "a@example.com",
        "alarmEmails": "a@example.com",
        "summaryEmails": "a@example.com",
        **config,
    }
    # Pulumi.yaml, which is read first, wants the one it declares under its own name.
    namespaced = {f"{project}:{key}": value for key, value in given.items()}
    config = {**namespaced, f"{NAMESPACE}projectArn": PROJECT_ARN}
    return record_program(REPOSITORY, project=project, stack=stack, config=config)


def physical(graph: Result) -> Iterator[tuple[str, str]]:
    """What AWS tells each resource of an account and region apart by."""
    for resource in cloud_resources(graph):
        yield resource.type, _told_apart_by(resource)


def _told_apart_by(resource: Registration) -> str:
    properties = resource.properties
    if resource.type == "aws:cloudcontrol/resource:Resource":
        return str(json.loads(properties["desiredState"])["DashboardId"])
    if parts := PARTS.get(resource.type):
        return " ".join(str(properties[part]) for part in parts)
    # The type's own identifier, not the placeholder that a preview gives to one it knows nothing of.
    known = identifiers(resource.type, properties, "us-east-1", "123456789012")
    assert known.get("id"), f"what tells {resource.type} apart? add it to PARTS"
    return str(known["id"])


def shared(one: Result, other: Result) -> set[tuple[str, str]]:
    return set(physical(one)) & set(physical(other))


@pytest.fixture(scope="module")
def dev() -> Result:
    return stack_of("custom-labels-batch", "dev")


@pytest.mark.parametrize(
    ("project", "stack"),
    [
        ("custom-labels-batch", "prod"),
        ("custom-labels-batch", "Dev"),
        ("roofs", "dev"),
        ("custom-labels", "batch-dev"),
        ("custom-labels-batch", "dev."),
        ("custom-labels-batch", "s" * 100),
        ("p" * 100, "s" * 100),
        ("custom.labels_batch", "my.stack_X-1"),
    ],
)
def test_two_stacks_of_one_account_and_region_share_no_physical_name(dev: Result, project: str, stack: str) -> None:
    other = stack_of(project, stack)

    assert len(cloud_resources(other)) == len(cloud_resources(dev))
    assert shared(dev, other) == set()


def test_every_kind_of_resource_is_told_apart_within_a_stack_too(dev: Result) -> None:
    assert len(set(physical(dev))) == len(cloud_resources(dev))


def test_a_stack_whose_buckets_are_named_alike_shares_no_quicksight_id(dev: Result) -> None:
    one, other = (stack_of("roofs", name, analyticsBucketName=bucket) for name, bucket in [("a", "b.c"), ("b", "b-c")])

    assert shared(one, other) == set()


def test_components_in_programs_of_their_own_share_none_either() -> None:
    from custom_labels_batch import Analytics, Monitoring

    def program() -> None:
        topic = "arn:aws:sns:us-east-1:123456789012:predictions"
        url = "https://sqs.us-east-1.amazonaws.com/123456789012/images"
        Analytics("analytics", {"predictions_topic_arn": topic, "quick_sight_principal_arn": QUICKSIGHT})
        Monitoring(
            "monitoring",
            {"image_queue_url": url, "image_dead_letter_queue_url": url, "analyze_function_name": "analyze"},
        )

    one, other = (record_program(program, stack=stack) for stack in ("dev", "prod"))

    assert shared(one, other) == set()


ALLOWED = st.text(string.ascii_letters + string.digits + "_.-", min_size=1, max_size=100)
"""Pulumi's own rule for the names of projects and stacks."""


@given(st.tuples(ALLOWED, ALLOWED), st.tuples(ALLOWED, ALLOWED))
@example(("app", "my.stack"), ("app", "my_stack"))
@example(("app", "my-stack"), ("app-my", "stack"))
@example(("app", "Prod"), ("app", "prod"))
@example(("app", "s" * 100 + "a"), ("app", "s" * 100 + "b"))
@example(("a_b", "c"), ("a", "b_c"))
def test_no_two_stacks_come_to_one_name(one: tuple[str, str], other: tuple[str, str]) -> None:
    for separator, longest in (("_", 128), ("-", 255)):
        names = [stack_name(*stack, separator, longest) for stack in (one, other)]
        assert (names[0] == names[1]) == (one == other)


@given(ALLOWED, ALLOWED)
@example("-", ".")
def test_a_name_is_one_that_glue_athena_and_cloudwatch_take(project: str, stack: str) -> None:
    for separator, longest in (("_", 128), ("-", 255)):
        name = stack_name(project, stack, separator, longest)
        assert 1 <= len(name) <= longest
        assert set(name) <= {*string.ascii_lowercase, *string.digits, separator}
        assert not name.startswith(separator)


def test_a_plain_name_is_left_readable() -> None:
    assert stack_name("custom-labels-batch", "dev", "_", 128) == "custom_labels_batch_dev"
    assert stack_name("custom-labels-batch", "my.stack", "-", 255).startswith("custom-labels-batch-my-stack-")
