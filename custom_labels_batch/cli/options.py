"""Options that say what they allow, in the help and when they refuse a value."""

from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import typer

from custom_labels_batch.cli.errors import InputError

Number = TypeVar("Number", int, float)


def whole_number(help_text: str, low: int, high: int, panel: str, *, show_default: bool = True) -> Any:
    """An option that takes a whole number of a range."""

    def parse(text: Any) -> int:
        return _within(text, int, f"a whole number from {low:,} to {high:,}", low, high)

    return _option(f"{help_text} {low:,} to {high:,}.", parse, panel, show_default)


def number(help_text: str, low: float, high: float, panel: str, *, show_default: bool = True) -> Any:
    """An option that takes a number of a range."""

    def parse(text: Any) -> float:
        return _within(text, float, f"a number from {low:g} to {high:g}", low, high)

    return _option(f"{help_text} {low:g} to {high:g}.", parse, panel, show_default)


def checked_file(option: str, file: Path) -> Path:
    """A file that can be written, as far as can be told before there is something to write.

    Raises
    ------
    InputError
        Naming the file and what is allowed.
    """
    if not file.parent.is_dir() or file.is_dir():
        raise InputError(f"{option} {file}: {file.parent} is no folder to write it to; name a file in one that exists")
    return file


def _option(help_text: str, parse: Callable[[Any], Any], panel: str, show_default: bool) -> Any:
    return typer.Option(help=help_text, parser=parse, metavar="N", rich_help_panel=panel, show_default=show_default)


def _within(text: Any, parse: Callable[[Any], Number], allowed: str, low: float, high: float) -> Number:
    try:
        value = parse(text)
    except (ValueError, OverflowError):
        value = None
    if value is None or not isfinite(value) or not low <= value <= high:
        raise typer.BadParameter(f"{str(text)!r} is not allowed; give {allowed}")
    return value
