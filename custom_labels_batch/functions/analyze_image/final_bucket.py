"""The final bucket: copies of the images, and the documents that mark them as done."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pydantic import ValidationError

from ..shared.aws_errors import is_conflict, is_missing, is_precondition_failed
from ..shared.image_version import ImageVersion
from ..shared.object_keys import Place
from ..shared.observability import logger
from ..shared.prediction import Mark, Prediction
from .source_bucket import GoneError, is_gone, select

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CopyObjectRequestTypeDef, CopySourceTypeDef, PutObjectRequestTypeDef

_LARGEST_SINGLE_COPY = 5 * 1024**3
"""Bytes one CopyObject call takes (Amazon S3 API reference, CopyObject)."""


class UnreadableMarkError(ValueError):
    """A document in the final bucket is not one of ours, so nobody can say whether the image is done."""


@dataclass(frozen=True)
class MarkInPlace:
    """A mark as it was read, with the ETag by which it can be replaced and nothing else can."""

    mark: Mark
    etag: str


class FinalBucket:
    def __init__(self, s3: "S3Client", name: str) -> None:
        self._s3 = s3
        self.name = name
        s3.meta.events.register("before-call.s3.CopyObject", _leave_annotations, unique_id="annotations")

    def mark(self, place: Place) -> MarkInPlace | None:
        """Read the mark of a place; None if nothing is done there.

        Raises
        ------
        UnreadableMarkError
        ClientError
            403 instead of "not there" if the role has no s3:ListBucket.
        """
        try:
            answer = self._s3.get_object(Bucket=self.name, Key=place.document_key)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        try:
            return MarkInPlace(Mark.model_validate_json(answer["Body"].read()), answer["ETag"])
        except ValidationError:
            raise UnreadableMarkError(f"s3://{self.name}/{place.document_key} is not a document of ours") from None

    def write_mark(self, place: Place, document: Prediction, replacing: MarkInPlace | None) -> bool:
        """Write a document if the place still holds the mark that was read; say whether it was written."""
        request: PutObjectRequestTypeDef = {
            "Bucket": self.name,
            "Key": place.document_key,
            "Body": document.to_json().encode(),
            "ContentType": "application/json",
        }
        if replacing:
            request["IfMatch"] = replacing.etag
        else:
            request["IfNoneMatch"] = "*"
        try:
            self._s3.put_object(**request)
        except ClientError as error:
            if is_precondition_failed(error) or is_conflict(error) or is_missing(error):
                return False
            raise
        return True

    def copy_in(self, image: ImageVersion, place: Place) -> str | None:
        """Copy one source version to a place; give the copy's version id, None if the bucket keeps none.

        Metadata (the content type among it) comes along. Tags do not: copying them takes rights on tags.

        Raises
        ------
        GoneError
            That version is no longer in the source bucket.
        """
        try:
            return self._copy(_copy_source(image), image.size, place, select(image).get("IfMatch"))
        except ClientError as error:
            if is_gone(error):
                raise GoneError(f"{image.uri} is no longer there") from error
            raise

    def _copy(self, source: "CopySourceTypeDef", size: int, place: Place, source_etag: str | None = None) -> str | None:
        if size > _LARGEST_SINGLE_COPY:
            return self._copy_in_parts(source, place, source_etag)
        request: CopyObjectRequestTypeDef = {
            "Bucket": self.name,
            "Key": place.image_key,
            "CopySource": source,
            "TaggingDirective": "REPLACE",
        }
        if source_etag is not None:
            request["CopySourceIfMatch"] = source_etag
        return self._s3.copy_object(**request).get("VersionId")

    def _copy_in_parts(self, source: "CopySourceTypeDef", place: Place, source_etag: str | None) -> str | None:
        """Copy what one call cannot. The managed transfer does not tell the copy's version: look what is there."""
        extra = {"TaggingDirective": "REPLACE"}
        if source_etag is not None:
            extra["CopySourceIfMatch"] = source_etag
        self._s3.copy(source, self.name, place.image_key, ExtraArgs=extra)
        return self._version_on_top(place)

    def put_on_top(self, place: Place) -> None:
        """See to it that the image in a place is the one its mark names, and copy that back over it if not.

        Two versions of one key that are handled at the same time may copy their images in one order and
        write their marks in the other. Whoever copied or marked calls this afterwards: the last of them
        finds the final state and puts it right.
        """
        seen = None
        while (found := self.mark(place)) and found != seen:
            wanted = found.mark.final_version_id
            if wanted is None or self._version_on_top(place) in (wanted, None):
                return
            source: CopySourceTypeDef = {"Bucket": self.name, "Key": place.image_key, "VersionId": wanted}
            try:
                self._copy(source, found.mark.size, place)
            except ClientError as error:
                if not is_missing(error):
                    raise
                logger.error("The version that the mark names has expired", extra={"source": source})
                return
            seen = found

    def _version_on_top(self, place: Place) -> str | None:
        try:
            return self._s3.head_object(Bucket=self.name, Key=place.image_key).get("VersionId")
        except ClientError as error:
            if is_missing(error):
                return None
            raise


def _copy_source(image: ImageVersion) -> "CopySourceTypeDef":
    source: CopySourceTypeDef = {"Bucket": image.bucket, "Key": image.key}
    if image.version_id is not None:
        source["VersionId"] = image.version_id
    return source


def _leave_annotations(params: dict[str, Any], **_: object) -> None:
    """Copy without the source's annotations, which like tags would take rights of their own.

    A header, since the boto3 of the Lambda runtime may be older than CopyObject's AnnotationDirective.
    """
    params["headers"]["x-amz-object-annotation-directive"] = "EXCLUDE"
