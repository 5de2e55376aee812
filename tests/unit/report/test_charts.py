"""The charts: what is drawn, in which colour, and how much of it."""

import re
from datetime import timedelta

from custom_labels_batch.report import charts
from custom_labels_batch.report.data import Image, Label, Run, Sample, Status
from custom_labels_batch.report.figures import figures
from custom_labels_batch.report.palette import Palette
from tests.unit.report.samples import BEGAN, big, empty, hostile, ordinary, run


def palette_of(*names: str) -> Palette:
    return Palette(figures(empty().model_copy(update={"images": tuple(image(name) for name in names)})).labels)


def image(label: str, confidence: float = 90, minute: float = 0) -> Image:
    return Image(
        key="a",
        status=Status.LABELLED,
        labels=(Label(name=label, confidence=confidence),),
        processed_at=BEGAN + timedelta(minutes=minute),
    )


def marks(svg: str) -> list[tuple[str, str]]:
    """What each linked mark says, and its colour."""
    found = re.findall(r"<a [^>]*><path aria-label=\"([^\"]*)\"[^>]*fill=\"([^\"]*)\"", svg)
    return [(told, colour) for told, colour in found]


class TestThePie:
    def test_each_label_has_a_slice_in_its_colour(self) -> None:
        counted = figures(ordinary())

        assert marks(charts.donut(counted, Palette(counted.labels))) == [
            ("brick: 23 (35%)", "var(--label-0)"),
            ("gravel: 22 (33%)", "var(--label-1)"),
            ("grass: 21 (32%)", "var(--label-2)"),
        ]

    def test_labels_beyond_the_eighth_share_one_slice(self) -> None:
        counted = figures(hostile())

        told = marks(charts.donut(counted, Palette(counted.labels)))

        assert len(told) == 9
        assert told[-1] == ("other labels: 53 (87%)", "var(--label-other)")


class TestOverTime:
    def test_simulated_minutes_are_counted_from_the_runs_beginning(self) -> None:
        chart = charts.over_time(ordinary(), palette_of("brick", "grass", "gravel"))

        assert chart is not None
        assert "minutes since the run began" in chart.wide

    def test_many_days_are_shown_as_days(self) -> None:
        chart = charts.over_time(big(200, 14), palette_of("brick", "grass", "gravel"))

        assert chart is not None
        assert "time, UTC" in chart.wide
        assert "25 Nov" in chart.wide

    def test_every_label_is_in_one_bar(self) -> None:
        report = ordinary()

        chart = charts.over_time(report, Palette(figures(report).labels))

        assert chart is not None
        assert sum(int(told.rsplit(" ", 1)[1]) for told, _ in marks(chart.wide)) == 66

    def test_without_labels_there_is_nothing_to_draw(self) -> None:
        assert charts.over_time(empty(), palette_of()) is None


class TestConfidence:
    def test_a_hundred_percent_and_the_threshold_itself_are_in_the_picture(self) -> None:
        chart = charts.histogram([image("a", 100), image("a", 70), image("a", 70)], palette_of("a"), 70)

        assert chart is not None
        assert "threshold 70 %" in chart.wide
        assert marks(chart.wide) == [
            ("a, 70 to 72 %: 2", "var(--label-0)"),
            ("a, 98 to 100 %: 1", "var(--label-0)"),
        ]

    def test_without_a_threshold_none_is_drawn(self) -> None:
        chart = charts.histogram([image("a", 50)], palette_of("a"), None)

        assert chart is not None
        assert "threshold" not in chart.wide


class TestTheRun:
    def test_states_and_the_billed_time_are_told(self) -> None:
        chart = charts.timeline(run(72))

        assert chart is not None
        assert 'aria-label="Model RUNNING: minute 10.4 to 12.7"' in chart.wide
        assert 'aria-label="billed: 2.30 minutes"' in chart.wide

    def test_a_day_of_looks_is_still_a_small_drawing(self) -> None:
        samples = tuple(Sample(minute=n / 10, count=abs(5_000 - n)) for n in range(20_000))

        chart = charts.timeline(Run(name="run", backlog=samples, done=samples))

        assert chart is not None
        assert len(chart.wide) < 40_000

    def test_of_a_run_nobody_watched_there_is_no_drawing(self) -> None:
        assert charts.timeline(Run(name="run")) is None
