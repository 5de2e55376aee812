"""The message on the image queue: one EventBridge event, S3's Object Created, whole."""

from typing import Literal

from pydantic import BaseModel, Field

from ..shared.image_version import ImageVersion
from ..shared.messages import read_message
from ..shared.prediction import BucketName, ByteCount, UtcMoment


class _Bucket(BaseModel):
    name: BucketName


class _Object(BaseModel):
    key: str = Field(min_length=1)
    size: ByteCount
    etag: str = Field(min_length=1)
    version_id: str | None = Field(default=None, alias="version-id")
    sequencer: str = Field(pattern=r"^[0-9A-Fa-f]+$")


class _Detail(BaseModel):
    bucket: _Bucket
    object: _Object


class _ObjectCreated(BaseModel):
    source: Literal["aws.s3"]
    detail_type: Literal["Object Created"] = Field(alias="detail-type")
    time: UtcMoment
    detail: _Detail


def parse_message(body: str) -> ImageVersion:
    """Read the image version that a message on the image queue is about.

    A version id of "null" is what S3 gives while versioning is suspended; the next upload takes the same id,
    so it names no version and the ETag has to.

    Raises
    ------
    MalformedMessageError
        As `read_message` does.
    """
    event = read_message(_ObjectCreated, body, "an Object Created event")
    created = event.detail.object
    return ImageVersion(
        bucket=event.detail.bucket.name,
        key=created.key,
        version_id=None if created.version_id in (None, "", "null") else created.version_id,
        etag=created.etag.strip('"'),
        sequencer=created.sequencer,
        size=created.size,
        uploaded_at=event.time,
    )
