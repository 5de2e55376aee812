"""The seam to what finds labels in an image: what the function asks, and what may be answered.

`model.py` is the file behind it, for Rekognition Custom Labels; docs/adapt.md puts another one in its place.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.config import Config

from ..shared.image_version import ImageVersion
from ..shared.pacer import Pacer
from ..shared.prediction import Reason
from .runs_table import RunsTable
from .source_bucket import SourceBucket

if TYPE_CHECKING:
    from types_boto3_rekognition.type_defs import CustomLabelTypeDef


@dataclass(frozen=True)
class Detection:
    """What the model found, unfiltered, in the words of Rekognition: Name, Confidence from 0 to 100, Geometry.

    Attributes
    ----------
    model_arn
        What was asked; documents and predictions name it.
    """

    labels: "tuple[CustomLabelTypeDef, ...]"
    model_arn: str


class RefusedError(Exception):
    """The image can never be labelled.

    Attributes
    ----------
    proven
        Whether the file itself shows it. If not, the model's word alone is against the image, and it is not
        believed at once where every image of a batch is refused.
    model_arn
        What was asked; None if nothing was.
    """

    def __init__(self, reason: Reason, *, proven: bool, model_arn: str | None = None) -> None:
        super().__init__(f"{reason.code}: {reason.message}")
        self.reason = reason
        self.proven = proven
        self.model_arn = model_arn


class Detector(Protocol):
    """Finds labels in images; asked by several threads at once."""

    def detect(self, image: ImageVersion) -> Detection:
        """Ask for the labels of exactly this image version.

        Raises
        ------
        RefusedError
            The image can never be labelled.
        ModelNotUpError
            The model does not run: the message comes back in minutes.
        GoneError
            The image version is no longer there.
        Exception
            Anything else: the message comes back, in seconds if `is_passing`, and counts as throttled if
            `is_throttled` (shared/aws_errors.py).
        """
        ...


@dataclass(frozen=True)
class Parts:
    """What `make_detector` in `model.py` is given.

    Attributes
    ----------
    config
        For its AWS clients: timeouts, a connection for each thread, retries.
    pacer
        To wait for before each attempt, so that the model is not asked for more than it takes.
    source
        Reads the image, if the model does not read it by itself.
    runs_table
        Names the model of the active run; None where the trigger is `upload`.
    min_confidence
        Labels below it are of no use to anybody.
    """

    config: Config
    pacer: Pacer
    source: SourceBucket
    runs_table: RunsTable | None
    min_confidence: float
