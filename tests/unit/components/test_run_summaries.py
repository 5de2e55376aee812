"""The topic that says how each run ended: who hears of it, and who may publish."""

import pytest

from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import (
    ACCOUNT,
    STATE_MACHINE,
    TOPIC,
    allowed,
    precedes,
    record_component,
    record_stack,
)

SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
TOPIC_NAME = "batch-run-summaries"


def subscribed(graph: Result) -> dict[str, str]:
    """Who is subscribed to the topic, with the names of the subscriptions."""
    topic = graph.named(TOPIC_NAME, TOPIC).outputs["arn"]
    found = [s for s in graph.of_type(SUBSCRIPTION) if s.properties["topic"] == topic]
    return {subscription.properties["endpoint"]: subscription.name for subscription in found}


class TestWhoIsTold:
    def test_is_everybody_with_an_address(self) -> None:
        graph = record_stack(summaryEmails="Ana@example.com, bo@example.com")

        assert set(subscribed(graph)) == {"ana@example.com", "bo@example.com"}

    def test_stays_told_when_others_come_and_go(self) -> None:
        both, one = (
            record_component(summary_emails=emails)
            for emails in (["a@example.com", "b@example.com"], ["b@example.com"])
        )

        assert subscribed(both)["b@example.com"] == subscribed(one)["b@example.com"]

    def test_may_be_nobody_and_the_topic_is_there_to_subscribe_to(self, scheduled: Result) -> None:
        assert subscribed(scheduled) == {}
        assert scheduled.outputs["runSummaryTopicArn"] == scheduled.named(TOPIC_NAME, TOPIC).outputs["arn"]

    def test_may_hear_of_alarms_too(self) -> None:
        graph = record_stack(summaryEmails="ana@example.com", alarmEmails="ana@example.com")

        names = [s.name for s in graph.of_type(SUBSCRIPTION) if s.properties["endpoint"] == "ana@example.com"]
        assert len(set(names)) == 2

    def test_is_refused_without_an_address(self) -> None:
        with pytest.raises(SandboxError, match=r"SNS would not take the subscription.* the endpoint 'ana'"):
            record_component(summary_emails=["ana"])

    def test_has_the_topics_policy_before(self) -> None:
        graph = record_component(summary_emails=["ana@example.com"])
        (subscription,) = (s for s in graph.of_type(SUBSCRIPTION) if s.name.startswith(TOPIC_NAME))

        assert precedes(graph, graph.named(TOPIC_NAME, TOPIC_POLICY), subscription)


def test_only_the_release_publishes(scheduled: Result) -> None:
    topic = scheduled.named(TOPIC_NAME, TOPIC)

    assert topic.properties["kmsMasterKeyId"] == "alias/aws/sns"
    assert topic.outputs["arn"] in allowed(scheduled, "batch-release-model")["sns:Publish"]
    assert "sns:Publish" not in allowed(scheduled, "batch-run")


def test_no_run_is_told_of_where_there_are_none(on_upload: Result) -> None:
    assert not [topic for topic in on_upload.of_type(TOPIC) if topic.name == TOPIC_NAME]


def test_the_price_of_the_settings_reaches_the_release() -> None:
    definition = record_stack(inferenceUnitHourPrice="3.5").named("batch-release-model", STATE_MACHINE)

    assert '"inferenceUnitHourPrice": 3.5' in definition.properties["definition"]
    assert f'"projectArn": "arn:aws:rekognition:us-east-1:{ACCOUNT}:' in definition.properties["definition"]
