"""The README's table of settings, made from `settings.py`: `python -m docs.settings_table` prints it."""

import json
from typing import Any

from pydantic.fields import FieldInfo

from settings import Settings

HEADER = "| setting | default | what it is | allowed |\n| --- | --- | --- | --- |\n"


def table() -> str:
    """Every setting as a Markdown table."""
    return HEADER + "".join(_row(field) for field in Settings.model_fields.values())


def _row(field: FieldInfo) -> str:
    extra: Any = field.json_schema_extra
    cells = (f"`{field.alias}`", _default(field), field.description or "", extra["allowed"])
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if field.default in (None, [], {}, ""):
        return "none"
    return f"`{field.default if isinstance(field.default, str) else json.dumps(field.default)}`"


if __name__ == "__main__":
    print(table(), end="")
