"""What a demo came to: as JSON, and as text for the console."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.cells import cell_len
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from custom_labels_batch.functions.notify_labels.wording import percent
from custom_labels_batch.rules.prices import PRICES
from sandbox.deploy import REPOSITORY
from sandbox.endpoint import read_ledger
from sandbox.fates import Fate, Image
from sandbox.mails import Mail
from sandbox.queries import Answer, SavedQuery, images_recorded
from sandbox.stack import Stack, console
from sandbox.workflow_run import WorkflowRun

DEMO = REPOSITORY / "build" / "demo"
SUMMARY_FILE = DEMO / "summary.json"
REPORT_FILE = DEMO / "report.html"
MAILS = DEMO / "mails"

MAIL_LINES = 14
"""Lines of a mail that are printed; all of them are in a file."""
LINE_LENGTH = 74
ANSWER_ROWS = 5

_FATE_STYLES = {Fate.LABELLED: "green", Fate.REJECTED: "yellow"}


def summarize(
    stack: Stack, images: list[Image], run: WorkflowRun, mails: list[Mail], answers: list[SavedQuery]
) -> dict[str, Any]:
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
        "execution_status": run.status,
        "model_status": ledger["versions"][0]["status"],
        "billed_inference_unit_minutes": round(ledger["billedInferenceUnitMinutes"], 2),
        "inference_unit_minutes_of_work": round(limit, 2),
        "cost_usd": round(ledger["billedInferenceUnitMinutes"] / 60 * PRICES.inference_unit_hour, 2),
        "accuracy": round(sum(image.is_right for image in photographed) / len(photographed), 3),
        "held_out_accuracy": ledger["heldOutAccuracy"],
        "labels": dict(Counter(image.labels[0][0] for image in images if image.labels).most_common()),
        "throttled_calls": sum(version["calls"]["throttled"] for version in ledger["versions"]),
        "mails": len(mails),
        "images_recorded": images_recorded(stack.cloud, stack.outputs),
        "saved_queries_answered": len(answers),
        "time_scale": stack.settings.time_scale,
    }


def write(summary: Mapping[str, Any]) -> None:
    SUMMARY_FILE.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY_FILE.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def print_images(images: list[Image]) -> None:
    table = Table(title="\nWhat happened to every image", title_justify="left", title_style="bold", box=None)
    table.add_column("image", overflow="fold")
    table.add_column("outcome")
    table.add_column("labels, or why not")
    shown: set[str] = set()
    for image in images:
        labels = ", ".join(f"{name} {percent(confidence)}" for name, confidence in image.labels)
        wrong = image.fate is Fate.LABELLED and not image.is_right
        told = labels or image.reason or ("no label reached its threshold" if wrong else "")
        if wrong:
            told += f"  (the photograph shows {image.upload.label})"
        fate = Text(image.fate.value, style=_FATE_STYLES.get(image.fate, "bold red"))
        # Keys and reasons are shown as they are, never read as markup.
        again = image.upload.key in shown
        shown.add(image.upload.key)
        key = f"{image.upload.key} (uploaded again)" if again else image.upload.key
        table.add_row(Text(key), fate, Text(told, style="magenta" if wrong else ""))
    console.print(table)


def write_mails(mails: list[Mail]) -> None:
    """Every mail as a text file, instead of those of the last demo."""
    MAILS.mkdir(parents=True, exist_ok=True)
    for old in MAILS.glob("*.txt"):
        old.unlink()
    for number, mail in enumerate(mails, 1):
        text = f"To: {mail.to}\nSubject: {mail.subject}\n\n{mail.text}\n"
        (MAILS / f"{number:03}.txt").write_text(text, encoding="utf-8")


def print_mails(mails: list[Mail]) -> None:
    """The first mail, and the subjects of the others."""
    console.print("\n[bold]Mails that arrived[/bold]")
    for number, mail in enumerate(mails):
        heading = Text.assemble(("To ", "dim"), mail.to, ("  Subject ", "dim"), (mail.subject, "bold"))
        console.print(heading if number else Panel(Text(_first_lines(mail.text)), title=heading, title_align="left"))
    if not mails:
        console.print("  [dim]none: no label of interest reached its threshold[/dim]")


def _first_lines(text: str) -> str:
    lines = [shorten(line) for line in text.splitlines()]
    more = len(lines) - MAIL_LINES
    return "\n".join([*lines[:MAIL_LINES], f"... {more} more lines"] if more > 1 else lines)


def shorten(line: str) -> str:
    """A line of a mail as it fits the console: links are long."""
    return line if len(line) <= LINE_LENGTH else line[: LINE_LENGTH - 1] + "…"


def print_answers(queries: list[SavedQuery]) -> None:
    """Each saved query with the first rows of its answer, as far as they fit the console."""
    console.print("\n[bold]What Athena answers[/bold], by the queries that are saved in the workgroup")
    for query in queries:
        rows = query.answer.rows
        if not rows:
            console.print(Text(f"\n{query.name}: no rows", style="dim"))
            continue
        of_all = f", {ANSWER_ROWS} of {len(rows)} rows" if len(rows) > ANSWER_ROWS else ""
        table = Table(title=Text(f"\n{query.name}{of_all}", style="bold"), title_justify="left", box=None)
        shown = _fitting_columns(query.answer)
        for column in query.answer.columns[:shown]:
            table.add_column(Text(column, style="dim"), no_wrap=True)
        for row in rows[:ANSWER_ROWS]:
            table.add_row(*(Text("" if value is None else value) for value in row[:shown]))
        console.print(table)
        if hidden := query.answer.columns[shown:]:
            console.print(f"[dim] (also: {', '.join(hidden)})[/dim]")


def _fitting_columns(answer: Answer) -> int:
    """How many columns fit side by side; at least two."""
    left = console.width
    for number, column in enumerate(answer.columns):
        cells = [column, *(row[number] or "" for row in answer.rows[:ANSWER_ROWS])]
        left -= max(map(cell_len, cells)) + 2
        if left < 0:
            return max(2, number)
    return len(answer.columns)


def print_summary(summary: Mapping[str, Any]) -> None:
    labels = ", ".join(f"{name} {number}" for name, number in summary["labels"].items())
    lost = summary["images_lost"] + summary["images_waiting"]
    rows = {
        "Images": (
            f"{summary['images_uploaded']} uploaded: {summary['images_processed']} labelled, "
            f"{summary['images_rejected']} rejected, {summary['images_waiting']} waiting, {summary['images_lost']} lost"
        ),
        "Best labels": labels,
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
        "on AWS; `make bench` measures at a slower scale.[/dim]"
    )
    console.print(f"\nOpen this:        [bold]{REPORT_FILE.relative_to(REPOSITORY)}[/bold]")
    console.print(
        f"The same as JSON: {SUMMARY_FILE.relative_to(REPOSITORY)}    Mails: {MAILS.relative_to(REPOSITORY)}/"
    )
    console.print("Play with it: [bold]make sandbox[/bold]    Deploy it: README.md, “Deploy to AWS”")
