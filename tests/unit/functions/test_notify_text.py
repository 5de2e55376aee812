"""What people read: the subject of a notification and the text of its mail."""

import re
import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_labels_batch.functions.notify_labels.alert import Link, find_alert
from custom_labels_batch.functions.notify_labels.digest import Digest, Part, digest_of
from custom_labels_batch.functions.notify_labels.message import message_of
from custom_labels_batch.functions.notify_labels.plain_text import ascii_only, quoted, visible
from custom_labels_batch.functions.notify_labels.subject import subject
from custom_labels_batch.functions.notify_labels.wording import model, percent, place
from custom_labels_batch.functions.shared.prediction import BoundingBox, Label, Prediction, Reason
from tests.unit.functions.alerts import alert, image, label_names, mail_of, only_part, predictions
from tests.unit.functions.predictions import NOON, prediction
from tests.unit.functions.strategies import object_keys

CRACK, SCRATCH = Label(name="crack", confidence=97.24), Label(name="scratch", confidence=81.02)
TOP_LEFT = BoundingBox(left=0.1, top=0.05, width=0.2, height=0.2)


def test_one_image_is_told_about_at_a_glance() -> None:
    cracked = prediction(image("roofs/roof-0412.jpg"), CRACK.model_copy(update={"bounding_box": TOP_LEFT}), SCRATCH)
    part = only_part(cracked)

    assert subject(part) == "crack 97.2%, scratch 81.0% in roof-0412.jpg"
    assert mail_of(part) == (
        "Found in roofs/roof-0412.jpg:\n"
        "\n"
        "- crack 97.2% (top left)\n"
        "- scratch 81.0%\n"
        "\n"
        "Uploaded: 22 Nov 2026, 12:00 UTC\n"
        "Analyzed: 22 Nov 2026, 12:00 UTC\n"
        "Model: surfaces, version surfaces.2026-11-01T00.00.00\n"
        "Stored at: s3://final/images/roofs/roof-0412.jpg\n"
    )


def test_several_images_are_told_in_short_and_then_one_by_one() -> None:
    later = NOON + timedelta(minutes=5)
    part = only_part(
        prediction(image("a.jpg", 1), CRACK.model_copy(update={"confidence": 61.0})),
        prediction(image("b.jpg", 90), SCRATCH, CRACK, processed_at=later),
    )

    assert subject(part) == "2 images: 2 crack, 1 scratch"
    assert mail_of(part) == (
        "Found in 2 images:\n"
        "\n"
        "- crack: 2 images, 61.0% to 97.2%\n"
        "- scratch: 1 image, 81.0%\n"
        "\n"
        "Uploaded: 22 Nov 2026, 12:00 to 12:01 UTC\n"
        "Analyzed: 22 Nov 2026, 12:00 to 12:05 UTC\n"
        "Model: surfaces, version surfaces.2026-11-01T00.00.00\n"
        "\n"
        "1. b.jpg\n"
        "   crack 97.2%; scratch 81.0%\n"
        "   Uploaded 22 Nov 2026, 12:01 UTC\n"
        "   s3://final/images/b.jpg\n"
        "\n"
        "2. a.jpg\n"
        "   crack 61.0%\n"
        "   Uploaded 22 Nov 2026, 12:00 UTC\n"
        "   s3://final/images/a.jpg\n"
    )


class TestAMail:
    def test_says_until_when_its_link_works(self) -> None:
        told = replace(alert(prediction(image(), CRACK)), link=Link("https://example.com/x", NOON + timedelta(hours=1)))
        text = mail_of(Part(Digest((told,)), 0, 1))

        assert text.endswith("\nSee it here until 22 Nov 2026, 13:00 UTC:\nhttps://example.com/x\n")

    def test_of_several_images_has_the_link_of_each_and_says_how_long_they_work(self) -> None:
        until = NOON + timedelta(hours=1)
        one, other = (
            replace(alert(prediction(image(f"{n}.jpg", n), CRACK)), link=Link(f"https://x/{n}", until)) for n in (1, 2)
        )
        text = mail_of(Part(digest_of([one, other]), 0, 2))

        assert "The links work until: 22 Nov 2026, 13:00 UTC\n" in text
        assert "   https://x/1\n" in text
        assert "   https://x/2\n" in text

    def test_of_images_of_two_models_names_the_model_of_each(self) -> None:
        other = prediction(image("b.jpg", 1), SCRATCH)
        arn = str(other.project_version_arn).replace("2026-11-01", "2026-11-20")
        text = mail_of(
            only_part(prediction(image("a.jpg"), CRACK), other.model_copy(update={"project_version_arn": arn}))
        )

        assert "   Model surfaces, version surfaces.2026-11-01T00.00.00\n" in text
        assert "   Model surfaces, version surfaces.2026-11-20T00.00.00\n" in text

    def test_says_how_often_a_label_was_found_instead_of_where(self) -> None:
        at_the_corner = CRACK.model_copy(update={"bounding_box": TOP_LEFT, "confidence": 60.0})

        assert "- crack 97.2% (2 places)\n" in mail_of(only_part(prediction(image(), at_the_corner, CRACK)))

    def test_says_which_part_of_the_digest_it_is(self) -> None:
        digest = digest_of([alert(prediction(image(f"{n}.jpg", n), CRACK)) for n in range(9)])
        part = Part(digest, start=3, end=6, number=2, of=3)

        assert subject(part) == "9 images: 9 crack (part 2 of 3)"
        text = mail_of(part)
        assert "- crack: 9 images, 97.2%\n" in text
        assert "\nThis is part 2 of 3: images 4 to 6, surest first.\n\n4. 3.jpg\n" in text
        assert text.count(".jpg\n   crack") == 3

    @given(st.lists(predictions(), min_size=1, max_size=4))
    def test_cannot_be_given_lines_by_a_name(self, found: list[Prediction]) -> None:
        part = only_part(*found)
        told = part.alerts
        text = mail_of(part)

        if len(told) == 1:
            assert text.count("\n") == 7 + len(told[0].labels)
        else:
            assert text.count("\n") == 6 + len(part.digest.summaries) + 5 * len(told)
        harmful = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
        assert harmful <= set("\n\u200c\u200d")


class TestAName:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("crack", "crack"),
            ("hair-line crack 2.0", "hair-line crack 2.0"),
            ("Riß", "Riß"),
            ('dents, "deep"', '“dents, "deep"”'),
            ("=1+1", "“=1+1”"),
            ("<script>", "“<script>”"),
            ("a\nb", "“a\\nb”"),
            ("", "“”"),
            (" padded", "“ padded”"),
        ],
    )
    def test_is_quoted_where_it_would_run_into_the_words_around(self, name: str, shown: str) -> None:
        assert quoted(name) == shown

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("wall.jpg\r\nModel: none", "wall.jpg\\r\\nModel: none"),
            ("gpj.\u202ellaw", "gpj.\\u202ellaw"),
            ("a\u2028b\x85c\x1b[1m", "a\\u2028b\\u0085c\\u001b[1m"),
            ("\ufffe\U000e0041", "\\ufffe\\U000e0041"),
            ("straße/écran 🧱 👩\u200d🔧", "straße/écran 🧱 👩\u200d🔧"),
        ],
    )
    def test_shows_what_would_hide_or_break_the_line(self, name: str, shown: str) -> None:
        assert visible(name) == shown

    @given(st.text(st.characters(codec="utf-8")))
    def test_is_one_line(self, name: str) -> None:
        assert len(visible(name).splitlines()) <= 1
        assert len(quoted(name).splitlines()) == 1

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("Straße nach Łódź", "Strasse nach Lodz"),
            ("Nägel – „alt“", 'Nagel - "alt"'),
            ("ﬁne…", "fine..."),
            ("写真 1", "? 1"),
            ("  a   b ", "a b"),
            ("a\x00\x1b\nb", "a?b"),
        ],
    )
    def test_is_spelled_in_ascii_as_one_would_by_hand(self, name: str, shown: str) -> None:
        assert ascii_only(name) == shown


def is_allowed(line: str) -> bool:
    """Whether SNS takes a subject (Amazon SNS API reference, Publish)."""
    return bool(re.fullmatch(r"[\x21-\x7e][\x20-\x7e]*", line)) and len(line) < 100


class TestASubject:
    @given(st.lists(predictions(), min_size=1, max_size=3))
    def test_is_what_sns_takes_whatever_the_names_are(self, found: list[Prediction]) -> None:
        line = message_of(only_part(*found)).subject

        assert is_allowed(line), line

    @given(object_keys(), st.lists(label_names(), min_size=1, max_size=30, unique=True), st.integers(1, 9999))
    @example("k" * 1024, ["l" * 255] * 3, 9999)
    def test_of_any_part_is_what_sns_takes(self, key: str, names: list[str], parts: int) -> None:
        found = [Label(name=name, confidence=100) for name in names]
        alerts = tuple(alert(prediction(image(key, n), *found)) for n in range(2))

        assert is_allowed(subject(Part(Digest(alerts), 0, 1, parts, parts)))
        assert is_allowed(subject(Part(Digest(alerts[:1]), 0, 1)))

    @pytest.mark.parametrize(
        ("key", "ending"),
        [
            ("a/b/wall.jpg", " in wall.jpg"),
            ("Straße.jpg", " in Strasse.jpg"),
            ("写真/写真.jpg", " in an image"),
            ("folder/", " in folder"),
            ("///", " in an image"),
            ("x" * 200 + "-0001.jpg", "-0001.jpg"),
        ],
    )
    def test_ends_with_the_name_of_the_image(self, key: str, ending: str) -> None:
        assert subject(only_part(prediction(image(key), CRACK))).endswith(ending)

    def test_names_as_many_labels_as_there_is_room_for(self) -> None:
        many = [Label(name=f"label {n}", confidence=90 - n) for n in range(50)]
        line = subject(only_part(prediction(image("photograph-0001.jpg"), *many)))

        assert line.startswith("label 0 90.0%, label 1 89.0%")
        assert re.search(r" and \d\d more in photograph-0001\.jpg\Z", line)

    @pytest.mark.parametrize("name", ["亀裂", "🧱", "\u202e", " "])
    def test_says_label_where_ascii_has_no_word_for_it(self, name: str) -> None:
        line = subject(only_part(prediction(image(), Label(name=name, confidence=90))))

        assert line == "label of interest 90.0% in roof.jpg"


class TestAnAlert:
    def test_is_due_from_the_threshold_on(self) -> None:
        at = prediction(image(), Label(name="crack", confidence=80.0))
        below = prediction(image(), Label(name="crack", confidence=79.9999))

        assert find_alert(at, {"crack": 80.0})
        assert find_alert(below, {"crack": 80.0}) is None

    def test_is_due_for_exactly_that_label(self) -> None:
        assert find_alert(prediction(image(), CRACK), {"Crack": 0, "crack ": 0, "crac": 0}) is None

    def test_has_the_labels_of_interest_surest_first_and_no_others(self) -> None:
        told = find_alert(
            prediction(image(), SCRATCH, CRACK, Label(name="dent", confidence=99)), {"crack": 1, "scratch": 1}
        )

        assert told
        assert [label.name for label in told.labels] == ["crack", "scratch"]

    def test_counts_only_the_places_that_reach_the_threshold(self) -> None:
        found = [Label(name="crack", confidence=confidence) for confidence in (54.9, 55, 90)]
        told = find_alert(prediction(image(), *found), {"crack": 55})

        assert told
        assert [(label.places, label.confidence) for label in told.labels] == [(2, 90)]

    def test_is_never_due_for_an_image_that_was_rejected_or_has_no_labels(self) -> None:
        rejected = prediction(image(), reason=Reason(code="EmptyObject", message="the file is empty"))

        assert find_alert(rejected.model_copy(update={"labels": (CRACK,)}), {"crack": 0}) is None
        assert find_alert(prediction(image()), {"crack": 0}) is None

    def test_names_fifty_labels(self) -> None:
        many = [Label(name=f"label {n}", confidence=90) for n in range(50)]
        text = mail_of(only_part(prediction(image(), *many)))

        assert all(f"- label {n} 90.0%\n" in text for n in range(50))


class TestWording:
    @pytest.mark.parametrize(
        ("confidence", "said"), [(0, "0.0%"), (69.96, "70.0%"), (99.95, "99.9%"), (99.9999, "99.9%"), (100, "100%")]
    )
    def test_a_confidence_below_100_is_never_said_to_be_certain(self, confidence: float, said: str) -> None:
        assert percent(confidence) == said

    @pytest.mark.parametrize(
        ("left", "top", "size", "said"),
        [
            (0, 0, 0.1, "top left"),
            (0.9, 0.9, 0.1, "bottom right"),
            (0.45, 0.45, 0.1, "center"),
            (0.45, 0.9, 0.1, "bottom center"),
            (0, 0, 0.8, ""),
            (1e308, -1e308, 0, "top right"),
            (1.5e308, 1.5e308, -1e308, ""),
        ],
    )
    def test_a_place_is_said_where_it_helps(self, left: float, top: float, size: float, said: str) -> None:
        assert place(BoundingBox(left=left, top=top, width=size, height=size)) == said

    def test_a_model_of_another_form_is_named_by_its_arn(self) -> None:
        assert model("arn:aws:rekognition:elsewhere") == "arn:aws:rekognition:elsewhere"
        assert model(None) == "unknown"
