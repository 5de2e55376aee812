"""Programs in other languages, in examples/ and in docs/components.md, held against the schema and the plugin.

None is compiled here: that takes the SDKs which the Pulumi CLI generates.
"""

import ast
import json
import re
from collections.abc import Iterator

import pytest
import yaml  # type: ignore[import-untyped]

from docs.components_tables import tables
from sandbox.deploy import REPOSITORY
from tests.unit.plugin.engine import PACKAGE, PLUGIN, Deployment
from tests.unit.plugin.inputs import PROJECT_ARN
from tests.unit.plugin.test_schema import COMMITTED, COMPONENTS
from tests.unit.plugin.yaml_program import deploy

EXAMPLES = REPOSITORY / "examples"
DOCUMENT = (REPOSITORY / "docs" / "components.md").read_text(encoding="utf-8")
TYPESCRIPT = (EXAMPLES / "typescript" / "index.ts").read_text(encoding="utf-8")
Use = tuple[str, set[str]]
"""A component, and the inputs that a program gives it."""


def block(language: str) -> str:
    """The document's only block of code in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    return str(found)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def uses_in_typescript(text: str) -> list[Use]:
    found = re.findall(r'new labels\.(\w+)\("[\w-]+", \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    return [(component, set(re.findall(r"^    (\w+)[:,]", inputs, re.MULTILINE))) for component, inputs in found]


def uses_in_go(text: str) -> list[Use]:
    found = re.findall(r"&customlabelsbatch\.(\w+)Args\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    names = [(component, re.findall(r"^\t(\w+):", inputs, re.MULTILINE)) for component, inputs in found]
    return [(component, {name[0].lower() + name[1:] for name in inputs}) for component, inputs in names]


def uses_in_python(text: str) -> list[Use]:
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    components = [(call.func.attr, call.keywords) for call in calls if isinstance(call.func, ast.Attribute)]
    return [
        (name, {camel(keyword.arg or "") for keyword in keywords})
        for name, keywords in components
        if name in COMPONENTS
    ]


def outputs_read(text: str) -> Iterator[tuple[str, str]]:
    """Component and output of everything like `batch.finalBucketName`, in any language's spelling."""
    named = {name.lower().removesuffix("inference"): name for name in COMPONENTS}
    for variable, output in re.findall(r"\b(batch|notification|analytics|monitoring)\.(\w+)", text):
        yield named[variable], camel(output[0].lower() + output[1:])


PROGRAMS = {
    "examples/typescript": (TYPESCRIPT, uses_in_typescript(TYPESCRIPT)),
    "docs, TypeScript": (block("typescript"), uses_in_typescript(block("typescript"))),
    "docs, Python": (block("python"), uses_in_python(block("python"))),
    "docs, Go": (block("go"), uses_in_go(block("go"))),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_gives_inputs_that_there_are_and_all_that_are_required(program: str) -> None:
    _, uses = PROGRAMS[program]

    assert len(uses) == (5 if program.startswith("examples") else 2)
    for component, inputs in uses:
        assert inputs <= set(COMPONENTS[component]["inputProperties"]), component
        assert set(COMPONENTS[component]["requiredInputs"]) <= inputs, component


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_reads_outputs_that_there_are(program: str) -> None:
    read = [*outputs_read(PROGRAMS[program][0])]

    assert read
    assert [(component, name) for component, name in read if name not in COMPONENTS[component]["properties"]] == []


def test_the_yaml_program_is_made_by_the_plugin(deployment: Deployment) -> None:
    program = yaml.safe_load((EXAMPLES / "yaml" / "Pulumi.yaml").read_text(encoding="utf-8"))

    outputs = deploy(program, deployment, {"projectArn": PROJECT_ARN})

    assert {component["type"].rpartition(":")[2] for component in program["resources"].values()} == set(COMPONENTS)
    assert outputs["athenaWorkgroup"].startswith("analytics")
    assert "/monitoring" in outputs["operationsDashboardUrl"]
    (invocation,) = deployment.graph.of_type("aws:lambda/invocation:Invocation")
    components = {urn.rpartition("::")[2] for urn in invocation.explicit_dependencies}
    assert {"batch", "notification", "analytics", "monitoring"} <= components


def test_the_yaml_program_of_the_document_is_made_by_the_plugin(deployment: Deployment) -> None:
    outputs = deploy(
        yaml.safe_load(block("yaml").replace("eu-west-1", "us-east-1")), deployment, {"projectArn": PROJECT_ARN}
    )

    assert outputs["sourceBucketName"].startswith("batch-source-")


@pytest.mark.parametrize("folder", ["typescript", "yaml"])
def test_an_example_takes_the_package_from_this_repository(folder: str) -> None:
    manifest = yaml.safe_load((EXAMPLES / folder / "Pulumi.yaml").read_text(encoding="utf-8"))

    assert (EXAMPLES / folder / manifest["packages"][PACKAGE]).resolve() == PLUGIN


def test_the_typescript_example_depends_on_the_sdk_that_is_generated_for_it() -> None:
    package = json.loads((EXAMPLES / "typescript" / "package.json").read_text(encoding="utf-8"))

    assert package["dependencies"][f"@pulumi/{PACKAGE}"] == f"file:sdks/{PACKAGE}"


def test_the_documents_tables_are_the_schemas() -> None:
    _, _, rest = DOCUMENT.partition("<!-- tables: python -m docs.components_tables -->\n")

    assert rest.partition("<!-- /tables -->")[0] == tables()


def test_the_document_adds_the_version_there_is() -> None:
    versions = re.findall(rf"/{PLUGIN.name}@([\d.]+)", DOCUMENT)

    assert versions
    assert set(versions) == {COMMITTED["version"]}
