"""Components as programs of other languages make them: through the provider protocol."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.unit.components.graph import (
    BUCKET,
    EVENT_SOURCE_MAPPING,
    FUNCTION,
    LOG_GROUP,
    QUEUE,
    ROLE_POLICY,
    STATE_MACHINE,
    TOPIC,
    cloud_resources,
)
from tests.unit.plugin.engine import PACKAGE, STACK_URN, Deployment, Plugin, output, secret
from tests.unit.plugin.inputs import EVERYTHING, LEAST, PROJECT_ARN
from tests.unit.plugin.test_schema import COMPONENTS

ELSEWHERE = "urn:pulumi:test::project::aws:s3/bucket:Bucket::elsewhere"


@pytest.mark.parametrize("component", LEAST)
def test_each_works_alone(deployment: Deployment, component: str) -> None:
    made = deployment.construct(component, "alone", LEAST[component])

    own = made.graph.by_urn(made.urn)
    assert (own.type, own.parent) == (f"{PACKAGE}:index:{component}", STACK_URN)
    assert len(cloud_resources(made.graph)) >= 5
    assert set(COMPONENTS[component]["required"]) <= set(made.outputs)


@pytest.mark.parametrize("component", EVERYTHING)
def test_each_takes_all_its_inputs(deployment: Deployment, component: str) -> None:
    made = deployment.construct(component, "all", EVERYTHING[component])

    assert set(made.outputs) == set(COMPONENTS[component]["properties"])


def test_inputs_have_the_effect_they_have_in_python(deployment: Deployment) -> None:
    graph = deployment.construct("BatchInference", "batch", EVERYTHING["BatchInference"]).graph

    environment = graph.named("batch-analyze-image", FUNCTION).properties["environment"]["variables"]
    assert environment["MIN_CONFIDENCE"] == "80.0"
    assert environment["LABEL_THRESHOLDS"] == '{"crack": 55.0, "scratch": 62.5}'
    assert {bucket.properties["bucket"] for bucket in graph.of_type(BUCKET)} == {"acme-in", "acme-out"}
    assert {bucket.properties["forceDestroy"] for bucket in graph.of_type(BUCKET)} == {True}
    assert graph.named("batch-images", EVENT_SOURCE_MAPPING).properties["scalingConfig"] == {"maximumConcurrency": 8}


def test_whole_numbers_are_whole_where_they_arrive_as_floats(deployment: Deployment) -> None:
    for component, inputs in EVERYTHING.items():
        deployment.construct(component, component.lower(), inputs)

    for machine in deployment.graph.of_type(STATE_MACHINE):
        assert '.0,"' not in machine.properties["definition"].replace(" ", "").replace('InferenceUnit":5.0,', "")
    for group in deployment.graph.of_type(LOG_GROUP):
        assert group.properties["retentionInDays"] == 90


def test_an_output_of_another_resource_is_waited_for(deployment: Deployment) -> None:
    inputs = {**LEAST["BatchInference"], "existingSourceBucketName": output("acme-in", ELSEWHERE)}

    made = deployment.construct("BatchInference", "batch", inputs)

    policy = made.graph.named("batch-analyze-image", ROLE_POLICY)
    assert ELSEWHERE in policy.property_dependencies["policy"]
    assert made.outputs["sourceBucketName"] == "acme-in"
    assert made.dependencies["sourceBucketName"] == {ELSEWHERE}


@pytest.mark.parametrize("component", EVERYTHING)
def test_every_input_that_may_be_an_output_can_be_one(deployment: Deployment, component: str) -> None:
    wanted = COMPONENTS[component]["inputProperties"]
    inputs = {
        name: value if wanted[name].get("plain") else output(value, ELSEWHERE)
        for name, value in EVERYTHING[component].items()
    }

    made = deployment.construct(component, "all", inputs)

    assert set(made.outputs) == set(COMPONENTS[component]["properties"])
    assert any(ELSEWHERE in resource.dependencies for resource in made.graph.resources)


@pytest.mark.parametrize("project_arn", [secret(PROJECT_ARN), output(PROJECT_ARN, is_secret=True)])
def test_a_secret_stays_one(deployment: Deployment, project_arn: Any) -> None:
    graph = deployment.construct("BatchInference", "batch", {"projectArn": project_arn}).graph

    assert graph.named("batch-run", STATE_MACHINE).secret_inputs == {"definition"}
    assert graph.named("batch-analyze-image", FUNCTION).secret_inputs == {"environment"}
    assert graph.named("batch-images", QUEUE).secret_inputs == set()


@pytest.mark.parametrize("component", LEAST)
def test_a_preview_shows_all_resources_where_no_input_is_known_yet(plugin: Plugin, component: str) -> None:
    unknown = {name: output(None, ELSEWHERE) for name in LEAST[component]}
    with plugin.deployment() as preview, plugin.deployment() as deployment:
        shown = preview.construct(component, "same", unknown, dryRun=True)
        made = deployment.construct(component, "same", LEAST[component])

    assert {(r.type, r.name) for r in shown.graph.resources} == {(r.type, r.name) for r in made.graph.resources}
    assert set(COMPONENTS[component]["required"]) <= set(shown.outputs)


def test_two_of_a_kind_live_in_one_program(deployment: Deployment) -> None:
    first = deployment.construct("BatchInference", "roofs", LEAST["BatchInference"])
    second = deployment.construct("BatchInference", "roads", {**LEAST["BatchInference"], "maxInferenceUnits": 9})

    assert first.urn != second.urn
    mappings = {found.name: found.properties["scalingConfig"] for found in second.graph.of_type(EVENT_SOURCE_MAPPING)}
    assert mappings == {"roofs-images": {"maximumConcurrency": 2}, "roads-images": {"maximumConcurrency": 18}}


def test_two_that_are_made_at_once_do_not_mix(plugin: Plugin) -> None:
    with plugin.deployment() as one, plugin.deployment() as other, ThreadPoolExecutor() as threads:
        made = [
            threads.submit(deployment.construct, component, component.lower(), EVERYTHING[component])
            for component in EVERYTHING
            for deployment in (one, other)
        ]
        assert [construction.result().urn for construction in made]

    names = [sorted((r.type, r.name) for r in deployment.graph.resources) for deployment in (one, other)]
    assert names[0] == names[1]


def test_the_guard_is_deleted_before_what_it_depends_on(deployment: Deployment) -> None:
    batch = deployment.construct("BatchInference", "batch", LEAST["BatchInference"])

    made = deployment.construct("DestroyGuard", "guard", LEAST["DestroyGuard"], dependencies=[batch.urn])

    # The engine takes a component's children for dependencies too, when it deletes (pulumi/pulumi#7788).
    invocation = made.graph.named("guard", "aws:lambda/invocation:Invocation")
    assert batch.urn in invocation.explicit_dependencies


def test_components_are_joined_by_their_outputs(deployment: Deployment) -> None:
    batch = deployment.construct("BatchInference", "batch", LEAST["BatchInference"])
    topic = output(batch.outputs["predictionsTopicArn"], *batch.dependencies["predictionsTopicArn"])

    made = deployment.construct("Notification", "notification", {"predictionsTopicArn": topic})

    (subscription,) = made.graph.of_type("aws:sns/topicSubscription:TopicSubscription")
    assert subscription.properties["topic"] == batch.outputs["predictionsTopicArn"]
    assert batch.dependencies["predictionsTopicArn"] <= subscription.property_dependencies["topic"]


def test_an_output_that_a_trigger_leaves_out_is_no_output(deployment: Deployment) -> None:
    made = deployment.construct("BatchInference", "batch", {**LEAST["BatchInference"], "trigger": "upload"})

    assert set(made.outputs) == set(COMPONENTS["BatchInference"]["required"])


def test_a_tag_may_be_an_output(deployment: Deployment) -> None:
    tags = {"owner": output("vision-team", is_secret=True), "bucket": output("elsewhere-1", ELSEWHERE)}

    graph = deployment.construct("Monitoring", "monitoring", {**LEAST["Monitoring"], "tags": tags}).graph

    topic = graph.named("monitoring-operations", TOPIC)
    assert topic.properties["tags"] == {"Component": "Monitoring", "owner": "vision-team", "bucket": "elsewhere-1"}
    assert ELSEWHERE in topic.property_dependencies["tags"]
    assert topic.secret_inputs == {"tags"}


def test_a_warning_reaches_the_user(plugin: Plugin, deployment: Deployment) -> None:
    plugin.messages()

    deployment.construct("Notification", "silent", {**LEAST["Notification"], "notificationEmails": ["a@example.com"]})

    assert plugin.messages() == ["There are no labels of interest: nothing will be sent to anybody"]
