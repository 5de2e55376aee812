"""`redrive`: what is in the dead-letter queues and why, and back home with it."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from custom_labels_batch.cli.errors import INTERRUPTED, OperationError
from custom_labels_batch.cli.queues import depth, queue_arn
from custom_labels_batch.cli.stack import OutputsOption, Stack, StackOption, find_stack
from custom_labels_batch.cli.stack_status import QUEUES, queues_of
from custom_labels_batch.cli.wording import count
from custom_labels_batch.report.visible_text import visible

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

_SHOWN = 10
_LOOK_SECONDS = 2.0
_PEEK_SECONDS = 30
FUNCTIONS = {
    "images": "analyzeFunctionName",
    "notifications": "notifyFunctionName",
    "analytics": "recordFunctionName",
}
"""What waits in a queue -> the output with the name of the function that takes it."""

EXAMPLES = """[bold]Examples[/bold]

clb redrive --dry-run

clb redrive

Exit codes: 0 every message went home, or there was none, 1 some did not, 130 you stopped watching.
"""


@dataclass(frozen=True)
class DeadLetter:
    """A message of a dead-letter queue.

    Attributes
    ----------
    subject
        The image's key, where the message names one.
    why
        It is there.
    """

    subject: str
    sent_at: datetime
    why: str


def redrive(
    outputs: OutputsOption = None,
    stack: StackOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show them.")] = False,
) -> None:
    """Show what is in each dead-letter queue and why, and send it back to the queue it came from.

    SQS moves the messages itself. Mend the cause first: what fails ten times again comes back here.
    """
    it = find_stack(outputs, stack)
    console = Console(highlight=False)
    filled = [name for name in queues_of(it) if _show(it, name, console)]
    if not filled:
        console.print("The dead-letter queues are empty.")
        return
    if dry_run:
        console.print("Nothing was moved: without --dry-run they are sent home.", style="dim")
        return
    try:
        for name in filled:
            _send_home(it, name, console)
    except KeyboardInterrupt:
        console.print("\nStopped watching; SQS goes on moving. redrive --dry-run shows what is left.")
        raise typer.Exit(INTERRUPTED) from None


def _show(stack: Stack, name: str, console: Console) -> int:
    """Tell what is in one dead-letter queue; how much that is."""
    url = stack.output(QUEUES[name][1])
    messages = depth(stack.sqs, url).total
    if not messages:
        return 0
    console.print(Text(f"{name}: {count(messages, 'message')}", "bold"))
    shown = 0
    for letter in _peek(stack, name, url):
        shown += 1
        console.print(
            Text(f"  {letter.sent_at.astimezone():%Y-%m-%d %H:%M}  {visible(letter.subject)}: {visible(letter.why)}"),
            soft_wrap=True,
        )
    if shown < messages:
        console.print(Text(f"  and {messages - shown:,} more", "dim"))
    return messages


def _peek(stack: Stack, name: str, url: str) -> Iterator[DeadLetter]:
    """Some messages, which are given back at once: SQS moves only what nobody has received."""
    received = stack.sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=_SHOWN,
        VisibilityTimeout=_PEEK_SECONDS,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["SentTimestamp"],
    ).get("Messages", [])
    for message in received:
        yield _letter(message, stack.output(FUNCTIONS[name]))
    if received:
        stack.sqs.change_message_visibility_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                for number, message in enumerate(received)
            ],
        )


def _letter(message: "MessageTypeDef", function: str) -> DeadLetter:
    attributes = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    undelivered = " ".join(attributes[name] for name in ("ERROR_CODE", "ERROR_MESSAGE") if name in attributes)
    return DeadLetter(
        subject=_subject(message["Body"]),
        sent_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        why=f"could not be delivered, {undelivered}" if undelivered else f"failed; the log of {function} says why",
    )


def _subject(body: str) -> str:
    """The key in an event of S3 or in a prediction."""
    try:
        found: Any = json.loads(body)
        return str(found["imageKey"] if "imageKey" in found else found["detail"]["object"]["key"])
    except (ValueError, KeyError, TypeError):
        return "a message that names no image"


def _send_home(stack: Stack, name: str, console: Console) -> None:
    home, dead_letters = (queue_arn(stack.sqs, stack.output(output)) for output in QUEUES[name])
    # Named, since events that EventBridge could not deliver came from no queue.
    stack.sqs.start_message_move_task(SourceArn=dead_letters, DestinationArn=home)
    with console.status(f"{name}: going home") as spinner:
        while (task := _task(stack, dead_letters))["Status"] == "RUNNING":
            spinner.update(f"{name}: {task.get('ApproximateNumberOfMessagesMoved', 0):,} went home")
            time.sleep(stack.look_seconds(_LOOK_SECONDS))
    moved = task.get("ApproximateNumberOfMessagesMoved", 0)
    if task["Status"] != "COMPLETED":
        why = task.get("FailureReason") or "no reason is given"
        raise OperationError(f"{name}: {moved:,} went home, then moving was {task['Status']}: {why}; try again")
    console.print(f"{name}: {count(moved, 'message')} went home.")


def _task(stack: Stack, source_arn: str) -> Any:
    """The newest."""
    return stack.sqs.list_message_move_tasks(SourceArn=source_arn, MaxResults=1)["Results"][0]
