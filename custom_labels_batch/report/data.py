"""What a report shows, as plain typed data."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from custom_labels_batch.rules.prices import PRICES

Confidence = Annotated[float, Field(ge=0, le=100)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Minutes = float
"""Minutes since the run's start; simulated ones where time is simulated."""


class Data(BaseModel):
    """Base: read-only, and a misspelled name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(StrEnum):
    LABELLED = "labelled"
    REJECTED = "rejected"
    WAITING = "waiting"


class Box(Data):
    """Where an object is, as fractions (0 to 1) of the upright image's width and height, from the top left corner."""

    left: float
    top: float
    width: float
    height: float


class Label(Data):
    """One label of an image.

    Attributes
    ----------
    confidence
        0 to 100.
    """

    name: str
    confidence: Confidence
    box: Box | None = None


class Image(Data):
    """One version of one uploaded object.

    Attributes
    ----------
    labels
        Surest first, whatever order they were given in. Empty when rejected, waiting, or nothing was found.
    reason
        Why it was rejected (or still waits), in words.
    size
        Bytes; None where nobody knows.
    thumbnail
        A small WebP, see `report.thumbnails`; None shows a placeholder.
    final_uri
        Where the image is kept, as text.
    link
        An http or https address that opens the image.
    """

    key: str
    status: Status
    labels: tuple[Label, ...] = ()
    reason: str = ""
    uploaded_at: AwareDatetime | None = None
    processed_at: AwareDatetime | None = None
    size: Annotated[int, Field(ge=0)] | None = None
    thumbnail: bytes | None = None
    image_id: str = ""
    final_uri: str = ""
    link: str | None = None

    @field_validator("labels")
    @classmethod
    def _surest_first(cls, labels: tuple[Label, ...]) -> tuple[Label, ...]:
        return tuple(sorted(labels, key=lambda label: (-label.confidence, label.name)))

    @field_validator("link")
    @classmethod
    def _opens_a_page(cls, link: str | None) -> str | None:
        """A link is clicked: `javascript:` and its like are refused."""
        if link is not None and not link.startswith(("https://", "http://")):
            raise ValueError("a link begins with https:// or http://")
        return link


class ModelState(Data):
    """The model had this status from one minute to the other."""

    status: str
    begin: Minutes
    end: Minutes


class BilledPeriod(Data):
    """The model ran, and was billed, with so many inference units."""

    begin: Minutes
    end: Minutes
    inference_units: Annotated[int, Field(ge=1)] = 1


class Sample(Data):
    """How many images there were at a minute."""

    minute: Minutes
    count: Annotated[int, Field(ge=0)]


class Run(Data):
    """One run of the workflow.

    Attributes
    ----------
    name
        What people call it.
    started_at
        On the wall's clock.
    outcome, cause
        As the runs table says, e.g. DRAINED; the cause is empty when all went well.
    billed_minutes
        Inference-unit minutes.
    states, billed, backlog, done
        The timeline; each may be empty. Backlog is what waited, done is what had a result, at each minute.
    """

    name: str
    started_at: AwareDatetime | None = None
    outcome: str = ""
    cause: str = ""
    images: Annotated[int, Field(ge=0)] = 0
    rejected: Annotated[int, Field(ge=0)] = 0
    billed_minutes: Annotated[float, Field(ge=0)] = 0.0
    duration_minutes: Annotated[float, Field(ge=0)] = 0.0
    states: tuple[ModelState, ...] = ()
    billed: tuple[BilledPeriod, ...] = ()
    backlog: tuple[Sample, ...] = ()
    done: tuple[Sample, ...] = ()

    @property
    def inference_units(self) -> int:
        """The most units billed at once; 1 when nothing was."""
        return max((period.inference_units for period in self.billed), default=1)


class Mail(Data):
    """One message to one reader."""

    to: str
    subject: str
    text: str
    received_at: AwareDatetime | None = None


class Report(Data):
    """Everything the page shows.

    Attributes
    ----------
    source
        Where the data comes from, in a few words, e.g. a stack's name.
    time_note
        What to know about durations, e.g. "Minutes are simulated".
    time_scale
        Real seconds a simulated second: divides what lies between two times on the wall's clock. 1 on AWS.
        Minutes in `runs` are simulated already.
    accuracy
        Share (0 to 1) of images whose surest label is right, where somebody knows.
    threshold
        The confidence from which a label counts, where there is one for all labels.
    usd_per_inference_unit_hour
        List price of Rekognition Custom Labels inference.
    """

    title: str
    source: str
    generated_at: AwareDatetime
    time_note: str = ""
    time_scale: Annotated[float, Field(gt=0)] = 1.0
    images: tuple[Image, ...] = ()
    runs: tuple[Run, ...] = ()
    mails: tuple[Mail, ...] = ()
    accuracy: Fraction | None = None
    accuracy_note: str = ""
    threshold: Confidence | None = None
    usd_per_inference_unit_hour: Annotated[float, Field(gt=0)] = PRICES.inference_unit_hour
