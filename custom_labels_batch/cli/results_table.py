"""Results as a table that a person reads."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from custom_labels_batch.cli.athena import Row
from custom_labels_batch.report.visible_text import visible


def show(found: Sequence[Row], console: Console) -> None:
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
            _label(row),
            f"{float(row['confidence']):.1f} %" if row["confidence"] else "",
            (row["uploaded_at"] or "")[:19] if is_first else "",
        )
    console.print(table)


def _label(row: Row) -> Text:
    if row["status"] == "rejected":
        return Text(f"rejected: {visible(row['reason_message'] or row['reason_code'] or '')}", "yellow")
    return Text(visible(row["label"])) if row["label"] else Text("no label", "dim")
