"""Identity, order, places and documents: what all functions agree on."""

import json
from functools import cmp_to_key
from itertools import combinations

from hypothesis import assume, given
from hypothesis import strategies as st

from functions.shared.image_version import ImageVersion, is_later
from functions.shared.object_keys import MAX_KEY_BYTES, Shelf, place_on, superseded_place
from functions.shared.prediction import Label, Mark, Prediction
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


class TestPlacesInTheFinalBucket:
    @given(image=image_versions(), suffix=SUFFIXES)
    def test_always_fit_what_s3_takes(self, image: ImageVersion, suffix: str) -> None:
        key = image.key + suffix
        places = [*(place_on(shelf, key, image.image_id) for shelf in Shelf), superseded_place(key, image.image_id)]

        assert all(len(place.document_key.encode()) <= MAX_KEY_BYTES for place in places)

    @given(key=object_keys(), other=object_keys())
    def test_of_different_keys_differ(self, key: str, other: str) -> None:
        assume(key != other)

        first, second = place_on(Shelf.IMAGES, key, "1" * 64), place_on(Shelf.IMAGES, other, "2" * 64)

        assert first.image_key != second.image_key

    @given(key=object_keys())
    def test_keep_the_key_as_it_is_where_it_fits(self, key: str) -> None:
        assume(len(key.encode()) <= MAX_KEY_BYTES - len("images/.json"))

        assert place_on(Shelf.IMAGES, key, "1" * 64).image_key == f"images/{key}"

    def test_of_a_key_one_byte_too_long_are_named_by_the_id(self) -> None:
        key = "a" * (MAX_KEY_BYTES - len("images/.json") - 3) + ".png"

        assert place_on(Shelf.IMAGES, key, "1" * 64).image_key == f"images/long-keys/{'1' * 64}.png"


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


def test_the_examples_in_the_docstrings_hold() -> None:
    import doctest

    from functions.analyze_image import failures, image_header
    from functions.shared import environment, image_version, object_keys, pacer

    for module in (environment, image_version, object_keys, failures, image_header, pacer):
        result = doctest.testmod(module)
        assert result.attempted, f"{module.__name__} has no example"
        assert not result.failed
