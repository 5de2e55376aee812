"""A queue of predictions: what it takes, from whom, and how it hands it to its function."""

import json
from typing import Any

import pytest

from custom_labels_batch.components.function import PythonFunction
from custom_labels_batch.components.predictions_queue import PredictionsQueue
from sandbox.pulumi_runtime import Result, record_program
from tests.unit.components.graph import (
    EVENT_SOURCE_MAPPING,
    FUNCTION,
    QUEUE,
    QUEUE_POLICY,
    ROLE_POLICY,
    allowed,
    precedes,
)

TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:predictions"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"


def record(window: int = 60, batch_size: int = 1000, **more: Any) -> Result:
    """A queue of predictions and a function behind it."""

    def program() -> None:
        queue = PredictionsQueue("heard", TOPIC_ARN, 120, window, **more)
        function = PythonFunction(
            "hear",
            package="notify_labels",
            environment={},
            statements=[queue.consumer_statement()],
            timeout_seconds=120,
            memory_megabytes=256,
            log_retention_days=30,
            powertools_layer_arn=None,
        )
        queue.feed(function, batch_size)

    return record_program(program)


@pytest.fixture(scope="module")
def graph() -> Result:
    return record()


class TestTheSubscription:
    def test_delivers_the_bare_document_to_the_queue(self, graph: Result) -> None:
        (subscription,) = graph.of_type(SUBSCRIPTION)

        assert subscription.properties["topic"] == TOPIC_ARN
        assert subscription.properties["protocol"] == "sqs"
        assert subscription.properties["endpoint"] == graph.named("heard", QUEUE).outputs["arn"]
        assert subscription.properties["rawMessageDelivery"] is True

    def test_puts_what_it_cannot_deliver_into_the_dead_letter_queue(self, graph: Result) -> None:
        (subscription,) = graph.of_type(SUBSCRIPTION)

        redrive = json.loads(subscription.properties["redrivePolicy"])
        assert redrive == {"deadLetterTargetArn": graph.named("heard-dlq", QUEUE).outputs["arn"]}

    def test_takes_everything_unless_told_otherwise(self, graph: Result) -> None:
        (all_of_them,) = graph.of_type(SUBSCRIPTION)
        (some,) = record(filter_policy={"status": ["labelled"]}).of_type(SUBSCRIPTION)

        assert "filterPolicy" not in all_of_them.properties
        assert json.loads(some.properties["filterPolicy"]) == {"status": ["labelled"]}

    def test_comes_after_both_queues_let_the_topic_in(self, graph: Result) -> None:
        (subscription,) = graph.of_type(SUBSCRIPTION)

        for name in ("heard", "heard-dlq"):
            assert precedes(graph, graph.named(name, QUEUE_POLICY), subscription)


class TestTheQueues:
    def test_take_messages_from_the_topic_alone(self, graph: Result) -> None:
        for name in ("heard", "heard-dlq"):
            allow, refuse = json.loads(graph.named(name, QUEUE_POLICY).properties["policy"])["Statement"]
            assert allow["Principal"] == {"Service": "sns.amazonaws.com"}
            assert allow["Action"] == ["sqs:SendMessage"]
            assert allow["Resource"] == graph.named(name, QUEUE).outputs["arn"]
            assert allow["Condition"] == {"ArnEquals": {"aws:SourceArn": [TOPIC_ARN]}}
            assert (refuse["Effect"], refuse["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})

    def test_hide_a_message_six_timeouts_and_a_batching_window(self, graph: Result) -> None:
        (function,) = graph.of_type(FUNCTION)

        hidden = graph.named("heard", QUEUE).properties["visibilityTimeoutSeconds"]
        assert hidden == 6 * function.properties["timeout"] + 60

    def test_give_up_after_ten_receives(self, graph: Result) -> None:
        redrive = json.loads(graph.named("heard", QUEUE).properties["redrivePolicy"])

        assert redrive["maxReceiveCount"] == 10
        assert redrive["deadLetterTargetArn"] == graph.named("heard-dlq", QUEUE).outputs["arn"]


class TestTheMapping:
    def test_hands_over_batches_of_which_some_may_come_again(self, graph: Result) -> None:
        (mapping,) = graph.of_type(EVENT_SOURCE_MAPPING)
        (function,) = graph.of_type(FUNCTION)

        assert mapping.properties["eventSourceArn"] == graph.named("heard", QUEUE).outputs["arn"]
        assert mapping.properties["functionName"] == function.outputs["arn"]
        assert mapping.properties["functionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping.properties["batchSize"] == 1000
        assert mapping.properties["maximumBatchingWindowInSeconds"] == 60
        assert mapping.properties["scalingConfig"] == {"maximumConcurrency": 2}

    def test_comes_after_the_functions_rights_on_the_queue(self, graph: Result) -> None:
        (mapping,) = graph.of_type(EVENT_SOURCE_MAPPING)

        assert graph.named("hear", ROLE_POLICY).urn in mapping.explicit_dependencies
        assert precedes(graph, graph.named("heard", QUEUE), mapping)

    def test_needs_four_rights_on_its_own_queue(self, graph: Result) -> None:
        queue = graph.named("heard", QUEUE).outputs["arn"]
        rights = {action: arns for action, arns in allowed(graph, "hear").items() if action.startswith("sqs:")}

        assert rights == {
            f"sqs:{action}": {queue}
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility")
        }
