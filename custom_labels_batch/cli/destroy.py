"""`destroy`: take a stack down, after its model is stopped."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, TypeVar

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from custom_labels_batch.cli import aws_errors, stop
from custom_labels_batch.cli.aws_errors import is_gone
from custom_labels_batch.cli.errors import INTERRUPTED, InputError, OperationError
from custom_labels_batch.cli.losses import Bucket, Losses, find_buckets, find_losses
from custom_labels_batch.cli.model import versions
from custom_labels_batch.cli.removal import Removal, find_removal
from custom_labels_batch.cli.runs import run_name
from custom_labels_batch.cli.schedule import how_to_switch_on, switch_off
from custom_labels_batch.cli.stack import OutputsOption, Stack, StackOption, find_stack
from custom_labels_batch.cli.wording import count

_MOST_TIMES = 5
"""That runs are ended: the schedule is off, so each can only be one that began a moment before."""

Answer = TypeVar("Answer")

EXAMPLES = """[bold]Examples[/bold]

clb destroy

clb destroy --yes --stack dev

Exit codes: 0 destroyed, 1 not or not wholly, 2 no such stack, or nobody could be asked, 130 you said no, or Ctrl-C.
"""


def destroy(
    outputs: OutputsOption = None,
    stack: StackOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a stack down: schedule off, run ended, model stopped, mapping closed, then pulumi destroy.

    Says first what is lost and what is kept, and at the end what was kept. It may be repeated, and goes on where it
    was.

    Run it in the project's directory. On a sandbox it removes what the sandbox was given.
    """
    it = find_stack(outputs, stack)
    removal = find_removal(it)
    _refuse_protected(removal)
    console = Console(highlight=False)
    losses = find_losses(it, removal)
    _tell(it, losses, removal, console)
    if not yes:
        _ask()
    if it.is_scheduled:
        _stop_everything(it, console)
    _remove(it, removal, losses, console)


def _refuse_protected(removal: Removal) -> None:
    """Before anything is stopped: Pulumi itself would refuse only when the schedule is off and the run ended."""
    if removal.protected:
        raise OperationError(
            f"nothing is destroyed and nothing was stopped: {', '.join(removal.protected)} "
            f"{'is' if len(removal.protected) == 1 else 'are'} protected; to keep the buckets "
            "and destroy the rest, set dataBuckets to retain and pulumi up, and come back"
        )


def _tell(stack: Stack, losses: Losses, removal: Removal, console: Console) -> None:
    console.print(f"Destroying {stack.name}, in {stack.region}.", style="bold", soft_wrap=True)
    for name, messages in losses.waiting.items():
        if messages:
            console.print(f"  lost: {count(messages, 'message')} of {name} that wait or failed", soft_wrap=True)
    if losses.waiting["images"]:
        console.print("  their images stay in the source bucket, if that stays, unannounced", soft_wrap=True)
    if losses.runs:
        console.print(
            f"  lost: {count(losses.runs, 'record')} of runs; DynamoDB keeps a backup of the table for 35 days",
            soft_wrap=True,
        )
    for bucket in losses.buckets:
        console.print(f"  bucket {bucket.name}: {bucket.told}", soft_wrap=True)
    if losses.in_the_way:
        console.print(
            f"  {removal.told} fails at {', '.join(losses.in_the_way)} when all else is gone; to keep them, set "
            "dataBuckets to retain and pulumi up before; to delete them too, forceDestroy, or empty them",
            style="yellow",
            soft_wrap=True,
        )
    console.print(f"  stays: {_model(stack)}", soft_wrap=True)
    found = _look(stack)
    if found and found.lock:
        console.print(f"  ended: run {run_name(found.lock.run_execution_arn)}, and its model stopped", soft_wrap=True)
    elif left := stop.running_on(stack):
        console.print(f"  {left}", style="yellow", soft_wrap=True)


def _model(stack: Stack) -> str:
    return f"the Custom Labels project and its {count(len(versions(stack)), 'version')}"


def _tell_kept(stack: Stack, buckets: Iterable[Bucket], console: Console) -> None:
    console.print(f"Kept {_model(stack)}.", soft_wrap=True)
    for bucket in buckets:
        if bucket.is_kept:
            console.print(f"Kept bucket {bucket.name}, {bucket.objects}.", soft_wrap=True)


def _ask() -> None:
    if not sys.stdin.isatty():
        raise InputError("nobody can be asked here: say --yes to destroy without a question")
    typer.confirm("End what runs, stop the model and destroy the stack?", abort=True)


def _stop_everything(stack: Stack, console: Console) -> None:
    """The guard's schedule goes on until Pulumi deletes it: if this dies half-way, it still stops the model."""
    with _saying_how_to_go_on(stack, console):
        if _unless_gone(lambda: switch_off(stack), otherwise=False):
            console.print("Switched the schedule off.")
        for _ in range(_MOST_TIMES):
            found = _look(stack)
            if found is None or found.is_nothing:
                return
            stop.end(stack, found, console)
        raise OperationError(f"runs begin anew, {_MOST_TIMES} times; somebody else starts them")


def _go_on(stack: Stack) -> str:
    return f"clb destroy goes on where it was; to keep the stack instead, {how_to_switch_on(stack)}"


@contextlib.contextmanager
def _saying_how_to_go_on(stack: Stack, console: Console) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        console.print(f"\nNothing is destroyed, but the schedule is off. {_go_on(stack)}.", soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None
    except (BotoCoreError, ClientError) as error:
        raise OperationError(f"nothing is destroyed: {aws_errors.told(error)}; {_go_on(stack)}") from None
    except OperationError as error:
        raise OperationError(f"nothing is destroyed: {error}; {_go_on(stack)}") from None


def _remove(stack: Stack, removal: Removal, losses: Losses, console: Console) -> None:
    left = stop.running_on(stack)
    console.print(f"Running {removal.told}", soft_wrap=True)
    code = removal.run()
    if code:
        why = f" {', '.join(losses.in_the_way)} held objects." if losses.in_the_way else ""
        raise OperationError(
            f"{removal.told} failed with exit code {code}, see above.{why} No run of the stack holds a model"
            + (f", and the schedule is off; {_go_on(stack)}" if stack.is_scheduled else "")
        )
    console.print(f"Destroyed {stack.name}.", soft_wrap=True)
    _tell_kept(stack, find_buckets(stack, removal), console)
    if left:
        console.print(left, style="yellow", soft_wrap=True)


def _look(stack: Stack) -> stop.Found | None:
    """What there is to stop; None where there are no workflows, or no longer."""
    return _unless_gone(lambda: stop.look(stack), otherwise=None) if stack.is_scheduled else None


def _unless_gone(call: Callable[[], Answer], otherwise: Answer) -> Answer:
    """What an earlier destroy took away needs no stopping."""
    try:
        return call()
    except ClientError as error:
        if is_gone(error):
            return otherwise
        raise
