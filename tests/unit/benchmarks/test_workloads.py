"""What the bench plays, and how fast it may."""

import pytest

from benchmarks.pace import SHARE_OF_CAPACITY, Capacity, plan
from benchmarks.workloads import BOTH, TPS, WORKLOADS, Workload, at_once, trickle

LAPTOP = Capacity(labelled=60, uploaded=200)
LONG = Workload("many", at_once(10_000), BOTH)
HOUR = 3600.0


class TestATrickle:
    def test_is_the_same_every_time(self) -> None:
        assert trickle(6, 2, seed=4) == trickle(6, 2, seed=4)

    def test_brings_about_as_many_images_as_asked_in_order_of_time(self) -> None:
        arrivals = trickle(hours=6, images_a_minute=2, seed=4)

        assert sum(each.images for each in arrivals) == pytest.approx(6 * 60 * 2, rel=0.1)
        assert [each.minute for each in arrivals] == sorted({each.minute for each in arrivals})
        assert arrivals[-1].minute <= 6 * 60


class TestTheWorkloads:
    def test_have_names_of_their_own_and_each_a_baseline(self) -> None:
        assert len({each.name for each in WORKLOADS}) == len(WORKLOADS)
        for each in WORKLOADS:
            assert sum(policy.is_baseline for policy in each.policies) == 1


class TestThePlan:
    def test_never_asks_more_of_the_machine_than_it_has(self) -> None:
        for play in plan(WORKLOADS, LAPTOP, budget_seconds=60):
            asked = TPS * play.policy.units / play.time_scale
            assert asked <= SHARE_OF_CAPACITY * LAPTOP.labelled * 1.001

    def test_takes_the_time_there_is(self) -> None:
        plays = plan([LONG], LAPTOP, budget_seconds=HOUR)

        assert sum(each.seconds(LAPTOP) for each in plays) == pytest.approx(HOUR, rel=0.01)
        assert plays[0].workload == LONG

    def test_runs_short_workloads_at_real_speed(self) -> None:
        short = Workload("few", at_once(100), BOTH)

        plays = plan([short, LONG], LAPTOP, budget_seconds=HOUR)

        assert [play.time_scale for play in plays[:2]] == [1.0, 1.0]

    def test_scales_the_largest_workload_down_when_there_is_too_little_time_and_says_so(self) -> None:
        plays = plan([Workload("few", at_once(600), BOTH), LONG], LAPTOP, budget_seconds=400)

        few, many = plays[0].workload, plays[-1].workload
        assert (few.images, few.planned) == (600, 0)
        assert many.images < 10_000
        assert many.planned == 10_000
        assert sum(each.seconds(LAPTOP) for each in plays) <= 400

    def test_leaves_a_workload_whole_that_would_not_show_what_it_is_for(self) -> None:
        plays = plan(WORKLOADS, LAPTOP, budget_seconds=60)

        assert {play.workload.images for play in plays if "6,000" in play.workload.name} == {6_000}

    def test_of_a_machine_that_cannot_keep_up_runs_at_real_speed(self) -> None:
        assert Capacity(labelled=2, uploaded=10).fastest_scale == 1
