"""Making Rekognition one of ministack's services: routed, signed, authorised, with S3 read as the caller."""

import json
from typing import Any

from ministack import app
from ministack.core import iam_actions, router
from ministack.services import s3

from sandbox.emulator.access import caller_may
from sandbox.emulator.patching import Function, replace, require
from sandbox.rekognition import TARGET_PREFIX, Headers, Rekognition, Response

_SERVICE = "rekognition"


def read_object_as_caller(headers: Headers, bucket: str, key: str, version: str | None) -> bytes:
    """The object's bytes, if the signer of the request may read them."""
    action = "s3:GetObjectVersion" if version else "s3:GetObject"
    if not caller_may(headers, action, f"arn:aws:s3:::{bucket}/{key}"):
        raise PermissionError(key)
    content: bytes | None = require(s3, "_get_object_data")(bucket, key, version)
    if content is None:
        raise LookupError(key)
    return content


def install(service: Rekognition) -> None:
    """Register the service with ministack's router, handlers and IAM."""

    async def handle(method: str, path: str, headers: Headers, body: bytes, query: Any) -> Response:
        del method, path, query
        return await service.handle(headers, body)

    require(app, "SERVICE_HANDLERS")[_SERVICE] = handle
    require(router, "SERVICE_PATTERNS")[_SERVICE] = {
        "target_prefixes": [TARGET_PREFIX],
        "host_patterns": [r"rekognition\."],
    }
    require(iam_actions, "SERVICE_TO_IAM_NAMESPACE")[_SERVICE] = _SERVICE
    replace(
        iam_actions,
        "extract_resource_arn",
        "service method path headers body query_params region account_id",
        _with_rekognition_resources,
    )


def _with_rekognition_resources(original: Function) -> Function:
    def extract(
        service: str, method: str, path: str, headers: Headers, body: bytes, query_params: Any, *place: str
    ) -> str:
        if service == _SERVICE:
            return _resource(body)
        return str(original(service, method, path, headers, body, query_params, *place))

    return extract


def _resource(body: bytes) -> str:
    """The project version or project a request names; the actions without one are allowed on `*` only."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return "*"
    named = request.get("ProjectVersionArn") or request.get("ProjectArn") if isinstance(request, dict) else None
    return named if isinstance(named, str) else "*"
