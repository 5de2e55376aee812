"""`python -m benchmarks.publish`: the last `make bench` becomes docs/bench.json and docs/bench.png.

`make docs` then writes its figures into the documents, so that all of them come from one run.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.chart import draw
from benchmarks.results import PUBLISHED_FILE, RESULTS_FILE, Results, read, write
from benchmarks.workloads import WORKLOADS
from sandbox.errors import SandboxError


def main() -> int:
    """Publish, unless the last bench was of some workloads only."""
    if not RESULTS_FILE.exists():
        raise SandboxError("There is nothing to publish yet: run `make bench` first")
    results = read(RESULTS_FILE)
    measured = {each.workload for each in results.measurements}
    if missing := [each.name for each in WORKLOADS if each.name not in measured]:
        raise SandboxError(f"The last bench did not measure {', '.join(missing)}: run all of it")
    publish(results, PUBLISHED_FILE)
    print("docs/bench.json and docs/bench.png are written. Now `make docs`.")
    return 0


def publish(results: Results, file: Path) -> None:
    """Write the results, and their picture beside them."""
    write(results, file)
    with tempfile.TemporaryDirectory() as folder:
        draw(results, Path(folder), file.stem)
        file.with_suffix(".png").write_bytes((Path(folder) / f"{file.stem}.png").read_bytes())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SandboxError as error:
        sys.exit(f"publish: {error}")
