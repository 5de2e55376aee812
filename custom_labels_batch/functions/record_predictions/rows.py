"""A prediction as rows of JSON: one a label, or one for an image without labels.

Written for the table's SerDe, the Hive JSON SerDe: one object a line, and timestamps in the form of
java.sql.Timestamp, `yyyy-MM-dd HH:mm:ss.SSS` (Amazon Athena user guide, "Data types in Amazon Athena"). ISO 8601,
with its T and Z, would read as null. The SerDe takes neither NaN nor whole numbers of more than 64 bits, and one bad
row fails every query of its day: `Prediction` refuses such values.
"""

import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ..shared.prediction import Label, Prediction

Row = dict[str, Any]

_VERSION_ARN = re.compile(r"arn:[^:]+:rekognition:[^:]*:[^:]*:project/[^/]+/version/(?P<name>[^/]+)/\d+")


def rows_of(prediction: Prediction) -> Iterator[Row]:
    """Each row of a prediction: column name -> value; all its values are what JSON can say."""
    reason = prediction.reason
    about_the_image: Row = {
        "image_id": prediction.image_id,
        "image_key": prediction.image_key,
        "image_uri": prediction.final_uri,
        "source_bucket": prediction.source_bucket,
        "model_version": model_version(prediction.project_version_arn),
        "status": prediction.status.value,
        "reason_code": reason.code if reason else None,
        "reason_message": reason.message if reason else None,
        "size": prediction.size,
        "uploaded_at": _timestamp(prediction.uploaded_at),
        "processed_at": _timestamp(prediction.processed_at),
    }
    for number, label in enumerate(prediction.labels):
        yield about_the_image | _about_label(number, label)
    if not prediction.labels:
        yield about_the_image | {"label": None, "confidence": None, "bounding_box": None, "label_number": None}


def encode(prediction: Prediction) -> bytes:
    """A prediction's rows as JSON lines in ASCII: no character of a key or a label can end a line or a field."""
    lines = io.BytesIO()  # row by row, since all rows of a message may be a hundred times as large as it
    for row in rows_of(prediction):
        lines.write(json.dumps(row, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n")
    return lines.getvalue()


def model_version(project_version_arn: str | None) -> str | None:
    """The name of a model version.

    Example
    -------
    >>> model_version("arn:aws:rekognition:eu-west-1:123456789012:project/roofs/version/v.2/1793491200001")
    'v.2'
    """
    if project_version_arn is None:
        return None
    found = _VERSION_ARN.fullmatch(project_version_arn)
    return found["name"] if found else project_version_arn


def _about_label(number: int, label: Label) -> Row:
    return {
        "label": label.name,
        "confidence": label.confidence,
        "bounding_box": label.bounding_box.model_dump() if label.bounding_box else None,
        "label_number": number,
    }


def _timestamp(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
