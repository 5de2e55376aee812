"""`make docs` (`python -m docs`): writes every generated part of the documents anew, and says which have changed.

Which part a document has, its markers say (docs/generated.py); what is in each is made here. Apart are what needs a
finished demo or bench: docs/report_pictures.py, and benchmarks/publish.py, whose figures these parts show.
"""

import sys
from collections.abc import Callable, Mapping
from functools import cache

from benchmarks.results import PUBLISHED_FILE, Results, read
from benchmarks.tables import headline, markdown
from docs import cost_tables, settings_changes, state_machines, tables
from docs.generated import Part, parts_of
from plugin.__main__ import schema
from sandbox.deploy import REPOSITORY
from sandbox.pulumi_runtime import Result
from tests.unit.components.access import access_table, role_tables
from tests.unit.components.graph import record_everything, record_stack

SCHEMA = Part(REPOSITORY / "plugin" / "schema.json")

MADE: Mapping[str, Callable[[], str]] = {
    "settings": tables.settings,
    "settings changes": settings_changes.table,
    "components": lambda: tables.components(schema()),
    "saved queries": tables.saved,
    "view columns": tables.columns,
    "fault cases": tables.faults,
    "workflows": state_machines.overview,
    "workflow states": state_machines.every_state,
    "access": lambda: access_table(_everything()),
    "roles": lambda: role_tables(_everything()),
    "idle stack": lambda: cost_tables.idle(record_stack()),
    "cost of 1,000 images": lambda: cost_tables.bench(_bench()),
    "bench": lambda: markdown(_bench()),
    "headline of the bench": lambda: headline(_bench()),
}
"""Name -> what makes it. A part that is named as a command, `clb plan ...`, is what that prints."""

_everything: Callable[[], Result] = cache(record_everything)


def _bench() -> Results:
    return read(PUBLISHED_FILE)


def parts() -> list[Part]:
    """All that is generated."""
    documents = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("examples/*.md")])
    return [SCHEMA, *(part for document in documents for part in parts_of(document))]


def made(part: Part) -> str:
    """What the code makes of a part today."""
    if part == SCHEMA:
        return schema()
    if part.name.startswith("clb plan "):
        return tables.console(part.name)
    if part.name not in MADE:
        raise ValueError(f"{part}: there is no such part; there are: {', '.join(MADE)}")
    return MADE[part.name]()


def main() -> int:
    """Write what has changed."""
    changed = 0
    for part in parts():
        text = made(part)
        if text != part.shown():
            part.write(text)
            changed += 1
            print(part)
    print(f"{changed} of {len(parts())} generated parts changed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
