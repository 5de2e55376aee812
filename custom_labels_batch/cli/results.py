"""`results`: what the model found, from Athena."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from itertools import islice
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from custom_labels_batch.cli import spreadsheet
from custom_labels_batch.cli.athena import Row, ask, rows
from custom_labels_batch.cli.errors import INTERRUPTED, InputError
from custom_labels_batch.cli.options import number, whole_number
from custom_labels_batch.cli.period import PANEL, SinceOption, UntilOption, period
from custom_labels_batch.cli.results_labels import Labels, missing_labels
from custom_labels_batch.cli.results_query import COLUMNS, LONGEST_LABEL, Question, Value, value
from custom_labels_batch.cli.stack import OutputsOption, Stack, StackOption, find_stack
from custom_labels_batch.cli.wording import count, percent
from custom_labels_batch.report.visible_text import visible

_SHOWN = 100
_MOST_SHOWN = 10_000
_LINES_AT_ONCE = 500
_HOW = "How it is told"

EXAMPLES = """[bold]Examples[/bold]

clb results

clb results --label crack --label scratch --min-confidence 80 --since 24h

clb results --rejected --since 2026-11-01 --until 2026-11-15

clb results --since 30d --csv > labels.csv

clb results --json | jq -r 'select(.confidence < 60).image'

Exit codes: 0 told, also if there is nothing, 1 Athena failed, 2 a wrong option or no such stack, 130 you stopped it.
"""


class _Form(Enum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def results(
    outputs: OutputsOption = None,
    stack: StackOption = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", show_default=False, rich_help_panel=PANEL, help="With this label, exactly; repeatable."
        ),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    min_confidence: Annotated[
        float | None, number("Labels from this confidence on.", 0, 100, PANEL, show_default=False)
    ] = None,
    rejected: Annotated[
        bool, typer.Option("--rejected", rich_help_panel=PANEL, help="Only images that could not be labelled.")
    ] = False,
    limit: Annotated[
        int | None,
        whole_number("Most rows. Without it 100 in a table, all in --csv and --json.", 1, 10**9, _HOW),
    ] = None,
    csv: Annotated[
        bool, typer.Option("--csv", rich_help_panel=_HOW, help="CSV for a spreadsheet program, with every column.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", rich_help_panel=_HOW, help="A JSON object a line, with every column.")
    ] = False,
) -> None:
    """The labels of images, the newest uploads first, as Athena knows them: about a minute after a prediction.

    A row is one label of one image; an image without labels, or a rejected one, is one row. Athena bills what it scans:
    a short period is quick and cheap.
    """
    if csv and json:
        raise InputError("--csv and --json: only one can be printed; leave one of them out")
    form = _Form.CSV if csv else _Form.JSON if json else _Form.TABLE
    most = _most_rows(limit, form)
    _check_labels(label or [], min_confidence, rejected)
    it = find_stack(outputs, stack)
    # The real time, on a sandbox too: uploads have it.
    question = Question(
        period(since, until, datetime.now(UTC)),
        labels=tuple(dict.fromkeys(label or ())),
        min_confidence=min_confidence,
        rejected=rejected,
        most=most,
    )
    try:
        _tell(it, question, form)
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped, and the query with it.")
        raise typer.Exit(INTERRUPTED) from None


def _most_rows(limit: int | None, form: _Form) -> int | None:
    if form is not _Form.TABLE:
        return limit
    if limit and limit > _MOST_SHOWN:
        raise InputError(f"--limit {limit}: a table has {_MOST_SHOWN:,} rows at most; print --csv or --json")
    return limit or _SHOWN


def _check_labels(labels: Sequence[str], min_confidence: float | None, rejected: bool) -> None:
    if rejected and (labels or min_confidence is not None):
        raise InputError("--rejected: such images have no labels; leave out --label and --min-confidence")
    if any(not 1 <= len(name) <= LONGEST_LABEL for name in labels):
        raise InputError(f"--label: a label has 1 to {LONGEST_LABEL} characters")


def _tell(stack: Stack, question: Question, form: _Form) -> None:
    # What a program reads has only rows on stdout.
    console = Console(highlight=False, stderr=form is not _Form.TABLE)
    with console.status("Athena runs the query"):
        answered = ask(stack, question.statement(stack.output("athenaTable")))
    seen = Labels()
    found = seen.watched(rows(stack, answered))
    shown = found if question.most is None else islice(found, question.most)
    if form is _Form.TABLE:
        _show_table(list(shown), console)
    else:
        _print(shown, form)
    more = question.most is not None and next(found, None) is not None
    told = f"{count(seen.rows - more, 'row')} about images uploaded {question.period}"
    console.print(
        f"{told}; {answered.scanned_bytes:,} bytes scanned for {answered.usd:.5f} USD.", style="dim", soft_wrap=True
    )
    if more:
        console.print(f"There are more: --limit shows more than {question.most:,}, --csv and --json all.")
        return
    if missing := [name for name in question.labels if name not in seen.names]:
        with console.status("Looking which labels there are"):
            words = missing_labels(stack, question, missing)
        for line in words:
            console.print(visible(line), style="yellow", markup=False, soft_wrap=True)


def _show_table(found: Sequence[Row], console: Console) -> None:
    """Print rows; what is the same as in the row above, an image's name and time, stands once."""
    if not found:
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("image", overflow="fold")
    table.add_column("label", overflow="fold")
    table.add_column("confidence", justify="right", no_wrap=True)
    table.add_column("uploaded (UTC)", style="dim", no_wrap=True)
    above = None
    for row in found:
        is_first = row["image_id"] != above
        above = row["image_id"]
        table.add_row(
            Text(visible(row["image"] or "")) if is_first else "",
            _label_text(row),
            percent(float(row["confidence"])) if row["confidence"] else "",
            (row["uploaded_at"] or "")[:19] if is_first else "",
        )
    console.print(table)


def _label_text(row: Row) -> Text:
    if row["status"] == "rejected":
        return Text(f"rejected: {visible(row['reason_message'] or row['reason_code'] or '')}", "yellow")
    return Text(visible(row["label"])) if row["label"] else Text("no label", "dim")


def _print(found: Iterable[Row], form: _Form) -> None:
    lines = _csv(found) if form is _Form.CSV else _json(found)
    # Written some hundred at a time: each write is passed on at once.
    while some := "".join(islice(lines, _LINES_AT_ONCE)):
        sys.stdout.write(some)
    sys.stdout.flush()


def _csv(found: Iterable[Row]) -> Iterator[str]:
    yield spreadsheet.BYTE_ORDER_MARK + spreadsheet.line(COLUMNS)
    for row in found:
        yield spreadsheet.line(_values(row))


def _json(found: Iterable[Row]) -> Iterator[str]:
    for row in found:
        yield json.dumps(dict(zip(COLUMNS, _values(row), strict=True))) + "\n"


def _values(row: Row) -> Sequence[Value]:
    return [value(column, row[column]) for column in COLUMNS]
