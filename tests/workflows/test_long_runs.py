"""Runs of a day and of a week: below 25,000 history events, and hardly any time paid for looking."""

import pytest

from sandbox.asl import MAX_HISTORY_EVENTS
from tests.workflows.world import Settings, World, the_world

DAY = 24 * 60


def drip(world: World, minutes: int) -> None:
    """So few images that each look is as soon as it may be, and never as many labelled as once waited."""
    world.upload(10)
    world.queue.in_flight, world.queue.delayed = 1, 100_000
    world.at(30 * 60, lambda: setattr(world.queue, "delayed", 0))
    world.queue.arrivals_per_second = 0.01

    def stop() -> None:
        world.queue.no_more_arrive()
        world.queue.in_flight = 0

    world.at(minutes * 60, stop)


@pytest.mark.parametrize("days", [1, 7])
def test_a_run_of_days_that_looks_as_often_as_it_may_stays_below_the_limit(days: int) -> None:
    with the_world(Settings(model_start_minutes=55, max_run_minutes=days * DAY)) as world:
        drip(world, days * DAY + DAY)

        run = world.run()

        assert world.record["outcome"] == "MAX_RUN_MINUTES"
        assert world.billed_minutes == pytest.approx(days * DAY, rel=0.01)
        # The longest release that ends by itself waits 90 minutes more, and a dead run's comes before: 3,600 events.
        assert run.events < MAX_HISTORY_EVENTS - 3600
        world.assert_released()


@pytest.mark.parametrize("hours", [6, 24])
def test_looking_costs_about_one_percent_of_a_long_run(hours: int) -> None:
    with the_world(Settings(max_run_minutes=7 * DAY)) as world:
        images = hours * 3600 * 5
        world.upload(images)

        run = world.run()

        assert run.status == "SUCCEEDED"
        assert world.queue.done == pytest.approx(images, abs=1)
        assert world.billed_minutes == pytest.approx(hours * 60, rel=0.011)
