"""Identity, order, places and documents: what all functions agree on."""

import json
from datetime import datetime
from functools import cmp_to_key
from itertools import combinations
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from custom_labels_batch.functions.shared.image_version import ImageVersion, is_later
from custom_labels_batch.functions.shared.object_keys import MAX_KEY_BYTES, Shelf, place_on, superseded_place
from custom_labels_batch.functions.shared.prediction import BoundingBox, Label, Mark, Prediction
from tests.unit.functions.predictions import NOON, prediction
from tests.unit.functions.strategies import image_versions, object_keys, sequencers

SUFFIXES = st.sampled_from([".jpg", ".JPEG", ".png"])


class TestAnImageId:
    @given(image=image_versions(), other=image_versions())
    def test_differs_wherever_bucket_key_or_version_differ(self, image: ImageVersion, other: ImageVersion) -> None:
        same = (image.bucket, image.key, image.version_id or image.etag) == (
            other.bucket,
            other.key,
            other.version_id or other.etag,
        )
        assert (image.image_id == other.image_id) is same

    def test_is_what_it_always_was(self) -> None:
        image = ImageVersion("bucket", "key", "version", "etag", "00", 1, NOON)

        # printf 'bucket\nkey\nversion' | sha256sum
        assert image.image_id == "5fd28693015618dda7b00c08814b02750ab8df166c431a9cd142609f9da34d60"


class TestSequencers:
    @given(events=st.lists(sequencers(), min_size=3, max_size=6))
    def test_put_all_events_of_a_key_in_one_order(self, events: list[str]) -> None:
        def compare(one: str, other: str) -> int:
            return is_later(one, other) - is_later(other, one)

        in_order = sorted(events, key=cmp_to_key(compare))

        assert not any(is_later(earlier, later) for earlier, later in combinations(in_order, 2))

    @given(sequencer=sequencers(), zeros=st.integers(0, 5))
    def test_are_padded_on_the_right_before_they_compare(self, sequencer: str, zeros: int) -> None:
        assert not is_later(sequencer + "0" * zeros, sequencer)
        assert not is_later(sequencer, sequencer + "0" * zeros)

    @given(first=sequencers(), second=sequencers())
    def test_compare_alike_in_either_case(self, first: str, second: str) -> None:
        assert is_later(first.lower(), second) is is_later(first, second.lower())

    def test_compare_from_the_left(self) -> None:
        assert is_later("00B", "00A9999")


def colliding_keys() -> st.SearchStrategy[str]:
    """Keys made of what places are made of, so that two of them meet if they can."""
    pieces = ["a", "/", ".jpg", ".json", "images/", "superseded/", "long-keys", "long-keys/", "1" * 64, "2" * 64]
    return st.lists(st.sampled_from([*pieces, "../", "a" * 1000]), min_size=1, max_size=6).map("".join).map(_fitting)


def _fitting(key: str) -> str:
    return key[:MAX_KEY_BYTES]


def objects_of(key: str, image_id: str) -> set[str]:
    """Every object that may be written for one image version."""
    places = [*(place_on(shelf, key, image_id) for shelf in Shelf), superseded_place(key, image_id)]
    return {name for place in places for name in (place.image_key, place.document_key)}


class TestPlacesInTheFinalBucket:
    @given(image=image_versions(), suffix=SUFFIXES)
    def test_always_fit_what_s3_takes(self, image: ImageVersion, suffix: str) -> None:
        key = image.key + suffix
        places = [*(place_on(shelf, key, image.image_id) for shelf in Shelf), superseded_place(key, image.image_id)]

        assert all(len(place.document_key.encode()) <= MAX_KEY_BYTES for place in places)

    @given(keys=st.tuples(colliding_keys(), colliding_keys()))
    @example(keys=("a.jpg", "a.jpg.json"))
    @example(keys=("a" * 1016 + ".jpg", f"long-keys/{'1' * 64}.jpg"))
    @example(keys=("a" * 1016 + ".json", f"long-keys/{'1' * 64}"))
    @example(keys=("long-keys", "long-keys/" + "1" * 64))
    def test_of_different_keys_share_no_object(self, keys: tuple[str, str]) -> None:
        assume(keys[0] != keys[1])

        first, second = (objects_of(key, str(number) * 64) for number, key in enumerate(keys, 1))

        assert not first & second

    @given(key=object_keys())
    def test_keep_the_key_as_it_is_where_it_fits(self, key: str) -> None:
        assume(len(key.encode()) <= MAX_KEY_BYTES - len("images/.json"))
        assume(not key.endswith(".json") and not key.startswith("long-keys/"))

        assert place_on(Shelf.IMAGES, key, "1" * 64).image_key == f"images/{key}"

    def test_of_a_key_one_byte_too_long_are_named_by_the_id(self) -> None:
        key = "a" * (MAX_KEY_BYTES - len("images/.json") - 3) + ".png"

        assert place_on(Shelf.IMAGES, key, "1" * 64).image_key == f"images/long-keys/{'1' * 64}.png"

    @pytest.mark.parametrize("key", ["a.jpg.json", "long-keys/a.jpg"])
    def test_of_a_key_that_could_be_anothers_place_are_named_by_the_id(self, key: str) -> None:
        assert place_on(Shelf.IMAGES, key, "1" * 64).image_key.startswith(f"images/long-keys/{'1' * 64}.")


class TestADocument:
    @given(image=image_versions(), name=st.text())
    def test_comes_back_as_it_was_written(self, image: ImageVersion, name: str) -> None:
        written = prediction(image, Label(name=name, confidence=70.0))

        assert Prediction.model_validate_json(written.to_json()) == written

    @given(image=image_versions(), name=st.text(st.characters(codec="utf-8")))
    def test_holds_no_character_that_sns_or_sqs_refuse(self, image: ImageVersion, name: str) -> None:
        assert all(
            " " <= character <= "~" for character in prediction(image, Label(name=name, confidence=70.0)).to_json()
        )

    def test_of_a_later_release_still_serves_as_a_mark(self) -> None:
        later = {"imageId": "1", "sequencer": "00", "finalVersionId": "v", "addedLater": [1]}

        assert Mark.model_validate_json(json.dumps(later)) == Mark(image_id="1", sequencer="00", final_version_id="v")


BOX = BoundingBox(left=0.1, top=0.2, width=0.3, height=0.4)
DOCUMENT = json.loads(
    prediction(
        ImageVersion("photographs", "a.jpg", "v1", "5d41402a", "0061", 12, NOON),
        Label(name="brick", confidence=70.0, bounding_box=BOX),
    ).to_json()
)


def with_value(path: str, value: str) -> str:
    """The JSON of a document with some other JSON in one place."""
    found: Any = json.loads(json.dumps(DOCUMENT))
    *parents, name = path.split(".")
    place = found
    for parent in parents:
        place = place[int(parent)] if parent.isdigit() else place[parent]
    assert name in place
    place[name] = "here"
    return json.dumps(found).replace('"here"', value)


class TestADocumentNobodyCouldUse:
    @pytest.mark.parametrize(
        ("path", "values"),
        [
            ("labels.0.confidence", ["NaN", "Infinity", "1e999", "1e300", "100.00001", "-0.1", "null"]),
            *((f"labels.0.boundingBox.{name}", ["NaN", "-Infinity", "1e999"]) for name in BoundingBox.model_fields),
            ("size", ["-1", "9223372036854775808", "1e999"]),
            *(
                (
                    name,
                    [
                        '"0001-01-01T00:00:00+10:00"',
                        '"9999-12-31T23:59:59-10:00"',
                        '"2026-11-22T12:00:00"',
                    ],
                )
                for name in ("uploadedAt", "processedAt")
            ),
            *(
                (
                    name,
                    [
                        '"s3:///images/"',
                        '"s3://a b/images/x"',
                        '"s3://final"',
                        '"s3://final/"',
                        '"s3://fi\\nal/x"',
                        '"https://final/x"',
                        '"x s3://final/x"',
                    ],
                )
                for name in ("finalUri", "sourceUri")
            ),
            ("sourceBucket", ['""', '"a b"', '"photographs/"']),
        ],
    )
    def test_is_none(self, path: str, values: list[str]) -> None:
        for value in values:
            with pytest.raises(ValidationError, match=r"1 validation error"):
                Prediction.model_validate_json(with_value(path, value))

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("labels.0.confidence", "0"),
            ("labels.0.confidence", "100"),
            ("labels.0.boundingBox.left", "-0.05"),
            ("size", "0"),
            ("size", "9223372036854775807"),
            ("sourceBucket", '"My_Bucket.of.2010"'),
            ("finalUri", '"s3://final/images/two\\nlines\\n"'),
            ("uploadedAt", '"0001-01-01T00:00:00Z"'),
        ],
    )
    def test_is_not_one_at_the_edge_of_what_can_be(self, path: str, value: str) -> None:
        Prediction.model_validate_json(with_value(path, value))

    def test_is_not_one_with_times_of_another_offset_which_are_kept_in_utc(self) -> None:
        moment = datetime.fromisoformat("2026-11-23T01:30:00+05:30")
        image = ImageVersion("photographs", "a.jpg", "v1", "5d41402a", "0061", 12, moment)

        kept = prediction(image, processed_at=moment)

        assert kept.uploaded_at.isoformat() == kept.processed_at.isoformat() == "2026-11-22T20:00:00+00:00"


def test_the_examples_in_the_docstrings_hold() -> None:
    import doctest

    from custom_labels_batch.functions.analyze_image import failures, image_header
    from custom_labels_batch.functions.shared import environment, image_version, object_keys, pacer

    for module in (environment, image_version, object_keys, failures, image_header, pacer):
        result = doctest.testmod(module)
        assert result.attempted, f"{module.__name__} has no example"
        assert not result.failed
