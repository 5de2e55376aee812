"""What AWS would bill, as the sandbox counts it."""

import json
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

from tests.unit.sandbox.support import Sandbox, wait_until

WRITES_A_DOCUMENT = """
import boto3

def handler(event, context):
    boto3.client("s3").put_object(Bucket={bucket!r}, Key="found here/x.json", Body=b"{{}}")
"""


def look(sandbox: Sandbox, path: str = "usage") -> dict[str, Any]:
    with urlopen(f"{sandbox.endpoint}/_sandbox/{path}") as response:  # noqa: S310 - our own endpoint
        return dict(json.load(response))


def grown(sandbox: Sandbox, section: str, name: str, act: Callable[[], Any]) -> int:
    """By how much a counter grew while something was done."""
    before = look(sandbox)[section].get(name, 0)
    act()
    return int(look(sandbox)[section].get(name, 0) - before)


class TestRequests:
    def test_of_a_role_are_counted_by_action(self, sandbox: Sandbox) -> None:
        url, arn = sandbox.queue()
        keys = sandbox.session(sandbox.role("lambda.amazonaws.com", ("sqs:*", arn)))

        def send() -> None:
            for _ in range(3):
                sandbox.client("sqs", keys).send_message(QueueUrl=url, MessageBody="x")

        assert grown(sandbox, "requests", "sqs:SendMessage", send) == 3

    def test_of_the_root_are_not(self, sandbox: Sandbox) -> None:
        url, _ = sandbox.queue()

        def send() -> None:
            sandbox.client("sqs").send_message(QueueUrl=url, MessageBody="x")

        assert grown(sandbox, "requests", "sqs:SendMessage", send) == 0


class TestFunctions:
    def test_are_billed_for_their_time_and_memory_and_what_they_write_has_a_time(self, sandbox: Sandbox) -> None:
        bucket = sandbox.bucket()
        role = sandbox.role("lambda.amazonaws.com", ("s3:PutObject", f"arn:aws:s3:::{bucket}/*"))
        name = sandbox.function(role, WRITES_A_DOCUMENT.format(bucket=bucket), MemorySize=512, Timeout=20)

        answer = sandbox.client("lambda").invoke(FunctionName=name)

        assert "FunctionError" not in answer
        counted = look(sandbox)["functions"][name]
        assert counted["invocations"] == 1
        assert counted["gbSeconds"] == counted["seconds"] / 2 > 0
        assert f"{bucket}/found here/x.json" in look(sandbox, "usage/writes")


class TestStateTransitions:
    def transitions(self, sandbox: Sandbox, states: dict[str, Any]) -> int:
        machine = sandbox.machine(states)
        sandbox.ended(sandbox.start(machine))
        return int(look(sandbox)["stateTransitions"][machine.rpartition(":")[2]])

    def test_are_the_states_an_execution_enters(self, sandbox: Sandbox) -> None:
        branch = {"StartAt": "Inside", "States": {"Inside": {"Type": "Pass", "End": True}}}
        states = {
            "First": {"Type": "Parallel", "Branches": [branch, branch], "Next": "Last"},
            "Last": {"Type": "Succeed"},
        }

        assert self.transitions(sandbox, states) == 4

    def test_count_each_retry_too(self, sandbox: Sandbox) -> None:
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sqs:getQueueUrl",
            "Arguments": {"QueueName": "nowhere"},
            "Retry": [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 2}],
            "End": True,
        }

        assert self.transitions(sandbox, {"Ask": task}) == 3


class TestMessages:
    def test_that_services_send_to_a_queue_are_requests(self, sandbox: Sandbox) -> None:
        url, arn = sandbox.queue()
        topic = sandbox.client("sns").create_topic(Name=f"topic-{uuid4().hex[:8]}")["TopicArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        sandbox.client("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
        )
        sandbox.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        before = look(sandbox)

        sandbox.client("sns").publish(TopicArn=topic, Message="x")

        after = wait_until(lambda: (now := look(sandbox))["snsDeliveriesToSqs"] > before["snsDeliveriesToSqs"] and now)
        assert after["queueRequests"]["send"] == before["queueRequests"].get("send", 0) + 1

    def test_that_a_mapping_takes_are_received_and_deleted_ten_a_request(self, sandbox: Sandbox) -> None:
        url, arn = sandbox.queue(VisibilityTimeout="60")
        role = sandbox.role("lambda.amazonaws.com", ("sqs:*", arn))
        name = sandbox.function(role, "def handler(event, context):\n    pass\n", Timeout=20)
        entries = [{"Id": str(number), "MessageBody": "x"} for number in range(10)]
        sandbox.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
        before = look(sandbox)["queueRequests"]

        sandbox.client("lambda").create_event_source_mapping(
            EventSourceArn=arn, FunctionName=name, ScalingConfig={"MaximumConcurrency": 2}
        )

        def counted() -> dict[str, int]:
            now = look(sandbox)["queueRequests"]
            return {each: now.get(each, 0) - before.get(each, 0) for each in ("receive", "delete")}

        wait_until(lambda: counted()["delete"])
        requests = counted()
        assert requests["delete"] == 1
        assert 1 <= requests["receive"] < 10  # what other tests' functions failed on comes back, and is received too
