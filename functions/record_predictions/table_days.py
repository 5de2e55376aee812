"""Which days the table shows: rows of any other would be kept, and no query would ever find them."""

from datetime import date, datetime, timedelta

from functions.shared.messages import MalformedMessageError
from functions.shared.prediction import Prediction

FIRST_DAY = date(2026, 1, 1)
"""Where the table's projection begins (components/predictions_table.py); it ends today, whatever day that is."""

_CLOCKS_DIFFER = timedelta(days=1)


def require_shown(prediction: Prediction, now: datetime) -> None:
    """Make sure that queries find a prediction.

    Raises
    ------
    MalformedMessageError
        It was uploaded before the table's first day, or more than a day from now.
    """
    uploaded_at = prediction.uploaded_at
    if uploaded_at.date() < FIRST_DAY:
        raise MalformedMessageError(
            f"Not a prediction that the table shows: uploadedAt is {uploaded_at.isoformat()}, and its first day is "
            f"{FIRST_DAY}"
        )
    if uploaded_at > now + _CLOCKS_DIFFER:
        raise MalformedMessageError(
            f"Not a prediction that the table shows: uploadedAt is {uploaded_at.isoformat()}, more than a day ahead of "
            f"{now.isoformat()}"
        )
