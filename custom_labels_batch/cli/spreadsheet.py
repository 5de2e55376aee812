"""CSV for spreadsheet programs, by the rules of the report's (report/web/csv.js): no cell is a formula."""

import re
from collections.abc import Iterable

BYTE_ORDER_MARK = "\ufeff"
"""At the beginning of a file: by it Excel knows UTF-8."""

# A program that splits at semicolons, tabs or lines instead of commas would see cells begin inside a cell.
FORMULA = re.compile(r"(^|[;\t\r\n])([\s\"']*)(?=[=+\-@|%＝＋－＠])")


def line(cells: Iterable[str | float | None]) -> str:
    """One line: every cell in quotes (RFC 4180), nothing for None, and an apostrophe before what would be a formula.

    Example
    -------
    >>> line(["=1+1", -0.5, None])
    '"\\'=1+1","-0.5",""\\r\\n'
    """
    return ",".join(_cell(cell) for cell in cells) + "\r\n"


def _cell(value: str | float | None) -> str:
    if not isinstance(value, str):
        return '""' if value is None else f'"{value}"'
    safe = FORMULA.sub(r"\1\2'", value).replace('"', '""')
    return f'"{safe}"'
