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
class Page:
    """Objects that follow each other in the bucket's order.

    Attributes
    ----------
    next
        The key after which the listing goes on; None on the last page.
    """

    objects: tuple[SourceObject, ...]
    next: str | None


def pages(s3: "S3Client", bucket: str, prefix: str, after: str | None = None) -> Iterator[Page]:
    """List the current versions of all keys below a prefix, one request a page.

    Versions are listed, since ListObjectsV2 does not give their ids. No key comes twice.

    Parameters
    ----------
    after
        The key at which an earlier listing stopped.
    """
    request: ListObjectVersionsRequestTypeDef = {
        "Bucket": bucket,
        "Prefix": prefix,
        "OptionalObjectAttributes": ["RestoreStatus"],
    }
    last = after
    while True:
        if after is not None:
            # Without the version, which a run may have deleted: a key's current version comes first of its versions.
            request |= {"KeyMarker": after}
        answer = s3.list_object_versions(**request)
        found = []
        for version in answer.get("Versions", []):
            if version["IsLatest"] and version["Key"] != last:
                last = version["Key"]
                found.append(_object(version))
        after = answer["NextKeyMarker"] if answer["IsTruncated"] else None
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
