"""Queues: none loses a message, and none takes one from a stranger."""

import json

from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import EVENT_SOURCE_MAPPING, FUNCTION, QUEUE, QUEUE_POLICY, RULE, as_list

DAY = 24 * 60 * 60


def dead_letter_arns(graph: Result) -> set[str]:
    """Every queue that something names as its dead-letter queue."""
    redrives = [
        json.loads(q.properties["redrivePolicy"]) for q in graph.of_type(QUEUE) if "redrivePolicy" in q.properties
    ]
    targets = [target.properties for target in graph.of_type("aws:cloudwatch/eventTarget:EventTarget")]
    return {redrive["deadLetterTargetArn"] for redrive in redrives} | {t["deadLetterConfig"]["arn"] for t in targets}


def test_every_queue_has_a_dead_letter_queue_or_is_one(graph: Result) -> None:
    dead_letters = dead_letter_arns(graph)

    for queue in graph.of_type(QUEUE):
        assert "redrivePolicy" in queue.properties or queue.outputs["arn"] in dead_letters


def test_a_message_is_tried_ten_times(scheduled: Result) -> None:
    redrive = json.loads(scheduled.named("batch-images", QUEUE).properties["redrivePolicy"])

    assert redrive["maxReceiveCount"] == 10


def test_queues_keep_messages_ten_days_and_dead_letter_queues_longer(graph: Result) -> None:
    for queue in graph.of_type(QUEUE):
        days = 10 if "redrivePolicy" in queue.properties else 14
        assert queue.properties["messageRetentionSeconds"] == days * DAY


def test_every_queue_is_encrypted_with_a_key_that_lets_aws_services_in(graph: Result) -> None:
    for queue in graph.of_type(QUEUE):
        assert queue.properties["sqsManagedSseEnabled"] is True
        assert "kmsMasterKeyId" not in queue.properties


def test_only_a_queue_itself_may_redrive_into_its_dead_letter_queue(graph: Result) -> None:
    allowed = {
        policy.properties["queueUrl"]: json.loads(policy.properties["redriveAllowPolicy"])
        for policy in graph.of_type("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy")
    }
    queues = [queue for queue in graph.of_type(QUEUE) if "redrivePolicy" in queue.properties]

    assert len(allowed) == len(queues) == 3
    for queue in queues:
        dead_letters = graph.named(f"{queue.name}-dlq", QUEUE)
        assert json.loads(queue.properties["redrivePolicy"])["deadLetterTargetArn"] == dead_letters.outputs["arn"]
        assert allowed[dead_letters.outputs["url"]] == {
            "redrivePermission": "byQueue",
            "sourceQueueArns": [queue.outputs["arn"]],
        }


def test_dead_letter_queues_redrive_nowhere(graph: Result) -> None:
    for queue in graph.of_type(QUEUE):
        if queue.outputs["arn"] in dead_letter_arns(graph):
            assert "redrivePolicy" not in queue.properties


def test_every_queue_takes_messages_from_its_own_rules_or_topic_alone(graph: Result) -> None:
    sources_of = {
        "events.amazonaws.com": {rule.outputs["arn"] for rule in graph.of_type(RULE)},
        "sns.amazonaws.com": {graph.outputs["predictionsTopicArn"]},
    }
    policies = {policy.properties["queueUrl"]: policy for policy in graph.of_type(QUEUE_POLICY)}

    for queue in graph.of_type(QUEUE):
        allow, refuse = json.loads(policies[queue.outputs["url"]].properties["policy"])["Statement"]
        assert list(allow["Principal"]) == ["Service"]
        assert allow["Action"] == ["sqs:SendMessage"]
        assert allow["Resource"] == refuse["Resource"] == queue.outputs["arn"]
        assert list(allow["Condition"]) == ["ArnEquals"]
        sources = as_list(allow["Condition"]["ArnEquals"]["aws:SourceArn"])
        assert sources
        assert set(sources) <= sources_of[allow["Principal"]["Service"]]
        assert (refuse["Effect"], refuse["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_the_rules_that_send_to_a_queue_are_those_it_lets_in(graph: Result) -> None:
    arns = {rule.properties["name"]: rule.outputs["arn"] for rule in graph.of_type(RULE)}
    for policy in graph.of_type(QUEUE_POLICY):
        if "events.amazonaws.com" not in policy.properties["policy"]:
            continue
        (queue,) = (q for q in graph.of_type(QUEUE) if q.outputs["url"] == policy.properties["queueUrl"])
        senders = {
            arns[target.properties["rule"]]
            for target in graph.of_type("aws:cloudwatch/eventTarget:EventTarget")
            if queue.outputs["arn"] in (target.properties["arn"], target.properties["deadLetterConfig"]["arn"])
        }
        allow = json.loads(policy.properties["policy"])["Statement"][0]
        assert set(as_list(allow["Condition"]["ArnEquals"]["aws:SourceArn"])) == senders


def test_a_message_is_hidden_six_times_as_long_as_the_function_may_take(graph: Result) -> None:
    timeouts = {function.outputs["arn"]: function.properties["timeout"] for function in graph.of_type(FUNCTION)}
    hidden = {queue.outputs["arn"]: queue.properties.get("visibilityTimeoutSeconds") for queue in graph.of_type(QUEUE)}

    mappings = graph.of_type(EVENT_SOURCE_MAPPING)
    assert mappings
    for mapping in (mapping.properties for mapping in mappings):
        window = mapping.get("maximumBatchingWindowInSeconds", 0)
        assert hidden[mapping["eventSourceArn"]] == 6 * timeouts[mapping["functionName"]] + window
