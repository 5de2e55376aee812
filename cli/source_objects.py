"""The objects of the source bucket, page by page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ListObjectVersionsRequestTypeDef, ObjectVersionTypeDef

_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_NO_VERSION = "null"


@dataclass(frozen=True, slots=True)
class SourceObject:
    """The current version of an object.

    Attributes
    ----------
    version_id
        None where the bucket keeps no versions.
    etag
        Without quotes.
    size
        Bytes.
    is_archived
        Nobody can read it before it is restored.
    """

    key: str
    version_id: str | None
    etag: str
    size: int
    modified_at: datetime
    is_archived: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listing goes on: after this version of this key."""

    key: str
    version_id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Objects that follow each other in the bucket's order.

    Attributes
    ----------
    next
        None on the last page.
    """

    objects: tuple[SourceObject, ...]
    next: Place | None


def pages(s3: "S3Client", bucket: str, prefix: str, after: Place | None = None) -> Iterator[Page]:
    """List the current versions of all keys below a prefix, one request a page.

    Versions are listed, since ListObjectsV2 does not give their ids. No key comes twice.

    Parameters
    ----------
    after
        Where an earlier listing stopped.
    """
    request: ListObjectVersionsRequestTypeDef = {
        "Bucket": bucket,
        "Prefix": prefix,
        "OptionalObjectAttributes": ["RestoreStatus"],
    }
    last = after.key if after else None
    while True:
        if after:
            request |= {"KeyMarker": after.key}
            if after.version_id:
                request |= {"VersionIdMarker": after.version_id}
        answer = s3.list_object_versions(**request)
        found = []
        for version in answer.get("Versions", []):
            if version["IsLatest"] and version["Key"] != last:
                last = version["Key"]
                found.append(_object(version))
        after = Place(answer["NextKeyMarker"], answer.get("NextVersionIdMarker", "")) if answer["IsTruncated"] else None
        yield Page(tuple(found), after)
        if after is None:
            return


def _object(version: "ObjectVersionTypeDef") -> SourceObject:
    is_restored = "RestoreExpiryDate" in version.get("RestoreStatus", {})
    return SourceObject(
        key=version["Key"],
        version_id=None if version["VersionId"] == _NO_VERSION else version["VersionId"],
        etag=version["ETag"].strip('"'),
        size=version["Size"],
        modified_at=version["LastModified"],
        is_archived=str(version.get("StorageClass")) in _ARCHIVES and not is_restored,
    )
