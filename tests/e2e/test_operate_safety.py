"""Nothing is left running: a stack is taken down safely, and looked after, on the sandbox."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from custom_labels_batch.cli.app import main
from custom_labels_batch.cli.errors import InputError
from custom_labels_batch.cli.schedule import switch_off
from custom_labels_batch.cli.stack import Stack as OperatorsStack
from custom_labels_batch.cli.stack import find_stack
from sandbox.deploy import destroy
from sandbox.deployer.state import StateFile
from sandbox.errors import SandboxError
from sandbox.photographs import photographs
from sandbox.settings import PROJECT_NAME, SandboxSettings, project_arn
from sandbox.uploads import Upload
from tests.e2e.conftest import Deploy
from tests.e2e.deployed_stack import Stack
from tests.e2e.test_pipeline import assert_released

pytestmark = pytest.mark.xdist_group("operate_safety")

Cli = Callable[..., tuple[int, str]]


@pytest.fixture
def project() -> str:
    return PROJECT_NAME


@pytest.fixture
def stack(deploy_stack: Deploy, project: str) -> Stack:
    """A stack whose buckets go with what they hold."""
    return deploy_stack(forceDestroy="true", projectArn=project_arn(project))


@pytest.fixture
def cli(stack: Stack, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command on the stack: its exit code, and what it and what it starts print, with all spaces alike."""

    def run(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        code = main([*arguments, "--outputs", str(tmp_path / "outputs.json")])
        return code, " ".join("".join(capfd.readouterr()).split())

    return run


def in_the_middle_of_a_run(stack: Stack) -> str:
    """Three images wait, and the model is starting for them."""
    for number, (label, body) in enumerate(photographs(3, seed=5)):
        stack.upload(Upload(f"{number}.jpg", body, label))
    stack.wait_for(lambda: depth(stack) == 3, "the messages")
    run = stack.start_run()
    stack.wait_for(lambda: stack.model_status() == "STARTING", "the model to start")
    return run


def depth(stack: Stack) -> int:
    asked = stack.cloud.sqs.get_queue_attributes(QueueUrl=stack.outputs["imageQueueUrl"], AttributeNames=["All"])
    return int(asked["Attributes"]["ApproximateNumberOfMessages"])


def test_a_bare_destroy_during_a_run_is_refused_with_nothing_lost(stack: Stack, cli: Cli, tmp_path: Path) -> None:
    run = in_the_middle_of_a_run(stack)
    state = StateFile(tmp_path / "state.json")
    before = state.read()["resources"]

    with pytest.raises(SandboxError, match=r"Nothing was destroyed: run .* holds .*`clb destroy` ends the run"):
        destroy(stack.settings, build=tmp_path)

    assert state.read()["resources"] == before
    assert stack.execution(run)["status"] == "RUNNING"
    assert cli("stop", "--yes")[0] == 0
    assert_released(stack)
    assert destroy(stack.settings, build=tmp_path) == len(before)


def test_a_stack_in_the_middle_of_a_run_is_destroyed_with_its_model_stopped(
    stack: Stack, cli: Cli, tmp_path: Path
) -> None:
    in_the_middle_of_a_run(stack)

    code, said = cli("destroy", "--yes")

    assert code == 0, said
    steps = (
        "lost: 3 messages of images",
        "deleted with 3 versions of objects",
        "Switched the schedule off.",
        "Ended run",
        "Released the model",
        "Destroyed the sandbox at",
    )
    assert [step for step in steps if step not in said] == [], said
    assert stack.model_status() == "STOPPED"
    assert StateFile(tmp_path / "state.json").read()["resources"] == []
    machines = stack.cloud.stepfunctions.list_state_machines()["stateMachines"]
    assert stack.outputs["stateMachineArn"] not in {machine["stateMachineArn"] for machine in machines}
    assert not (tmp_path / "outputs.json").exists()


def test_the_schedule_that_destroy_switches_off_starts_no_run(stack: Stack, cli: Cli) -> None:
    group, name = stack.outputs["scheduleArn"].split("/")[1:]
    assert switch_off(OperatorsStack("it", stack.outputs))
    assert not switch_off(OperatorsStack("it", stack.outputs))

    assert stack.cloud.scheduler.get_schedule(GroupName=group, Name=name)["State"] == "DISABLED"
    assert "the schedule is switched off" in cli("status")[1]


def test_a_dead_letter_raises_an_alarm_that_the_status_tells_with_what_to_do(stack: Stack, cli: Cli) -> None:
    assert re.search(r"alarms none of \d+ is raised", cli("status")[1])
    stack.cloud.sqs.send_message(QueueUrl=stack.outputs["imageDeadLetterQueueUrl"], MessageBody="{}")

    code, said = cli("status")

    assert code == 0
    assert re.search(r"alarms 1 of \d+ raised", said)
    assert "monitoring-image-dead-letter" in said
    assert "look at a message and at the function's log for the cause" in said


def findings(cli: Cli) -> dict[str, list[tuple[str, str]]]:
    """Check -> the level and text of each finding."""
    found: dict[str, list[tuple[str, str]]] = {}
    for finding in json.loads(cli("doctor", "--json")[1])["findings"]:
        found.setdefault(finding["check"], []).append((finding["level"], finding["finding"]))
    return found


# The stacks of other tests have the usual project.
@pytest.mark.parametrize("project", ["textures"])
def test_a_new_stack_is_well(stack: Stack, cli: Cli) -> None:
    code, said = cli("doctor")

    assert code == 0, said
    found = findings(cli)
    assert {check: f for check, f in found.items() if any(level == "problem" for level, _ in f)} == {}
    # What the sandbox has no service for is said, and is all that is not checked.
    unchecked = {check for check, f in found.items() if any(level == "not checked" for level, _ in f)}
    assert unchecked == {"inference units", "calls a second"}


@pytest.fixture
def model(stack: Stack) -> Iterator[str]:
    """A version that a person has started, ARN."""
    rekognition = stack.cloud.client("rekognition")
    found = rekognition.describe_project_versions(ProjectArn=stack.outputs["projectArn"])
    arn = str(found["ProjectVersionDescriptions"][0]["ProjectVersionArn"])
    rekognition.start_project_version(ProjectVersionArn=arn, MinInferenceUnits=1)
    stack.wait_for(lambda: stack.model_status() == "RUNNING", "the model to start")
    yield arn
    rekognition.stop_project_version(ProjectVersionArn=arn)
    stack.wait_for(lambda: stack.model_status() == "STOPPED", "the model to stop")


def test_what_is_wrong_with_a_stack_is_found_with_what_to_do(stack: Stack, cli: Cli, model: str) -> None:
    cloud, mapping = stack.cloud, stack.outputs["eventSourceMappingUuid"]
    cloud.lambda_.update_event_source_mapping(UUID=mapping, Enabled=True)
    cloud.s3.put_bucket_notification_configuration(
        Bucket=stack.outputs["sourceBucketName"], NotificationConfiguration={}
    )
    cloud.sqs.send_message(QueueUrl=stack.outputs["imageDeadLetterQueueUrl"], MessageBody="{}")
    switch_off(OperatorsStack("it", stack.outputs))

    code, said = cli("doctor")

    assert code == 1
    expected = (
        "is RUNNING without a run",
        f"aws rekognition stop-project-version --project-version-arn {model}",
        "while no run is active: messages fail",
        "switched off: no run begins by itself",
        "1 message of images",
        "does not tell EventBridge of uploads",
    )
    seen = said.replace(" ", "")  # the table folds long words
    assert [text for text in expected if text.replace(" ", "") not in seen] == [], said


OTHERS = {"endpointUrl", "keptOnDestroy", "operationsDashboardName", "operationsDashboardUrl"}
"""Outputs that no command uses, or only a sandbox has."""


@pytest.fixture
def on_aws(settings: SandboxSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox taken for AWS, as the AWS CLI takes it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", settings.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", settings.region)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("on_aws")
@pytest.mark.parametrize(
    "config", [{}, {"imagePrefix": "line*1/", "modelVersion": "v1", "finalBucketName": "acme-done"}]
)
def test_a_stack_among_others_is_found_by_its_tags(
    deploy_stack: Deploy, tmp_path: Path, config: dict[str, str]
) -> None:
    it = deploy_stack(**config)
    name = json.loads((tmp_path / "state.json").read_text())["stack"]

    found = find_stack(None, f"tags:{name}").outputs

    assert {name: value for name, value in found.items() if value} == {
        name: value for name, value in it.outputs.items() if value and name not in OTHERS
    }


@pytest.mark.usefixtures("on_aws")
def test_a_stack_that_keeps_its_model_running_is_found_by_its_tags_too(deploy_stack: Deploy, tmp_path: Path) -> None:
    it = deploy_stack(trigger="upload")
    name = json.loads((tmp_path / "state.json").read_text())["stack"]

    found = find_stack(None, f"tags:custom-labels-batch/{name}")

    assert not found.is_scheduled
    assert found.output("eventSourceMappingUuid") == it.outputs["eventSourceMappingUuid"]


@pytest.mark.usefixtures("on_aws")
def test_tags_that_no_stack_has_are_told_with_those_that_are_there(stack: Stack, tmp_path: Path) -> None:
    name = json.loads((tmp_path / "state.json").read_text())["stack"]
    with pytest.raises(InputError, match=rf"has the tags Project=custom-labels-batch and Stack=prod; .*{name}"):
        find_stack(None, "tags:prod")
