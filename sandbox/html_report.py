"""The demo's HTML report: what the stack keeps, and the run as it was seen."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from custom_labels_batch.report import data
from custom_labels_batch.report.page import write
from custom_labels_batch.report.sessions import Session, with_sessions
from custom_labels_batch.report.stack import image as report_image
from custom_labels_batch.report.thumbnails import Size, size_for, thumbnail
from sandbox.demo_report import REPORT_FILE
from sandbox.deployer.cloud import Cloud
from sandbox.endpoint import newest_version
from sandbox.fates import Fate, Image
from sandbox.mails import Mail
from sandbox.stack import Stack
from sandbox.workflow_run import WorkflowRun


def write_report(stack: Stack, images: list[Image], run: WorkflowRun, mails: list[Mail], accuracy: float) -> None:
    """Write the page; the mails' links and thumbnails are of the images in the final bucket."""
    scale = stack.settings.time_scale
    size = size_for(len(images))
    report = data.Report(
        title="What the photographs show",
        source="Custom Labels batch, make demo on this machine",
        generated_at=datetime.now(UTC),
        time_note=f"Minutes are simulated: each took {60 * scale:.3g} s.",
        time_scale=scale,
        images=tuple(_image(stack.cloud, image, size) for image in images),
        runs=(_timeline(stack, run, images),),
        mails=tuple(
            data.Mail(to=mail.to, subject=mail.subject, text=mail.text, received_at=mail.received_at) for mail in mails
        ),
        accuracy=accuracy,
        accuracy_note="of the photographs got the right label",
    )
    write(report, REPORT_FILE)


def _image(cloud: Cloud, image: Image, size: Size) -> data.Image:
    if not image.document:
        status = data.Status.WAITING
        return data.Image(key=image.upload.key, status=status, reason=image.fate.value, size=len(image.upload.body))
    return report_image(image.document, _thumbnail(cloud, image, size))


def _thumbnail(cloud: Cloud, image: Image, size: Size) -> bytes | None:
    """Of the very version that was labelled; a rejected file that is a picture has one too."""
    where = urlsplit(image.document["finalUri"], allow_fragments=False)
    key = image.document["finalUri"].removeprefix(f"s3://{where.netloc}/")
    version = image.document["finalVersionId"]
    try:
        stored = cloud.s3.get_object(Bucket=where.netloc, Key=key, **({"VersionId": version} if version else {}))
    except ClientError:
        return None
    return thumbnail(stored["Body"].read(), size)


def _timeline(stack: Stack, run: WorkflowRun, images: list[Image]) -> data.Run:
    """What was seen while it ran, with the model's states as its own ledger knows them."""
    done = sum(image.fate in (Fate.LABELLED, Fate.REJECTED) for image in images)
    rejected = sum(image.fate is Fate.REJECTED for image in images)
    seen = data.Run(
        name="The run",
        started_at=run.began_at,
        outcome=run.status,
        cause=str(run.execution.get("cause") or ""),
        images=done,
        rejected=rejected,
        duration_minutes=run.minutes,
        backlog=tuple(data.Sample(minute=look.minute, count=look.backlog) for look in run.samples),
        done=tuple(data.Sample(minute=look.minute, count=max(0, run.images - look.backlog)) for look in run.samples),
    )
    timed = with_sessions(seen, _sessions(stack, run))
    return timed.model_copy(update={"billed_minutes": sum(p.inference_units * (p.end - p.begin) for p in timed.billed)})


def _sessions(stack: Stack, run: WorkflowRun) -> list[Session]:
    def minute(moment: str | None) -> float | None:
        if moment is None:
            return None
        return (datetime.fromisoformat(moment) - run.began_at_simulated).total_seconds() / 60

    return [
        Session(
            start_requested=minute(session["startRequestedAt"]) or 0.0,
            running=minute(session["runningAt"]),
            stop_requested=minute(session["stopRequestedAt"]),
            stopped=minute(session["stoppedAt"]),
            inference_units=session["inferenceUnits"],
        )
        for session in newest_version(stack.settings)["sessions"]
    ]
