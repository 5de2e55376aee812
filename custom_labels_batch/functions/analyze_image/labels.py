"""Which of the labels that the model finds are kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ..shared.prediction import BoundingBox, Label

if TYPE_CHECKING:
    from types_boto3_rekognition.type_defs import BoundingBoxTypeDef, CustomLabelTypeDef

_DECIMALS = 4
_MOST = 100.0


@dataclass(frozen=True)
class Thresholds:
    """The confidence, 0 to 100, at which a label is kept: its own threshold, else the general one."""

    general: float
    by_label: Mapping[str, float] = field(default_factory=dict)

    @property
    def lowest(self) -> float:
        """What to ask the model for, so that no label is held back that its own threshold would keep."""
        return min(self.general, *self.by_label.values(), 100)

    def keep(self, found: Iterable["CustomLabelTypeDef"]) -> tuple[Label, ...]:
        """The labels at or above their threshold, surest first."""
        kept = [label for label in found if label["Confidence"] >= self._threshold(label["Name"])]
        kept.sort(key=lambda label: (-label["Confidence"], label["Name"]))
        return tuple(self._label(label) for label in kept)

    def _threshold(self, name: str) -> float:
        return self.by_label.get(name, self.general)

    def _label(self, found: "CustomLabelTypeDef") -> Label:
        box = found.get("Geometry", {}).get("BoundingBox")
        return Label(
            name=found["Name"],
            confidence=self._rounded(found["Confidence"], self._threshold(found["Name"])),
            bounding_box=_bounding_box(box) if box else None,
        )

    @staticmethod
    def _rounded(confidence: float, threshold: float) -> float:
        """Four decimals, unless a kept label would then look as if it had missed its threshold; never above 100."""
        confidence = min(confidence, _MOST)
        rounded = round(confidence, _DECIMALS)
        return rounded if rounded >= threshold else confidence


def _bounding_box(box: "BoundingBoxTypeDef") -> BoundingBox | None:
    """Where the model found a label, unless that is no place: an image is never lost over it."""
    try:
        return BoundingBox(left=box["Left"], top=box["Top"], width=box["Width"], height=box["Height"])
    except ValidationError:
        return None
