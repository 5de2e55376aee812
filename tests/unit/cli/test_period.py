"""`--since` and `--until`."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels_batch.cli.errors import InputError
from custom_labels_batch.cli.period import moment, period

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-20", "2026-11-20T00:00:00+00:00"),
        ("2026-11-20T10:30", "2026-11-20T10:30:00+00:00"),
        ("2026-11-20T10:30:15Z", "2026-11-20T10:30:15+00:00"),
        ("2026-11-20 10:30+02:00", "2026-11-20T08:30:00+00:00"),
        ("30m", "2026-11-22T18:00:00+00:00"),
        ("12h", "2026-11-22T06:30:00+00:00"),
        ("7d", "2026-11-15T18:30:00+00:00"),
        ("2w", "2026-11-08T18:30:00+00:00"),
    ],
)
def test_dates_times_and_spans_are_moments(written: str, meant: str) -> None:
    assert moment("--since", written, NOW).isoformat() == meant


@pytest.mark.parametrize("written", ["", "yesterday", "7", "d", "-7d", "1.5h", "7y", "2026-13-01", "999999999w", "7 d"])
def test_what_is_no_time_is_refused_with_what_is_one(written: str) -> None:
    with pytest.raises(InputError, match="is no time; give a date"):
        moment("--since", written, NOW)


@given(st.text(max_size=30))
def test_whatever_is_written_is_a_moment_in_utc_or_refused(written: str) -> None:
    found = NOW
    with contextlib.suppress(InputError):
        found = moment("--since", written, NOW)
    assert found.utcoffset() == timedelta(0)


def test_without_a_beginning_it_is_seven_days() -> None:
    assert str(period(None, None, NOW)) == "since 2026-11-15 18:30 UTC"


def test_without_a_beginning_it_is_the_seven_days_before_the_end() -> None:
    assert str(period(None, "2026-06-30", NOW)) == "since 2026-06-24 00:00 UTC until 2026-07-01 00:00 UTC"


def test_a_date_as_the_end_has_its_whole_day() -> None:
    found = period("2026-11-20", "2026-11-20", NOW)
    assert found.until == found.since + timedelta(days=1)


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(InputError, match="--until 2d is not after --since 1d"):
        period("1d", "2d", NOW)
