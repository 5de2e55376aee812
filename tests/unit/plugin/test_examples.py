"""Programs in examples/ and in docs/components.md, held against the schema and the plugin.

None but those in Python is run here: that takes the SDKs which the Pulumi CLI generates.
"""

import json
import re
from collections.abc import Iterator

import pytest
import yaml  # type: ignore[import-untyped]

from custom_labels_batch.functions.shared.prediction import Prediction
from sandbox.deploy import REPOSITORY
from sandbox.pulumi_runtime import Result, record_program
from tests.unit.components.graph import QUEUE
from tests.unit.plugin.engine import PACKAGE, PLUGIN, Deployment
from tests.unit.plugin.inputs import PROJECT_ARN
from tests.unit.plugin.test_schema import COMMITTED, COMPONENTS
from tests.unit.plugin.yaml_program import deploy

EXAMPLES = REPOSITORY / "examples"
DOCUMENT = (REPOSITORY / "docs" / "components.md").read_text(encoding="utf-8")
TYPESCRIPT = (EXAMPLES / "typescript" / "index.ts").read_text(encoding="utf-8")
PYTHON = sorted(program.parent.name for program in EXAMPLES.glob("*/__main__.py"))
Use = tuple[str, set[str]]
"""A component, and the inputs that a program gives it."""


def blocks(language: str) -> list[str]:
    """The document's blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


def block(language: str) -> str:
    """The only one."""
    (found,) = blocks(language)
    return found


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


def outputs_read(text: str) -> Iterator[tuple[str, str]]:
    """Component and output of everything like `batch.finalBucketName`, in any language's spelling."""
    named = {name.lower().removesuffix("inference"): name for name in COMPONENTS}
    for variable, output in re.findall(r"\b(batch|notification|analytics|monitoring)\.(\w+)", text):
        yield named[variable], camel(output[0].lower() + output[1:])


PROGRAMS = {
    "examples/typescript": (TYPESCRIPT, uses_in_typescript(TYPESCRIPT)),
    "docs, TypeScript": (block("typescript"), uses_in_typescript(block("typescript"))),
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


def python_program(text: str) -> Result:
    return record_program(lambda: exec(text, {"project_arn": PROJECT_ARN}), config={"projectArn": PROJECT_ARN})  # noqa: S102


def test_the_python_programs_of_the_document_run() -> None:
    joined, elsewhere, alone = blocks("python")

    assert python_program(joined).outputs["sourceBucketName"].startswith("batch-source-")
    assert python_program(alone).outputs["detectionsTopicArn"].startswith("arn:aws:sns:")
    header = "import pulumi\nimport pulumi_aws as aws\nfrom custom_labels_batch import BatchInference\n"
    # The sandbox has one region.
    made = python_program(header + elsewhere.replace("eu-west-1", "us-east-1"))
    assert "::models::" in made.named("batch-images", QUEUE).options.provider


def test_the_documents_message_is_one_that_every_listener_understands_with_every_name_that_messages_have() -> None:
    text = json.loads(block("json"))
    sent = json.loads(Prediction.model_validate(text).to_json())

    assert sent == text
    assert list(sent) == list(text)


@pytest.mark.parametrize("folder", ["typescript", "yaml"])
def test_an_example_takes_the_package_from_this_repository(folder: str) -> None:
    manifest = yaml.safe_load((EXAMPLES / folder / "Pulumi.yaml").read_text(encoding="utf-8"))

    assert (EXAMPLES / folder / manifest["packages"][PACKAGE]).resolve() == PLUGIN


def test_the_typescript_example_depends_on_the_sdk_that_is_generated_for_it() -> None:
    package = json.loads((EXAMPLES / "typescript" / "package.json").read_text(encoding="utf-8"))

    assert package["dependencies"][f"@pulumi/{PACKAGE}"] == f"file:sdks/{PACKAGE}"


def test_documents_and_examples_name_the_version_there_is() -> None:
    programs = [(EXAMPLES / folder / "requirements.txt").read_text(encoding="utf-8") for folder in PYTHON]
    versions = re.findall(
        rf"(?:/{PLUGIN.name}@|\.git@v|custom_labels_batch-)([\d.]+\d)", "".join([DOCUMENT, *programs])
    )

    assert len(versions) > len(PYTHON)
    assert set(versions) == {COMMITTED["version"]}


@pytest.mark.parametrize("folder", PYTHON)
def test_an_example_imports_nothing_of_this_repository_but_the_package(folder: str) -> None:
    text = (EXAMPLES / folder / "__main__.py").read_text(encoding="utf-8")

    own = {module.stem for module in (EXAMPLES / folder).glob("*.py")}
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE))
    assert imported - own - {"pulumi_aws"} == {"pulumi", "custom_labels_batch"}


@pytest.mark.parametrize("folder", PYTHON)
def test_an_example_asks_for_what_it_needs(folder: str) -> None:
    manifest = yaml.safe_load((EXAMPLES / folder / "Pulumi.yaml").read_text(encoding="utf-8"))
    text = (EXAMPLES / folder / "__main__.py").read_text(encoding="utf-8")
    required = re.findall(r'\.require(?:_object)?\("(\w+)"\)', text)
    assert required
    assert {name for name in manifest["config"] if "default" not in manifest["config"][name]} == set(required)


def test_the_readme_of_the_examples_lists_each() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    folders = {found.name for found in EXAMPLES.iterdir() if found.is_dir() and not found.name.startswith("__")}

    assert set(re.findall(r"^\| \[`(\w+)`\]\(", text, re.MULTILINE)) == folders
