"""Options and inputs of components in Python programs: what Pulumi's users expect of them."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict  # type: ignore[import-untyped]
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from pulumi.runtime.proto import resource_pb2

import custom_labels_batch
from sandbox.deployer.invokes import answer
from sandbox.pulumi_runtime import Result, _RecordingMonitor, record_program
from tests.unit.components.graph import FUNCTION, cloud_resources
from tests.unit.plugin.inputs import ACCOUNT, EVERYTHING, LEAST
from tests.unit.plugin.test_schema import COMPONENTS

COMPONENT = pytest.mark.parametrize("component", EVERYTHING)
NAMES = ("bucket", "name", "dashboardName", "policyName")
NAMED_WITHIN = ("aws:glue/catalogTable:CatalogTable", "aws:athena/namedQuery:NamedQuery")
"""Types whose names are of one database or workgroup."""
Options = Callable[[], pulumi.ResourceOptions]
NO_OPTIONS = pulumi.ResourceOptions


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)


def in_python(component: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Inputs in the names that Python has for them."""
    renamed = {snake(name): value for name, value in inputs.items()}
    if "subscriptions" in renamed:
        renamed["subscriptions"] = [
            {snake(key): value for key, value in one.items()} for one in inputs["subscriptions"]
        ]
    return renamed


def make(component: str, name: str, inputs: dict[str, Any], options: pulumi.ResourceOptions | None = None) -> Any:
    return getattr(custom_labels_batch, component)(name, in_python(component, inputs), options)


def record(component: str, options: Options = NO_OPTIONS, inputs: dict[str, Any] | None = None) -> Result:
    """What one component registers, with all its inputs unless others are given."""
    return record_program(lambda: make(component, "it", EVERYTHING[component] if inputs is None else inputs, options()))


def own(graph: Result, component: str) -> Any:
    return graph.named("it", f"custom-labels-batch:index:{component}")


def provider() -> aws.Provider:
    return aws.Provider("elsewhere")


@COMPONENT
@pytest.mark.parametrize(
    "options",
    [
        lambda: pulumi.ResourceOptions(provider=provider()),
        lambda: pulumi.ResourceOptions(providers=[provider()]),
        lambda: pulumi.ResourceOptions(providers={"aws": provider()}),
    ],
    ids=["provider", "list", "map"],
)
def test_a_provider_is_everybodys(component: str, options: Options) -> None:
    made = [resource for resource in cloud_resources(record(component, options)) if resource.type.startswith("aws:")]

    assert len(made) >= 5
    assert [resource.name for resource in made if "::elsewhere::" not in resource.options.provider] == []


class Elsewhere:
    """A region that one provider is for: what is asked of it is answered from there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, str]] = []
        original = _RecordingMonitor.Invoke

        def invoke(monitor: _RecordingMonitor, request: Any) -> Any:
            if request.tok == "pulumi:pulumi:getResource":
                # How the runtime looks at a provider that the program made.
                urn = request.args["urn"]
                found = {"urn": urn, "id": monitor.registered[urn].id, "state": {}}
            else:
                self.asked.append((request.tok, request.provider))
                if "::elsewhere::" not in request.provider:
                    return original(monitor, request)
                found = answer(request.tok, MessageToDict(request.args), "eu-west-1", ACCOUNT)
            return resource_pb2.ResourceInvokeResponse(**{"return": ParseDict(found, Struct())})

        monkeypatch.setattr(_RecordingMonitor, "Invoke", invoke)


@COMPONENT
def test_what_is_asked_of_aws_is_asked_of_the_components_provider(
    component: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Elsewhere(monkeypatch)
    inputs = {
        name: re.sub("us-east-1", "eu-west-1", value) if isinstance(value, str) else value
        for name, value in EVERYTHING[component].items()
        if name != "powertoolsLayerArn"
    }

    graph = record(component, lambda: pulumi.ResourceOptions(provider=provider()), inputs)

    assert elsewhere.asked
    assert [token for token, asked in elsewhere.asked if "::elsewhere::" not in asked] == []
    for function in graph.of_type(FUNCTION):
        assert ":eu-west-1:" in function.properties["layers"][0]


@COMPONENT
def test_protection_covers_everything(component: str) -> None:
    graph = record(component, lambda: pulumi.ResourceOptions(protect=True))

    assert [resource.name for resource in graph.resources if not resource.options.protect] == []


@COMPONENT
def test_what_the_engine_sees_to_reaches_it(component: str) -> None:
    def program() -> None:
        before = aws.sqs.Queue("before")
        options = pulumi.ResourceOptions(
            depends_on=[before],
            aliases=[pulumi.Alias(name="older")],
            retain_on_delete=True,
            deleted_with=before,
            ignore_changes=["tags"],
        )
        make(component, "it", LEAST[component], options)

    graph = record_program(program)

    found, before = own(graph, component), graph.named("before")
    assert before.urn in found.explicit_dependencies
    assert found.options.aliases[0]["name"] == "older"
    assert (found.options.retain_on_delete, found.options.deleted_with) == (True, before.urn)
    assert found.options.ignore_changes == ("tags",)
    # Whatever is in it waits for it, and it for its dependency.
    assert [
        r.name for r in cloud_resources(graph) if r is not before and before.urn not in graph.created_before(r)
    ] == []


@COMPONENT
def test_a_users_transformation_sees_everything_and_tags_stay(component: str) -> None:
    seen: list[str] = []

    def see(args: pulumi.ResourceTransformationArgs) -> None:
        seen.append(args.name)

    graph = record(component, lambda: pulumi.ResourceOptions(transformations=[see]))

    assert {resource.name for resource in graph.resources} <= set(seen)
    tagged = [found.properties["tags"] for found in cloud_resources(graph) if "tags" in found.properties]
    assert tagged
    assert [tags for tags in tagged if tags["owner"] != "vision-team"] == []


def test_options_that_components_share_are_not_changed_by_them() -> None:
    def program() -> None:
        shared = pulumi.ResourceOptions(protect=True)
        for component in EVERYTHING:
            make(component, f"one-{component.lower()}", LEAST[component] | {"tags": {component: "yes"}}, shared)
        assert (shared.transformations, shared.parent, shared.providers) == (None, None, None)

    graph = record_program(program)

    for resource in cloud_resources(graph):
        mine = {name for name in resource.properties.get("tags", {}) if name in EVERYTHING}
        assert len(mine) <= 1, resource.name


@COMPONENT
def test_two_of_a_kind_share_no_name(component: str) -> None:
    def program() -> None:
        make(component, "roofs", LEAST[component])
        make(component, "roads", LEAST[component])

    graph = record_program(program)

    made = [resource for resource in cloud_resources(graph) if resource.type not in NAMED_WITHIN]
    names = [(r.type, r.properties[key]) for r in made for key in NAMES if key in r.properties]
    assert len(names) >= 2
    assert [name for name, count in Counter(names).items() if count > 1] == []


@COMPONENT
def test_every_input_that_may_be_an_output_can_be_one(component: str) -> None:
    wanted = COMPONENTS[component]["inputProperties"]
    inputs: dict[str, Any] = {}
    for name, value in EVERYTHING[component].items():
        if name == "tags":
            inputs[name] = {key: pulumi.Output.from_input(tag) for key, tag in value.items()}
        else:
            inputs[name] = value if wanted[name].get("plain") else pulumi.Output.from_input(value)

    def registered(graph: Result) -> dict[str, Any]:
        # Two archives of the same files are not equal.
        return {resource.urn: {**resource.inputs, "code": None} for resource in graph.resources}

    def program() -> None:
        make(component, "it", inputs)

    assert registered(record_program(program)) == registered(record(component))
