"""The source bucket: one version of an object, read and deleted, never another version of the same key."""

from typing import TYPE_CHECKING, TypedDict

from botocore.exceptions import ClientError

from ..shared.aws_errors import is_missing, is_precondition_failed
from ..shared.image_version import ImageVersion

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_FIRST_BYTES = 256 * 1024


class GoneError(Exception):
    """The image version is no longer there: deleted or, where a bucket keeps no versions, overwritten."""


class Selector(TypedDict, total=False):
    """Names one version in a call: by its id, or by the ETag the current object must still have."""

    VersionId: str
    IfMatch: str


def select(image: ImageVersion) -> Selector:
    if image.version_id is not None:
        return {"VersionId": image.version_id}
    return {"IfMatch": f'"{image.etag}"'}


def is_gone(error: ClientError) -> bool:
    return is_missing(error) or is_precondition_failed(error)


class SourceBucket:
    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def require(self, image: ImageVersion) -> None:
        """Look at the version.

        Raises
        ------
        GoneError
            It is no longer there.
        ClientError
            It cannot be looked at; 403 where the role or a bucket or key policy forbids it.
        """
        try:
            self._s3.head_object(Bucket=image.bucket, Key=image.key, **select(image))
        except ClientError as error:
            raise _gone_or(error, image) from error

    def first_bytes(self, image: ImageVersion) -> bytes:
        """The beginning of the file, which holds the header of all but the oddest images."""
        return self._read(image, min(_FIRST_BYTES, image.size))

    def all_bytes(self, image: ImageVersion) -> bytes:
        return self._read(image, image.size)

    def _read(self, image: ImageVersion, count: int) -> bytes:
        try:
            answer = self._s3.get_object(
                Bucket=image.bucket, Key=image.key, Range=f"bytes=0-{count - 1}", **select(image)
            )
            return answer["Body"].read()
        except ClientError as error:
            raise _gone_or(error, image) from error

    def delete(self, image: ImageVersion) -> None:
        """Delete this version for good; a later upload of the same key stays, and so does an earlier one.

        Deleting what is gone already is no error: a message may be delivered twice.
        """
        try:
            self._s3.delete_object(Bucket=image.bucket, Key=image.key, **select(image))
        except ClientError as error:
            if not is_gone(error):
                raise


def _gone_or(error: ClientError, image: ImageVersion) -> Exception:
    return GoneError(f"{image.uri} is no longer there") if is_gone(error) else error
