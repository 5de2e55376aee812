"""When schedules tick, by the rules of the EventBridge Scheduler User Guide ("Schedule types")."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_labels_batch.rules.schedule_expression import PAUSE_YEARS, checked_schedule, longest_pause, occurrences

MINUTE, HOUR, DAY = 60, 3600, 86_400


def _days_of_2027(expression: str) -> list[str]:
    ticks = occurrences(expression, datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
    return [f"{tick:%m-%d}" for tick in ticks]


@pytest.mark.parametrize(
    ("expression", "first_days"),
    [
        ("cron(0 0 L * ? *)", ["01-31", "02-28", "03-31"]),
        ("cron(0 0 31 * ? *)", ["01-31", "03-31", "05-31"]),
        ("cron(0 0 30 * ? *)", ["01-30", "03-30", "04-30"]),
        ("cron(0 0 15W * ? *)", ["01-15", "02-15", "03-15", "04-15", "05-14"]),  # 15 May is a Saturday
        ("cron(0 0 1W * ? *)", ["01-01", "02-01", "03-01", "04-01", "05-03"]),  # never in the month before
        ("cron(0 0 31W * ? *)", ["01-29", "03-31"]),
        ("cron(0 0 ? * L *)", ["01-02", "01-09", "01-16"]),  # the week's last day is Saturday
        ("cron(0 0 ? * 6L *)", ["01-29", "02-26", "03-26"]),
        ("cron(0 0 ? * 3#2 *)", ["01-12", "02-09", "03-09"]),
        ("cron(0 0 ? * 2#5 *)", ["03-29", "05-31", "08-30"]),
        ("cron(0 0 ? * MON-FRI *)", ["01-01", "01-04", "01-05"]),
        ("cron(0 0 ? * SUN,SAT *)", ["01-02", "01-03", "01-09"]),
        ("cron(0 0 1 JAN/3 ? *)", ["01-01", "04-01", "07-01", "10-01"]),
        ("cron(0 0 1 1,FEB,12 ? *)", ["01-01", "02-01", "12-01"]),
        ("cron(0 0 */10 * ? 2027)", ["01-01", "01-11", "01-21", "01-31", "02-01"]),
        ("cron(0 0 07 07 ? 2025/2)", ["07-07"]),
        ("cron(0 0 7 7 ? 2026/2)", []),
        ("cron(0 0 29 2 ? *)", []),
    ],
)
def test_a_cron_schedule_ticks_on_the_days_that_aws_means(expression: str, first_days: list[str]) -> None:
    assert _days_of_2027(checked_schedule(expression))[: len(first_days) or None] == first_days


def test_a_cron_schedule_ticks_at_every_time_its_minutes_and_hours_name() -> None:
    ticks = occurrences(
        "cron(0,30/10 8-9 1 * ? *)", datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, 9, 40, tzinfo=UTC)
    )
    assert [f"{tick:%H:%M}" for tick in ticks] == ["08:00", "08:30", "08:40", "08:50", "09:00", "09:30"]


def test_a_rate_ticks_at_its_start_and_then_once_a_period() -> None:
    begin = datetime(2027, 1, 1, 0, 7, tzinfo=UTC)
    ticks = occurrences("rate(4 hours)", begin, begin + timedelta(hours=8))
    assert ticks == [begin, begin + timedelta(hours=4)]


def test_a_cron_schedule_follows_the_clock_of_its_time_zone() -> None:
    ticks = occurrences(
        "cron(0 6 * * ? *)", datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 3, 29, tzinfo=UTC), "Europe/Berlin"
    )
    assert [f"{tick:%d %H:%M}" for tick in ticks] == ["27 05:00", "28 04:00"]


def test_a_local_time_that_the_clock_leaves_out_is_skipped() -> None:
    ticks = occurrences(
        "cron(30 2 * * ? *)", datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 3, 30, tzinfo=UTC), "Europe/Berlin"
    )
    assert [f"{tick:%d %H:%M}" for tick in ticks] == ["27 01:30", "29 00:30"]


def test_a_local_time_that_the_clock_shows_twice_ticks_once() -> None:
    ticks = occurrences(
        "cron(30 2 * * ? *)", datetime(2027, 10, 30, 12, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC), "Europe/Berlin"
    )
    assert [f"{tick:%d %H:%M}" for tick in ticks] == ["31 00:30"]


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("rate(1 minute)", MINUTE),
        ("rate(15 minutes)", 15 * MINUTE),
        ("rate(7 days)", 7 * DAY),
        ("cron(* * * * ? *)", MINUTE),
        ("cron(0/15 * * * ? *)", 15 * MINUTE),
        ("cron(0 6 * * ? *)", DAY),
        ("cron(0 6 ? * MON-FRI *)", 3 * DAY),
        ("cron(0 8-17 ? * MON-FRI *)", 2 * DAY + 15 * HOUR),
        ("cron(0 6,20 * * ? *)", 14 * HOUR),
        ("cron(0 6 1 * ? *)", 31 * DAY),
        ("cron(0 6 31 * ? *)", 61 * DAY),
        ("cron(0 6 29 2 ? *)", (4 * 365 + 1) * DAY),
        ("cron(0 6 ? * 3#2 *)", 35 * DAY),
        ("cron(0 6 ? * L *)", 7 * DAY),
        ("cron(0 6 1 1 ? 2026-2027)", 365 * DAY),
    ],
)
def test_the_longest_pause_is_the_longest_time_between_two_ticks(expression: str, seconds: int) -> None:
    assert longest_pause(checked_schedule(expression)) == seconds


def test_the_longest_pause_knows_that_the_clock_changes() -> None:
    assert longest_pause("cron(0 6 * * ? *)", "Europe/Berlin") == 25 * HOUR
    assert longest_pause("cron(30 2 * * ? *)", "Europe/Berlin") == 47 * HOUR  # skipped once in spring
    assert longest_pause("cron(30 2-5 * * ? *)", "Europe/Berlin") == 21 * HOUR  # in spring too, to 3:30
    assert longest_pause("cron(0 * * * ? *)", "Europe/Berlin") == 2 * HOUR  # 2:00 counts once in autumn
    assert longest_pause("cron(0 6 * * ? *)", "Asia/Tokyo") == DAY


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("cron(0 0 1 1 ? 2099)", "never ticks"),
        ("cron(0 0 31 2 ? *)", "never ticks"),
        ("cron(0 6 1 1 ? 2027)", "ticks only once, at 2027-01-01 06:00 UTC,"),
    ],
)
def test_a_schedule_that_does_not_repeat_has_no_longest_pause(expression: str, told: str) -> None:
    with pytest.raises(ValueError, match=rf"{told} from {PAUSE_YEARS[0]} to {PAUSE_YEARS[-1]}; use a schedule that"):
        longest_pause(checked_schedule(expression))


def _field(low: int, high: int, *special: str, steps: bool = True) -> st.SearchStrategy[str]:
    number = st.integers(low, high).map(str)
    span = st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda ends: f"{min(ends)}-{max(ends)}")
    step = st.tuples(st.one_of(st.just("*"), number), st.integers(1, high)).map(lambda parts: f"{parts[0]}/{parts[1]}")
    part = st.one_of(number, span, step) if steps else st.one_of(number, span)
    return st.one_of(st.sampled_from(["*", *special]), st.lists(part, min_size=1, max_size=3).map(",".join))


_DAYS = st.one_of(
    st.tuples(_field(1, 31, "L", "1W", "30W"), st.just("?")),
    st.tuples(st.just("?"), _field(1, 7, "L", "2L", "7#5", "MON-FRI", steps=False)),
)


@settings(max_examples=25, deadline=None)
@given(_field(0, 59), _field(0, 23), _DAYS, _field(1, 12, "JAN-MAR", "DEC"), _field(2024, 2060))
def test_every_schedule_that_is_accepted_can_be_evaluated(
    minutes: str, hours: str, days: tuple[str, str], month: str, year: str
) -> None:
    expression = checked_schedule(f"cron({minutes} {hours} {days[0]} {month} {days[1]} {year})")
    begin = datetime(2028, 1, 1, tzinfo=UTC)
    ticks = occurrences(expression, begin, begin + timedelta(days=400))
    assert ticks == sorted(set(ticks))
    if len(ticks) > 1:
        pauses = {(later - earlier).total_seconds() for earlier, later in pairwise(ticks)}
        assert MINUTE <= max(pauses) <= longest_pause(expression)
