"""`python -m sandbox demo`: the whole pipeline on this machine, watched from upload to answer."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from sandbox.deploy import BUILD, OUTPUTS_FILE, REPOSITORY, deploy
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.deployer import Progress as Deployment
from sandbox.errors import SandboxError
from sandbox.fates import Fate, Image, fates
from sandbox.ledger import newest_version, read_ledger
from sandbox.photographs import photographs
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings
from sandbox.uploads import Upload, demo_uploads

SUMMARY_FILE = REPOSITORY / "build" / "demo" / "summary.json"
SAMPLES = BUILD / "photographs"

USD_PER_INFERENCE_UNIT_HOUR = 4.0
"""Amazon Rekognition pricing page, Custom Labels inference."""

_LOOK_SECONDS = 0.25
_FATE_STYLES = {Fate.LABELLED: "green", Fate.REJECTED: "yellow"}

console = Console(highlight=False)


@dataclass(frozen=True)
class Stack:
    """The deployed stack and the emulator it lives in."""

    server: ServerProcess
    cloud: Cloud
    outputs: Mapping[str, Any]
    settings: SandboxSettings


def main(keep_up: bool = False) -> int:
    """Show the pipeline, or with `keep_up` leave the stack to the user until Ctrl-C.

    Returns
    -------
    int
        0, or 1 when an image was lost or the model is not stopped.
    """
    began = time.monotonic()
    with _stack() as stack:
        try:
            return _keep_up(stack) if keep_up else _show(stack, began)
        except (BotoCoreError, SandboxError) as error:
            stack.server.check(within_seconds=1)  # if the emulator is gone, that is what to say
            raise SandboxError(str(error)) from error


@contextmanager
def _stack() -> Iterator[Stack]:
    """Start the emulator and deploy this repository's program into it."""
    settings = SandboxSettings.from_environment()
    minute = 60 * settings.time_scale
    console.print("[bold]Custom Labels batch, on this machine[/bold]: the real program, functions and workflows")
    console.print(f"[dim]All durations are simulated: a minute of AWS takes {minute:.3g} seconds here.[/dim]\n")
    with ExitStack() as cleanup:
        with _step("Starting an emulated AWS and training its model"):
            server = cleanup.enter_context(ServerProcess(settings, BUILD))
        with _step("Deploying the Pulumi program") as step:
            outputs = _deploy(settings, step)
        cloud = Cloud(settings.endpoint_url, settings.region, settings.account_id, settings.time_scale)
        yield Stack(server, cloud, outputs, settings)


def _deploy(settings: SandboxSettings, step: Callable[[str], None]) -> dict[str, Any]:
    made: Counter[str] = Counter()

    def count(deployment: Deployment) -> None:
        made.update([deployment.type] if deployment.done else [])
        step(f"Deploying the Pulumi program: {made.total()} resources, {deployment.name}")

    outputs = deploy(REPOSITORY, "sandbox", {}, settings, count)
    step(f"Deployed the Pulumi program: {made.total()} resources of {len(made)} types")
    return outputs


@contextmanager
def _step(title: str) -> Iterator[Callable[[str], None]]:
    """A line that spins while the step goes on and stays, with its time, when it is done."""
    began = time.monotonic()
    text = [title]
    with console.status(title) as status:

        def update(line: str) -> None:
            text[0] = line
            status.update(line)

        yield update
    console.print(f"[green]✓[/green] {text[0]} [dim]({time.monotonic() - began:.1f} s)[/dim]")


# The demo


def _show(stack: Stack, began: float) -> int:
    uploaded = _upload(stack)
    execution = _run(stack)
    images = fates(stack.cloud, stack.outputs, uploaded)
    summary = _summary(stack, images, execution, time.monotonic() - began)
    _write(summary)
    _print_images(images)
    _print_summary(summary)
    done = summary["images_lost"] == 0 and summary["images_waiting"] == 0 and summary["model_status"] == "STOPPED"
    return 0 if done and summary["execution_status"] == "SUCCEEDED" else 1


def _upload(stack: Stack) -> dict[str, Upload]:
    uploads = demo_uploads()
    with _step("Uploading") as step:
        versions = {}
        for number, upload in enumerate(uploads, 1):
            answer = stack.cloud.s3.put_object(
                Bucket=stack.outputs["sourceBucketName"],
                Key=upload.key,
                Body=upload.body,
                ContentType=upload.content_type,
            )
            versions[answer["VersionId"]] = upload
            step(f"Uploading {number} of {len(uploads)}: {upload.key}")
        broken = sum(upload.label is None for upload in uploads)
        step(f"Uploaded {len(uploads)} images to the source bucket, {broken} of them broken on purpose")
    return versions


def _run(stack: Stack) -> dict[str, Any]:
    """Start the workflow and follow it to its end."""
    workflow = stack.cloud.stepfunctions
    total = _backlog(stack)
    machine = stack.outputs["stateMachineArn"]
    # The schedule's own tick may have come first; there is one run at a time.
    ticked = workflow.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    arn = (ticked[0] if ticked else workflow.start_execution(stateMachineArn=machine))["executionArn"]
    began = time.monotonic()
    seen = ""
    console.print("[green]✓[/green] Started the workflow, as its schedule does")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("The workflow looks at the queue", total=total)
        while True:
            stack.server.check()
            execution: Any = workflow.describe_execution(executionArn=arn)
            status, billed = _model_status(stack), read_ledger(stack.settings)["billedInferenceUnitMinutes"]
            minutes = (time.monotonic() - began) / 60 / stack.settings.time_scale
            if status != seen:
                seen = status
                progress.console.print(f"  [dim]minute {minutes:5.1f}[/dim]  model {_model_text(status)}")
            progress.update(
                bar, description=f"minute {minutes:4.1f}, billed {billed:4.1f}", completed=total - _backlog(stack)
            )
            if execution["status"] != "RUNNING":
                break
            time.sleep(_LOOK_SECONDS)
    style = "green" if execution["status"] == "SUCCEEDED" else "red"
    console.print(f"  [dim]minute {minutes:5.1f}[/dim]  workflow [{style}]{execution['status']}[/{style}]")
    if execution["status"] != "SUCCEEDED":
        console.print(f"  {execution.get('error')}: {execution.get('cause')}", style="red")
    return dict(execution)


def _backlog(stack: Stack) -> int:
    attributes = stack.cloud.sqs.get_queue_attributes(
        QueueUrl=stack.outputs["imageQueueUrl"],
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return sum(int(count) for count in attributes.values())


def _model_status(stack: Stack) -> str:
    return str(newest_version(stack.settings)["status"])


def _model_text(status: str) -> str:
    style = {"RUNNING": "bold green", "STARTING": "yellow", "STOPPING": "yellow", "FAILED": "red"}.get(status, "dim")
    meaning = {"RUNNING": " (the meter runs; the mapping is opened)", "STOPPING": " (the meter has stopped)"}
    return f"[{style}]{status}[/{style}]{meaning.get(status, '')}"


# What it came to


def _summary(stack: Stack, images: list[Image], execution: Mapping[str, Any], elapsed: float) -> dict[str, Any]:
    count = Counter(image.fate for image in images)
    photographed = [image for image in images if image.upload.label]
    ledger = read_ledger(stack.settings)
    limit = count[Fate.LABELLED] / stack.settings.tps_per_unit / 60
    return {
        "images_uploaded": len(images),
        "images_processed": count[Fate.LABELLED],
        "images_rejected": count[Fate.REJECTED],
        "images_waiting": count[Fate.WAITING] + count[Fate.DEAD_LETTER],
        "images_lost": count[Fate.LOST],
        "execution_status": execution["status"],
        "model_status": ledger["versions"][0]["status"],
        "billed_inference_unit_minutes": round(ledger["billedInferenceUnitMinutes"], 2),
        "inference_unit_minutes_of_work": round(limit, 2),
        "cost_usd": round(ledger["billedInferenceUnitMinutes"] / 60 * USD_PER_INFERENCE_UNIT_HOUR, 2),
        "accuracy": round(sum(image.is_right for image in photographed) / len(photographed), 3),
        "held_out_accuracy": ledger["heldOutAccuracy"],
        "labels": dict(Counter(image.labels[0][0] for image in images if image.labels).most_common()),
        "throttled_calls": sum(version["calls"]["throttled"] for version in ledger["versions"]),
        "time_scale": stack.settings.time_scale,
        "elapsed_seconds": round(elapsed, 1),
    }


def _write(summary: Mapping[str, Any]) -> None:
    SUMMARY_FILE.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY_FILE.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def _print_images(images: list[Image]) -> None:
    table = Table(title="\nWhat happened to every image", title_justify="left", title_style="bold", box=None)
    table.add_column("image", overflow="fold")
    table.add_column("outcome")
    table.add_column("labels, or why not")
    for image in images:
        labels = ", ".join(f"{name} {confidence:.0f} %" for name, confidence in image.labels)
        wrong = image.fate is Fate.LABELLED and not image.is_right
        told = labels or image.reason or ("no label reached its threshold" if wrong else "")
        if wrong:
            told += f"  (the photograph shows {image.upload.label})"
        fate = Text(image.fate.value, style=_FATE_STYLES.get(image.fate, "bold red"))
        # Keys and reasons are shown as they are, never read as markup.
        table.add_row(Text(image.upload.key), fate, Text(told, style="magenta" if wrong else ""))
    console.print(table)


def _print_summary(summary: Mapping[str, Any]) -> None:
    labels = ", ".join(f"{name} {number}" for name, number in summary["labels"].items())
    lost = summary["images_lost"] + summary["images_waiting"]
    rows = {
        "Images": (
            f"{summary['images_uploaded']} uploaded: {summary['images_processed']} labelled, "
            f"{summary['images_rejected']} rejected, {summary['images_waiting']} waiting, {summary['images_lost']} lost"
        ),
        "Labels": labels,
        "Accuracy": (
            f"{summary['accuracy']:.1%} of the photographs got the right label "
            f"(the model's own, on held-out patches: {summary['held_out_accuracy']:.1%})"
        ),
        "Model": (
            f"{summary['model_status']} after {summary['billed_inference_unit_minutes']} billed inference-unit "
            f"minutes, {summary['cost_usd']:.2f} USD; labelling at full speed takes "
            f"{summary['inference_unit_minutes_of_work']}"
        ),
        "Time": f"{summary['elapsed_seconds']} seconds on this machine",
    }
    table = Table(title="\nThe run", title_justify="left", title_style="bold", box=None, show_header=False)
    for name, told in rows.items():
        table.add_row(f"[bold]{name}[/bold]", told)
    console.print(table)
    if lost:
        console.print("\n[red]Not every image got through; see build/sandbox/serve.log.[/red]")
    console.print(
        "\n[dim]At this speed the laptop, not the model's TPS, is the limit, so more minutes are billed here than "
        "on AWS;\n`make bench` measures at a slower scale.[/dim]"
    )
    console.print(f"\nThe same as JSON: {SUMMARY_FILE.relative_to(REPOSITORY)}")
    console.print("Play with it: [bold]make sandbox[/bold]    Deploy it: README.md, “Deploy to AWS”")


# The stack to play with


def _keep_up(stack: Stack) -> int:
    _write_samples(SAMPLES)
    try:
        console.print(_how_to_use(stack), markup=False, soft_wrap=True)
        while True:
            stack.server.check()
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("\nStopped; nothing is left running.")
        return 0


def _write_samples(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, (label, body) in enumerate(photographs(12, seed=7)):
        (folder / f"{label}-{number}.jpg").write_bytes(body)


def _how_to_use(stack: Stack) -> str:
    outputs, endpoint = stack.outputs, stack.settings.endpoint_url
    samples = SAMPLES.relative_to(REPOSITORY)
    return f"""
The stack is up at {endpoint} until Ctrl-C. Its outputs are in {OUTPUTS_FILE.relative_to(REPOSITORY)}.

In another terminal, with the AWS CLI:

  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={stack.settings.region}
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  aws s3 cp --recursive {samples}/ s3://{outputs["sourceBucketName"]}/
  aws stepfunctions start-execution --state-machine-arn {outputs["stateMachineArn"]}
  aws s3 ls --recursive s3://{outputs["finalBucketName"]}/
  curl {endpoint}/_sandbox/model

The same with boto3 ({samples}/ holds photographs to upload):

  import boto3, json
  outputs = json.load(open("{OUTPUTS_FILE.relative_to(REPOSITORY)}"))
  session = boto3.Session("test", "test", region_name=outputs["region"])
  s3 = session.client("s3", endpoint_url=outputs["endpointUrl"])
  s3.upload_file("{samples}/brick-0.jpg", outputs["sourceBucketName"], "brick-0.jpg")
"""
