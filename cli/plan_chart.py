"""A comparison as a picture: what each schedule costs, beside how old its results get."""

from pathlib import Path

from cli.comparison import Comparison


def checked_chart_file(file: Path) -> Path:
    return file


def draw(comparison: Comparison, file: Path) -> None: ...
