"""Rows of predictions: what was found is what SQL reads, and the same predictions are the same file."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels_batch.components import predictions_table
from custom_labels_batch.functions.record_predictions.row_files import PREFIX, EncodedPrediction, row_files
from custom_labels_batch.functions.record_predictions.rows import Row, encode, model_version, rows_of
from custom_labels_batch.functions.record_predictions.table_days import FIRST_DAY, day_of, require_shown
from custom_labels_batch.functions.shared.image_version import ImageVersion
from custom_labels_batch.functions.shared.messages import MalformedMessageError
from custom_labels_batch.functions.shared.prediction import BoundingBox, Label, Prediction, Reason
from tests.unit.functions.predictions import NOON, VERSION_ARN, prediction
from tests.unit.functions.strategies import image_versions

HOSTILE = ['"; DROP TABLE x --', "a,b\tc", "two\nlines\r\n", "🧱\u2028\u0085", "=1+1", "<script>", "\\", "\0", ""]
IMAGE = ImageVersion("photographs", "yard/a b.png", "v1", "5d41402a", "0061", 12, NOON)


def finite() -> st.SearchStrategy[float]:
    return st.floats(allow_nan=False, allow_infinity=False)


def texts() -> st.SearchStrategy[str]:
    return st.sampled_from(HOSTILE) | st.text(st.characters(codec="utf-8"), max_size=300)


def labels() -> st.SearchStrategy[Label]:
    boxes = st.builds(BoundingBox, left=finite(), top=finite(), width=finite(), height=finite())
    return st.builds(Label, name=texts(), confidence=st.floats(0, 100), bounding_box=st.none() | boxes)


@st.composite
def predictions(draw: st.DrawFn) -> Prediction:
    image = draw(image_versions())
    if draw(st.booleans()):
        return prediction(image, reason=Reason(code=draw(texts()), message=draw(texts())))
    return prediction(image, *draw(st.lists(labels(), max_size=50)))


def read_back(lines: bytes) -> list[Row]:
    """As a SerDe does: split at line feeds and carriage returns, which end a record; one object each."""
    records = lines.replace(b"\r", b"\n").split(b"\n")
    assert records.pop() == b""
    return [json.loads(record) for record in records]


def moment(text: str) -> datetime:
    """Read a timestamp as java.sql.Timestamp does, and nothing else."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)


class TestTheRowsOfAPrediction:
    @given(written=predictions())
    def test_read_back_as_what_was_found(self, written: Prediction) -> None:
        rows = read_back(encode(written))

        found = [row for row in rows if row["label_number"] is not None]
        assert [row["label_number"] for row in found] == list(range(len(written.labels)))
        for row, label in zip(found, written.labels, strict=True):
            box = BoundingBox(**row["bounding_box"]) if row["bounding_box"] else None
            assert Label(name=row["label"], confidence=row["confidence"], bounding_box=box) == label

    @given(written=predictions())
    def test_each_say_which_image_they_are_about(self, written: Prediction) -> None:
        for row in read_back(encode(written)):
            assert row["image_id"] == written.image_id
            assert row["image_key"] == written.image_key
            assert row["image_uri"] == written.final_uri
            assert row["source_bucket"] == written.source_bucket
            assert row["size"] == written.size
            assert row["status"] == written.status
            assert abs(moment(row["uploaded_at"]) - written.uploaded_at) < timedelta(milliseconds=1)
            assert moment(row["processed_at"]) == written.processed_at

    @given(written=predictions())
    def test_are_as_many_as_labels_and_one_without(self, written: Prediction) -> None:
        assert len(read_back(encode(written))) == max(1, len(written.labels))

    @given(written=predictions())
    def test_hold_ascii_alone(self, written: Prediction) -> None:
        assert encode(written).isascii()

    def test_of_an_image_without_labels_are_one_with_nulls(self) -> None:
        (row,) = rows_of(prediction(IMAGE))

        assert [row[name] for name in ("label", "confidence", "bounding_box", "label_number")] == [None] * 4
        assert (row["status"], row["reason_code"], row["reason_message"]) == ("labelled", None, None)

    def test_of_a_rejected_image_say_why(self) -> None:
        (row,) = rows_of(prediction(IMAGE, reason=Reason(code="TooLarge", message="It has 16 MB")))

        assert (row["status"], row["reason_code"], row["reason_message"]) == ("rejected", "TooLarge", "It has 16 MB")
        assert (row["label"], row["model_version"]) == (None, None)

    def test_of_fifty_labels_are_fifty(self) -> None:
        found = [Label(name=f"label {number}", confidence=70 + number / 3) for number in range(50)]

        assert [row["label"] for row in rows_of(prediction(IMAGE, *found))] == [label.name for label in found]

    @pytest.mark.parametrize("confidence", [70.0, 0.0, 100.0, 99.99999237060547, 0.1 + 0.2, 5e-324])
    def test_keep_a_confidence_to_the_last_bit(self, confidence: float) -> None:
        (row,) = read_back(encode(prediction(IMAGE, Label(name="brick", confidence=confidence))))

        assert row["confidence"].hex() == confidence.hex()

    def test_name_the_model_version(self) -> None:
        (row,) = rows_of(prediction(IMAGE))

        assert row["model_version"] == "surfaces.2026-11-01T00.00.00"

    def test_name_a_model_they_cannot_read_the_name_of_by_its_arn(self) -> None:
        assert model_version("arn:of:something:else") == "arn:of:something:else"

    def test_have_timestamps_with_milliseconds_in_utc_even_at_a_full_second(self) -> None:
        east = timezone(timedelta(hours=5, minutes=30))

        (row,) = rows_of(prediction(IMAGE, processed_at=datetime(2026, 11, 23, 1, 2, 3, 45_678, tzinfo=east)))

        assert row["processed_at"] == "2026-11-22 19:32:03.045"
        assert row["uploaded_at"] == "2026-11-22 12:00:00.000"


class TestTheDay:
    @pytest.mark.parametrize(
        ("uploaded_at", "day"),
        [
            ("2026-11-22T23:59:59.999Z", "2026-11-22"),
            ("2026-11-23T00:00:00Z", "2026-11-23"),
            ("2026-11-23T01:30:00+05:30", "2026-11-22"),
            ("2026-11-22T20:00:00-08:00", "2026-11-23"),
        ],
    )
    def test_is_that_of_the_upload_in_utc(self, uploaded_at: str, day: str) -> None:
        image = replace(IMAGE, uploaded_at=datetime.fromisoformat(uploaded_at))

        assert day_of(prediction(image)) == day

    def test_stays_when_the_image_is_analysed_again_later(self) -> None:
        assert day_of(prediction(IMAGE, processed_at=NOON + timedelta(days=3))) == "2026-11-22"


def uploaded(moment: str) -> Prediction:
    return prediction(replace(IMAGE, uploaded_at=datetime.fromisoformat(moment)))


class TestTheTable:
    @pytest.mark.parametrize("moment", ["2026-01-01T00:00:00Z", "2026-11-22T12:00:00Z", "2026-11-23T11:59:59Z"])
    def test_shows_what_was_uploaded_since_its_first_day(self, moment: str) -> None:
        require_shown(uploaded(moment), now=NOON)

    @pytest.mark.parametrize(
        "moment", ["2025-12-31T23:59:59.999Z", "2026-01-01T00:59:59+01:00", "0001-01-01T00:00:00Z"]
    )
    def test_shows_on_its_first_day_what_was_uploaded_before(self, moment: str) -> None:
        require_shown(uploaded(moment), now=NOON)

        assert day_of(uploaded(moment)) == "2026-01-01"

    @pytest.mark.parametrize("moment", ["2026-11-23T12:00:01Z", "9999-12-31T23:59:59Z"])
    def test_does_not_show_what_is_yet_to_be_uploaded(self, moment: str) -> None:
        with pytest.raises(MalformedMessageError, match=r"uploadedAt is .+, more than a day ahead of 2026-11-22T12:00"):
            require_shown(uploaded(moment), now=NOON)

    def test_begins_on_the_day_and_lies_where_the_function_thinks(self) -> None:
        assert FIRST_DAY.isoformat() == predictions_table.FIRST_DAY
        assert predictions_table.PREDICTIONS_PREFIX == PREFIX


def encoded(message_id: str, *, day: str = "2026-11-22", lines: bytes = b"{}\n") -> EncodedPrediction:
    return EncodedPrediction(message_id, day, lines)


def batches() -> st.SearchStrategy[list[EncodedPrediction]]:
    days = st.sampled_from(["2026-11-21", "2026-11-22", "2026-11-23"])
    lines = st.integers(0, 9).map(lambda number: b'{"image_id":"%d"}\n' % number)
    return st.lists(st.builds(EncodedPrediction, st.uuids().map(str), days, lines), max_size=20)


class TestTheFilesOfABatch:
    @given(batch=batches(), data=st.data())
    def test_are_the_same_for_the_same_predictions_in_any_order(
        self, batch: list[EncodedPrediction], data: st.DataObject
    ) -> None:
        shuffled = data.draw(st.permutations(batch))

        assert [(file.key, file.body) for file in row_files(shuffled)] == [
            (file.key, file.body) for file in row_files(batch)
        ]

    @given(batch=batches())
    def test_hold_every_prediction_once_in_its_day(self, batch: list[EncodedPrediction]) -> None:
        found = {
            file.key.split("/")[1]: gzip.decompress(file.body).splitlines(keepends=True) for file in row_files(batch)
        }

        expected: dict[str, set[bytes]] = {}
        for one in batch:
            expected.setdefault(f"dt={one.day}", set()).add(one.lines)
        assert found == {day: sorted(lines) for day, lines in expected.items()}

    @given(batch=batches())
    def test_name_the_messages_in_them(self, batch: list[EncodedPrediction]) -> None:
        named = [message_id for file in row_files(batch) for message_id in file.message_ids]

        assert sorted(named) == sorted(one.message_id for one in batch)

    def test_are_the_same_bytes_at_another_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        (now,) = row_files([encoded("1")])
        monkeypatch.setattr("time.time", lambda: 4e9)
        (then,) = row_files([encoded("1")])

        assert then.body == now.body

    def test_have_other_names_for_other_rows(self) -> None:
        (one,) = row_files([encoded("1", lines=b'{"a":1}\n')])
        (other,) = row_files([encoded("1", lines=b'{"a":2}\n')])

        assert one.key != other.key

    def test_are_in_the_partition_of_their_day(self) -> None:
        (file,) = row_files([encoded("1")])

        prefix, partition, name = file.key.split("/")
        assert (prefix, partition) == ("predictions", "dt=2026-11-22")
        assert name.endswith(".json.gz")

    def test_compress_a_full_batch_into_a_small_part(self) -> None:
        images = [ImageVersion("photographs", f"{n:05}.jpg", str(n), "5d41402a", "0061", 12, NOON) for n in range(1000)]
        batch = [
            EncodedPrediction(
                str(n), "2026-11-22", encode(prediction(image, Label(name="brick", confidence=90 + n / 999)))
            )
            for n, image in enumerate(images)
        ]

        (file,) = row_files(batch)

        assert len(file.body) < sum(len(one.lines) for one in batch) / 4


def test_the_examples_in_the_docstrings_hold() -> None:
    import doctest

    from custom_labels_batch.functions.record_predictions import rows

    result: Any = doctest.testmod(rows)
    assert result.attempted
    assert not result.failed


def test_the_arn_of_the_tests_is_one_rekognition_gives() -> None:
    assert model_version(VERSION_ARN) != VERSION_ARN
