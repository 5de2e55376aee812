"""Alarms of the deployed stack, on the sandbox."""

from typing import Any

import pytest

from sandbox.mails import Mail, read_mails
from sandbox.uploads import demo_uploads
from tests.e2e.conftest import Deploy
from tests.e2e.deployed_stack import Stack

pytestmark = pytest.mark.xdist_group("pipeline")

OPERATOR = "operations@example.com"


@pytest.fixture
def stack(deploy_stack: Deploy) -> Stack:
    return deploy_stack(alarmEmails=OPERATOR)


def alarms(stack: Stack) -> dict[str, dict[str, Any]]:
    """The stack's alarms, by their names without what is random."""
    found = stack.cloud.cloudwatch.describe_alarms(MaxRecords=100)["MetricAlarms"]
    topic = stack.outputs["operationsTopicArn"]
    return {alarm["AlarmName"][:-8]: dict(alarm) for alarm in found if topic in alarm["AlarmActions"]}


def raised(stack: Stack) -> list[str]:
    return [name for name, alarm in alarms(stack).items() if alarm["StateValue"] == "ALARM"]


def mails(stack: Stack) -> list[Mail]:
    return read_mails(stack.settings, stack.outputs["operationsTopicArn"])


def test_an_image_that_cannot_be_labelled_is_told_to_operators_until_it_is_gone(stack: Stack) -> None:
    assert len(alarms(stack)) == 13
    assert raised(stack) == []

    dead_letters = stack.outputs["imageDeadLetterQueueUrl"]
    stack.cloud.sqs.send_message(QueueUrl=dead_letters, MessageBody="{}")

    assert raised(stack) == ["monitoring-image-dead-letter"]
    *_, mail = mails(stack)
    assert mail.to == OPERATOR
    assert mail.subject.startswith('ALARM: "monitoring-image-dead-letter')
    assert "Images could not be labelled" in mail.text
    assert "To do: look at a message" in mail.text

    stack.cloud.sqs.purge_queue(QueueUrl=dead_letters)
    stack.wait_for(lambda: raised(stack) == [], "the alarm to end")
    assert mails(stack)[-1].subject.startswith('OK: "monitoring-image-dead-letter')


def test_the_dashboard_is_there(stack: Stack) -> None:
    answer = stack.cloud.cloudwatch.get_dashboard(DashboardName=stack.outputs["operationsDashboardName"])

    assert stack.outputs["imageQueueUrl"].rpartition("/")[2] in answer["DashboardBody"]


def test_the_functions_count_by_the_dimensions_that_the_dashboard_shows(stack: Stack) -> None:
    stack.upload(*demo_uploads(plain=2))
    assert stack.run()["status"] == "SUCCEEDED"

    function = stack.outputs["analyzeFunctionName"]
    assert f'"function_name":"{function}"' in stack.function_log().replace(" ", "")
    body = stack.cloud.cloudwatch.get_dashboard(DashboardName=stack.outputs["operationsDashboardName"])["DashboardBody"]
    assert f'"ImagesProcessed", "function_name", "{function}", "service", "analyze-image"' in body
