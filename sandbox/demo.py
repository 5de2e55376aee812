"""`python -m sandbox demo`: the whole pipeline on this machine, watched from upload to answer."""

import time
from collections.abc import Mapping
from typing import Any

from sandbox.demo_report import (
    REPORT_FILE,
    print_answers,
    print_images,
    print_mails,
    print_summary,
    summarize,
    write,
    write_mails,
)
from sandbox.deploy import REPOSITORY
from sandbox.fates import Image, fates
from sandbox.html_report import write_report
from sandbox.listeners import wait_for_listeners
from sandbox.mails import Mail, read_mails
from sandbox.queries import SavedQuery, ask_saved_queries
from sandbox.stack import Stack, running_stack, step
from sandbox.uploads import Upload, demo_uploads
from sandbox.workflow_run import run_workflow


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
        run = run_workflow(stack)
        mails = _listen(stack)
        images = fates(stack.cloud, stack.outputs, uploaded)
        answers = _ask(stack)
        summary = summarize(stack, images, run, mails, answers)
        _draw(stack, images, run, mails, summary)
        summary["elapsed_seconds"] = round(time.monotonic() - began, 1)
    write(summary)
    write_mails(mails)
    print_images(images)
    print_mails(mails)
    print_answers(answers)
    print_summary(summary)
    return 0 if _is_good(summary) else 1


def _is_good(summary: Mapping[str, Any]) -> bool:
    """Whether every image got through, every prediction was recorded, and the model is stopped."""
    wanted = {
        "images_lost": 0,
        "images_waiting": 0,
        "images_recorded": summary["images_processed"] + summary["images_rejected"],
        "execution_status": "SUCCEEDED",
        "model_status": "STOPPED",
    }
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


def _listen(stack: Stack) -> list[Mail]:
    with step("People are told, and rows are written") as say:
        wait_for_listeners(stack.cloud, stack.outputs)
        topics = (stack.outputs["notificationTopicArn"], stack.outputs["runSummaryTopicArn"])
        mails = [mail for topic in topics for mail in read_mails(stack.settings, topic)]
        count = "1 mail" if len(mails) == 1 else f"{len(mails)} mails"
        say(f"People were told, in {count}, and every prediction was written down")
    return mails


def _ask(stack: Stack) -> list[SavedQuery]:
    with step("Asking Athena") as say:
        answers = ask_saved_queries(stack.cloud, stack.outputs)
        say(f"Asked Athena the {len(answers)} saved queries")
    return answers


def _draw(stack: Stack, images: list[Image], run: Any, mails: list[Mail], summary: Mapping[str, Any]) -> None:
    with step("Drawing the report") as say:
        write_report(stack, images, run, mails, summary["accuracy"])
        say(f"Drew the report: {REPORT_FILE.relative_to(REPOSITORY)}")
