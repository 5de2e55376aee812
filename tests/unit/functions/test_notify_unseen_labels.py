"""Labels of interest that the model has never returned."""

from collections.abc import Sequence

import pytest

from custom_labels_batch.functions.notify_labels.unseen_labels import PATIENCE, UnseenLabels
from custom_labels_batch.functions.shared.prediction import Label, Prediction, Reason
from tests.unit.functions.alerts import image
from tests.unit.functions.predictions import prediction


def images(count: int, *names: str) -> Sequence[Prediction]:
    return [prediction(image(f"{n}", n), *(Label(name=name, confidence=90) for name in names)) for n in range(count)]


def test_a_label_that_comes_by_is_no_cause_for_complaint() -> None:
    assert UnseenLabels(["crack"]).look(images(PATIENCE, "crack")) == []


def test_a_label_that_does_not_come_by_is_complained_about_after_a_while_and_once() -> None:
    unseen = UnseenLabels(["dent"])

    assert unseen.look(images(PATIENCE - 1, "crack", "scratch")) == []
    assert unseen.look(images(1)) == [
        "The label of interest 'dent' was not found in the 100 images labelled since this function started. It may be "
        "rare, below the confidence that is kept, or misspelt. Found were: 'crack', 'scratch'"
    ]
    assert unseen.look(images(PATIENCE)) == []


@pytest.mark.parametrize("wanted", ["Crack", "CRACK ", "cr-ack", "crack_"])
def test_another_spelling_of_a_label_is_complained_about_at_once_and_once(wanted: str) -> None:
    unseen = UnseenLabels([wanted])

    assert unseen.look(images(1, "crack")) == [
        f"The model returns the label 'crack', not {wanted!r}: labels of interest match exactly, so nobody hears about "
        "it. Correct the label of interest"
    ]
    assert unseen.look(images(PATIENCE, "crack")) == []


def test_a_label_much_like_one_that_came_by_is_suggested() -> None:
    (complaint,) = UnseenLabels(["scrach"]).look(images(PATIENCE, "scratch", "crack"))

    assert "misspelt. Did you mean 'scratch'? Found were:" in complaint


def test_every_label_is_complained_about_by_itself() -> None:
    unseen = UnseenLabels(["crack", "dent", "rust"])

    assert [line[:28] for line in unseen.look(images(PATIENCE, "rust"))] == [
        "The label of interest 'crack",
        "The label of interest 'dent'",
    ]


def test_a_label_that_came_by_before_is_remembered() -> None:
    unseen = UnseenLabels(["crack"])
    unseen.look(images(1, "crack"))

    assert unseen.look(images(PATIENCE)) == []


def test_rejected_images_say_nothing_about_the_model() -> None:
    rejected = prediction(image(), reason=Reason(code="EmptyObject", message="the file is empty"))

    assert UnseenLabels(["crack"]).look([rejected] * PATIENCE) == []


def test_a_model_with_hundreds_of_labels_does_not_fill_the_log() -> None:
    (complaint,) = UnseenLabels(["crack"]).look(images(PATIENCE, *(f"thing {n:03}" for n in range(250))))

    assert complaint.endswith("'thing 019' and 230 more")


def test_labels_of_no_letters_are_not_taken_for_one_another() -> None:
    assert UnseenLabels(["+"]).look(images(1, "-")) == []
