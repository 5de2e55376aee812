"""`clb redrive`."""

import json
from collections.abc import Callable

import pytest

from tests.unit.cli.aws_stack import AwsStack
from tests.unit.cli.conftest import Cli, interrupt

EVENT = json.dumps({"detail": {"object": {"key": "line 1/a.jpg"}}})
PREDICTION = json.dumps({"imageKey": "b.jpg", "labels": []})


def dead(aws: AwsStack, kind: str, body: str, **attributes: str) -> None:
    aws.client("sqs").send_message(
        QueueUrl=aws.outputs[f"{kind}DeadLetterQueueUrl"],
        MessageBody=body,
        MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()},
    )


def moving(status: str, moved: int, **more: str) -> dict[str, object]:
    return {"Status": status, "ApproximateNumberOfMessagesMoved": moved, **more}


def test_each_message_is_shown_with_its_image_and_why_it_is_there(aws: AwsStack, cli: Cli) -> None:
    dead(aws, "image", EVENT)
    dead(aws, "image", EVENT, ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="not allowed")
    dead(aws, "analytics", PREDICTION)
    said = cli("redrive", "--dry-run", "--outputs", aws.file())
    assert said.code == 0
    assert "images: 2 messages" in said.out
    assert "  line 1/a.jpg: failed; the log of analyze-image says why\n" in said.out
    assert "  line 1/a.jpg: could not be delivered, NO_PERMISSIONS not allowed\n" in said.out
    assert "  b.jpg: failed; the log of record-predictions says why\n" in said.out


def test_a_message_that_names_no_image_is_shown_as_such(aws: AwsStack, cli: Cli) -> None:
    dead(aws, "notification", "[]")
    assert "a message that names no image: failed" in cli("redrive", "--dry-run", "--outputs", aws.file()).words


def test_a_key_cannot_write_to_the_terminal(aws: AwsStack, cli: Cli) -> None:
    dead(aws, "image", json.dumps({"imageKey": "\x1b[2J[red]a.jpg"}))
    assert "⟨U+001B⟩[2J[red]a.jpg: failed" in cli("redrive", "--dry-run", "--outputs", aws.file()).out


def test_a_dry_run_moves_nothing_and_gives_back_what_it_looked_at(aws: AwsStack, cli: Cli) -> None:
    for _ in range(12):
        dead(aws, "image", EVENT)
    said = cli("redrive", "--dry-run", "--outputs", aws.file())
    assert "and 2 more" in said.words
    assert aws.moves == []
    status = json.loads(cli("status", "--json", "--outputs", aws.file()).out)
    assert status["queues"][0]["deadLetters"] == 12
    in_flight = aws.client("sqs").get_queue_attributes(
        QueueUrl=aws.outputs["imageDeadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    assert set(in_flight.values()) == {"0"}


def test_messages_go_back_to_their_own_queue(aws: AwsStack, cli: Cli, meanwhile: Callable[..., None]) -> None:
    dead(aws, "image", EVENT)
    aws.move_states = [moving("RUNNING", 0), moving("COMPLETED", 1)]
    meanwhile(lambda: None)
    said = cli("redrive", "--outputs", aws.file())
    assert said.code == 0
    (move,) = aws.moves
    assert [move[name].rpartition(":")[2] for name in ("SourceArn", "DestinationArn")] == [
        "imageDeadLetterQueueUrl",
        "imageQueueUrl",
    ]
    assert "images: 1 message went home." in said.out


def test_a_move_that_fails_is_exit_code_1_with_its_reason(aws: AwsStack, cli: Cli) -> None:
    dead(aws, "image", EVENT)
    aws.move_states = [moving("FAILED", 0, FailureReason="CouldNotDetermineMessageSource")]
    said = cli("redrive", "--outputs", aws.file())
    assert said.code == 1
    assert "images: 0 went home, then moving was FAILED: CouldNotDetermineMessageSource; try again" in said.err


def test_ctrl_c_stops_watching_and_not_the_move(aws: AwsStack, cli: Cli, meanwhile: Callable[..., None]) -> None:
    dead(aws, "image", EVENT)
    aws.move_states = [moving("RUNNING", 0)]
    meanwhile(interrupt)
    said = cli("redrive", "--outputs", aws.file())
    assert said.code == 130
    assert "SQS goes on moving" in said.words


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
def test_empty_queues_are_told_as_such(aws: AwsStack, cli: Cli, arguments: tuple[str, ...]) -> None:
    said = cli("redrive", *arguments, "--outputs", aws.file())
    assert said.code == 0
    assert "The dead-letter queues are empty." in said.out
    assert aws.moves == []
