"""What an Athena query can reach, Glue's catalog and S3's objects, with the rights of whoever asks."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import glue, s3

from sandbox.athena.errors import QueryError
from sandbox.athena.objects import File
from sandbox.emulator.access import caller_may
from sandbox.emulator.patching import require
from sandbox.settings import ACCOUNT_ID, REGION

_databases = require(glue, "_databases")
_tables = require(glue, "_tables")
_partitions = require(glue, "_partitions")
_buckets = require(s3, "_buckets")
_content = require(s3, "_get_object_data")
_put_object = require(s3, "_put_object")

_END = "\U0010ffff"


class CallersAccount:
    """The account as the signer of one request may use it: Athena has no rights of its own.

    Source: "Identity and access management in Athena" and "Fine-grained access to databases and tables in the Glue
    Data Catalog" in the Athena user guide: a table needs rights on the catalog, its database and itself.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        """Act for the request with these headers."""
        self._headers = headers

    def table(self, database: str, name: str) -> Mapping[str, Any]:
        """Look up a table or view."""
        self._need_glue("glue:GetDatabase", "catalog", f"database/{database}")
        if database not in _databases:
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist")
        self._need_glue("glue:GetTable", "catalog", f"database/{database}", f"table/{database}/{name}")
        found: Mapping[str, Any] | None = _tables.get(f"{database}/{name}")
        if found is None:
            raise QueryError("TABLE_NOT_FOUND", f"Table 'awsdatacatalog.{database}.{name}' does not exist")
        return found

    def partitions(self, database: str, name: str) -> list[tuple[tuple[str, ...], str]]:
        """List the partitions that were added to the catalog."""
        self._need_glue("glue:GetPartitions", "catalog", f"database/{database}", f"table/{database}/{name}")
        return [
            (tuple(partition["Values"]), str((partition.get("StorageDescriptor") or {}).get("Location", "")))
            for partition in _partitions.get(f"{database}/{name}", [])
        ]

    def files(self, locations: Sequence[str]) -> list[list[File]]:
        """List the objects under each location; what starts with `_` or `.` is hidden."""
        keys: dict[str, list[str]] = {}
        found = []
        for location in locations:
            bucket, prefix = _split(location)
            if bucket not in keys:
                keys[bucket] = self._keys(bucket)
            objects, listed = _buckets[bucket]["objects"], keys[bucket]
            prefix = f"{prefix.rstrip('/')}/" if prefix else ""
            names = listed[bisect_left(listed, prefix) : bisect_left(listed, prefix + _END)]
            found.append(
                [
                    File(bucket, name, int(objects[name]["size"]))
                    for name in names
                    if objects[name]["size"] and not _is_hidden(name.removeprefix(prefix))
                ]
            )
        return found

    def read(self, file: File) -> bytes:
        """Read an object."""
        self._need_s3("s3:GetObject", f"{file.bucket}/{file.key}", f"s3://{file.bucket}/{file.key}")
        content: bytes | None = _content(file.bucket, file.key)
        if content is None:
            raise QueryError("HIVE_FILESYSTEM_ERROR", f"s3://{file.bucket}/{file.key} is gone")
        return content

    def refusal_of_results(self, location: str) -> str | None:
        """Why no results can be written under a location, or None."""
        bucket, prefix = _split(location)
        allowed = (
            bucket in _buckets
            and caller_may(self._headers, "s3:GetBucketLocation", f"arn:aws:s3:::{bucket}")
            and caller_may(self._headers, "s3:PutObject", f"arn:aws:s3:::{bucket}/{prefix}")
        )
        return None if allowed else f"Unable to verify/create output bucket {bucket}"

    def write(self, location: str, content: bytes, headers: Mapping[str, str]) -> str | None:
        """Write a result; why that failed, or None."""
        bucket, key = _split(location)
        if not caller_may(self._headers, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}"):
            return f"Access denied when writing output to url: {location}"
        answer = _put_object(bucket, key, content, {**headers, "content-length": str(len(content))})
        return None if answer[0] < 300 else f"Unable to write output to url: {location}"

    def _keys(self, bucket: str) -> list[str]:
        self._need_s3("s3:ListBucket", bucket, f"s3://{bucket}")
        if bucket not in _buckets:
            raise QueryError("HIVE_FILESYSTEM_ERROR", f"The specified bucket does not exist: {bucket}")
        return sorted(_buckets[bucket]["objects"])

    def _need_s3(self, action: str, resource: str, path: str) -> None:
        if not caller_may(self._headers, action, f"arn:aws:s3:::{resource}"):
            raise QueryError("PERMISSION_DENIED", f"Permission denied on S3 path: {path} ({action})")

    def _need_glue(self, action: str, *resources: str) -> None:
        for resource in resources:
            arn = f"arn:aws:glue:{REGION}:{ACCOUNT_ID}:{resource}"
            if not caller_may(self._headers, action, arn):
                raise QueryError(
                    "PERMISSION_DENIED",
                    f"Insufficient permissions to execute the query: not authorized to perform {action} on {arn}",
                )


def _split(location: str) -> tuple[str, str]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def _is_hidden(path: str) -> bool:
    return path.endswith("/") or any(part.startswith(("_", ".")) for part in path.split("/"))
