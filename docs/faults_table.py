"""The table of fault cases in docs/faults.md, made from the cases: `python -m docs.faults_table` prints it."""

from itertools import groupby

from tests.faults.cases import Case, cases

HEADER = "| case | what is broken | what the stack does | found and mended |\n| --- | --- | --- | --- |\n"


def table() -> str:
    """Every case as a row, in a Markdown table for each area."""
    areas = groupby(cases(), key=lambda case: case.area)
    return "\n".join(f"### {area}\n\n{HEADER}{''.join(map(_row, found))}" for area, found in areas)


def _row(case: Case) -> str:
    cells = (case.name, case.broken, case.does, case.found or "nothing")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    print(table(), end="")
