"""What a demo came to: as JSON, and as tables."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from sandbox.deploy import REPOSITORY
from sandbox.fates import Fate, Image
from sandbox.ledger import read_ledger
from sandbox.stack import Stack, console

SUMMARY_FILE = REPOSITORY / "build" / "demo" / "summary.json"

USD_PER_INFERENCE_UNIT_HOUR = 4.0
"""Amazon Rekognition pricing page, Custom Labels inference."""

_FATE_STYLES = {Fate.LABELLED: "green", Fate.REJECTED: "yellow"}


def summarize(stack: Stack, images: list[Image], execution: Mapping[str, Any], elapsed: float) -> dict[str, Any]:
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


def write(summary: Mapping[str, Any]) -> None:
    SUMMARY_FILE.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY_FILE.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def print_images(images: list[Image]) -> None:
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


def print_summary(summary: Mapping[str, Any]) -> None:
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
