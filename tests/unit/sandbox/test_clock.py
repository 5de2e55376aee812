"""The simulated clock: how it runs, what it wakes, and how it jumps."""

import threading
import time
from functools import partial

import pytest

from sandbox.clock import SimulatedClock

HOUR = 3600.0


def rings(clock: SimulatedClock, seconds: float) -> threading.Event:
    rang = threading.Event()
    clock.set_alarm(clock.now() + seconds, rang.set)
    return rang


class TestTime:
    def test_runs_faster_by_the_scale(self) -> None:
        clock = SimulatedClock(0.01)
        before = clock.now()
        time.sleep(0.05)
        assert clock.now() - before >= 5

    def test_of_a_real_moment_counts_what_was_skipped_until_then_and_no_more(self) -> None:
        clock = SimulatedClock(0.5)
        before = time.time()
        clock.skip_to(clock.now() + HOUR)
        after = time.time()
        assert clock.at(after) - clock.at(before) == pytest.approx(HOUR + (after - before) / 0.5, abs=0.01)
        assert clock.at(after) == pytest.approx(clock.now(), abs=1)

    def test_never_jumps_back(self) -> None:
        clock = SimulatedClock(1)
        before = clock.now()
        assert clock.skip_to(before - HOUR) == 0
        assert clock.now() >= before


class TestAlarms:
    def test_ring_when_their_time_has_come(self) -> None:
        clock = SimulatedClock(0.01)
        assert rings(clock, 3).wait(1)

    def test_ring_in_the_order_of_their_times(self) -> None:
        clock, order, last = SimulatedClock(0.01), list[str](), threading.Event()
        begin = clock.now()
        clock.set_alarm(begin + 6, last.set)
        clock.set_alarm(begin + 5, partial(order.append, "later"))
        clock.set_alarm(begin + 2, partial(order.append, "sooner"))
        assert last.wait(1)
        assert order == ["sooner", "later"]

    def test_ring_at_once_when_their_time_is_skipped(self) -> None:
        clock = SimulatedClock(1)
        rang = rings(clock, HOUR)
        clock.skip_to(clock.now() + HOUR)
        assert rang.wait(1)

    def test_stay_silent_once_cancelled(self) -> None:
        clock, rang = SimulatedClock(1), threading.Event()
        alarm = clock.set_alarm(clock.now() + HOUR, rang.set)
        alarm.cancel()
        clock.skip_to(clock.now() + 2 * HOUR)
        assert rings(clock, 0).wait(1)
        assert not rang.is_set()

    def test_go_on_after_one_that_fails(self) -> None:
        clock = SimulatedClock(1)
        clock.set_alarm(clock.now(), partial(int, "no number"))  # type: ignore[arg-type]
        assert rings(clock, 0.01).wait(1)

    def test_tell_when_the_next_one_is_due(self) -> None:
        clock = SimulatedClock(1)
        assert clock.next_alarm() is None
        moment = clock.now() + HOUR
        sooner = clock.set_alarm(moment, lambda: None)
        clock.set_alarm(moment + HOUR, lambda: None)
        assert clock.next_alarm() == moment
        sooner.cancel()
        assert clock.next_alarm() == moment + HOUR


class TestWaiting:
    def test_ends_as_soon_as_it_is_skipped(self) -> None:
        clock, changed = SimulatedClock(1), threading.Condition()
        waiting = threading.Thread(target=clock.wait, args=(HOUR, changed, lambda: False))
        waiting.start()
        while clock.next_alarm() is None:
            time.sleep(0.001)
        clock.skip_to(clock.now() + HOUR)
        waiting.join(1)
        assert not waiting.is_alive()

    def test_ends_as_soon_as_it_is_called_off(self) -> None:
        clock, changed, over = SimulatedClock(1), threading.Condition(), threading.Event()
        waiting = threading.Thread(target=clock.wait, args=(HOUR, changed, over.is_set))
        waiting.start()
        with changed:
            over.set()
            changed.notify_all()
        waiting.join(1)
        assert not waiting.is_alive()

    def test_is_not_work(self) -> None:
        clock, changed = SimulatedClock(0.01), threading.Condition()
        with clock.activity.going_on():
            assert clock.activity.idle_seconds() == 0
            seen: list[float] = []
            clock.set_alarm(clock.now() + 5, lambda: seen.append(clock.activity.idle_seconds()))
            clock.wait(10, changed, lambda: False)
            assert seen[0] > 0
            assert clock.activity.idle_seconds() == 0
