"""What there is to tell about one image: the labels of interest found in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..shared.prediction import BoundingBox, Label, Prediction, Status


@dataclass(frozen=True)
class FoundLabel:
    """A label of interest in one image.

    Attributes
    ----------
    confidence
        0 to 100; of the surest place, where it was found in several.
    threshold
        From which confidence on somebody wants to hear about it.
    places
        How often it was found in the image.
    bounding_box
        The surest place; None for a label about the whole image.
    """

    name: str
    confidence: float
    threshold: float
    places: int = 1
    bounding_box: BoundingBox | None = None


@dataclass(frozen=True)
class Link:
    """An address at which anybody can open the image, and until when."""

    url: str
    until: datetime


@dataclass(frozen=True)
class Alert:
    """One image to tell about, with its labels of interest, surest first; never without any."""

    prediction: Prediction
    labels: tuple[FoundLabel, ...]
    link: Link | None = None

    @property
    def highest_confidence(self) -> float:
        return self.labels[0].confidence


def find_alert(prediction: Prediction, labels_of_interest: Mapping[str, float]) -> Alert | None:
    """What to tell about an image, if anything.

    Parameters
    ----------
    labels_of_interest
        Label -> threshold, 0 to 100, inclusive. Labels match exactly.
    """
    if prediction.status is not Status.LABELLED:
        return None
    places: dict[str, list[Label]] = {}
    for label in prediction.labels:
        if label.name in labels_of_interest and label.confidence >= labels_of_interest[label.name]:
            places.setdefault(label.name, []).append(label)
    found = [_found(labels_of_interest[name], of_one_name) for name, of_one_name in places.items()]
    found.sort(key=lambda label: (-label.confidence, label.name))
    return Alert(prediction, tuple(found)) if found else None


def _found(threshold: float, places: list[Label]) -> FoundLabel:
    surest = max(places, key=lambda label: label.confidence)
    return FoundLabel(surest.name, surest.confidence, threshold, len(places), surest.bounding_box)
