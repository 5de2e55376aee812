"""`run`: start a run now, and follow it to its end."""

from typing import Annotated

import typer
from rich.console import Console

from custom_labels_batch.cli.errors import INTERRUPTED, OperationError
from custom_labels_batch.cli.run_view import RunView
from custom_labels_batch.cli.run_watch import Look, follow
from custom_labels_batch.cli.runs import active_executions, read_lock, record_of, run_name, start_or_join
from custom_labels_batch.cli.stack import OutputsOption, Stack, StackOption, find_stack
from custom_labels_batch.cli.wording import count, usd
from custom_labels_batch.report.stack import RunRecord
from custom_labels_batch.rules.prices import PRICES

_NEXT = "what it did not label waits in the queue: mend the cause, and run again"

_FEWER_DONE = (
    "More messages waited than images were done: the others failed and are in the dead-letter queue, or had been done "
    "before. clb status shows which; clb redrive --dry-run says why."
)

EXAMPLES = """[bold]Examples[/bold]

clb run

clb run --wait

clb run --wait --stack prod && echo labelled

Exit codes: 0 started, or with --wait done, 1 the run failed, 2 this stack has no runs, 130 you stopped watching.
"""


def run(
    outputs: OutputsOption = None,
    stack: StackOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end.")] = False,
) -> None:
    """Start a run now, as the schedule does; if one is active, that is the one.

    With --wait it tells what the run does, the backlog, images a minute, the time left and the minutes billed so far.

    Ctrl-C stops watching, never the run.
    """
    found = find_stack(outputs, stack)
    arn, started = start_or_join(found.stepfunctions, found.state_machine())
    console = Console(highlight=False)
    told = f"Started run {run_name(arn)}." if started else f"Run {run_name(arn)} is active; no other is started."
    console.print(told, soft_wrap=True)
    if not wait:
        console.print("Follow it with clb run --wait, look with clb status, end it with clb stop.", style="dim")
        return
    try:
        _follow(found, arn, console)
    except KeyboardInterrupt:
        console.print("\nStopped watching; the run goes on. clb run --wait follows it again, clb stop ends it.")
        raise typer.Exit(INTERRUPTED) from None


def _follow(stack: Stack, arn: str, console: Console) -> None:
    following: str | None = arn
    while following:
        with RunView(console) as view:
            for look in follow(stack, following):
                view.show(look)
        following = _conclude(stack, following, look, console)


def _conclude(stack: Stack, arn: str, last: Look, console: Console) -> str | None:
    """Tell how a run ended; the run to follow instead, if there is one."""
    if last.status != "SUCCEEDED":
        cause = ": ".join(str(last.execution[part]) for part in ("error", "cause") if last.execution.get(part))
        told = (cause or "no cause is given").rstrip(".")
        raise OperationError(f"run {run_name(arn)} {last.status}: {told}; {_NEXT}")
    record = record_of(stack, arn)
    if record:
        console.print(_summary(record), soft_wrap=True)
        if record.outcome == "DRAINED" and record.processed + record.rejected < record.backlog_at_start:
            console.print(_FEWER_DONE, style="yellow", soft_wrap=True)
        active = active_executions(stack.stepfunctions, stack.state_machine()) if record.outcome == "OUTGROWN" else []
        return _instead(active[-1], "It was outgrown, and is followed by", console) if active else None
    lock = read_lock(stack)
    if lock is None:
        console.print("There was nothing to do: no image is in the queue that can be received, or too few wait.")
        return None
    if lock.is_released:
        raise OperationError(
            f"nothing was done: the model of the earlier run {run_name(lock.run_execution_arn)} is being released; run "
            "again when status shows no active run"
        )
    return _instead(lock.run_execution_arn, "Another run is active:", console)


def _instead(arn: str, why: str, console: Console) -> str:
    console.print(f"{why} {run_name(arn)}", soft_wrap=True)
    return arn


def _summary(record: RunRecord) -> str:
    billed = record.billed_inference_unit_minutes
    cost = billed / 60 * PRICES.inference_unit_hour if record.model_cost_usd is None else record.model_cost_usd
    return (
        f"{record.outcome}: {count(record.processed, 'image')} labelled, {record.rejected:,.0f} rejected; {billed:.2f} "
        f"inference-unit minutes billed, {usd(cost)} USD"
    )
