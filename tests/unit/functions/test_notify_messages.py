"""What is published: JSON for programs, attributes for filters, and parts that SNS takes."""

import doctest
import importlib
import json
import re
from itertools import pairwise
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_labels_batch.functions.notify_labels import message
from custom_labels_batch.functions.notify_labels.alert import Alert, Link
from custom_labels_batch.functions.notify_labels.digest import Digest, Part, digest_of, pack
from custom_labels_batch.functions.notify_labels.message import message_of, parts_of
from custom_labels_batch.functions.shared.prediction import BoundingBox, Label, Prediction
from tests.unit.functions.alerts import alert, document_of, image, mail_of, only_part, parts, predictions, texts_of
from tests.unit.functions.predictions import NOON, VERSION_ARN, prediction

LIMIT = 262_144
"""Bytes that SNS takes (Amazon SNS API reference, Publish)."""

CRACK, SCRATCH = Label(name="crack", confidence=97.2412), Label(name="scratch", confidence=81.0)


@pytest.mark.parametrize("name", ["digest", "plain_text", "wording"])
def test_the_examples_in_the_docstrings_are_true(name: str) -> None:
    module: ModuleType = importlib.import_module(f"custom_labels_batch.functions.notify_labels.{name}")
    result = doctest.testmod(module)

    assert result.failed == 0
    assert result.attempted > 0


class TestTheDocument:
    def test_says_what_the_mail_says(self) -> None:
        box = BoundingBox(left=0.1, top=0.2, width=0.3, height=0.4)
        found = prediction(image("a b.jpg"), CRACK.model_copy(update={"bounding_box": box}), SCRATCH)

        assert document_of(only_part(found)) == {
            "labels": ["crack", "scratch"],
            "highestConfidence": 97.2412,
            "imageCount": 1,
            "part": 1,
            "parts": 1,
            "images": [
                {
                    "imageId": found.image_id,
                    "imageKey": "a b.jpg",
                    "sourceUri": "s3://photographs/a b.jpg",
                    "finalUri": "s3://final/images/a b.jpg",
                    "finalVersionId": "v1",
                    "projectVersionArn": VERSION_ARN,
                    "uploadedAt": "2026-11-22T12:00:00.000Z",
                    "processedAt": "2026-11-22T12:00:00.000Z",
                    "predictionUri": "s3://final/images/a b.jpg.json",
                    "labels": [
                        {
                            "name": "crack",
                            "confidence": 97.2412,
                            "threshold": 0.0,
                            "places": 1,
                            "boundingBox": {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4},
                        },
                        {"name": "scratch", "confidence": 81.0, "threshold": 0.0, "places": 1, "boundingBox": None},
                    ],
                    "link": None,
                    "linkExpiresAt": None,
                }
            ],
        }

    def test_has_the_link(self) -> None:
        told = Alert(prediction(image(), CRACK), alert(prediction(image(), CRACK)).labels, Link("https://x/", NOON))
        (found,) = document_of(Part(Digest((told,)), 0, 1))["images"]

        assert (found["link"], found["linkExpiresAt"]) == ("https://x/", "2026-11-22T12:00:00Z")

    @given(predictions())
    def test_keeps_every_name_as_it_is(self, found: Prediction) -> None:
        part = only_part(found)
        (told,) = document_of(part)["images"]

        assert texts_of(part)["default"].isascii()
        assert told["imageKey"] == found.image_key
        assert {label["name"] for label in told["labels"]} == {label.name for label in found.labels}


class TestAMessage:
    def test_has_a_text_for_each_kind_of_subscriber(self) -> None:
        part = only_part(prediction(image("roof.jpg"), CRACK))
        texts = texts_of(part)
        line = "crack 97.2% in roof.jpg"

        assert set(texts) == {"default", "email", "sms", "APNS", "APNS_SANDBOX", "GCM"}
        assert json.loads(texts["default"])["images"]
        assert texts["email"].startswith("Found in roof.jpg:")
        assert texts["sms"] == message_of(part).subject == line
        assert json.loads(texts["APNS"]) == json.loads(texts["APNS_SANDBOX"]) == {"aps": {"alert": line}}
        assert json.loads(texts["GCM"])["fcmV1Message"]["message"]["notification"]["body"] == line

    def test_can_be_filtered_by_its_labels_and_highest_confidence(self) -> None:
        one, other = prediction(image("a", 1), SCRATCH, CRACK), prediction(image("b", 2), Label(name='"', confidence=1))

        assert message_of(only_part(one, other)).attributes == {
            "labels": {"DataType": "String.Array", "StringValue": '["\\"", "crack", "scratch"]'},
            "highestConfidence": {"DataType": "Number", "StringValue": "97.2412"},
        }

    def test_is_filtered_by_the_labels_of_its_own_part(self) -> None:
        digest = digest_of([alert(prediction(image("a", 1), CRACK)), alert(prediction(image("b", 2), SCRATCH))])
        attributes = message_of(Part(digest, 1, 2, 2, 2)).attributes

        assert attributes["labels"]["StringValue"] == '["scratch"]'
        assert attributes["highestConfidence"]["StringValue"] == "81.0000"

    def test_counts_everything_that_sns_counts_in_bytes(self) -> None:
        found = message_of(only_part(prediction(image("🧱.jpg"), CRACK)))
        attributes = "labelsString.Array" + '["crack"]' + "highestConfidenceNumber" + "97.2412"

        assert found.size == len(found.subject) + len(found.structure.encode()) + len(attributes)


def told(found: list[Part]) -> list[str]:
    """The image ids that parts tell about, in order."""
    return [alert.prediction.image_id for part in found for alert in part.alerts]


class TestSplitting:
    def test_a_digest_that_fits_is_one_message(self) -> None:
        assert len(parts(*(prediction(image(f"{n:04}.jpg", n), CRACK) for n in range(150)))) == 1

    @pytest.mark.parametrize("character", ["k", "🧱", "\x01", '"', "\\"])
    def test_hundreds_of_images_are_told_in_parts_that_sns_takes(self, character: str) -> None:
        """The limit is in bytes: of characters that take four, or grow when they are escaped, fewer fit."""
        keys = [f"{n:04}{character * (1000 // len(character.encode()))}.jpg" for n in range(300)]
        found = parts(*(prediction(image(key, n), CRACK, SCRATCH) for n, key in enumerate(keys)))
        sizes = [message_of(part).size for part in found]

        assert max(sizes) <= LIMIT
        assert len(told(found)) == len(set(told(found))) == 300
        # Full, but for one image and the room kept for longer numbers.
        assert all(size + 30_000 > LIMIT for size in sizes[:-1])

    def test_a_part_is_filled_to_the_last_image_that_fits(self) -> None:
        found = parts(*(prediction(image(f"{n}", n), CRACK) for n in range(1200)))
        sizes = [message_of(part).size for part in found]

        assert len(sizes) > 2
        assert all(LIMIT - 3000 < size <= LIMIT for size in sizes[:-1])

    def test_the_parts_are_numbered_and_follow_one_another(self) -> None:
        found = parts(*(prediction(image(f"{n}" + "k" * 900, n), CRACK) for n in range(300)))

        assert [(part.number, part.of) for part in found] == [(n + 1, len(found)) for n in range(len(found))]
        assert found[0].start == 0
        assert all(one.end == next_one.start for one, next_one in pairwise(found))
        assert found[-1].end == 300

    def test_every_part_lists_its_images_in_text_and_json(self) -> None:
        found = parts(*(prediction(image(f"{n:03}" + "k" * 900, n), CRACK) for n in range(300)))
        listed = [key for part in found for key in re.findall(r"^[\d,]+\. (.+)$", mail_of(part), re.MULTILINE)]
        in_json = [item["imageKey"] for part in found for item in document_of(part)["images"]]

        assert len(found) > 1
        assert listed == in_json
        assert len(set(listed)) == 300

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data(), st.integers(6_000, 40_000))
    def test_whatever_the_names_are_no_part_is_too_large_and_no_image_is_left_out(
        self, data: st.DataObject, limit: int
    ) -> None:
        alerts = [alert(data.draw(predictions(number))) for number in range(data.draw(st.integers(1, 12)))]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(message, "MAX_BYTES", limit)
            found = parts_of(digest_of(alerts))
        sizes = [message_of(part).size for part in found]

        assert sorted(told(found)) == sorted(alert.prediction.image_id for alert in alerts)
        assert all(size <= limit for part, size in zip(found, sizes, strict=True) if len(part.alerts) > 1)

    @given(st.lists(st.integers(1, 20), min_size=1), st.integers(1, 30))
    def test_packing_keeps_the_order_and_fills_the_room(self, sizes: list[int], room: int) -> None:
        slices = pack(sizes, room)

        assert [index for start, end in slices for index in range(start, end)] == list(range(len(sizes)))
        assert all(sum(sizes[start:end]) <= room or end - start == 1 for start, end in slices)
        assert all(sum(sizes[start : end + 1]) > room for start, end in slices[:-1])
