"""What is true of every month, whatever arrives."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels_batch.cli.arrivals import DAY, Arrivals, daily
from custom_labels_batch.cli.reference_policies import AlwaysRunning, PublishedSample
from custom_labels_batch.cli.scheduled_runs import ScheduledRuns
from custom_labels_batch.cli.simulation import Policy, Simulation, simulate

HOUR = 3600
HOURLY = np.arange(0, 3 * DAY, HOUR)

moments = st.lists(st.tuples(st.integers(0, DAY), st.integers(1, 2000)), min_size=1, max_size=20)
policies = st.one_of(
    st.builds(
        ScheduledRuns,
        start_minutes=st.floats(0, 30),
        tps_per_inference_unit=st.floats(1, 20),
        max_inference_units=st.integers(1, 5),
        target_drain_minutes=st.integers(1, 120),
        min_batch_size=st.integers(1, 500),
        max_queue_age_minutes=st.integers(120, 1000),
    ),
    st.builds(PublishedSample, start_minutes=st.floats(0, 30), tps_per_inference_unit=st.floats(1, 20)),
)


def _simulated(policy: Policy, given_moments: list[tuple[int, int]]) -> tuple[Arrivals, Simulation]:
    arrivals = Arrivals.at([second for second, _ in given_moments], [images for _, images in given_moments])
    return arrivals, simulate(policy, arrivals, HOURLY)


@given(policies, moments)
def test_every_image_is_labelled_once(policy: Policy, given_moments: list[tuple[int, int]]) -> None:
    arrivals, simulation = _simulated(policy, given_moments)
    assert simulation.images_left == 0
    assert sum(run.images for run in simulation.runs) == arrivals.total == simulation.images.sum()


@given(policies, moments)
def test_no_result_is_there_before_its_image(policy: Policy, given_moments: list[tuple[int, int]]) -> None:
    _, simulation = _simulated(policy, given_moments)
    assert simulation.ages.min() > 0


@given(policies, moments)
def test_no_bill_is_below_the_limit(policy: Policy, given_moments: list[tuple[int, int]]) -> None:
    arrivals, simulation = _simulated(policy, given_moments)
    assert simulation.billed_minutes >= arrivals.total / policy.rate / 60
    assert 0 <= simulation.idle_share < 1


@given(policies, moments)
def test_runs_take_turns(policy: Policy, given_moments: list[tuple[int, int]]) -> None:
    _, simulation = _simulated(policy, given_moments)
    assert all(before.stopped_at < after.running_at for before, after in pairwise(simulation.runs))
    assert all(run.running_at < run.stopped_at for run in simulation.runs)


@given(moments, st.integers(1, 5), st.integers(60, 1000))
def test_no_image_waits_longer_for_its_run_than_promised(
    given_moments: list[tuple[int, int]], min_batch_size: int, minutes: int
) -> None:
    policy = ScheduledRuns(min_batch_size=100 * min_batch_size, max_queue_age_minutes=max(120, minutes))
    _arrivals, simulation = _simulated(policy, given_moments)
    longest_run = max(run.stopped_at - run.running_at for run in simulation.runs)
    promised = 60 * policy.max_queue_age_minutes
    assert simulation.ages.max() <= promised + 60 * policy.start_minutes + longest_run + HOUR


@given(moments)
def test_a_minimum_batch_size_never_makes_more_runs(given_moments: list[tuple[int, int]]) -> None:
    _, at_every_tick = _simulated(ScheduledRuns(), given_moments)
    _, in_batches = _simulated(ScheduledRuns(min_batch_size=300), given_moments)
    assert len(in_batches.runs) <= len(at_every_tick.runs)


@given(st.integers(50, 3000), st.sampled_from([2, 4, 6, 12, 24]))
def test_more_frequent_ticks_make_results_younger_and_the_bill_higher(images_a_day: int, hours: int) -> None:
    arrivals = daily(images_a_day, 3)
    often = simulate(ScheduledRuns(), arrivals, np.arange(0, 5 * DAY, HOUR))
    rarely = simulate(ScheduledRuns(), arrivals, np.arange(0, 5 * DAY, hours * HOUR))
    (often_median, often_worst), (median, worst) = often.ages_at((0.5, 1)) or [], rarely.ages_at((0.5, 1)) or []
    assert often_median <= median
    assert often_worst <= worst
    assert often.billed_minutes >= rarely.billed_minutes


def test_a_run_is_billed_from_running_to_stop() -> None:
    simulation = simulate(ScheduledRuns(), Arrivals.at([0], [100]), [0])
    # Seen at once; 10 seconds to open, 20 to label, a second for the last image, then the next look and the stop.
    assert simulation.billed_minutes * 60 == pytest.approx(36, abs=1)


def test_an_empty_queue_starts_nothing() -> None:
    simulation = simulate(ScheduledRuns(), Arrivals.at([5 * HOUR], [1]), np.arange(0, 6 * HOUR, HOUR))
    assert len(simulation.runs) == 1
    assert simulation.idle_ticks == 5


def test_images_that_come_during_a_run_are_labelled_in_it() -> None:
    simulation = simulate(ScheduledRuns(), Arrivals.at([0, 640], [500, 500]), [0])
    assert [run.images for run in simulation.runs] == [1000]


def test_a_run_that_is_too_long_leaves_the_rest_to_the_next() -> None:
    policy = ScheduledRuns(max_run_minutes=30)
    simulation = simulate(policy, Arrivals.at([0], [10_000]), HOURLY)
    assert next(run.images for run in simulation.runs) < 10_000
    assert sum(run.images for run in simulation.runs) == 10_000
    assert len(simulation.runs) == 2


def test_the_units_follow_the_backlog_and_the_target() -> None:
    policy = ScheduledRuns(max_inference_units=4, target_drain_minutes=10)
    assert [policy.units(backlog) for backlog in (1, 2760, 2761, 100_000)] == [1, 1, 2, 4]


def test_several_units_cost_no_more_than_one_and_meet_the_target() -> None:
    burst = Arrivals.at([0], [6000])
    one = simulate(ScheduledRuns(), burst, [0])
    three = simulate(ScheduledRuns(max_inference_units=3, target_drain_minutes=10), burst, [0])
    assert three.billed_minutes <= 1.1 * one.billed_minutes
    assert three.ages.max() <= 600 + 15 + 600


def test_the_published_sample_holds_its_model_for_an_hour() -> None:
    simulation = simulate(PublishedSample(), Arrivals.at([0], [100]), [0])
    assert simulation.billed_minutes == pytest.approx(5 + 59)


def test_a_model_that_always_runs_is_billed_all_the_time() -> None:
    simulation = simulate(AlwaysRunning(units=2, until=DAY), daily(1000, 1), [0])
    assert simulation.billed_minutes == 2 * 24 * 60
    assert simulation.images_left == 0
    assert simulation.ages.max() < 10


def test_no_images_have_no_ages() -> None:
    simulation = simulate(ScheduledRuns(), Arrivals.at([], []), HOURLY)
    assert simulation.ages_at((0.5, 1)) is None
    assert simulation.idle_share == 0


def test_a_run_that_has_kept_up_for_a_minute_leaves_what_comes_to_the_next() -> None:
    simulation = simulate(ScheduledRuns(max_inference_units=3, target_drain_minutes=5), daily(300_000, 1), HOURLY)
    assert simulation.images_left == 0
    assert max(run.stopped_at - run.running_at for run in simulation.runs) < HOUR
