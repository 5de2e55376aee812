"""Notifications for the tests of notify-labels."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from custom_labels_batch.functions.notify_labels.alert import Alert, find_alert
from custom_labels_batch.functions.notify_labels.digest import Part, digest_of
from custom_labels_batch.functions.notify_labels.message import message_of, parts_of
from custom_labels_batch.functions.shared.image_version import ImageVersion
from custom_labels_batch.functions.shared.prediction import BoundingBox, Label, Prediction
from tests.unit.functions.predictions import NOON, prediction
from tests.unit.functions.strategies import object_keys


def image(key: str = "roof.jpg", number: int = 0) -> ImageVersion:
    """An image uploaded so many seconds after noon."""
    return ImageVersion("photographs", key, f"v{number}", "5d41402a", "0061", 12, NOON + timedelta(seconds=number))


def alert(found: Prediction) -> Alert:
    """What there is to tell where everybody is interested in every label."""
    told = find_alert(found, {label.name: 0.0 for label in found.labels})
    assert told
    return told


def parts(*predictions: Prediction) -> list[Part]:
    """The parts of a digest of images."""
    return parts_of(digest_of([alert(found) for found in predictions]))


def only_part(*predictions: Prediction) -> Part:
    (part,) = parts(*predictions)
    return part


def mail_of(part: Part) -> str:
    """The text that an e-mail subscription gets."""
    return str(texts_of(part)["email"])


def document_of(part: Part) -> dict[str, Any]:
    """What a queue, a function or a URL gets."""
    found: dict[str, Any] = json.loads(texts_of(part)["default"])
    return found


def texts_of(part: Part) -> dict[str, str]:
    """Protocol -> text, as SNS reads it."""
    found: dict[str, str] = json.loads(message_of(part).structure)
    return found


def label_names() -> st.SearchStrategy[str]:
    """Labels as people name them, and as no one should."""
    nasty = [
        'dents, "deep"',
        "=1+1",
        "<script>alert(1)</script>",
        "a\nb",
        "🧱",
        "crack\u202e",
        "\x00",
        " ",
        "亀裂",
        "1",
    ]
    return st.sampled_from(["crack", *nasty]) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=100)


def labels() -> st.SearchStrategy[Label]:
    fractions = st.floats(0, 1)
    boxes = st.builds(BoundingBox, left=fractions, top=fractions, width=fractions, height=fractions)
    return st.builds(Label, name=label_names(), confidence=st.floats(0, 100), bounding_box=st.none() | boxes)


@st.composite
def predictions(draw: st.DrawFn, number: int = 0) -> Prediction:
    """An image with up to a few labels."""
    found: Sequence[Label] = draw(st.lists(labels(), min_size=1, max_size=5))
    return prediction(image(draw(object_keys()), number), *found)
