"""The spacing of calls."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from time import monotonic

from hypothesis import given
from hypothesis import strategies as st

from custom_labels_batch.functions.shared.pacer import Pacer


class Time:
    """A clock that only sleeping, or working, moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


@given(rate=st.floats(0.1, 1000), work=st.lists(st.floats(0, 10), min_size=1, max_size=30))
def test_calls_are_never_closer_than_the_rate_allows(rate: float, work: list[float]) -> None:
    time = Time()
    pacer = Pacer(rate, time.read, time.sleep)
    calls = []

    for seconds in work:
        pacer.wait()
        calls.append(time.now)
        time.sleep(seconds)

    assert all(later - earlier >= 1 / rate - 1e-6 for earlier, later in pairwise(calls))


@given(rate=st.floats(0.1, 1000), count=st.integers(1, 50))
def test_calls_without_pause_use_the_rate_in_full(rate: float, count: int) -> None:
    time = Time()
    pacer = Pacer(rate, time.read, time.sleep)

    for _ in range(count):
        pacer.wait()

    assert abs(time.now - 1000 - (count - 1) / rate) < 1e-6 * count


def test_a_call_after_a_pause_does_not_wait() -> None:
    time = Time()
    pacer = Pacer(1, time.read, time.sleep)
    pacer.wait()
    time.sleep(5)

    pacer.wait()

    assert time.now == 1005


def test_threads_share_one_rate() -> None:
    pacer = Pacer(100)

    def call(_: int) -> float:
        pacer.wait()
        return monotonic()

    with ThreadPoolExecutor(8) as threads:
        calls = sorted(threads.map(call, range(20)))

    assert calls[-1] - calls[0] >= 19 / 100 - 0.02
