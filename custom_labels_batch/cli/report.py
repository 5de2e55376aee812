"""`report`: the images and runs of a period as one HTML file."""

import itertools
import webbrowser
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from custom_labels_batch.cli.athena import ask, rows
from custom_labels_batch.cli.errors import INTERRUPTED, OperationError
from custom_labels_batch.cli.options import checked_file, whole_number
from custom_labels_batch.cli.period import Period, SinceOption, UntilOption, period
from custom_labels_batch.cli.report_images import Pictures, images, images_statement, in_stack_time
from custom_labels_batch.cli.report_links import Links
from custom_labels_batch.cli.report_runs import MOST_RUNS, run_records
from custom_labels_batch.cli.stack import OutputsOption, Stack, StackOption, StackTime, find_stack
from custom_labels_batch.cli.wording import count
from custom_labels_batch.report import data
from custom_labels_batch.report.stack import runs
from custom_labels_batch.report.thumbnails import size_for
from custom_labels_batch.report.visible_text import visible

_HOW = "What is in it"
_SHOWN = 1_000
_MOST_SHOWN = 5_000

EXAMPLES = """[bold]Examples[/bold]

clb report --open

clb report --since 2026-11-01 --until 2026-11-30 --out november.html

clb report --since 24h --no-pictures --link-hours 0

Exit codes: 0 written, 1 AWS refused something, 2 a wrong option or no such stack, 130 you stopped it.
"""


def report(
    outputs: OutputsOption = None,
    stack: StackOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it.")] = Path("report.html"),
    open_it: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = False,
    limit: Annotated[int, whole_number("Most images, the newest.", 1, _MOST_SHOWN, _HOW)] = _SHOWN,
    pictures: Annotated[
        bool,
        typer.Option(
            "--pictures/--no-pictures",
            rich_help_panel=_HOW,
            help="Small pictures; each image is downloaded for them, up to 15 MB.",
        ),
    ] = True,
    link_hours: Annotated[
        int, whole_number("Hours that a link opens its image, for anybody who has the page; 0: no links.", 0, 168, _HOW)
    ] = 12,
) -> None:
    """Write the images and runs of a period into one HTML file that needs no network.

    It shows images, labels, rejected images, the model's time and what it cost, and filters them.

    Links to the images end with the credentials that signed them, whatever --link-hours says.
    """
    checked_file("--out", out)
    it = find_stack(outputs, stack)
    console = Console(highlight=False)
    # The real time, on a sandbox too: uploads have it.
    now = datetime.now(UTC)
    time = StackTime.of(it)
    asked = period(since, until, now)
    try:
        with console.status("Athena looks for the images"):
            found, there = _found(it, asked, limit)
        links = Links(it, link_hours, now) if link_hours else None
        adding = Pictures(it, size_for(len(found)) if pictures else None, links)
        if pictures or links:
            found = _with_pictures(adding, found, console)
        with console.status("Drawing"):
            shown = [in_stack_time(image, time) for image in found]
            records = run_records(it, asked, time)
            left_out = _left_out(len(found), there, len(records))
            told_of_links = [str(links)] if links and found else []
            page = data.Report(
                title="What the images show",
                source=". ".join([f"{it.name}, images uploaded {asked}", *left_out]),
                generated_at=now,
                time_note=" ".join(_sentences([*_time_notes(it, time), *told_of_links])),
                images=tuple(shown),
                runs=runs(records, shown),
            )
            _write(page, out)
    except KeyboardInterrupt:
        console.print("Stopped; nothing was written.")
        raise typer.Exit(INTERRUPTED) from None
    told = f"{count(len(found), 'image')} uploaded {asked}, {count(len(records), 'run')}"
    console.print(f"Wrote {out} ({decimal(out.stat().st_size)}): {told}.", markup=False, soft_wrap=True)
    unread = [f"{count(n, 'picture')} could not be read: {visible(why)}" for why, n in adding.problems.most_common(3)]
    for style, lines in (("yellow", _sentences(left_out)), ("dim", _sentences(told_of_links)), ("yellow", unread)):
        for line in lines:
            console.print(line, style=style, markup=False, soft_wrap=True)
    if open_it and not webbrowser.open(out.resolve().as_uri()):
        console.print("No browser was found to open it.", style="yellow")


def _found(stack: Stack, asked: Period, most: int) -> tuple[list[data.Image], int]:
    """The newest images of a period, and how many there are."""
    answer = rows(stack, ask(stack, images_statement(stack.output("athenaTable"), asked, most)))
    first = next(answer, None)
    if first is None:
        return [], 0
    return list(images(itertools.chain([first], answer))), int(first["images"] or 0)


def _with_pictures(adding: Pictures, found: Sequence[data.Image], console: Console) -> list[data.Image]:
    columns = (TextColumn("pictures"), BarColumn(bar_width=20), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=len(found))
        return adding.added(found, lambda: progress.advance(bar))


def _left_out(shown: int, there: int, records: int) -> list[str]:
    """What the page and the terminal say is not in the page."""
    lines = []
    if there > shown:
        lines.append(f"Only the newest {shown:,} of {there:,} images are here, and counted")
    if records == MOST_RUNS:
        lines.append(f"Only the newest {MOST_RUNS} runs are here")
    return lines


def _sentences(lines: Sequence[str]) -> list[str]:
    return [f"{line}." for line in lines]


def _time_notes(stack: Stack, time: StackTime) -> list[str]:
    return [f"Times are simulated: a minute took {60 * time.scale:.3g} s"] if stack.endpoint_url else []


def _write(page: data.Report, out: Path) -> None:
    from custom_labels_batch.report.page import write

    try:
        write(page, out)
    except OSError as error:
        raise OperationError(f"{out} cannot be written ({error.strerror}); name another with --out") from None
