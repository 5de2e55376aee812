"""The figures at the top: counted, not guessed."""

from datetime import timedelta

import pytest

from custom_labels_batch.report.data import BilledPeriod, Image, Label, Report, Run, Status
from custom_labels_batch.report.figures import figures, minutes_text, usd_text
from custom_labels_batch.report.palette import OTHER, Palette
from tests.unit.report.samples import BEGAN, empty, ordinary


def report(*images: Image, runs: tuple[Run, ...] = (), time_scale: float = 1.0) -> Report:
    return empty().model_copy(update={"images": images, "runs": runs, "time_scale": time_scale})


def image(*labels: str, status: Status = Status.LABELLED, took: float = 10, at: float = 0, reason: str = "") -> Image:
    uploaded = BEGAN + timedelta(minutes=at)
    return Image(
        key="a.jpg",
        status=status,
        labels=tuple(Label(name=name, confidence=90) for name in labels),
        reason=reason,
        uploaded_at=uploaded,
        processed_at=uploaded + timedelta(minutes=took),
    )


def run(billed: float, *, units: int = 1, start_hours: float = 0, took: float = 20) -> Run:
    return Run(
        name="run",
        started_at=BEGAN + timedelta(hours=start_hours),
        billed_minutes=billed,
        duration_minutes=took,
        billed=(BilledPeriod(begin=10, end=10 + billed / units, inference_units=units),),
    )


class TestCounts:
    def test_every_image_is_counted_under_what_became_of_it(self) -> None:
        counted = figures(
            report(image("a"), image(), image(status=Status.REJECTED), image(status=Status.WAITING), image("a", "b"))
        )

        assert (counted.images, counted.labelled, counted.unlabelled) == (5, 3, 1)
        assert (counted.rejected, counted.waiting) == (1, 1)

    def test_labels_come_most_frequent_first_and_then_by_name(self) -> None:
        counted = figures(report(image("c", "b"), image("b"), image("a")))

        assert [(label.name, label.count) for label in counted.labels] == [("b", 2), ("a", 1), ("c", 1)]

    def test_reasons_are_counted_and_a_missing_one_is_said_to_be_missing(self) -> None:
        rejected = [image(status=Status.REJECTED, reason=reason) for reason in ("empty", "", "empty")]

        assert figures(report(*rejected)).reasons == (("empty", 2), ("no reason given", 1))

    def test_the_sample_adds_up(self) -> None:
        counted = figures(ordinary())

        assert counted.images == counted.labelled + counted.rejected + counted.waiting == 72


class TestTimes:
    def test_the_last_result_is_counted_from_the_first_upload(self) -> None:
        waits = figures(report(image("a", took=10), image("a", at=5, took=30), image("a", took=2))).waits

        assert waits is not None
        assert (waits.median, waits.longest, waits.last_result) == (10, 30, 35)

    def test_simulated_minutes_are_longer_than_real_ones(self) -> None:
        waits = figures(report(image("a", took=1), time_scale=0.1)).waits

        assert waits is not None
        assert waits.longest == pytest.approx(10)

    def test_without_times_there_is_nothing_to_say(self) -> None:
        assert figures(report(Image(key="a", status=Status.WAITING))).waits is None


class TestCost:
    def test_one_short_run_against_a_whole_hour_and_a_whole_day(self) -> None:
        cost = figures(report(runs=(run(3),))).cost

        assert cost is not None
        assert (cost.actual, cost.hour_a_run, cost.always_on) == pytest.approx((0.20, 4, 96))
        assert cost.saved == pytest.approx(1 - 0.2 / 96)

    def test_always_on_is_counted_for_begun_days_and_the_most_units(self) -> None:
        cost = figures(report(runs=(run(3), run(6, units=2, start_hours=25)))).cost

        assert cost is not None
        assert (cost.days, cost.units, cost.always_on) == (2, 2, 2 * 24 * 2 * 4)
        assert cost.hour_a_run == pytest.approx(4 + 8)

    def test_a_run_longer_than_an_hour_costs_what_it_took(self) -> None:
        cost = figures(report(runs=(run(90),))).cost

        assert cost is not None
        assert cost.hour_a_run == cost.actual == pytest.approx(6)

    def test_without_runs_there_is_no_cost(self) -> None:
        assert figures(ordinary().model_copy(update={"runs": ()})).cost is None


class TestTexts:
    @pytest.mark.parametrize(
        ("minutes", "text"),
        [(0, "0 s"), (0.5, "30 s"), (1, "1.0 min"), (119, "119.0 min"), (300, "5.0 h"), (5000, "3.5 days")],
    )
    def test_durations(self, minutes: float, text: str) -> None:
        assert minutes_text(minutes) == text

    def test_money(self) -> None:
        assert (usd_text(0.124), usd_text(96), usd_text(2688)) == ("$0.12", "$96.00", "$2,688")


def test_eight_labels_have_a_colour_each_and_the_rest_share_one() -> None:
    palette = Palette(figures(report(*(image(*names) for names in ("abcdefghij", "abcdefgh")))).labels)

    assert [palette.number(name) for name in "abchij"] == ["0", "1", "2", "7", OTHER, OTHER]
