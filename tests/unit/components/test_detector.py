"""BatchInference with another detector than Custom Labels: what the example of SageMaker registers."""

import doctest
import json

import pytest

from custom_labels_batch.components import workflow
from custom_labels_batch.components.workflow import render
from examples.sagemaker.endpoint import SageMakerEndpoint
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Result, record_program
from tests.unit.components.graph import ACCOUNT, FUNCTION, ROOT, STATE_MACHINE, allowed

EXAMPLE = ROOT / "examples" / "sagemaker"
ENDPOINT = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/surfaces"

CONFIGURATIONS = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint-config/surfaces-*"


@pytest.fixture(scope="module")
def graph() -> Result:
    return record_program(EXAMPLE, config={"modelName": "surfaces"})


def test_the_functions_model_is_the_examples_file(graph: Result) -> None:
    archive = graph.named("images-analyze-image", FUNCTION).properties["code"]

    assert archive.assets["functions/analyze_image/model.py"].path == str(EXAMPLE / "model.py")
    assert archive.assets["functions/analyze_image/detector.py"].path.startswith(str(ROOT / "custom_labels_batch"))


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        ("images-analyze-image", {"sagemaker:InvokeEndpoint": {ENDPOINT}}),
        (
            "images-run",
            {"sagemaker:DescribeEndpoint": {ENDPOINT}, "sagemaker:CreateEndpoint": {ENDPOINT, CONFIGURATIONS}},
        ),
        ("images-release-model", {"sagemaker:DescribeEndpoint": {ENDPOINT}, "sagemaker:DeleteEndpoint": {ENDPOINT}}),
    ],
)
def test_each_role_may_do_its_part_with_the_endpoint(graph: Result, role: str, rights: dict[str, set[str]]) -> None:
    found = allowed(graph, role)

    assert {action: arns for action, arns in found.items() if action.startswith("sagemaker:")} == rights
    assert not any(action.startswith("rekognition:") for action in found)


@pytest.mark.parametrize("machine", ["images-run", "images-release-model"])
def test_the_workflows_ask_sagemaker(graph: Result, machine: str) -> None:
    definition = graph.named(machine, STATE_MACHINE).properties["definition"]

    assert "aws-sdk:sagemaker:" in definition
    assert "rekognition" not in definition
    assert json.loads(definition)["States"]["Read the settings"]["Assign"]["settings"]["projectArn"] == ENDPOINT


@pytest.mark.parametrize(
    ("arn", "version", "said"),
    [
        (ENDPOINT.replace("surfaces", "Surfaces"), "", "in lower case"),
        (ENDPOINT.replace("us-east-1", "eu-west-1"), "", "is not in us-east-1"),
        (ENDPOINT, "1.0", "leave model_version out"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused(arn: str, version: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SageMakerEndpoint().checked(arn, "us-east-1", ACCOUNT, version)


def test_a_change_of_a_state_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="has no state 'Start the engine'"):
        render("batch_inference", {}, {"Start the engine": {}})


def test_the_example_of_a_merge_holds() -> None:
    assert doctest.testmod(workflow) == (0, 1)


def test_without_a_detector_an_endpoints_arn_is_refused() -> None:
    with pytest.raises(SandboxError, match="arn:aws:rekognition"):
        record_program(ROOT, config={"projectArn": ENDPOINT})
