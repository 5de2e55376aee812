"""`upload`: images into the source bucket."""

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.text import Text

from custom_labels_batch.cli.errors import FAILED, INTERRUPTED, InputError
from custom_labels_batch.cli.image_keys import announced_prefix
from custom_labels_batch.cli.options import whole_number
from custom_labels_batch.cli.stack import CONNECTIONS, OutputsOption, StackOption, find_stack
from custom_labels_batch.cli.upload_files import ImageFile, find_files
from custom_labels_batch.cli.uploader import MOST_FAILURES_IN_A_ROW, Outcome, Tally, Uploader
from custom_labels_batch.cli.wording import count
from custom_labels_batch.report.visible_text import visible

_PANEL = "How"
_MOST_TOLD = 20

EXAMPLES = """[bold]Examples[/bold]

clb upload photographs/

clb upload a.jpg b.png "scans/**/*.jpg"

clb upload photographs/ --prefix line-1/ --stack prod

Exit codes: 0 every image is in the stack, 1 one is not, 2 there is no image or no such stack, 130 you stopped it.

The same command goes on where it was.
"""


def upload(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Files, folders and globs.", show_default=False)],
    outputs: OutputsOption = None,
    stack: StackOption = None,
    prefix: Annotated[
        str | None,
        typer.Option(
            help="In front of every key. Without it, the stack's imagePrefix.",
            metavar="TEXT",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None,
    parallel: Annotated[int, whole_number("Uploads at once.", 1, CONNECTIONS, _PANEL)] = 16,
    again: Annotated[
        bool, typer.Option("--again", help="Upload what is there already, too.", rich_help_panel=_PANEL)
    ] = False,
) -> None:
    """Upload images to the source bucket; what is there or has been labelled already is left out.

    What is no PNG or JPEG by its first bytes is skipped.

    A key is the path within the folder that was named, or within a glob's part before its wildcards, or a file's name.
    """
    it = find_stack(outputs, stack)
    console = Console(highlight=False)
    with console.status("Looking through the files"):
        images, refused = find_files(paths, announced_prefix(it, prefix))
    _tell([(str(no.path), f"skipped, {no.reason}") for no in refused], console, "skipped")
    if not images:
        raise InputError(f"no PNG or JPEG that can be labelled is in {', '.join(paths)}; name files, folders or globs")
    uploader = Uploader(it, again=again)
    began = time.monotonic()
    interrupted = False
    try:
        _with_progress(console, images, lambda on_image: uploader.upload(images, parallel, on_image))
    except KeyboardInterrupt:
        interrupted = True
    tally = uploader.tally
    _tell([(str(image.path), reason) for image, reason in tally.failures], console, "failed")
    console.print(_summary(tally, len(refused), len(images), time.monotonic() - began), soft_wrap=True)
    if interrupted:
        console.print("Stopped; the same command goes on where it was.")
        raise typer.Exit(INTERRUPTED)
    if tally.gave_up:
        console.print(f"Gave up after {MOST_FAILURES_IN_A_ROW} failures in a row; the same command tries the rest.")
    if tally.failures or any(no.is_image for no in refused):
        raise typer.Exit(FAILED)
    if it.is_scheduled and tally.counts[Outcome.UPLOADED]:
        console.print("The next run labels them: clb run --wait starts one now.", style="dim")


def _with_progress(
    console: Console, images: Sequence[ImageFile], upload: Callable[[Callable[[ImageFile], None]], None]
) -> None:
    told = TextColumn("{task.fields[done]:,} of {task.fields[images]:,} images")
    rate = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(compact=True))
    with Progress(
        told, BarColumn(bar_width=20), *rate, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        done = itertools.count(1)
        bar = progress.add_task("", total=sum(image.size for image in images), done=0, images=len(images))

        def advance(image: ImageFile) -> None:
            progress.update(bar, advance=image.size, done=next(done))

        upload(advance)


def _tell(lines: Sequence[tuple[str, str]], console: Console, what: str) -> None:
    for path, reason in lines[:_MOST_TOLD]:
        console.print(Text(visible(f"{path}: {reason}"), "yellow"), soft_wrap=True)
    if len(lines) > _MOST_TOLD:
        console.print(Text(f"... and {len(lines) - _MOST_TOLD:,} more {what}", "yellow"))


def _summary(tally: Tally, refused: int, images: int, seconds: float) -> str:
    uploaded = tally.counts[Outcome.UPLOADED]
    parts = [
        f"Uploaded {count(uploaded, 'image')} ({decimal(tally.uploaded_bytes)}) in {seconds:.0f} s, "
        f"{uploaded / max(seconds, 0.001):,.0f} a second"
    ]
    untried = images - tally.counts.total()
    more = {
        "there already": tally.counts[Outcome.THERE],
        "failed": tally.counts[Outcome.FAILED],
        "not tried": untried,
        "skipped": refused,
    }
    return "; ".join([*parts, *(f"{number:,} {what}" for what, number in more.items() if number)]) + "."
