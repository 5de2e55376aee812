"""What each fault case did when it ran: the table that `make faults` prints and keeps."""

from collections.abc import Iterable, Sequence

import pytest

from sandbox.deploy import REPOSITORY
from tests.faults.cases import sentence
from tests.faults.invariants import Place, counts
from tests.faults.pipeline import Pipeline

TABLE_FILE = REPOSITORY / "build" / "faults" / "table.md"

_HEADINGS = ("case", *Place, "runs", "billed minutes", "so it", "seconds")
_FOLDER = "tests/faults/"


def measured(pipeline: Pipeline) -> dict[str, str]:
    """What a case left behind, by the table's headings; runs by how they ended."""
    found = counts(pipeline)
    return {
        # As plain text: pytest-xdist sends it from one process to another.
        **{place.value: str(found[place]) for place in Place},
        "runs": ", ".join(pipeline.outcomes()) or "none",
        "billed minutes": f"{pipeline.billed_minutes():.1f}",
        "so it": ", ".join(dict.fromkeys(pipeline.verdicts)),
    }


def results_table(reports: Iterable[pytest.TestReport]) -> str:
    """Markdown, a row a case that ran, in the order of files and of tests in them; empty if none did."""
    ran = [report for report in reports if report.when == "call" and _FOLDER in report.nodeid]
    after = {report.nodeid: dict(report.user_properties) for report in reports if report.when == "teardown"}
    ran.sort(key=lambda report: (report.location[0], report.location[1] or 0))  # several workers end in any order
    rows = [row for report in ran if (row := _row(report, after.get(report.nodeid, {})))]
    return markdown(_HEADINGS, rows) if rows else ""


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(report: pytest.TestReport, properties: dict[str, object]) -> list[str]:
    measured = properties or dict(report.user_properties)
    if not measured and report.passed:
        return []  # a test of the suite itself
    name, _, parameters = report.nodeid.rpartition("::")[2].partition("[")
    said = sentence(name) + (f" ({parameters.rstrip(']')})" if parameters else "")
    verdict = str(measured.get("so it", "")) if report.passed else "**failed**"
    cells = [str(measured.get(heading, "")) for heading in _HEADINGS[1:-2]]
    return [said, *cells, verdict, f"{report.duration:.0f}"]
