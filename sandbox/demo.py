"""`python -m sandbox demo`: the whole pipeline on this machine, watched from upload to answer."""

import time
from collections.abc import Mapping
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from sandbox.demo_report import print_images, print_summary, summarize, write
from sandbox.fates import fates
from sandbox.ledger import read_ledger
from sandbox.stack import Stack, console, running_stack, step
from sandbox.uploads import Upload, demo_uploads

_LOOK_SECONDS = 0.25


def main() -> int:
    """Show the pipeline.

    Returns
    -------
    int
        0, or 1 when an image was lost or the model is not stopped.
    """
    began = time.monotonic()
    with running_stack() as stack:
        uploaded = _upload(stack)
        execution = _run(stack)
        images = fates(stack.cloud, stack.outputs, uploaded)
        summary = summarize(stack, images, execution, time.monotonic() - began)
    write(summary)
    print_images(images)
    print_summary(summary)
    return 0 if _is_good(summary) else 1


def _is_good(summary: Mapping[str, Any]) -> bool:
    """Whether every image got through and the model is stopped."""
    wanted = {"images_lost": 0, "images_waiting": 0, "execution_status": "SUCCEEDED", "model_status": "STOPPED"}
    return all(summary[name] == value for name, value in wanted.items())


def _upload(stack: Stack) -> dict[str, Upload]:
    uploads = demo_uploads()
    with step("Uploading") as say:
        versions = {}
        for number, upload in enumerate(uploads, 1):
            answer = stack.cloud.s3.put_object(
                Bucket=stack.outputs["sourceBucketName"],
                Key=upload.key,
                Body=upload.body,
                ContentType=upload.content_type,
            )
            versions[answer["VersionId"]] = upload
            say(f"Uploading {number} of {len(uploads)}: {upload.key}")
        broken = sum(upload.label is None for upload in uploads)
        say(f"Uploaded {len(uploads)} images to the source bucket, {broken} of them broken on purpose")
    return versions


def _run(stack: Stack) -> dict[str, Any]:
    """Start the workflow and follow it to its end."""
    total = _backlog(stack)
    arn = _start(stack)
    console.print("[green]✓[/green] Started the workflow, as its schedule does")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        execution = _follow(stack, arn, progress, total)
    if execution["status"] != "SUCCEEDED":
        console.print(f"  {execution.get('error')}: {execution.get('cause')}", style="red", markup=False)
    return execution


def _start(stack: Stack) -> str:
    """The run to follow: the schedule's own tick may have come first, and there is one run at a time."""
    workflow, machine = stack.cloud.stepfunctions, stack.outputs["stateMachineArn"]
    running = workflow.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    return (running[0] if running else workflow.start_execution(stateMachineArn=machine))["executionArn"]


def _follow(stack: Stack, arn: str, progress: Progress, total: int) -> dict[str, Any]:
    """Show the model's states and the images done, until the execution has ended."""
    began, seen = time.monotonic(), ""
    bar = progress.add_task("The workflow looks at the queue", total=total)
    while True:
        stack.server.check()
        execution: Any = stack.cloud.stepfunctions.describe_execution(executionArn=arn)
        ledger = read_ledger(stack.settings)
        minutes = (time.monotonic() - began) / 60 / stack.settings.time_scale
        told = f"minute {minutes:4.1f}, billed {ledger['billedInferenceUnitMinutes']:4.1f}"
        progress.update(bar, description=told, completed=total - _backlog(stack))
        if (status := ledger["versions"][0]["status"]) != seen:
            seen = status
            progress.console.print(f"  [dim]minute {minutes:5.1f}[/dim]  model {_model_text(status)}")
        if (ended := execution["status"]) != "RUNNING":
            style = "green" if ended == "SUCCEEDED" else "red"
            progress.console.print(f"  [dim]minute {minutes:5.1f}[/dim]  workflow [{style}]{ended}[/{style}]")
            return dict(execution)
        time.sleep(_LOOK_SECONDS)


def _backlog(stack: Stack) -> int:
    attributes = stack.cloud.sqs.get_queue_attributes(
        QueueUrl=stack.outputs["imageQueueUrl"],
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return sum(int(count) for count in attributes.values())


def _model_text(status: str) -> str:
    style = {"RUNNING": "bold green", "STARTING": "yellow", "STOPPING": "yellow", "FAILED": "red"}.get(status, "dim")
    meaning = {"RUNNING": " (the meter runs; the mapping is opened)", "STOPPING": " (the meter has stopped)"}
    return f"[{style}]{status}[/{style}]{meaning.get(status, '')}"
