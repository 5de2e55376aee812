"""One version of one image: what every effect, mark and retry is about."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property


@dataclass(frozen=True)
class ImageVersion:
    """One version of one object in the source bucket, as its Object Created event describes it.

    Attributes
    ----------
    version_id
        None where the bucket keeps no versions; then the ETag tells one upload from the next.
    etag
        Without the quotes that S3 puts around it in HTTP headers.
    sequencer
        Hexadecimal; orders the versions of one key (see `is_later`).
    size
        Bytes.
    uploaded_at
        When S3 says it was created: the same for every delivery of its event.
    """

    bucket: str
    key: str
    version_id: str | None
    etag: str
    sequencer: str
    size: int
    uploaded_at: datetime

    @cached_property
    def image_id(self) -> str:
        """SHA-256, in hexadecimal, of bucket, key and version: the same for every delivery of this version."""
        return hashlib.sha256(f"{self.bucket}\n{self.key}\n{self.version_id or self.etag}".encode()).hexdigest()

    @property
    def uri(self) -> str:
        return s3_uri(self.bucket, self.key)


def s3_uri(bucket: str, key: str) -> str:
    """The s3:// address of an object; the key is not encoded, as in the AWS CLI."""
    return f"s3://{bucket}/{key}"


def is_later(sequencer: str, other: str) -> bool:
    """Whether the first of two sequencers of the same key belongs to the later event.

    They compare as hexadecimal text after the shorter is padded on the right with zeros (Amazon S3 user
    guide, "Event message structure").

    Example
    -------
    >>> is_later("0055AED6DCD90282E6", "0055AED6DCD90281E5")
    True
    >>> is_later("00A0", "00a")
    False
    """
    width = max(len(sequencer), len(other))
    return sequencer.upper().ljust(width, "0") > other.upper().ljust(width, "0")
