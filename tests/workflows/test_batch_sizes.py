"""minBatchSize: a few images do not start a model on their own, and none waits longer than promised."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.workflows.services import MAPPING_SECONDS
from tests.workflows.world import Settings, World, the_world

MINUTE = 60


@pytest.fixture
def world() -> Iterator[World]:
    with the_world(batches_of(100)) as world:
        yield world


def batches_of(size: int, max_queue_age_minutes: int = 240, pause_minutes: int = 60) -> Settings:
    return Settings(
        min_batch_size=size,
        max_queue_age_minutes=max_queue_age_minutes,
        schedule_pause_minutes=pause_minutes,
        model_start_minutes=0.5,
    )


def tick_and_wait(world: World, minutes: float = 60) -> None:
    """A tick of the schedule, and the time until the next."""
    began = world.timeline.now
    world.run()
    world.timeline.pass_time(minutes * MINUTE - (world.timeline.now - began))


def test_too_few_images_start_no_model(world: World) -> None:
    world.upload(99)

    run = world.run()

    assert (run.status, run.states[-1]) == ("SUCCEEDED", "Nothing to do")
    assert not world.called("StartProjectVersion")


def test_enough_images_are_labelled_at_once(world: World) -> None:
    world.upload(100)

    world.run()

    assert world.queue.done == 100
    world.assert_released()


def test_images_are_labelled_once_enough_have_come(world: World) -> None:
    for _ in range(3):
        world.upload(40)
        tick_and_wait(world)

    assert world.queue.done == 120
    assert len(world.records) == 1


def test_images_that_would_be_too_old_at_the_next_tick_are_labelled(world: World) -> None:
    world.upload(3)

    for _ in range(3):
        tick_and_wait(world)
        assert world.queue.done == 0
    tick_and_wait(world)

    assert world.queue.done == 3


def test_after_a_run_that_drained_the_queue_the_waiting_begins_anew(world: World) -> None:
    for _ in range(2):
        world.upload(3)
        for _ in range(3):
            tick_and_wait(world)
        assert not world.queue.done % 3
        tick_and_wait(world)

    assert world.queue.done == 6
    assert len(world.records) == 2


def test_what_a_run_leaves_has_waited_since_before_it() -> None:
    chosen = batches_of(100)
    chosen.max_run_minutes = 5
    with the_world(chosen) as world:
        world.upload(1800)
        tick_and_wait(world)
        left = world.queue.waiting
        assert 0 < left < 100
        for _ in range(3):
            tick_and_wait(world)

        assert world.queue.waiting == 0


def test_a_mapping_left_open_is_closed_while_images_wait_for_more(world: World) -> None:
    world.mapping.set(enabled=True)
    world.timeline.pass_time(MAPPING_SECONDS)
    world.upload(3)

    world.run()

    assert world.record["outcome"] == "MAPPING_CLOSED"
    assert not world.called("StartProjectVersion")
    world.assert_released()


@hypothesis_settings(max_examples=25, deadline=None)
@given(
    uploads=st.lists(st.tuples(st.integers(0, 59), st.integers(1, 60)), min_size=1, max_size=8),
    promised=st.integers(2, 6),
)
def test_no_image_waits_longer_than_promised_for_its_run_to_start(
    uploads: list[tuple[int, int]], promised: int
) -> None:
    with the_world(batches_of(100, max_queue_age_minutes=promised * 60)) as world:
        waiting: list[float] = []
        waited: list[float] = []

        def upload(images: int) -> None:
            world.upload(images)
            waiting.append(world.timeline.now)

        for tick in range(len(uploads) + promised + 1):
            if tick < len(uploads):
                minute, images = uploads[tick]
                world.at(minute * MINUTE, lambda images=images: upload(images))
            world.timeline.pass_time(60 * MINUTE)
            began, done = world.timeline.now, world.queue.done
            run = world.run()
            if world.queue.done > done:
                waited += [began - moment for moment in waiting]
                waiting.clear()
            world.timeline.pass_time(max(0, began - run.started_at))

        assert not waiting
        assert max(waited) <= promised * 60 * MINUTE + 15 * MINUTE  # the clock stands still for nobody: runs take time
