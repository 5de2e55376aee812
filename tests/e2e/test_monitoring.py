"""Alarms of the deployed stack, and what is told of the ends of its runs, on the sandbox."""

import json
from typing import Any
from uuid import uuid4

import pytest

from sandbox.mails import Mail, read_mails
from sandbox.uploads import demo_uploads
from tests.e2e.conftest import Deploy
from tests.e2e.deployed_stack import Stack

pytestmark = pytest.mark.xdist_group("pipeline")

OPERATOR, PRODUCER = "operations@example.com", "production@example.com"


@pytest.fixture
def stack(deploy_stack: Deploy) -> Stack:
    return deploy_stack(alarmEmails=OPERATOR, summaryEmails=PRODUCER)


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
    assert len(alarms(stack)) == 14
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


@pytest.fixture
def events(stack: Stack) -> str:
    """The URL of a queue that gets the ends of runs, by a rule of somebody else's."""
    name = f"run-ends-{uuid4().hex[:8]}"
    url = stack.cloud.sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = stack.cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {
        "source": ["custom-labels-batch"],
        "detail-type": ["Run Ended"],
        "detail": {"projectArn": [stack.outputs["projectArn"]]},
    }
    rule = stack.cloud.events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stack.cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    stack.cloud.events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def ended(stack: Stack, events: str, run: str) -> dict[str, Any]:
    """What the event of a run's end says."""
    found: list[dict[str, Any]] = []

    def arrived() -> bool:
        for message in stack.cloud.sqs.receive_message(QueueUrl=events, MaxNumberOfMessages=10).get("Messages", []):
            detail = json.loads(message["Body"])["detail"]
            found.extend([detail] if detail["runExecutionArn"] == run else [])
        return bool(found)

    stack.wait_for(arrived, "the event of the run's end")
    (event,) = found
    return event


def summaries(stack: Stack) -> list[Mail]:
    return read_mails(stack.settings, stack.outputs["runSummaryTopicArn"])


def test_the_end_of_a_run_is_told_by_an_event_a_mail_and_a_metric(stack: Stack, events: str) -> None:
    stack.upload(*demo_uploads(plain=3))
    run = stack.start_run()
    assert stack.finish(run)["status"] == "SUCCEEDED"

    event = ended(stack, events, run)
    (mail,) = summaries(stack)
    rejected = sum(upload.label is None for upload in stack.uploaded.values())
    labelled = len(stack.uploaded) - rejected
    assert (event["outcome"], event["processed"], event["rejected"]) == ("DRAINED", labelled, rejected)
    assert event["stillWaiting"] == 0
    assert event["billedInferenceUnitMinutes"] > 0
    assert event["modelCostUsd"] == pytest.approx(event["billedInferenceUnitMinutes"] / 15, abs=1e-4)
    assert mail.to == PRODUCER
    cost = f"{event['modelCostUsd']:.2f} USD"
    assert mail.subject == f"surfaces: {labelled} labelled, {rejected} rejected, {cost}, DRAINED"
    assert f"Images labelled: {labelled}\n" in mail.text
    assert run in mail.text
    (metric,) = stack.cloud.cloudwatch.list_metrics(
        Namespace="CustomLabelsBatch",
        MetricName="BilledInferenceUnitMinutes",
        Dimensions=[{"Name": "StateMachineArn", "Value": stack.outputs["releaseStateMachineArn"]}],
    )["Metrics"]
    assert len(metric["Dimensions"]) == 1


def test_the_end_of_an_aborted_run_is_told_by_who_rescues_it(stack: Stack, events: str) -> None:
    stack.upload(*demo_uploads(plain=3))
    run = stack.start_run()
    stack.wait_for(lambda: stack.model_status() == "STARTING", "the model to start")

    stack.cloud.stepfunctions.stop_execution(executionArn=run, cause="The test wants it so.")

    event = ended(stack, events, run)
    stack.wait_for(lambda: bool(summaries(stack)), "the mail")
    (mail,) = summaries(stack)
    assert (event["outcome"], event["processed"]) == ("ABORTED", 0)
    assert event["cause"] == "The test wants it so."
    assert mail.subject.endswith(" USD, ABORTED")
    assert "Why: The test wants it so." in mail.text
    assert "monitoring-failed-run" not in raised(stack)


def test_a_look_without_images_is_told_to_nobody(stack: Stack) -> None:
    assert stack.run()["status"] == "SUCCEEDED"

    assert summaries(stack) == []
