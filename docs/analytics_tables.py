"""The tables of docs/analytics.md, made from the view and the saved queries: `python -m docs.analytics_tables` writes
them there."""

from pathlib import Path

from custom_labels_batch.components.predictions_table import VIEW_COLUMNS
from custom_labels_batch.components.query_files import saved_queries

DOCUMENT = Path(__file__).parent / "analytics.md"


def columns() -> str:
    """What the view shows, as a Markdown table."""
    rows = (f"| `{column.name}` | {column.type} | {column.comment} |\n" for column in VIEW_COLUMNS)
    return f"| column | type | what it is |\n| --- | --- | --- |\n{''.join(rows)}"


def queries() -> str:
    """The queries that are saved in the workgroup, as a Markdown table."""
    rows = (f"| {query.title} | {query.description} |\n" for query in saved_queries())
    return f"| saved query | what it answers |\n| --- | --- |\n{''.join(rows)}"


TABLES = {"columns": columns, "queries": queries}


def renewed(text: str) -> str:
    """A document with both tables as they are now, between their markers."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: python -m docs.analytics_tables -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{table()}{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
