"""A run of the workflow, followed to its end."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn

from custom_labels_batch.cli.model import MODEL_STYLES
from custom_labels_batch.cli.runs import start_or_join
from sandbox.endpoint import read_ledger
from sandbox.listeners import backlog
from sandbox.stack import Stack, console

_LOOK_SECONDS = 0.25
_MEANINGS = {"RUNNING": " (the meter runs; the mapping is opened)", "STOPPING": " (the meter has stopped)"}


@dataclass(frozen=True)
class Sample:
    """What was seen at a simulated minute of the run: images that wait or are in flight."""

    minute: float
    backlog: int


@dataclass
class WorkflowRun:
    """A run, with what was seen while it went on.

    Attributes
    ----------
    began_at
        Real time.
    began_at_simulated
        The same moment on the sandbox's clock, which the ledger's times are of.
    execution
        The last answer of DescribeExecution.
    """

    began_at: datetime
    began_at_simulated: datetime
    images: int
    samples: list[Sample] = field(default_factory=list)
    execution: dict[str, Any] = field(default_factory=dict)
    _seen: str = ""

    @property
    def status(self) -> str:
        return str(self.execution["status"])

    @property
    def minutes(self) -> float:
        """How long it took, in simulated minutes."""
        return self.samples[-1].minute


def run_workflow(stack: Stack) -> WorkflowRun:
    """Start the workflow and follow it to its end, on the console."""
    images = backlog(stack.cloud, stack.outputs["imageQueueUrl"])
    simulated = datetime.fromisoformat(read_ledger(stack.settings)["now"])
    run = WorkflowRun(datetime.now(UTC), simulated, images)
    arn, _ = start_or_join(stack.cloud.stepfunctions, stack.outputs["stateMachineArn"])
    console.print("[green]✓[/green] Started the workflow, as its schedule does")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("The workflow looks at the queue", total=images)
        began = time.monotonic()
        while not run.execution or run.status == "RUNNING":
            _look(stack, run, arn, (time.monotonic() - began) / 60 / stack.settings.time_scale, progress, bar)
            time.sleep(_LOOK_SECONDS)
    if run.status != "SUCCEEDED":
        told = f"  {run.execution.get('error')}: {run.execution.get('cause')}"
        console.print(told, style="red", markup=False)
    return run


def _look(stack: Stack, run: WorkflowRun, arn: str, minute: float, progress: Progress, bar: TaskID) -> None:
    """Take one sample, and say what is new."""
    stack.server.check()
    run.execution = dict(stack.cloud.stepfunctions.describe_execution(executionArn=arn))
    ledger = read_ledger(stack.settings)
    waiting = backlog(stack.cloud, stack.outputs["imageQueueUrl"])
    run.samples.append(Sample(minute, waiting))
    told = f"minute {minute:4.1f}, billed {ledger['billedInferenceUnitMinutes']:4.1f}"
    progress.update(bar, description=told, completed=run.images - waiting)
    if (model := ledger["versions"][0]["status"]) != run._seen:
        run._seen = model
        progress.console.print(f"  [dim]minute {minute:5.1f}[/dim]  model {_model_text(model)}")
    if run.status != "RUNNING":
        style = "green" if run.status == "SUCCEEDED" else "red"
        progress.console.print(f"  [dim]minute {minute:5.1f}[/dim]  workflow [{style}]{run.status}[/{style}]")


def _model_text(status: str) -> str:
    style = MODEL_STYLES.get(status, "dim")
    return f"[{style}]{status}[/{style}]{_MEANINGS.get(status, '')}"
