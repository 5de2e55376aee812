"""`python -m benchmarks.publish`: the last `make bench` becomes docs/bench.json, docs/bench.png and documents' tables.

So every figure in them comes from one run.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.chart import draw
from benchmarks.results import PUBLISHED_FILE, RESULTS_FILE, Results, read, write
from benchmarks.tables import headline, markdown
from benchmarks.workloads import WORKLOADS
from sandbox.deploy import REPOSITORY
from sandbox.errors import SandboxError

Tables = Mapping[Path, Callable[[Results], str]]

DOCUMENTS: Tables = {REPOSITORY / "README.md": headline, REPOSITORY / "docs" / "performance.md": markdown}
"""Each with the table that is in it."""

BEGIN, END = "<!-- bench: python -m benchmarks.publish -->\n", "<!-- /bench -->"


def main() -> int:
    """Publish, unless the last bench was of some workloads only."""
    if not RESULTS_FILE.exists():
        raise SandboxError("There is nothing to publish yet: run `make bench` first")
    results = read(RESULTS_FILE)
    measured = {each.workload for each in results.measurements}
    if missing := [each.name for each in WORKLOADS if each.name not in measured]:
        raise SandboxError(f"The last bench did not measure {', '.join(missing)}: run all of it")
    publish(results, DOCUMENTS, PUBLISHED_FILE)
    return 0


def publish(results: Results, documents: Tables, file: Path) -> None:
    """Write the results, their picture, and the documents' tables."""
    for document, table in documents.items():
        text = document.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not end:
            raise SandboxError(f"{document.name} has no place for the table, between {BEGIN.strip()} and {END}")
        document.write_text(f"{before}{BEGIN}{table(results)}{end}{after}", encoding="utf-8")
    write(results, file)
    with tempfile.TemporaryDirectory() as folder:
        draw(results, Path(folder), file.stem)
        file.with_suffix(".png").write_bytes((Path(folder) / f"{file.stem}.png").read_bytes())


def published_table(document: Path) -> str:
    """What a document shows between the markers."""
    return document.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SandboxError as error:
        sys.exit(f"publish: {error}")
