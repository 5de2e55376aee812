"""The files of a batch: one a day, however many images."""

import gzip
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

PREFIX = "predictions/"


@dataclass(frozen=True)
class EncodedPrediction:
    """The rows of one message's prediction, as JSON lines, and the day partition they belong to."""

    message_id: str
    day: str
    lines: bytes


@dataclass(frozen=True)
class RowFile:
    """A gzip file of JSON lines.

    Attributes
    ----------
    key
        Named by what the file holds: the same predictions again, in whatever order, are the same file.
    message_ids
        Of the messages whose rows are in it.
    """

    key: str
    body: bytes
    message_ids: tuple[str, ...]


def row_files(predictions: Iterable[EncodedPrediction]) -> list[RowFile]:
    """One file for each day, in the order of days; a prediction that came twice is in it once."""
    days: defaultdict[str, list[EncodedPrediction]] = defaultdict(list)
    for prediction in predictions:
        days[prediction.day].append(prediction)
    return [_file(day, of_day) for day, of_day in sorted(days.items())]


def _file(day: str, predictions: list[EncodedPrediction]) -> RowFile:
    digest, body = hashlib.sha256(), io.BytesIO()
    # Neither time nor file name in the header: the same rows are the same bytes.
    with gzip.GzipFile(filename="", mode="wb", fileobj=body, mtime=0) as file:
        for lines in sorted({prediction.lines for prediction in predictions}):
            digest.update(lines)
            file.write(lines)
    return RowFile(
        key=f"{PREFIX}dt={day}/{digest.hexdigest()}.json.gz",
        body=body.getvalue(),
        message_ids=tuple(prediction.message_id for prediction in predictions),
    )
