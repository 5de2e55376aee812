"""A model that runs without a run, as the guard finds it on the sandbox, and the alarm on that."""

import pytest

from sandbox.mails import read_mails
from sandbox.settings import SandboxSettings
from tests.e2e.conftest import Deploy
from tests.e2e.deployed_stack import Stack
from tests.ports import free_port

pytestmark = pytest.mark.xdist_group("idle_model")

ALARM = "monitoring-model-without-run"


@pytest.fixture(scope="module")
def settings() -> SandboxSettings:
    """So fast that three looks of the guard take nine seconds."""
    return SandboxSettings(port=free_port(), time_scale=1 / 300, model_start_minutes=2, model_stop_minutes=0.5)


@pytest.fixture
def stack(deploy_stack: Deploy) -> Stack:
    return deploy_stack(alarmEmails="operations@example.com")


def state(stack: Stack) -> str:
    found = stack.cloud.cloudwatch.describe_alarms(MaxRecords=100)["MetricAlarms"]
    return next(alarm["StateValue"] for alarm in found if alarm["AlarmName"].startswith(ALARM))


def subjects(stack: Stack) -> list[str]:
    """Of the mails about this alarm."""
    mails = read_mails(stack.settings, stack.outputs["operationsTopicArn"])
    return [mail.subject.partition(":")[0] for mail in mails if ALARM in mail.subject]


def test_a_model_that_a_person_forgets_is_told_until_it_is_stopped_and_so_is_a_guard_that_does_not_look(
    stack: Stack,
) -> None:
    stack.wait_for(lambda: state(stack) == "OK", "the guard's first look")

    version, rekognition = stack.model()["projectVersionArn"], stack.cloud.client("rekognition")
    rekognition.start_project_version(ProjectVersionArn=version, MinInferenceUnits=1)
    stack.wait_for(lambda: state(stack) == "ALARM", "the alarm")
    rekognition.stop_project_version(ProjectVersionArn=version)
    stack.wait_for(lambda: state(stack) == "OK", "the alarm to end")

    group, name = stack.outputs["scheduleArn"].split("/")[1:]
    guard = next(
        schedule["Name"]
        for schedule in stack.cloud.scheduler.list_schedules(GroupName=group)["Schedules"]
        if schedule["Name"] != name
    )
    stack.cloud.scheduler.delete_schedule(GroupName=group, Name=guard)
    stack.wait_for(lambda: state(stack) == "INSUFFICIENT_DATA", "the silence to be noticed")
    assert subjects(stack)[-3:] == ["ALARM", "OK", "INSUFFICIENT_DATA"]
