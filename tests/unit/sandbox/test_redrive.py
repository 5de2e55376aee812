"""Dead letters on their way home, as SQS moves them."""

from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.unit.sandbox.support import Sandbox


def queue(sandbox: Sandbox) -> tuple[str, str]:
    """URL and ARN of a new one."""
    sqs = sandbox.client("sqs")
    url: str = sqs.create_queue(QueueName=f"queue-{uuid4().hex[:8]}")["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def test_messages_go_to_the_destination_and_the_task_says_how_many(sandbox: Sandbox) -> None:
    sqs, (source, source_arn), (home, home_arn) = sandbox.client("sqs"), queue(sandbox), queue(sandbox)
    for body in ("a", "b"):
        sqs.send_message(QueueUrl=source, MessageBody=body)

    sqs.start_message_move_task(SourceArn=source_arn, DestinationArn=home_arn)

    (task,) = sqs.list_message_move_tasks(SourceArn=source_arn)["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 2)
    moved = sqs.receive_message(QueueUrl=home, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])["Messages"]
    assert sorted(message["Body"] for message in moved) == ["a", "b"]
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in moved} == {"1"}
    assert "Messages" not in sqs.receive_message(QueueUrl=source)


def test_a_message_that_somebody_has_received_stays(sandbox: Sandbox) -> None:
    sqs, (source, source_arn), (_, home_arn) = sandbox.client("sqs"), queue(sandbox), queue(sandbox)
    sqs.send_message(QueueUrl=source, MessageBody="a")
    sqs.receive_message(QueueUrl=source)

    sqs.start_message_move_task(SourceArn=source_arn, DestinationArn=home_arn)

    (task,) = sqs.list_message_move_tasks(SourceArn=source_arn)["Results"]
    assert task["ApproximateNumberOfMessagesMoved"] == 0


def test_a_queue_that_is_not_there_is_an_error(sandbox: Sandbox) -> None:
    _, arn = queue(sandbox)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        sandbox.client("sqs").start_message_move_task(SourceArn=f"{arn}-gone", DestinationArn=arn)
