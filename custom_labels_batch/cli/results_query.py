"""The query of `results`, and what its columns hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from custom_labels_batch.cli.athena import Statement, identifier, number, text, timestamp
from custom_labels_batch.cli.period import Period
from custom_labels_batch.functions.record_predictions.table_days import FIRST_DAY

COLUMNS = (
    "image",
    "status",
    "label",
    "confidence",
    "box_left",
    "box_top",
    "box_width",
    "box_height",
    "reason_code",
    "reason_message",
    "model_version",
    "size",
    "uploaded_at",
    "processed_at",
    "image_uri",
    "source_bucket",
    "image_id",
)
"""Of the view, in the order in which they are printed."""

LONGEST_LABEL = 255
"""Characters of a label's name, twice as many in quotes: Athena takes parameters of up to 1,024 characters."""

_NUMBERS = frozenset({"confidence", "box_left", "box_top", "box_width", "box_height"})
_WHOLE_NUMBERS = frozenset({"size"})
_MOMENTS = frozenset({"uploaded_at", "processed_at"})

Value = str | int | float | None


def value(column: str, found: str | None) -> Value:
    """What a column of Athena's result holds; moments as ISO 8601 in UTC.

    Example
    -------
    >>> value("uploaded_at", "2026-11-22 10:00:00.000")
    '2026-11-22T10:00:00.000Z'
    """
    if found is None:
        return None
    if column in _NUMBERS:
        return float(found)
    if column in _WHOLE_NUMBERS:
        return int(found)
    if column in _MOMENTS:
        return datetime.fromisoformat(found).isoformat(timespec="milliseconds") + "Z"
    return found


@dataclass(frozen=True)
class Question:
    """What is asked for.

    Attributes
    ----------
    labels
        Any of them; none for every image.
    min_confidence
        0 to 100.
    rejected
        Only images that were rejected.
    most
        Rows that are wanted.
    """

    period: Period
    labels: tuple[str, ...] = ()
    min_confidence: float | None = None
    rejected: bool = False
    most: int | None = None

    def statement(self, view: str) -> Statement:
        """The query: one row more than is wanted, to know whether there are more."""
        conditions = [*period_conditions(self.period), *self._own_conditions()]
        limit = "" if self.most is None else f" LIMIT {self.most + 1}"
        return Statement(
            f"SELECT {', '.join(COLUMNS)} FROM {identifier(view)} "  # noqa: S608 - values are parameters
            f"WHERE {' AND '.join(sql for sql, _ in conditions)} "
            f"ORDER BY uploaded_at DESC, image, image_id, label_number{limit}",
            [parameter for _, parameters in conditions for parameter in parameters],
        )

    def _own_conditions(self) -> Iterator[tuple[str, list[str]]]:
        if self.labels:
            yield f"label IN ({', '.join('?' for _ in self.labels)})", [text(label) for label in self.labels]
        if self.min_confidence is not None:
            yield "confidence >= ?", [number(self.min_confidence)]
        if self.rejected:
            yield "status = ?", [text("rejected")]


def labels_statement(view: str, period: Period, most: int) -> Statement:
    """The labels of a period, the most frequent first, each with the number of its images."""
    conditions = list(period_conditions(period))
    return Statement(
        f"SELECT label, count(DISTINCT image_id) AS images FROM {identifier(view)} "  # noqa: S608 - as above
        f"WHERE {' AND '.join(sql for sql, _ in conditions)} AND label IS NOT NULL "
        f"GROUP BY label ORDER BY images DESC, label LIMIT {most}",
        [parameter for _, parameters in conditions for parameter in parameters],
    )


def period_conditions(period: Period) -> Iterator[tuple[str, list[str]]]:
    """SQL and parameters: days, by which Athena leaves out files, and the exact times."""
    yield "dt >= ?", [text(period.since.date().isoformat())]
    yield "uploaded_at >= ?", [timestamp(period.since)]
    if period.until:
        # What is older than the table's first day is kept there.
        yield "dt <= ?", [text(max(period.until.date(), FIRST_DAY).isoformat())]
        yield "uploaded_at < ?", [timestamp(period.until)]
