"""Inputs that cannot be used, refused with a name, and numbers as the components want them."""

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pulumi

from custom_labels_batch.rules.limits import DEFAULT_LOG_RETENTION_DAYS, LOG_RETENTION_DAYS, Range

Checked = TypeVar("Checked")


class InputError(ValueError):
    """An input that cannot be used.

    Attributes
    ----------
    name
        The input's name in Python, or None where it is no single one.
    """

    def __init__(self, message: str, name: str | None = None) -> None:
        super().__init__(message)
        self.name = name


def in_apply(check: Callable[..., Checked], *values: Any) -> Checked:
    """What a check of an output's value answers.

    Raises
    ------
    pulumi.RunError
        Says what the check said: Pulumi buries a ValueError under what it was doing, and prints this alone.
    """
    try:
        return check(*values)
    except ValueError as error:
        raise pulumi.RunError(str(error)) from None


def check_names(args: Mapping[str, Any], known: Any) -> None:
    """Refuse an input that the component does not know, or lacks; `known` is the TypedDict of its inputs.

    Raises
    ------
    InputError
        Names it, and what was probably meant.
    """
    names = known.__required_keys__ | known.__optional_keys__
    for name in args:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the inputs are: {', '.join(sorted(names))}"
            raise InputError(f"there is no input {name}; {hint}", name)
    for name in sorted(known.__required_keys__ - args.keys()):
        raise InputError(f"{name} is missing", name)


def whole_number(args: Mapping[str, Any], name: str, allowed: Range[int]) -> int:
    """An input that is a whole number; from other languages it arrives as a float.

    Raises
    ------
    InputError
        Names the input, its value, and what is allowed.
    """
    value = args.get(name, allowed.default)
    if not _is_number(value) or value != int(value) or not allowed.least <= value <= allowed.most:
        raise InputError(f"{name} is {value!r}; allowed is {allowed}, such as {allowed.default}", name)
    return int(value)


def number(args: Mapping[str, Any], name: str, allowed: Range[float]) -> float:
    """An input that is any number.

    Raises
    ------
    InputError
        As `whole_number` does.
    """
    value = args.get(name, allowed.default)
    if not _is_number(value) or not allowed.least <= value <= allowed.most:
        raise InputError(f"{name} is {value!r}; allowed is {allowed}, such as {allowed.default:g}", name)
    return float(value)


def log_retention_days(args: Mapping[str, Any]) -> int:
    """The input of that name, which every component with a log has.

    Raises
    ------
    InputError
        It is none of the periods that CloudWatch Logs has.
    """
    value = args.get("log_retention_days", DEFAULT_LOG_RETENTION_DAYS)
    if value not in LOG_RETENTION_DAYS:
        allowed = f"allowed is one of {', '.join(map(str, LOG_RETENTION_DAYS))}, such as {DEFAULT_LOG_RETENTION_DAYS}"
        raise InputError(f"log_retention_days is {value!r}; {allowed}", "log_retention_days")
    return int(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
