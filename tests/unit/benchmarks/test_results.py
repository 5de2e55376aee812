"""What the bench shows of what it measured."""

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks.chart import draw
from benchmarks.measure import PARTS
from benchmarks.publish import publish
from benchmarks.results import read, write
from benchmarks.tables import headline, markdown, terminal_tables
from tests.unit.benchmarks.results import OURS, RESULTS, SAMPLE


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    write(RESULTS, tmp_path / "results.json")

    assert read(tmp_path / "results.json") == RESULTS


def test_a_ratio_is_to_the_sample_on_the_same_workload() -> None:
    other = replace(OURS, workload="another")

    assert RESULTS.ratio_to_baseline(OURS) == 1 / 64
    assert RESULTS.ratio_to_baseline(other) is None


def test_tables_fit_120_columns_and_show_every_measurement() -> None:
    printed = io.StringIO()
    console = Console(file=printed, width=120)

    for table in terminal_tables(RESULTS):
        console.print(table)

    assert "…" not in printed.getvalue()
    assert [line.split()[3:6] for line in printed.getvalue().splitlines() if line.startswith("100 at once")] == [
        ["ours", "1.00", "0.33"],
        ["ours", "0.20", "190"],
    ]


def test_what_was_measured_smaller_is_said_so() -> None:
    smaller = replace(RESULTS, measurements=(replace(OURS, planned_images=1000), SAMPLE))

    assert "100 images; 1,000 would" in markdown(smaller)
    assert "would" not in markdown(RESULTS)


def test_the_chart_names_every_workload_and_both_figures(tmp_path: Path) -> None:
    draw(RESULTS, tmp_path, "chart")

    drawn = (tmp_path / "chart.svg").read_text(encoding="utf-8")
    for told in ("100 at once", "this stack", "published sample", "Billed inference-unit minutes", ">64<", ">1<"):
        assert told in drawn
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_the_headline_is_about_images_that_are_there_at_once() -> None:
    later = replace(OURS, workload="6,000 in 10 minutes")
    results = replace(RESULTS, measurements=(*RESULTS.measurements, later, replace(later, is_baseline=True)))

    assert headline(results).splitlines()[2:] == [
        f"| 100 | **1.0** | 64.0 | **{0.01 * len(PARTS):.2f}** | {0.01 * len(PARTS):.2f} | **10.5 min** | 10.5 min |"
    ]


def test_publishing_writes_the_results_and_their_picture(tmp_path: Path) -> None:
    publish(RESULTS, tmp_path / "bench.json")

    assert read(tmp_path / "bench.json") == RESULTS
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
