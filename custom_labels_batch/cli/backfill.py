"""`backfill`: messages for images that were in the source bucket before the stack listened."""

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.text import Text

from custom_labels_batch.cli.backfill_run import Backfill, LeftOut, Send
from custom_labels_batch.cli.backfill_state import BackfillFile, Progress
from custom_labels_batch.cli.errors import INTERRUPTED, InputError
from custom_labels_batch.cli.image_keys import announced_prefix
from custom_labels_batch.cli.options import whole_number
from custom_labels_batch.cli.period import moment
from custom_labels_batch.cli.queues import depth, send
from custom_labels_batch.cli.source_objects import SourceObject, pages
from custom_labels_batch.cli.stack import CONNECTIONS, OutputsOption, Stack, StackOption, find_stack
from custom_labels_batch.cli.upload_event import UploadEvents
from custom_labels_batch.cli.wording import count, usd
from custom_labels_batch.report.visible_text import visible
from custom_labels_batch.rules.prices import PRICES

_WHICH, _HOW = "Which objects", "How"
_TPS = 5.0
_EVENTS_TAKE = timedelta(minutes=30)
"""Between the queue's creation and S3's first event: its bucket is told to send them last, and S3 takes some five
minutes to begin (user guide, "Enabling Amazon EventBridge"). What is queued here and announced too is labelled once."""
_QUEUE_HOURS = 240
"""How long the image queue keeps a message (components.queue)."""
_EXAMPLES_SHOWN = 10

EXAMPLES = """[bold]Examples[/bold]

clb backfill --dry-run

clb backfill

clb backfill --prefix 2024/ --until 2026-11-22T10:30

Exit codes: 0 all are queued, now or before, 1 one could not be, 2 a wrong option or no such stack, 130 you stopped it.

The same command goes on where it was.
"""


def backfill(
    outputs: OutputsOption = None,
    stack: StackOption = None,
    prefix: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            show_default=False,
            rich_help_panel=_WHICH,
            help="Only keys that begin with this. Without it, with the stack's imagePrefix.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            show_default="when the stack's queue was made",
            rich_help_panel=_WHICH,
            help="Only objects modified before then: a date, or a time (UTC unless it says otherwise).",
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            rich_help_panel=_WHICH,
            help="All objects of now: later ones too, whose events came by themselves, or were lost.",
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them, and say what they cost.")] = False,
    again: Annotated[
        bool, typer.Option("--again", rich_help_panel=_HOW, help="Begin anew, though it was done or begun before.")
    ] = False,
    parallel: Annotated[int, whole_number("Requests to SQS at once.", 1, CONNECTIONS, _HOW)] = 32,
) -> None:
    """Queue images that were in the source bucket before the stack, as if they had just been uploaded.

    The next run labels them and moves them to the final bucket, as it does with every image.

    Ctrl-C keeps how far it is. What was queued twice nevertheless is labelled once.
    """
    if everything and until is not None:
        raise InputError("--all and --until: only one can say which objects; leave one of them out")
    it = find_stack(outputs, stack)
    bucket, queue_url = it.output("sourceBucketName"), it.output("imageQueueUrl")
    begins_with = announced_prefix(it, prefix)
    queue = it.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["CreatedTimestamp"])["Attributes"]
    queue_made = queue["CreatedTimestamp"]
    until_then = _until(it, bucket, queue_made, until, everything=everything)
    begun = Progress(bucket=bucket, prefix=begins_with, until=until_then)
    console = Console(highlight=False)
    if dry_run:
        _work(it, begun, console, dry=[], parallel=1)
        return
    chosen = f"until {until}" if until is not None else "all" if everything else ""
    # A queue that was made anew has nothing that was queued in the old one.
    file = BackfillFile(queue_url, queue_made, bucket, begins_with, chosen)
    with file.held():
        known = None if again else file.read()
        if known and known.finished_at:
            _tell_it_was_done(known, known.finished_at, console)
        else:
            _work(it, known or begun, console, file=file, parallel=parallel)


def _until(stack: Stack, bucket: str, queue_made: str, until: str | None, *, everything: bool) -> datetime:
    """The moment before which objects are queued: real time, on a sandbox too, since objects have it."""
    now = _now(stack, bucket)
    if until is not None:
        # Spans would be another time when the same command goes on.
        return moment("--until", until, now, spans=False)
    listens_since = datetime.fromtimestamp(int(queue_made), UTC)
    return now if everything else min(now, listens_since + _EVENTS_TAKE)


def _tell_it_was_done(known: Progress, finished_at: datetime, console: Console) -> None:
    console.print(
        f"This was done on {finished_at:%Y-%m-%d at %H:%M} UTC: {count(known.queued, 'image')} queued, of"
        f" what was modified before {known.until:%Y-%m-%d %H:%M}."
        " Nothing is queued again; --again does it nevertheless.",
        soft_wrap=True,
    )


def _now(stack: Stack, bucket: str) -> datetime:
    """By S3's clock, which objects' times are of; an error where the bucket may not be used."""
    told = stack.s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(told) if told else datetime.now(UTC)


def _work(
    stack: Stack,
    begun: Progress,
    console: Console,
    *,
    file: BackfillFile | None = None,
    dry: list[str] | None = None,
    parallel: int,
) -> None:
    """Queue, or with `dry` only count and keep some keys as examples; then tell what became of it."""
    _introduce(stack, begun, console)
    started = time.monotonic()
    with console.status("") as spinner:

        def save(progress: Progress) -> None:
            if file:
                file.write(progress)
            rate = (progress.listed - begun.listed) / max(0.001, time.monotonic() - started)
            spinner.update(
                f"{progress.queued:,} of {count(progress.listed, 'object')} {_verb(dry)}, {rate:,.0f} a second"
            )

        work = Backfill(begun, _sender(stack, begun.bucket) if dry is None else _collector(dry), save)
        try:
            listed = pages(stack.s3, begun.bucket, begun.prefix, begun.after_key)
            work.run(listed, parallel)
        except KeyboardInterrupt:
            spinner.stop()
            _tell(work, begun, console, time.monotonic() - started, dry)
            if dry is None and work.progress.finished_at is None:
                console.print("Stopped; the same command goes on where it was.")
            raise typer.Exit(INTERRUPTED) from None
    _tell(work, begun, console, time.monotonic() - started, dry)
    if dry is not None:
        console.print("Nothing was queued: without --dry-run they are.", style="dim")
    elif work.progress.queued and stack.is_scheduled:
        console.print("The next run labels them: clb run --wait starts one now.", style="dim")


def _introduce(stack: Stack, begun: Progress, console: Console) -> None:
    where = f"s3://{begun.bucket}/{begun.prefix}"
    console.print(
        Text(visible(f"Objects of {where} that were modified before {begun.until:%Y-%m-%d %H:%M:%S} UTC")),
        soft_wrap=True,
    )
    if begun.after_key is not None:
        console.print(Text(visible(f"Going on after {begun.after_key}: {begun.queued:,} are queued.")), soft_wrap=True)
    elif waiting := depth(stack.sqs, stack.output("imageQueueUrl")).total:
        console.print(
            f"{count(waiting, 'message')} wait already; an image that is queued twice is labelled once.", style="dim"
        )


def _sender(stack: Stack, bucket: str) -> Send:
    queue_url, sqs = stack.output("imageQueueUrl"), stack.sqs
    events = UploadEvents(bucket, stack.account, stack.region)
    return lambda objects: send(sqs, queue_url, [events.event(found) for found in objects])


def _collector(examples: list[str]) -> Send:
    def collect(objects: Sequence[SourceObject]) -> None:
        examples.extend(found.key for found in objects[: _EXAMPLES_SHOWN - len(examples)])

    return collect


def _tell(work: Backfill, begun: Progress, console: Console, seconds: float, dry: list[str] | None) -> None:
    now = work.progress
    queued, size = now.queued - begun.queued, now.queued_bytes - begun.queued_bytes
    if dry:
        _show_examples(dry, queued, console)
    what = f"{_verb(dry).capitalize()} {count(queued, 'image')} ({decimal(size)}) in {seconds:.0f} s"
    left_out = (f"{work.left_out[why]:,} {why}" for why in LeftOut if work.left_out[why])
    console.print(f"{'; '.join([what, *left_out])}.", soft_wrap=True)
    if work.left_out[LeftOut.LATER]:
        console.print(
            "What was modified later announced itself, unless the bucket's events were switched on later still; --all "
            "queues what there is now.",
            soft_wrap=True,
        )
    if queued:
        _tell_what_it_costs(queued, console)


def _show_examples(keys: Sequence[str], queued: int, console: Console) -> None:
    for key in keys:
        console.print(Text(f"  {visible(key)}"), soft_wrap=True)
    if queued > len(keys):
        console.print(f"  and {queued - len(keys):,} more", style="dim")


def _tell_what_it_costs(queued: int, console: Console) -> None:
    hours = queued / _TPS / 3600
    console.print(
        f"At {_TPS:g} TPS the model runs about {hours:,.1f} inference-unit hours for them, "
        f"{usd(hours * PRICES.inference_unit_hour)} USD.",
        soft_wrap=True,
    )
    if hours > _QUEUE_HOURS:
        console.print(
            f"The queue forgets a message after {_QUEUE_HOURS / 24:g} days: label them with at least "
            f"{math.ceil(hours / _QUEUE_HOURS)} inference units, or queue one --prefix after the other, each once the "
            "one before it is labelled. What was forgotten is still in the bucket: --all --again queues it.",
            style="yellow",
            soft_wrap=True,
        )


def _verb(dry: list[str] | None) -> str:
    return "queued" if dry is None else "counted"
