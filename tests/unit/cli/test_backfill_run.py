"""What a backfill queues, whatever stops it half-way."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_labels_batch.cli.backfill_run import Backfill, LeftOut
from custom_labels_batch.cli.backfill_state import Progress
from custom_labels_batch.cli.errors import OperationError
from custom_labels_batch.cli.source_objects import Page, SourceObject

UNTIL = datetime(2026, 11, 22, 12, tzinfo=UTC)
EARLIER = datetime(2026, 11, 22, 11, 59, 59, tzinfo=UTC)
BEGIN = Progress(bucket="b", prefix="", until=UNTIL)


def found(key: str, modified_at: datetime = EARLIER, *, is_archived: bool = False) -> SourceObject:
    return SourceObject(key, None, "e", 1, modified_at, is_archived)


def bucket(count: int, page: int, after: str | None = None) -> Iterator[Page]:
    """Pages of a bucket of so many objects, from a place on."""
    keys = [f"{number:06d}.jpg" for number in range(count)]
    left = [key for key in keys if after is None or key > after]
    for start in range(0, max(1, len(left)), page):
        part = left[start : start + page]
        is_last = start + page >= len(left)
        yield Page(tuple(found(key) for key in part), None if is_last else part[-1])


class Queue:
    """What was sent, and what happens at which request."""

    def __init__(self, failures: Sequence[int] = ()) -> None:
        self.keys: Counter[str] = Counter()
        self._lock, self._requests, self._failures = threading.Lock(), 0, set(failures)

    def send(self, objects: Sequence[SourceObject]) -> None:
        with self._lock:
            self._requests += 1
            if self._requests in self._failures:
                raise OperationError("SQS is away")
            self.keys.update(each.key for each in objects)


class Saved:
    def __init__(self) -> None:
        self.progress = BEGIN

    def save(self, progress: Progress) -> None:
        self.progress = progress


def test_every_object_is_queued_once_and_the_end_is_saved() -> None:
    queue, saved = Queue(), Saved()
    Backfill(BEGIN, queue.send, saved.save).run(bucket(2_345, page=100), at_once=8)
    assert queue.keys == Counter(f"{number:06d}.jpg" for number in range(2_345))
    assert (saved.progress.listed, saved.progress.queued, saved.progress.queued_bytes) == (2_345, 2_345, 2_345)
    assert saved.progress.finished_at is not None


def test_an_empty_bucket_is_done_at_once() -> None:
    saved = Saved()
    Backfill(BEGIN, Queue().send, saved.save).run(bucket(0, page=100), at_once=8)
    assert saved.progress.finished_at is not None


def test_what_is_no_image_or_later_or_archived_is_left_out() -> None:
    queue, saved = Queue(), Saved()
    objects = [
        found("a.jpg"),
        found("b.JPeG"),
        found("notes.txt"),
        found("folder/"),
        found("later.jpg", UNTIL),
        found("cold.png", is_archived=True),
    ]
    work = Backfill(BEGIN, queue.send, saved.save)
    work.run([Page(tuple(objects), None)], at_once=2)
    assert set(queue.keys) == {"a.jpg", "b.JPeG"}
    assert work.left_out == {LeftOut.NAME: 2, LeftOut.LATER: 1, LeftOut.ARCHIVED: 1}
    assert (saved.progress.listed, saved.progress.queued) == (6, 2)


def interrupted(pages: Iterator[Page], after: int) -> Iterator[Page]:
    """Ctrl-C while the listing waits for a page."""
    for number, page in enumerate(pages):
        if number == after:
            raise KeyboardInterrupt
        yield page


@given(count=st.integers(0, 120), page=st.integers(1, 40), stops=st.lists(st.integers(0, 5), max_size=4))
@settings(max_examples=60, deadline=None)
def test_whenever_it_is_interrupted_each_object_is_queued_exactly_once(count: int, page: int, stops: list[int]) -> None:
    queue, saved = Queue(), Saved()
    for stop in stops:
        if saved.progress.finished_at is None:
            with suppress(KeyboardInterrupt):
                pages = interrupted(bucket(count, page, saved.progress.after_key), stop)
                Backfill(saved.progress, queue.send, saved.save).run(pages, at_once=4)
    if saved.progress.finished_at is None:
        Backfill(saved.progress, queue.send, saved.save).run(bucket(count, page, saved.progress.after_key), at_once=4)
    assert queue.keys == Counter(f"{number:06d}.jpg" for number in range(count))


@given(count=st.integers(1, 120), page=st.integers(1, 40), failures=st.sets(st.integers(1, 12), max_size=3))
@settings(max_examples=60, deadline=None)
def test_whatever_fails_nothing_is_left_out_when_it_goes_on(count: int, page: int, failures: set[int]) -> None:
    queue, saved = Queue(sorted(failures)), Saved()
    for _ in range(len(failures) + 1):
        if saved.progress.finished_at is None:
            with suppress(OperationError):
                pages = bucket(count, page, saved.progress.after_key)
                Backfill(saved.progress, queue.send, saved.save).run(pages, at_once=4)
    assert saved.progress.finished_at is not None
    assert set(queue.keys) == {f"{number:06d}.jpg" for number in range(count)}
    assert saved.progress.queued == count


def test_what_a_second_start_may_queue_again_is_three_pages() -> None:
    queue, saved = Queue(failures=[95]), Saved()
    with pytest.raises(OperationError, match="SQS is away"):
        Backfill(BEGIN, queue.send, saved.save).run(bucket(2_000, page=100), at_once=4)
    assert queue.keys.total() - saved.progress.queued <= 300


def test_after_a_failure_little_more_is_sent() -> None:
    requests = 0

    def refused(_: Sequence[SourceObject]) -> None:
        nonlocal requests
        requests += 1
        time.sleep(0.02)
        raise OperationError("SQS is away")

    with pytest.raises(OperationError):
        Backfill(BEGIN, refused, Saved().save).run(bucket(2_000, page=100), at_once=1)
    assert requests < 20  # of the 30 that three pages are
