"""The sandbox's photographs and the model that looks at them."""

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from skimage import data

from sandbox import photographs as module
from sandbox.classifier import Classifier
from sandbox.photographs import LABELS, photographs


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier()


def test_the_same_seed_gives_the_same_photographs() -> None:
    assert list(photographs(6, seed=5)) == list(photographs(6, seed=5))
    assert list(photographs(6, seed=5)) != list(photographs(6, seed=6))


def test_every_label_is_equally_frequent() -> None:
    assert Counter(label for label, _ in photographs(30, seed=1)) == dict.fromkeys(LABELS, 10)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_photographs_are_images_rekognition_takes(image_format: str) -> None:
    for _, content in photographs(9, seed=2, image_format=image_format):  # type: ignore[arg-type]
        picture = Image.open(io.BytesIO(content))
        assert picture.format == image_format
        assert min(picture.size) >= 64


def test_training_and_demo_regions_share_no_row() -> None:
    rows = np.arange(data.brick().shape[0])
    train, demo = set(rows[module._ROWS["train"]]), set(rows[module._ROWS["demo"]])

    assert not train & demo


def test_the_model_is_right_about_nine_photographs_in_ten_it_never_saw(classifier: Classifier) -> None:
    shown = list(photographs(150, seed=77))
    right = sum(classifier.predict(Image.open(io.BytesIO(content)))[0].label == label for label, content in shown)

    assert classifier.held_out_accuracy > 0.9
    assert right / len(shown) > 0.9


def test_confidences_are_percents_of_one_whole_and_sorted(classifier: Classifier) -> None:
    _, content = next(photographs(1, seed=3))

    confidences = [each.confidence for each in classifier.predict(Image.open(io.BytesIO(content)))]

    assert sum(confidences) == pytest.approx(100)
    assert confidences == sorted(confidences, reverse=True)


def test_the_prediction_comes_from_the_pixels_not_the_colour(classifier: Classifier) -> None:
    _, content = next(photographs(1, seed=4))
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    recoloured = Image.merge("RGB", picture.convert("L").split() * 3)

    assert classifier.predict(picture)[0].label == classifier.predict(recoloured)[0].label
