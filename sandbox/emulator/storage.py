"""S3: 403 for a missing object, conditional copies, tagging rights, and what EventBridge's events tell of an object."""

import json
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement

from ministack.core import iam_actions
from ministack.services import eventbridge, s3

from sandbox.emulator.access import caller_may
from sandbox.emulator.patching import Function, replace, require

Headers = Mapping[str, str]
Response = tuple[int, dict[str, str], Any]

_error = require(s3, "_error")
_buckets = require(s3, "_buckets")
_object_tags = require(s3, "_object_tags")
_check_put_preconditions = require(s3, "_check_put_preconditions")
_source_object = require(iam_actions, "_s3_source_object")

_ABSENT_CODES = (b"<Code>NoSuchKey</Code>", b"<Code>NoSuchVersion</Code>")
_event_version: ContextVar[str | None] = ContextVar("event_version", default=None)
_versions_encoded: ContextVar[bool] = ContextVar("versions_encoded", default=False)
_ENCODED = frozenset({"Delimiter", "KeyMarker", "Prefix", "NextKeyMarker", "Key"})
"""What `encoding-type=url` is about (API reference, "ListObjectVersions")."""

_HANDLE = (
    "method path headers body query_params signed_path enforce_bucket_region internal access_point_region access_point"
)
_FIRE = (
    "bucket_name key event_name size etag deletion_type restore_event_data version_id sequencer object_extra "
    "record_extra"
)


def install() -> None:
    """Replace the functions of ministack's S3 that are laxer than AWS."""
    replace(s3, "handle_request", _HANDLE, _hiding_absent_objects)
    replace(s3, "_copy_object", "bucket_name dest_key headers", _with_destination_conditions)
    replace(s3, "_fire_s3_event", _FIRE, _remembering_version)
    replace(s3, "_next_event_sequencer", "event_name", _with_time)
    replace(s3, "_list_object_versions", "bucket_name query_params", _noting_encoding)
    replace(s3, "_xml_body", "root", _encoding_keys_of_versions)
    replace(eventbridge, "_dispatch_event", "event view", _with_version_id)
    replace(iam_actions, "s3_additional_checks", "method path headers body query_params", _with_tagging_rights)


def _hiding_absent_objects(original: Function) -> Function:
    """Who may not list a bucket is told 403, not 404, about an object that is not there."""

    async def handle(
        method: str, path: str, headers: Headers, body: bytes, query_params: Mapping[str, Any], **more: Any
    ) -> Response:
        response: Response = await original(method, path, headers, body, query_params, **more)
        bucket = _bucket_of_absent_object(method, path, headers, response)
        if bucket is None or caller_may(headers, "s3:ListBucket", f"arn:aws:s3:::{bucket}", query_params):
            return response
        denied: Response = _error("AccessDenied", "Access Denied", 403)
        return (denied[0], denied[1], b"") if method == "HEAD" else denied

    return handle


def _bucket_of_absent_object(method: str, path: str, headers: Headers, response: Response) -> str | None:
    """The bucket a read found no object in, or None for every other answer."""
    status, _, body = response
    copied = _source_object(headers) if method == "PUT" else None
    reads = method in {"GET", "HEAD"} and path.strip("/").count("/") >= 1
    if status != 404 or not (reads or copied):
        return None
    bucket = str(copied[0]).split(":::")[1].split("/")[0] if copied else path.strip("/").split("/")[0]
    absent = method == "HEAD" or any(code in body for code in _ABSENT_CODES)
    return bucket if absent and bucket in _buckets else None


def _noting_encoding(original: Function) -> Function:
    """ListObjectVersions takes `encoding-type`, without which XML cannot hold every key."""

    def list_versions(bucket_name: str, query_params: Mapping[str, Any]) -> Response:
        token = _versions_encoded.set("url" in query_params.get("encoding-type", []))
        try:
            answer: Response = original(bucket_name, query_params)
            return answer
        finally:
            _versions_encoded.reset(token)

    return list_versions


def _encoding_keys_of_versions(original: Function) -> Function:
    def body(root: Element) -> bytes:
        if root.tag == "ListVersionsResult" and _versions_encoded.get():
            SubElement(root, "EncodingType").text = "url"
            for element in root.iter():
                if element.tag in _ENCODED and element.text:
                    element.text = quote(element.text, safe="/")
        encoded: bytes = original(root)
        return encoded

    return body


def _with_destination_conditions(original: Function) -> Function:
    """CopyObject honours If-Match and If-None-Match on the object it would write."""

    def copy(bucket_name: str, dest_key: str, headers: Headers) -> Any:
        bucket = _buckets.get(bucket_name)
        current = bucket["objects"].get(dest_key) if bucket else None
        return _check_put_preconditions(headers, current) or original(bucket_name, dest_key, headers)

    return copy


def _remembering_version(original: Function) -> Function:
    def fire(*arguments: Any, **keywords: Any) -> None:
        # Each event is fired in a thread and context of its own.
        _event_version.set(keywords.get("version_id"))
        original(*arguments, **keywords)

    return fire


def _with_version_id(original: Function) -> Function:
    """S3's events name the object version they are about."""

    def dispatch(event: dict[str, Any], view: Any = None) -> None:
        version = _event_version.get()
        if version and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
        original(event, view)

    return dispatch


def _with_time(original: Function) -> Function:
    """S3's sequencers are 18 digits that begin with the seconds since 1970, as `cli backfill` makes its own."""
    lock, last = threading.Lock(), 0

    def following(event_name: str) -> str | None:
        nonlocal last
        if original(event_name) is None:
            return None
        with lock:
            last = max(last + 1, (time.time_ns() << 32) // 10**9)
            return f"{last:018X}"

    return following


def _with_tagging_rights(original: Function) -> Function:
    """Copying a tagged object needs the right to read its tags and to write them."""

    def checks(
        method: str, path: str, headers: Headers, body: bytes, query_params: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = original(method, path, headers, body, query_params)
        parts = path.strip("/").split("/", 1)
        if method != "PUT" or len(parts) < 2:
            return found
        destination = f"arn:aws:s3:::{parts[0]}/{parts[1]}"
        source = _source_object(headers)
        copies_tags = headers.get("x-amz-tagging-directive", "COPY").upper() == "COPY"
        if source and copies_tags and _has_tags(*source):
            read = "s3:GetObjectVersionTagging" if source[1] else "s3:GetObjectTagging"
            return [*found, (read, source[0]), ("s3:PutObjectTagging", destination)]
        if headers.get("x-amz-tagging") and not (source and copies_tags):
            return [*found, ("s3:PutObjectTagging", destination)]
        return found

    return checks


def _has_tags(arn: str, version: str) -> bool:
    bucket, _, key = arn.partition(":::")[2].partition("/")
    current = (_buckets.get(bucket) or {"objects": {}})["objects"].get(key) or {}
    return bool(_object_tags.get((bucket, key, version or current.get("version_id"))))
