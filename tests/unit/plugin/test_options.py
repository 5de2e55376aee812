"""Options of a component: what Pulumi's users expect of them."""

import pytest

from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import cloud_resources
from tests.unit.plugin.engine import PACKAGE, Deployment
from tests.unit.plugin.inputs import EVERYTHING, LEAST

ELSEWHERE = "urn:pulumi:test::project::aws:s3/bucket:Bucket::elsewhere"
COMPONENT = pytest.mark.parametrize("component", EVERYTHING)


def below(graph: Result, urn: str) -> list[str]:
    """URNs of everything that a component has in it."""
    children = [resource.urn for resource in graph.resources if resource.parent == urn]
    return [*children, *(inside for child in children for inside in below(graph, child))]


@COMPONENT
def test_everything_is_below_the_component(deployment: Deployment, component: str) -> None:
    made = deployment.construct(component, "tree", EVERYTHING[component])

    assert {made.urn, *below(made.graph, made.urn)} == {resource.urn for resource in made.graph.resources}


@COMPONENT
def test_a_provider_is_everybodys(deployment: Deployment, component: str) -> None:
    elsewhere = deployment.aws_provider("elsewhere")

    made = deployment.construct(component, "provided", EVERYTHING[component], providers={"aws": elsewhere})

    for resource in cloud_resources(made.graph):
        if resource.type.startswith("aws:"):
            assert resource.options.provider == elsewhere, resource.name


@COMPONENT
def test_without_a_provider_the_stacks_own_is_used(deployment: Deployment, component: str) -> None:
    made = deployment.construct(component, "default", EVERYTHING[component])

    assert {resource.options.provider for resource in cloud_resources(made.graph)} == {""}


@COMPONENT
def test_protection_covers_everything(deployment: Deployment, component: str) -> None:
    made = deployment.construct(component, "kept", EVERYTHING[component], protect=True)

    assert [resource.name for resource in made.graph.resources if not resource.options.protect] == []


@COMPONENT
def test_nothing_is_protected_unasked(deployment: Deployment, component: str) -> None:
    made = deployment.construct(component, "free", EVERYTHING[component])

    assert [resource.name for resource in made.graph.resources if resource.options.protect] == []


def test_aliases_reach_the_engine(deployment: Deployment) -> None:
    old = f"urn:pulumi:test::project::{PACKAGE}:index:Analytics::old"

    made = deployment.construct(
        "Analytics", "new", LEAST["Analytics"], aliases=[{"urn": old}, {"spec": {"name": "older"}}]
    )

    aliases = made.graph.by_urn(made.urn).options.aliases
    assert aliases[0] == {"urn": old}
    assert aliases[1]["name"] == "older"


def test_a_parent_is_kept(deployment: Deployment) -> None:
    parent = "urn:pulumi:test::project::acme:index:Vision::vision"

    made = deployment.construct("Analytics", "analytics", LEAST["Analytics"], parent=parent)

    assert made.graph.by_urn(made.urn).parent == parent
    assert made.urn == f"urn:pulumi:test::project::acme:index:Vision${PACKAGE}:index:Analytics::analytics"


def test_what_the_engine_sees_to_reaches_it(deployment: Deployment) -> None:
    made = deployment.construct(
        "Analytics",
        "analytics",
        LEAST["Analytics"],
        dependencies=[ELSEWHERE],
        retainOnDelete=True,
        deletedWith=ELSEWHERE,
        ignoreChanges=["tags"],
    )

    component = made.graph.by_urn(made.urn)
    assert component.explicit_dependencies == {ELSEWHERE}
    assert (component.options.retain_on_delete, component.options.deleted_with) == (True, ELSEWHERE)
    assert component.options.ignore_changes == ("tags",)


def test_options_of_the_component_do_not_replace_those_of_its_resources(deployment: Deployment) -> None:
    made = deployment.construct("BatchInference", "batch", LEAST["BatchInference"], ignoreChanges=["schedule"])

    mapping = made.graph.named("batch-images", "aws:lambda/eventSourceMapping:EventSourceMapping")
    assert mapping.options.ignore_changes == ("enabled", "scalingConfig")
