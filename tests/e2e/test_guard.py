"""The guard: `release_model`, started every 15 minutes by a schedule of its own, when all else is broken.

Time is skipped, not scaled: a quarter of an hour takes a second, and every simulated moment is exact.
"""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sandbox.deploy import REPOSITORY, deploy
from sandbox.deployer.cloud import Cloud
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings
from tests.e2e.conftest import NEVER, free_port
from tests.faults.pipeline import Pipeline

pytestmark = pytest.mark.xdist_group("guard")

GUARD_HOURS = 0.25
RELEASE_HOURS = 0.1
"""What a release takes at most here: the mapping closes, the function ends, the model stops."""

Break = Callable[[Pipeline, str], None]
_numbers = count()


@pytest.fixture(scope="module")
def settings() -> SandboxSettings:
    return SandboxSettings(port=free_port(), time_scale=1, model_start_minutes=1, model_stop_minutes=0.5)


@pytest.fixture
def pipeline(server: ServerProcess, settings: SandboxSettings, tmp_path: Path) -> Pipeline:
    cloud = Cloud(settings.endpoint_url, settings.region, settings.account_id, settings.time_scale)
    made = Pipeline(server, cloud, {}, settings)
    with made.skipping():
        name = f"guard-{next(_numbers)}"
        made.outputs = deploy(REPOSITORY, name, {"schedule": NEVER}, settings, build=tmp_path)
    return made


# How the workflow breaks, while its run is at work


def is_aborted(pipeline: Pipeline, run: str) -> None:
    pipeline.cloud.stepfunctions.stop_execution(executionArn=run)


def is_deleted(pipeline: Pipeline, _run: str) -> None:
    pipeline.cloud.stepfunctions.delete_state_machine(stateMachineArn=pipeline.outputs["stateMachineArn"])


def loses_its_permissions(pipeline: Pipeline, run: str) -> None:
    machine = pipeline.cloud.stepfunctions.describe_state_machine_for_execution(executionArn=run)
    take_policies_away(pipeline, machine["roleArn"])


# How the rule breaks


def rule_is_deleted(pipeline: Pipeline) -> None:
    name, target = rule(pipeline)
    pipeline.cloud.events.remove_targets(Rule=name, Ids=[target["Id"]])
    pipeline.cloud.events.delete_rule(Name=name)


def rule_is_disabled(pipeline: Pipeline) -> None:
    pipeline.cloud.events.disable_rule(Name=rule(pipeline)[0])


def rule_loses_its_permissions(pipeline: Pipeline) -> None:
    take_policies_away(pipeline, rule(pipeline)[1]["RoleArn"])


def rule(pipeline: Pipeline) -> tuple[str, Any]:
    """Name and target of the rule that starts the release when this stack's runs fail."""
    release = pipeline.outputs["releaseStateMachineArn"]
    (name,) = pipeline.cloud.events.list_rule_names_by_target(TargetArn=release)["RuleNames"]
    (target,) = pipeline.cloud.events.list_targets_by_rule(Rule=name)["Targets"]
    return name, target


def take_policies_away(pipeline: Pipeline, role_arn: str) -> dict[str, str]:
    """Remove all policies of a role; the policies."""
    iam, role = pipeline.cloud.iam, role_arn.rpartition("/")[2]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policies = {
        name: json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]) for name in names
    }
    for name in names:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    return policies


# What a case looks at


def run_with_a_model(pipeline: Pipeline) -> str:
    """A run that has started the model and just opened the mapping."""
    pipeline.upload_pictures(3)
    run = pipeline.start_run()
    pipeline.wait_for(lambda: pipeline.mapping_state() == "Enabled", "the mapping to open")
    assert pipeline.model_status() == "RUNNING"
    return run


def releases(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Every release so far, oldest first."""
    machine = pipeline.outputs["releaseStateMachineArn"]
    listed = pipeline.cloud.stepfunctions.list_executions(stateMachineArn=machine)["executions"]
    return [pipeline.execution(execution["executionArn"]) for execution in reversed(listed)]


def assert_guard_released(pipeline: Pipeline, outcome: str, hours: float = GUARD_HOURS + RELEASE_HOURS) -> None:
    """Within the guard's period and what a release takes, everything is as after any run; and the guard did it."""
    pipeline.wait_for(lambda: not pipeline.items("lock"), "the guard", hours=hours)
    assert pipeline.model_status() == "STOPPED"
    assert pipeline.mapping_state() == "Disabled"
    assert pipeline.outcomes() == [outcome]
    # The rule and the workflow both name the run they start it for.
    assert {release["input"] for release in releases(pipeline)} == {"{}"}
    billed = pipeline.billed_minutes()
    pipeline.skip_hours(2 * GUARD_HOURS)
    assert pipeline.billed_minutes() == billed


@pytest.mark.parametrize(
    ("break_run", "outcome"),
    [(is_aborted, "ABORTED"), (is_deleted, "GONE"), (loses_its_permissions, "FAILED")],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_guard_alone_stops_the_model_of_a_run_whose_workflow(
    pipeline: Pipeline, break_run: Break, outcome: str
) -> None:
    rule_is_deleted(pipeline)
    run = run_with_a_model(pipeline)

    break_run(pipeline, run)
    pipeline.wait_for(lambda: run not in pipeline.running_executions(), "the run to end")

    assert_guard_released(pipeline, outcome)


@pytest.mark.parametrize(
    "break_rule", [rule_is_disabled, rule_loses_its_permissions], ids=lambda broken: broken.__name__
)
def test_the_guard_alone_stops_the_model_when_the(pipeline: Pipeline, break_rule: Callable[[Pipeline], None]) -> None:
    run = run_with_a_model(pipeline)

    break_rule(pipeline)
    is_aborted(pipeline, run)

    assert_guard_released(pipeline, "ABORTED")


def test_the_guard_alone_stops_a_model_that_a_broken_workflow_started_and_left(pipeline: Pipeline) -> None:
    """The definition is one that dies once it has asked for the model, in a state that nothing catches."""
    rule_is_disabled(pipeline)
    machine = pipeline.outputs["stateMachineArn"]
    definition = json.loads(pipeline.cloud.stepfunctions.describe_state_machine(stateMachineArn=machine)["definition"])
    work = definition["States"]["Label the images"]
    del work["Catch"]
    work["Branches"][0]["States"]["Look up its usual start time"] = {"Type": "Fail", "Error": "Broken"}
    pipeline.cloud.stepfunctions.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))
    pipeline.upload_pictures(1)

    assert pipeline.run()["status"] == "FAILED"
    assert pipeline.model_status() == "STARTING"

    assert_guard_released(pipeline, "FAILED")


def test_the_guard_goes_on_once_the_release_may_act_again(pipeline: Pipeline) -> None:
    run = run_with_a_model(pipeline)
    machine = pipeline.outputs["releaseStateMachineArn"]
    role = pipeline.cloud.stepfunctions.describe_state_machine(stateMachineArn=machine)["roleArn"]
    policies = take_policies_away(pipeline, role)
    is_aborted(pipeline, run)
    pipeline.skip_hours(2 * GUARD_HOURS)
    assert pipeline.model_status() == "RUNNING"
    assert {release["status"] for release in releases(pipeline)} <= {"FAILED", "RUNNING"}

    for name, policy in policies.items():
        pipeline.cloud.iam.put_role_policy(RoleName=role.rpartition("/")[2], PolicyName=name, PolicyDocument=policy)

    pipeline.wait_for(lambda: not pipeline.items("lock"), "the guard", hours=GUARD_HOURS + RELEASE_HOURS)
    assert pipeline.model_status() == "STOPPED"
    assert pipeline.mapping_state() == "Disabled"
    assert pipeline.outcomes() == ["ABORTED"]


class TestTheGuardLeavesAlone:
    def test_a_model_that_a_person_started_for_no_run(self, pipeline: Pipeline) -> None:
        pipeline.start_model()

        pipeline.skip_hours(3 * GUARD_HOURS)

        assert pipeline.model_status() == "RUNNING"
        pipeline.stop_model()

    def test_a_model_that_a_person_started_and_a_dead_run_used(self, pipeline: Pipeline) -> None:
        rule_is_deleted(pipeline)
        pipeline.start_model()
        run = run_with_a_model(pipeline)

        is_aborted(pipeline, run)

        pipeline.wait_for(lambda: not pipeline.items("lock"), "the guard", hours=GUARD_HOURS + RELEASE_HOURS)
        assert pipeline.mapping_state() == "Disabled"
        assert pipeline.outcomes() == ["ABORTED"]
        pipeline.skip_hours(2 * GUARD_HOURS)
        assert pipeline.model_status() == "RUNNING"
        pipeline.stop_model()

    def test_a_run_that_is_alive(self, pipeline: Pipeline) -> None:
        pipeline.upload_pictures(1)
        pipeline.break_calls(neverStarts=True)
        run = pipeline.start_run()
        pipeline.until_model("STARTING")
        before = len(releases(pipeline))

        pipeline.skip_hours(3 * GUARD_HOURS)

        assert len(releases(pipeline)) >= before + 3
        assert {release["status"] for release in releases(pipeline)} == {"SUCCEEDED"}
        assert pipeline.execution(run)["status"] == "RUNNING"
        assert pipeline.model_status() == "STARTING"
        assert [lock["executionArn"]["S"] for lock in pipeline.items("lock")] == [run]
        pipeline.lift()
        is_aborted(pipeline, run)
        pipeline.settle()
