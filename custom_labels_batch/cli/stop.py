"""`stop`: end the active run, close the mapping and stop the model now."""

import sys
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from custom_labels_batch.cli.errors import INTERRUPTED, InputError, OperationError
from custom_labels_batch.cli.model import BILLED, versions
from custom_labels_batch.cli.queues import depth
from custom_labels_batch.cli.release import Release
from custom_labels_batch.cli.runs import Lock, active_executions, end_run, mapping_state, read_lock, run_name
from custom_labels_batch.cli.schedule import how_to_switch_on, is_on
from custom_labels_batch.cli.stack import OutputsOption, Stack, StackOption, find_stack
from custom_labels_batch.cli.wording import count

_CLOSED = ("Disabled", "Disabling")

EXAMPLES = """[bold]Examples[/bold]

clb stop

clb stop --yes --stack prod

Exit codes: 0 no model runs, 1 one runs on, 2 this stack has no runs, or nobody could be asked, 130 you said no.
"""


@dataclass(frozen=True)
class Found:
    """What there is to stop.

    Attributes
    ----------
    executions
        Of the workflow that go on.
    lock
        Of the run that holds the model; without one nothing this stack started runs.
    mapping_state
        As Lambda says it: Enabled, Disabled, or on the way.
    """

    executions: list[str]
    lock: Lock | None
    mapping_state: str

    @property
    def is_nothing(self) -> bool:
        return not self.executions and self.lock is None and self.mapping_state in _CLOSED


def stop(
    outputs: OutputsOption = None,
    stack: StackOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """End the active run, close the mapping and stop the model now.

    Images that wait stay in the queue for the next run, which the schedule starts as ever.

    It may be repeated, and goes on where it was. A model that a person started is not stopped.
    """
    it = find_stack(outputs, stack)
    it.state_machine()
    console = Console(highlight=False)
    found = look(it)
    if not found.is_nothing:
        if not yes:
            _ask(it, found)
        try:
            end(it, found, console)
        except KeyboardInterrupt:
            console.print("\nStopped watching; the release goes on. stop again follows it, status shows it.")
            raise typer.Exit(INTERRUPTED) from None
    _say_how_it_is(it, console, was_nothing=found.is_nothing)


def look(stack: Stack) -> Found:
    """What a stack with runs has to stop."""
    return Found(
        executions=active_executions(stack.stepfunctions, stack.state_machine()),
        lock=read_lock(stack),
        mapping_state=mapping_state(stack),
    )


def _ask(stack: Stack, found: Found) -> None:
    if not sys.stdin.isatty():
        raise InputError("nobody can be asked here: say --yes to stop without a question")
    waiting = depth(stack.sqs, stack.output("imageQueueUrl")).total
    run = run_name(found.lock.run_execution_arn) if found.lock else ""
    what = f"Run {run} is active" if run else "No run holds the model"
    typer.confirm(
        f"{what} in {stack.name}; {count(waiting, 'image')} would wait for the next one.\n"
        "End it, close the mapping and stop the model now?",
        abort=True,
    )


def end(stack: Stack, found: Found, console: Console) -> None:
    """End runs, release the model, close the mapping, and tell each.

    Raises
    ------
    OperationError
        The model could not be released.
    """
    for arn in found.executions:
        end_run(stack, arn)
        console.print(f"Ended run {run_name(arn)}.", soft_wrap=True)
    release = Release(stack, set(found.executions))
    with console.status("Releasing the model") as spinner:
        for told in release.follow():
            spinner.update(f"Releasing the model: {told}")
    if release.was_needed:
        console.print(f"Released the model, in {release.minutes:.1f} minutes.")
    if mapping_state(stack) not in _CLOSED:
        stack.lambda_.update_event_source_mapping(UUID=stack.output("eventSourceMappingUuid"), Enabled=False)
        console.print("Closed the mapping.")


def _say_how_it_is(stack: Stack, console: Console, *, was_nothing: bool) -> None:
    if left := running_on(stack):
        raise OperationError(left)
    begin = "There is nothing to stop: no" if was_nothing else "Now no"
    console.print(f"{begin} model runs, the mapping is closed and no run is active. {_schedule(stack)}")


def _schedule(stack: Stack) -> str:
    return "The schedule goes on." if is_on(stack) else f"The schedule is off: {how_to_switch_on(stack)}."


def running_on(stack: Stack) -> str:
    """Which version runs without a run of this stack, and how to stop it; empty if none does."""
    runs_on = [version for version in versions(stack) if version.status in BILLED]
    if not runs_on:
        return ""
    return (
        f"{runs_on[0].name} is {runs_on[0].status}, and no run of this stack started it, so it was left; stop it "
        f"with aws rekognition stop-project-version --project-version-arn {runs_on[0].arn}"
    )
