"""Which days the table shows: rows of any other would be kept, and no query would ever find them."""

from datetime import date, datetime, timedelta

from ..shared.messages import MalformedMessageError
from ..shared.prediction import Prediction

FIRST_DAY = date(2026, 1, 1)
"""Where the table's projection begins (components/predictions_table.py); it ends today, whatever day that is."""

_CLOCKS_DIFFER = timedelta(days=1)


def day_of(prediction: Prediction) -> str:
    """The partition of a prediction's rows, `yyyy-MM-dd`: the UTC day of its upload.

    Not of its analysis: an image that is analysed again after midnight must not be in two partitions. An image that
    was in its bucket long before the stack is on the table's first day: with a partition for each day since S3 began,
    every query that names no day would list seven thousand.
    """
    return max(prediction.uploaded_at.date(), FIRST_DAY).isoformat()


def require_shown(prediction: Prediction, now: datetime) -> None:
    """Make sure that queries find a prediction.

    Raises
    ------
    MalformedMessageError
        It was uploaded more than a day from now.
    """
    uploaded_at = prediction.uploaded_at
    if uploaded_at > now + _CLOCKS_DIFFER:
        raise MalformedMessageError(
            f"Not a prediction that the table shows: uploadedAt is {uploaded_at.isoformat()}, more than a day ahead of "
            f"{now.isoformat()}"
        )
