"""What AWS charges, where the stack itself has to know it."""

from collections.abc import Mapping
from typing import Any

from custom_labels_batch.components.inputs import number
from custom_labels_batch.rules.prices import PRICES

MOST_USD = 1000
"""A higher price is a slip."""


def checked_price(args: Mapping[str, Any]) -> float:
    """The input `inference_unit_hour_price`, in USD.

    Raises
    ------
    InputError
        It is no number, or out of range.
    """
    return number(args, "inference_unit_hour_price", PRICES.inference_unit_hour, 0, MOST_USD)
