"""The document about one image: the JSON beside it in the final bucket and the message on the topic.

What no listener could do anything with, such as a number that JSON or a column cannot hold, is no document: each
listener finds it malformed, and none has rules of its own.
"""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    field_serializer,
)
from pydantic.alias_generators import to_camel

_BUCKET = "[A-Za-z0-9._-]{3,255}"


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("Input should be within the years 1 to 9999 in UTC") from None


UtcMoment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment, given with any offset, kept in UTC."""

BucketName = Annotated[str, Field(pattern=f"^{_BUCKET}$")]
"""Names of buckets from before March 2018 among them (Amazon S3 user guide, "General purpose bucket naming rules")."""

S3Uri = Annotated[str, Field(pattern=f"^s3://{_BUCKET}/(?s:.+)$")]
"""s3://BUCKET/KEY; a key holds any character, line ends too."""

ByteCount = Annotated[int, Field(ge=0, lt=2**63)]
"""Bytes, as many as a `bigint` column counts."""

Confidence = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
"""0 to 100, as Rekognition counts."""


class Document(BaseModel):
    """Base of what is written as JSON: camelCase names outside, unknown names ignored when read back."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")


class Status(StrEnum):
    LABELLED = "labelled"
    REJECTED = "rejected"


class BoundingBox(Document):
    """Fractions of the image's width and height, from the top left corner: 0 to 1, or a little outside the image."""

    left: FiniteFloat
    top: FiniteFloat
    width: FiniteFloat
    height: FiniteFloat


class Label(Document):
    """One label that reached its threshold.

    Attributes
    ----------
    bounding_box
        Where the object is; None for a label about the whole image.
    """

    name: str
    confidence: Confidence
    bounding_box: BoundingBox | None = None


class Reason(Document):
    """Why an image can never be labelled: a code for programs, a message for people."""

    code: str
    message: str


class Prediction(Document):
    """What was found in one version of one image.

    Attributes
    ----------
    image_id
        See `ImageVersion.image_id`; a consumer that has seen it has seen this image.
    final_uri, final_version_id
        The copy in the final bucket, and which version of that object it is.
    version_id, e_tag, sequencer, size
        Of the source object, as its event said; size in bytes.
    project_version_arn
        The model version that was asked; None if none was.
    uploaded_at
        When the source object was created: the same however often this version is analysed.
    labels
        Empty for a rejected image, and for one in which nothing reached its threshold.
    reason
        None unless rejected.
    """

    image_id: str
    status: Status
    source_bucket: BucketName
    image_key: str
    source_uri: S3Uri
    final_uri: S3Uri
    final_version_id: str | None
    version_id: str | None
    e_tag: str
    sequencer: str
    size: ByteCount
    project_version_arn: str | None
    uploaded_at: UtcMoment
    processed_at: UtcMoment
    labels: tuple[Label, ...]
    reason: Reason | None

    @field_serializer("uploaded_at", "processed_at")
    def _iso_8601(self, moment: datetime) -> str:
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"

    def to_json(self) -> str:
        """This document as JSON in ASCII only.

        SNS and SQS refuse some characters that an object key may hold; escaped, every key passes.
        """
        return json.dumps(self.model_dump(mode="json", by_alias=True))


class Mark(Document):
    """The part of a document that tells whether an image version is done, and which one is on top."""

    image_id: str
    sequencer: str
    size: int = 0
    final_version_id: str | None = None


def message_attributes(prediction: Prediction) -> dict[str, Any]:
    """SNS message attributes of a prediction, by which subscriptions can filter without reading the message."""
    return {"status": {"DataType": "String", "StringValue": prediction.status.value}}
