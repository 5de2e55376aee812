"""How large the report is and how fast it opens, for a demo's images and for thousands.

`python -m benchmarks.report` writes reports of 72 and 5,000 photographs to `build/bench`, opens each several times in
this machine's headless Chromium, and prints medians.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

from custom_labels_batch.report.data import Report
from custom_labels_batch.report.page import write
from sandbox.deploy import REPOSITORY
from tests.unit.report.samples import big, ordinary

RESULTS_FILE = REPOSITORY / "build" / "bench" / "report.json"
WORKLOADS: dict[str, Callable[[], Report]] = {"72": ordinary, "5,000": big}
OPENINGS = 7

# Resolves after the frame in which the pictures of the gallery's first page are painted.
_GALLERY_PAINTED = """async () => {
  await Promise.all([...document.querySelectorAll("#gallery img")].map((each) => each.decode()));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now();
}"""

# From typing a search to the painted answer.
_FILTERED = """async () => {
  const search = document.getElementById("filter-text");
  const began = performance.now();
  search.value = "7";
  search.dispatchEvent(new Event("input"));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - began;
}"""

console = Console(highlight=False)


@dataclass(frozen=True)
class Measurement:
    """One report; sizes in bytes, times in milliseconds (medians of `OPENINGS`) unless named otherwise.

    Attributes
    ----------
    content_loaded, gallery_painted
        DOMContentLoaded, and the pictures of the first page on the screen: from the start of the navigation.
    filtered
        From a typed letter to the painted answer, the wait for the next frame included.
    """

    images: str
    size: int
    thumbnails: int
    write_seconds: float
    content_loaded: float
    gallery_painted: float
    filtered: float


def main() -> int:
    """Measure every workload, print a table and write it as JSON."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        console.print("[red]No Chromium here.[/red] Install chromium or google-chrome.")
        return 1
    RESULTS_FILE.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        measurements = [_measure(browser, images, make()) for images, make in WORKLOADS.items()]
        browser.close()
    RESULTS_FILE.write_text(json.dumps([asdict(each) for each in measurements], indent=2) + "\n", encoding="utf-8")
    _print(measurements)
    return 0


def _measure(browser: Browser, images: str, report: Report) -> Measurement:
    file = RESULTS_FILE.with_name(f"report-{len(report.images)}.html")
    began = time.monotonic()
    write(report, file)
    seconds = time.monotonic() - began
    openings = [_open(browser, file) for _ in range(OPENINGS)]
    loaded, painted, filtered = (median(times) for times in zip(*openings, strict=True))
    return Measurement(
        images=images,
        size=file.stat().st_size,
        thumbnails=sum(len(image.thumbnail or b"") for image in report.images),
        write_seconds=seconds,
        content_loaded=loaded,
        gallery_painted=painted,
        filtered=filtered,
    )


def _open(browser: Browser, file: Path) -> tuple[float, float, float]:
    with browser.new_context(viewport={"width": 1440, "height": 900}, offline=True) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        painted = page.evaluate(_GALLERY_PAINTED)
        loaded = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
        return float(loaded), float(painted), float(page.evaluate(_FILTERED))


def _print(measurements: list[Measurement]) -> None:
    table = Table(title="\nThe report, in headless Chromium (medians, real time)", title_justify="left", box=None)
    for heading in ("images", "file", "thumbnails", "written in", "loaded", "painted", "filtered"):
        table.add_column(heading, justify="right")
    for each in measurements:
        table.add_row(
            each.images,
            f"{each.size / 1e6:.2f} MB",
            f"{each.thumbnails / 1e6:.2f} MB",
            f"{each.write_seconds:.2f} s",
            f"{each.content_loaded:.0f} ms",
            f"{each.gallery_painted:.0f} ms",
            f"{each.filtered:.0f} ms",
        )
    console.print(table)
    console.print(f"\nThe same as JSON: {RESULTS_FILE.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    sys.exit(main())
