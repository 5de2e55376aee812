"""When images arrive."""

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels_batch.cli.arrivals import DAY, PIECES, Arrivals, daily, read_csv
from custom_labels_batch.cli.errors import InputError
from custom_labels_batch.cli.plan_choices import Shape

moments = st.lists(st.tuples(st.floats(0, 30 * DAY), st.integers(1, 1000)), min_size=1, max_size=50)


def _arrivals(given_moments: list[tuple[float, int]]) -> Arrivals:
    return Arrivals.at([second for second, _ in given_moments], [images for _, images in given_moments])


def _file(folder: Path, text: str) -> Path:
    file = folder / "uploads.csv"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("shape", [Shape.EVENLY, Shape.NIGHTLY])
def test_every_day_has_its_images(shape: Shape) -> None:
    images = daily(5000, 3, shape)
    per_day = np.bincount((images.seconds // DAY).astype(int), weights=images.images)
    assert per_day.tolist() == [5000, 5000, 5000]


def test_images_of_office_hours_come_from_8_to_18_on_working_days() -> None:
    images = daily(100, 10, Shape.OFFICE_HOURS)
    days, seconds = images.seconds // DAY, images.seconds % DAY
    assert sorted(set(days)) == [0, 1, 2, 3, 4, 7, 8, 9]
    assert seconds.min() >= 8 * 3600
    assert seconds.max() < 18 * 3600
    assert images.total == 800


def test_a_nightly_delivery_comes_at_once() -> None:
    assert daily(700, 2, Shape.NIGHTLY).seconds.tolist() == [2 * 3600, DAY + 2 * 3600]


def test_the_same_question_gets_the_same_arrivals() -> None:
    assert np.array_equal(daily(1000, 2).seconds, daily(1000, 2).seconds)


@given(moments)
def test_arrivals_are_in_order_and_complete(given_moments: list[tuple[float, int]]) -> None:
    arrivals = _arrivals(given_moments)
    assert np.all(np.diff(arrivals.seconds) > 0)
    assert arrivals.images.min() >= 1
    assert arrivals.total == sum(images for _, images in given_moments)


@given(moments, st.integers(1, 7))
def test_stacks_that_take_turns_get_the_same_share_up_to_one_image(
    given_moments: list[tuple[float, int]], stacks: int
) -> None:
    arrivals = _arrivals(given_moments)
    assert arrivals.share(stacks).total == -(-arrivals.total // stacks)


@given(moments)
def test_pieces_are_the_same_images(given_moments: list[tuple[float, int]]) -> None:
    arrivals = _arrivals(given_moments)
    pieces = arrivals.in_pieces()
    assert pieces.total == arrivals.total
    assert pieces.images.max() == 1
    assert np.array_equal(np.unique(pieces.seconds), arrivals.seconds)


def test_very_many_images_are_followed_in_pieces() -> None:
    pieces = Arrivals.at([0], [30 * PIECES + 1]).in_pieces()
    assert pieces.total == 30 * PIECES + 1
    assert len(pieces.images) == PIECES + 1


def test_a_recording_can_be_repeated() -> None:
    arrivals = Arrivals.at([100, DAY + 50], [2, 3]).repeated(every_days=2, days=5)
    assert arrivals.seconds.tolist() == [100, DAY + 50, 2 * DAY + 100, 3 * DAY + 50, 4 * DAY + 100]
    assert arrivals.images.tolist() == [2, 3, 2, 3, 2]


def test_a_csv_file_has_a_time_and_perhaps_a_count_a_line(tmp_path: Path) -> None:
    file = _file(tmp_path, "time,images\n2026-11-22T08:30:00,12\n\n2026-11-21 23:00\n2026-11-22T08:30:00Z,0\n")
    recording = read_csv(file)
    assert recording.begin == datetime(2026, 11, 21, tzinfo=UTC)
    assert recording.days == 2
    assert recording.arrivals.seconds.tolist() == [23 * 3600, DAY + 8.5 * 3600]
    assert recording.arrivals.images.tolist() == [1, 12]


def test_times_of_a_csv_file_are_of_the_time_zone_unless_they_say_theirs(tmp_path: Path) -> None:
    recording = read_csv(_file(tmp_path, "2026-11-22T01:00\n2026-11-22T01:00Z\n"), ZoneInfo("Europe/Berlin"))
    assert recording.arrivals.seconds.tolist() == [3600, 2 * 3600]


@given(st.lists(st.tuples(st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)), st.integers(1, 99)), min_size=1))
def test_every_csv_file_of_times_and_counts_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[datetime, int]]
) -> None:
    text = "".join(f"{moment.isoformat()},{images}\n" for moment, images in rows)
    recording = read_csv(_file(tmp_path_factory.mktemp("csv"), text))
    first = min(moment for moment, _ in rows).replace(tzinfo=UTC)
    assert recording.arrivals.total == sum(images for _, images in rows)
    assert abs(recording.begin + timedelta(seconds=float(recording.arrivals.seconds[0])) - first) < timedelta(seconds=1)
    assert recording.arrivals.seconds[-1] < recording.days * DAY


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-11-22T08:30\nyesterday\n", "line 2: 'yesterday' is no time; allowed is ISO 8601, such as"),
        (
            "2026-11-22T08:30,many\n",
            "line 1: 'many' is no count of images; allowed is a whole number from 0 to 10000000",
        ),
        ("2026-11-22T08:30,-1\n", "line 1: '-1' is no count"),
        ("2026-11-22T08:30,99999999\n", "line 1: '99999999' is no count"),
        ("2026-11-22T08:30,\n", "line 1: '' is no count"),
        ("2026-11-22T08:30,1,x\n", "line 1: 3 columns; allowed are a time and, after a comma, a count"),
        ("2026-11-22T08:30;5\n", "line 1: '2026-11-22T08:30;5' is no time"),
        ("0001-01-01T00:00+14:00\n", "line 1: '0001-01-01T00:00+14:00' is no time"),
        ("", "has no arrivals; it needs at least one line such as"),
        ("time,images\n", "has no arrivals"),
        ("2026-11-22T08:30,0\n", "has no images: every count in it is 0"),
        ('2026-11-22T08:30,"1\n', "is not CSV"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_allowed(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError) as error:
        read_csv(_file(tmp_path, text))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_no_text_makes_another_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = _file(tmp_path_factory.mktemp("csv"), text)
    with contextlib.suppress(InputError):
        assert read_csv(file).arrivals.total > 0


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(b"\xff\xd8\xff")
    with pytest.raises(InputError, match=r"photo\.jpg is not text in UTF-8"):
        read_csv(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"uploads\.csv cannot be read \(No such file or directory\)"):
        read_csv(tmp_path / "uploads.csv")
    with pytest.raises(InputError, match="Is a directory"):
        read_csv(tmp_path)
