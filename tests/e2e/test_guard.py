"""The guard: `release_model`, started every 15 minutes by a schedule of its own, when all else is broken.

Time is skipped, not scaled: a quarter of an hour takes a second, and every simulated moment is exact.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sandbox.deploy import REPOSITORY, deploy
from sandbox.deployer.cloud import Cloud
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings
from tests.e2e.conftest import NEVER
from tests.faults.pipeline import Pipeline
from tests.ports import free_port

pytestmark = pytest.mark.xdist_group("guard")

GUARD_HOURS = 0.25
_TICK_HOURS = 1 / 60
"""What a tick that is due just as a wait ends takes to begin."""
RELEASE_HOURS = 0.1
"""What a release takes at most here: the mapping closes, the function ends, the model stops."""

_numbers = count()


@pytest.fixture(scope="module")
def settings() -> SandboxSettings:
    return SandboxSettings(port=free_port(), time_scale=1, model_start_minutes=1, model_stop_minutes=0.5)


def deployed(server: ServerProcess, settings: SandboxSettings, build: Path) -> Pipeline:
    cloud = Cloud.of(settings)
    made = Pipeline(server, cloud, {}, settings)
    with made.skipping():
        made.outputs = deploy(REPOSITORY, f"guard-{next(_numbers)}", {"schedule": NEVER}, settings, build=build)
    return made


@pytest.fixture(scope="module")
def shared(server: ServerProcess, settings: SandboxSettings, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return deployed(server, settings, tmp_path_factory.mktemp("guard"))


@pytest.fixture
def pipeline(shared: Pipeline) -> Pipeline:
    """The shared stack, as clean as new."""
    shared.begin()
    return shared


@pytest.fixture
def own_pipeline(server: ServerProcess, settings: SandboxSettings, tmp_path: Path, shared: Pipeline) -> Pipeline:
    """A stack for a test that breaks it for good."""
    shared.begin()
    made = deployed(server, settings, tmp_path)
    made.begin()
    return made


@pytest.fixture
def mended() -> Iterator[ExitStack]:
    """What a test breaks it notes here, to be mended after it."""
    with ExitStack() as after:
        yield after


# What breaks, and what mends it


def disable_rule(pipeline: Pipeline, mended: ExitStack) -> None:
    name, _ = rule(pipeline)
    pipeline.cloud.events.disable_rule(Name=name)
    mended.callback(pipeline.cloud.events.enable_rule, Name=name)


def take_target_away(pipeline: Pipeline, mended: ExitStack) -> None:
    name, target = rule(pipeline)
    pipeline.cloud.events.remove_targets(Rule=name, Ids=[target["Id"]])
    mended.callback(pipeline.cloud.events.put_targets, Rule=name, Targets=[target])


def disable_guard(pipeline: Pipeline, mended: ExitStack) -> None:
    scheduler, group = pipeline.cloud.scheduler, pipeline.outputs["scheduleArn"].split("/")[1]
    schedules = scheduler.list_schedules(GroupName=group, NamePrefix="batch-release-model-")["Schedules"]
    (name,) = (found["Name"] for found in schedules)
    guard = scheduler.get_schedule(GroupName=group, Name=name)
    same: Any = {key: guard[key] for key in ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**same, State="DISABLED")
    mended.callback(scheduler.update_schedule, **same, State="ENABLED")


def forbid_rule(pipeline: Pipeline, mended: ExitStack) -> None:
    forbid(pipeline, rule(pipeline)[1]["RoleArn"], mended)


def delete_rule(pipeline: Pipeline) -> None:
    name, target = rule(pipeline)
    pipeline.cloud.events.remove_targets(Rule=name, Ids=[target["Id"]])
    pipeline.cloud.events.delete_rule(Name=name)


def abort(pipeline: Pipeline, run: str, _mended: ExitStack) -> None:
    pipeline.cloud.stepfunctions.stop_execution(executionArn=run)


def forbid_run(pipeline: Pipeline, run: str, mended: ExitStack) -> None:
    machine = pipeline.cloud.stepfunctions.describe_state_machine_for_execution(executionArn=run)
    forbid(pipeline, machine["roleArn"], mended)


def forbid(pipeline: Pipeline, role_arn: str, mended: ExitStack) -> None:
    """Remove all policies of a role."""
    iam, role = pipeline.cloud.iam, role_arn.rpartition("/")[2]
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        iam.delete_role_policy(RoleName=role, PolicyName=name)
        mended.callback(iam.put_role_policy, RoleName=role, PolicyName=name, PolicyDocument=document)


def rule(pipeline: Pipeline) -> tuple[str, Any]:
    """Name and target of the rule that starts the release when this stack's runs fail."""
    release = pipeline.outputs["releaseStateMachineArn"]
    (name,) = pipeline.cloud.events.list_rule_names_by_target(TargetArn=release)["RuleNames"]
    (target,) = pipeline.cloud.events.list_targets_by_rule(Rule=name)["Targets"]
    return name, target


# What a test looks at


def run_with_a_model(pipeline: Pipeline) -> str:
    """A run that has started the model and just opened the mapping."""
    pipeline.upload_pictures(3)
    run = pipeline.start_run()
    pipeline.wait_for(lambda: pipeline.mapping_state() == "Enabled", "the mapping to open")
    assert pipeline.model_status() == "RUNNING"
    return run


def holder(pipeline: Pipeline) -> str:
    """The execution that holds the lock; empty if none does."""
    return next((lock["executionArn"]["S"] for lock in pipeline.items("lock")), "")


def assert_guard_released(pipeline: Pipeline, run: str, outcome: str) -> None:
    """Within the guard's period and what a release takes, everything is as after any run; and the guard did it."""
    pipeline.wait_for(lambda: holder(pipeline) != run, "the guard", hours=GUARD_HOURS + _TICK_HOURS)
    # The rule and the workflow both name the run that they start a release for.
    assert pipeline.execution(holder(pipeline))["input"] == "{}"
    assert_released(pipeline, outcome)
    assert pipeline.model_status() == "STOPPED"
    billed = pipeline.billed_minutes()
    pipeline.skip_hours(2 * GUARD_HOURS)
    assert pipeline.billed_minutes() == billed


def assert_released(pipeline: Pipeline, outcome: str, hours: float = RELEASE_HOURS) -> None:
    """The lock is gone, the mapping is closed, and the run is on record."""
    pipeline.wait_for(lambda: not holder(pipeline), "the release", hours=hours)
    assert pipeline.mapping_state() == "Disabled"
    assert pipeline.outcomes() == [outcome]


@pytest.mark.parametrize("break_rule", [disable_rule, take_target_away, forbid_rule])
@pytest.mark.parametrize(("break_run", "outcome"), [(abort, "ABORTED"), (forbid_run, "FAILED")])
def test_the_guard_alone_stops_the_model_when_the_run_and_the_rule_are_broken(
    pipeline: Pipeline,
    mended: ExitStack,
    break_run: Callable[[Pipeline, str, ExitStack], None],
    break_rule: Callable[[Pipeline, ExitStack], None],
    outcome: str,
) -> None:
    break_rule(pipeline, mended)
    run = run_with_a_model(pipeline)

    break_run(pipeline, run, mended)
    pipeline.wait_for(lambda: run not in pipeline.running_executions(), "the run to end")

    assert_guard_released(pipeline, run, outcome)


def test_the_guard_alone_stops_the_model_when_workflow_and_rule_are_deleted(own_pipeline: Pipeline) -> None:
    delete_rule(own_pipeline)
    run = run_with_a_model(own_pipeline)

    own_pipeline.cloud.stepfunctions.delete_state_machine(stateMachineArn=own_pipeline.outputs["stateMachineArn"])

    assert_guard_released(own_pipeline, run, "GONE")


def test_the_guard_alone_stops_a_model_that_a_broken_workflow_started_and_left(
    pipeline: Pipeline, mended: ExitStack
) -> None:
    """The definition is one that dies once it has asked for the model, in a state that nothing catches."""
    disable_rule(pipeline, mended)
    states, machine = pipeline.cloud.stepfunctions, pipeline.outputs["stateMachineArn"]
    definition = states.describe_state_machine(stateMachineArn=machine)["definition"]
    broken = json.loads(definition)
    del broken["States"]["Label the images"]["Catch"]
    work = broken["States"]["Label the images"]["Branches"][0]["States"]
    work["Look up its usual start time"] = {"Type": "Fail", "Error": "Broken"}
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(broken))
    mended.callback(states.update_state_machine, stateMachineArn=machine, definition=definition)
    pipeline.upload_pictures(1)

    run = pipeline.start_run()
    assert pipeline.finish(run)["status"] == "FAILED"
    assert pipeline.model_status() in ("STARTING", "RUNNING")

    assert_guard_released(pipeline, run, "FAILED")


def test_without_the_guard_as_well_nobody_would_stop_the_model(pipeline: Pipeline, mended: ExitStack) -> None:
    """That is what the other tests show: they break everything else."""
    disable_rule(pipeline, mended)
    disable_guard(pipeline, mended)
    run = run_with_a_model(pipeline)

    abort(pipeline, run, mended)

    pipeline.skip_hours(4 * GUARD_HOURS)
    assert (holder(pipeline), pipeline.model_status()) == (run, "RUNNING")


def test_the_guard_goes_on_once_the_release_may_act_again(pipeline: Pipeline, mended: ExitStack) -> None:
    run = run_with_a_model(pipeline)
    machine = pipeline.outputs["releaseStateMachineArn"]
    role = pipeline.cloud.stepfunctions.describe_state_machine(stateMachineArn=machine)["roleArn"]
    with ExitStack() as given_back:
        forbid(pipeline, role, given_back)
        abort(pipeline, run, mended)
        pipeline.skip_hours(2 * GUARD_HOURS)
        assert (holder(pipeline), pipeline.model_status()) == (run, "RUNNING")

    assert_released(pipeline, "ABORTED", hours=GUARD_HOURS + _TICK_HOURS + RELEASE_HOURS)
    assert pipeline.model_status() == "STOPPED"


class TestTheGuardLeavesAlone:
    def test_a_model_that_a_person_started_for_no_run(self, pipeline: Pipeline) -> None:
        pipeline.start_model()

        pipeline.skip_hours(3 * GUARD_HOURS)

        assert pipeline.model_status() == "RUNNING"

    def test_a_model_that_a_person_started_and_a_dead_run_used(self, pipeline: Pipeline, mended: ExitStack) -> None:
        disable_rule(pipeline, mended)
        pipeline.start_model()
        run = run_with_a_model(pipeline)

        abort(pipeline, run, mended)

        assert_released(pipeline, "ABORTED", hours=GUARD_HOURS + _TICK_HOURS + RELEASE_HOURS)
        pipeline.skip_hours(2 * GUARD_HOURS)
        assert pipeline.model_status() == "RUNNING"

    def test_a_run_that_is_alive(self, pipeline: Pipeline) -> None:
        pipeline.upload_pictures(1)
        pipeline.break_calls(neverStarts=True)
        run = pipeline.start_run()
        pipeline.until_model("STARTING")

        pipeline.skip_hours(3 * GUARD_HOURS)

        assert pipeline.execution(run)["status"] == "RUNNING"
        assert (holder(pipeline), pipeline.model_status()) == (run, "STARTING")
