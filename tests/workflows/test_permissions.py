"""Each workflow's role allows exactly the calls that its definition makes."""

import json
from functools import cache
from pathlib import Path

import pytest

from custom_labels_batch.components.workflow import WORKFLOWS
from sandbox.pulumi_runtime import Result, record_program
from tests.workflows.definitions import NAMES, states

ROOT = Path(__file__).parents[2]
PROJECT_ARN = "arn:aws:rekognition:us-east-1:123456789012:project/surfaces/1793491200000"
MACHINES = {"batch_inference": "batch-run", "release_model": "batch-release-model"}
IAM_SERVICES = {"sfn": "states"}


def needed(name: str) -> set[str]:
    """The IAM actions of the calls in a definition."""
    calls = [task["Resource"].split(":")[-2:] for task in states(name, "Task").values()]
    return {f"{IAM_SERVICES.get(service, service)}:{action[0].upper()}{action[1:]}" for service, action in calls}


def allowed(name: str) -> set[str]:
    """What the statements on a workflow's role allow, but for its log delivery."""
    recorded = stack()
    machine = recorded.named(MACHINES[name], "aws:sfn/stateMachine:StateMachine")
    (role,) = [r for r in recorded.of_type("aws:iam/role:Role") if r.outputs["arn"] == machine.inputs["roleArn"]]
    policies = [
        r for r in recorded.of_type("aws:iam/rolePolicy:RolePolicy") if r.inputs["role"] == role.outputs["name"]
    ]
    statements = [each for policy in policies for each in json.loads(policy.inputs["policy"])["Statement"]]
    return {action for each in statements for action in each["Action"] if not action.startswith("logs:")}


@cache
def stack() -> Result:
    return record_program(ROOT, config={"projectArn": PROJECT_ARN})


@pytest.mark.parametrize("name", NAMES)
def test_a_role_allows_what_its_workflow_calls_and_no_more(name: str) -> None:
    assert allowed(name) == needed(name)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_deployed_is_the_file_with_its_tokens_filled_in(name: str) -> None:
    deployed = json.loads(stack().named(MACHINES[name], "aws:sfn/stateMachine:StateMachine").inputs["definition"])

    assert deployed["States"].keys() == json.loads((WORKFLOWS / f"{name}.asl.json").read_text())["States"].keys()
    assert "${" not in json.dumps(deployed)
    assert deployed["TimeoutSeconds"] > 0
