"""A queue mapped to a function, and what its calls reported."""

import json
from typing import Any

from tests.unit.sandbox.support import Sandbox, wait_until

SQS_RIGHTS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]

CODE = """
import boto3, json, time
def handler(event, context):
    started = time.time()
    bodies = [record["body"][:9] for record in event["Records"]]
    {work}
    report = {{"bodies": bodies, "started": started, "ended": time.time()}}
    boto3.client("sqs").send_message(QueueUrl="{out}", MessageBody=json.dumps(report))
    return {answer}
"""


class Mapped:
    """A queue mapped to a function that reports each of its calls to another queue."""

    def __init__(
        self, sandbox: Sandbox, work: str = "pass", answer: str = "None", visibility: int = 30, **mapping: Any
    ) -> None:
        self.lambda_, self.sqs = sandbox.client("lambda"), sandbox.client("sqs")
        self.url, arn = sandbox.queue(VisibilityTimeout=str(visibility))
        self.out_url, out_arn = sandbox.queue()
        role = sandbox.role("lambda.amazonaws.com", (SQS_RIGHTS, arn), ("sqs:SendMessage", out_arn))
        code = CODE.format(work=work, answer=answer, out=self.out_url)
        name = sandbox.function(role, code, Timeout=min(visibility, 20))
        made = self.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, **mapping)
        self.uuid = made["UUID"]
        self.settle()
        self.calls: list[dict[str, Any]] = []

    def settle(self) -> None:
        wait_until(lambda: self.state() in {"Enabled", "Disabled"})

    def state(self) -> str:
        return str(self.lambda_.get_event_source_mapping(UUID=self.uuid)["State"])

    def send(self, count: int, body: str = "") -> None:
        entries = [{"Id": str(i), "MessageBody": f"{i:<9}{body}"} for i in range(count)]
        size = 10 if not body else 1
        for start in range(0, count, size):
            self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries[start : start + size])

    def counts(self) -> tuple[int, int]:
        """How many messages are visible and in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def called(self, times: int, seconds: float = 20) -> list[int]:
        """Once the function was called so often: the number of records of each call, in order."""

        def enough() -> bool:
            answer = self.sqs.receive_message(QueueUrl=self.out_url, MaxNumberOfMessages=10)
            self.calls += [json.loads(message["Body"]) for message in answer.get("Messages", [])]
            return len(self.calls) >= times

        wait_until(enough, seconds)
        self.calls.sort(key=lambda call: call["started"])
        return [len(call["bodies"]) for call in self.calls]
