"""Which labels are kept, and how they are written down."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels_batch.functions.analyze_image.labels import Thresholds
from custom_labels_batch.functions.shared.prediction import BoundingBox, Label

if TYPE_CHECKING:
    from types_boto3_rekognition.type_defs import CustomLabelTypeDef

PERCENT = st.floats(0, 100)


def found(name: str, confidence: float) -> "CustomLabelTypeDef":
    return {"Name": name, "Confidence": confidence}


def test_a_label_at_its_threshold_is_kept() -> None:
    assert Thresholds(70).keep([found("brick", 70.0)]) == (Label(name="brick", confidence=70.0),)


def test_a_label_just_below_its_threshold_is_not() -> None:
    assert Thresholds(70).keep([found("brick", 69.99999)]) == ()


def test_a_label_may_have_a_threshold_of_its_own() -> None:
    thresholds = Thresholds(70, {"grass": 95, "gravel": 20})

    kept = thresholds.keep([found("brick", 80), found("grass", 90), found("gravel", 30)])

    assert [label.name for label in kept] == ["brick", "gravel"]


def test_rekognition_is_asked_with_the_lowest_threshold() -> None:
    assert Thresholds(70, {"grass": 95, "gravel": 20}).lowest == 20


@given(confidence=PERCENT, threshold=PERCENT)
def test_a_kept_label_is_written_with_a_confidence_that_reaches_its_threshold(
    confidence: float, threshold: float
) -> None:
    for label in Thresholds(threshold).keep([found("brick", confidence)]):
        assert label.confidence >= threshold
        assert abs(label.confidence - confidence) <= 0.00005


@given(confidence=st.floats(100, 101) | st.just(float("inf")), threshold=PERCENT)
def test_a_confidence_a_little_over_100_is_written_as_100(confidence: float, threshold: float) -> None:
    assert Thresholds(threshold).keep([found("brick", confidence)]) == (Label(name="brick", confidence=100.0),)


def test_the_surest_label_comes_first() -> None:
    kept = Thresholds(0).keep([found("brick", 10), found("grass", 90), found("gravel", 50)])

    assert [label.name for label in kept] == ["grass", "gravel", "brick"]


def test_a_labels_place_in_the_image_is_kept() -> None:
    label = found("brick", 90)
    label["Geometry"] = {"BoundingBox": {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}}

    (kept,) = Thresholds(0).keep([label])

    assert kept.bounding_box == BoundingBox(left=0.1, top=0.2, width=0.3, height=0.4)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_label_is_kept_even_if_its_place_is_none(number: float) -> None:
    label = found("brick", 90)
    label["Geometry"] = {"BoundingBox": {"Left": 0.1, "Top": number, "Width": 0.3, "Height": 0.4}}

    assert Thresholds(0).keep([label]) == (Label(name="brick", confidence=90.0),)


def test_a_place_may_stick_out_of_the_image() -> None:
    label = found("brick", 90)
    label["Geometry"] = {"BoundingBox": {"Left": -0.02, "Top": 0.9, "Width": 1.05, "Height": 0.2}}

    (kept,) = Thresholds(0).keep([label])

    assert kept.bounding_box == BoundingBox(left=-0.02, top=0.9, width=1.05, height=0.2)
