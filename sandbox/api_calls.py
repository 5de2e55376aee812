"""Which AWS API operation a request is, and how its service would answer with an error: by botocore's models."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

import boto3
import botocore.session
from botocore.loaders import Loader, create_loader
from botocore.model import OperationModel, ServiceModel, StructureShape

Headers = Mapping[str, str]
Query = Mapping[str, list[str]]
Response = tuple[int, dict[str, str], bytes]

KNOWN_SERVICES = (
    "athena",
    "cloudwatch",
    "dynamodb",
    "events",
    "glue",
    "iam",
    "lambda",
    "logs",
    "rekognition",
    "s3",
    "scheduler",
    "sns",
    "sqs",
    "stepfunctions",
    "sts",
)
"""The boto3 names of the services whose calls are told apart: what a stack works with."""

_CREDENTIAL_SCOPE = re.compile(r"^(?P<key>[^/]+)/\d{8}/[^/]+/(?P<service>[^/]+)/aws4_request$")


@dataclass(frozen=True)
class ApiCall:
    """One request to AWS.

    Attributes
    ----------
    service
        The name of its boto3 client, such as `stepfunctions`.
    operation
        As the API names it, such as `CopyObject`; empty if it could not be told.
    access_key
        Of whoever signed it.
    text
        Path, query and body, for whoever looks for a key or a name in them.
    """

    service: str
    operation: str
    access_key: str
    text: str
    method: str


def read_call(method: str, path: str, headers: Headers, query: Query, body: bytes) -> ApiCall | None:
    """The API call a signed request is; None for a request without a SigV4 signature of a service boto3 knows.

    Parameters
    ----------
    path
        Decoded.
    headers
        By lower-case name.
    """
    scope = _credential_scope(headers, query)
    if scope is None or (service := _services_by_signing_name().get(scope["service"])) is None:
        return None
    text = "\n".join([path, *(f"{name}={value}" for name, values in query.items() for value in values)])
    text += "\n" + body.decode("utf-8", errors="replace")
    return ApiCall(service, _operation(service, method, path, headers, query, body), scope["key"], text, method)


def error_answer(call: ApiCall, code: str, message: str, status: int) -> Response:
    """The HTTP answer in which a client of this service reads the error code.

    A HEAD request has no body to hold a code: its client reads the status.
    """
    protocol = str(service_model(call.service).metadata["protocol"])
    request_id = "00000000-0000-4000-8000-000000000000"
    if call.method == "HEAD":
        return status, {"x-amzn-requestid": request_id}, b""
    if protocol in {"json", "rest-json"}:
        headers = {"content-type": "application/json", "x-amzn-errortype": code, "x-amzn-requestid": request_id}
        return status, headers, json.dumps({"__type": code, "message": message}).encode()
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if protocol == "rest-xml":
        document = f"<Error>{error}<RequestId>{request_id}</RequestId></Error>"
    else:
        document = f"<ErrorResponse><Error>{error}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    return status, {"content-type": "text/xml", "x-amzn-requestid": request_id}, document.encode()


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of a service, by the name of its boto3 client; raises botocore's UnknownServiceError.

    Read for this alone: a client changes the model it works with (the paths of S3 lose their bucket).
    """
    session = botocore.session.get_session()
    session.register_component("data_loader", create_loader())
    return session.get_service_model(service)


def new_session(access_key: str, secret_key: str, token: str | None = None, *, region: str) -> boto3.Session:
    """A boto3 session of somebody's own, with the models that all these sessions share.

    To read a service's model takes longer than most calls, and a session of its own would read each again.
    """
    loader = _loader_of_sessions()
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)  # each session of boto3 adds its own once more
    core = botocore.session.get_session()
    core.register_component("data_loader", loader)
    return boto3.Session(access_key, secret_key, token, region_name=region, botocore_session=core)


@cache
def _loader_of_sessions() -> Loader:
    return create_loader()


@cache
def _services_by_signing_name() -> dict[str, str]:
    return {service_model(name).signing_name: name for name in KNOWN_SERVICES}


def _credential_scope(headers: Headers, query: Query) -> re.Match[str] | None:
    signed = re.search(r"Credential=([^,\s]+)", headers.get("authorization", ""))
    credential = signed[1] if signed else unquote((query.get("X-Amz-Credential") or [""])[0])
    return _CREDENTIAL_SCOPE.match(credential)


def _operation(service: str, method: str, path: str, headers: Headers, query: Query, body: bytes) -> str:
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    model = service_model(service)
    if model.metadata["protocol"] == "query":
        named = query.get("Action") or parse_qs(body.decode("utf-8", errors="replace")).get("Action") or [""]
        return named[0]
    fitting = [each for each in _rest_operations(service) if each.fits(method, path, headers, query)]
    return max(fitting, key=lambda each: each.demands).name if fitting else ""


@dataclass(frozen=True)
class _RestOperation:
    """What a request must have to be this operation.

    Attributes
    ----------
    query, headers
        Query parameters (with their value, where the operation fixes one) and headers it cannot be without.
    """

    name: str
    method: str
    path: re.Pattern[str]
    query: tuple[tuple[str, str | None], ...]
    headers: tuple[str, ...]

    @property
    def demands(self) -> tuple[int, int]:
        """The more it demands, the more specific it is: PutObject fits a CopyObject too. A fixed path beats a label."""
        return len(self.query) + len(self.headers), -self.path.pattern.count("(?:")

    def fits(self, method: str, path: str, headers: Headers, query: Query) -> bool:
        return (
            method == self.method
            and self.path.fullmatch(path) is not None
            and all(name in query and (value is None or query[name] == [value]) for name, value in self.query)
            and all(name in headers for name in self.headers)
        )


@cache
def _rest_operations(service: str) -> tuple[_RestOperation, ...]:
    model = service_model(service)
    return tuple(_rest_operation(model.operation_model(name)) for name in model.operation_names)


def _rest_operation(operation: OperationModel) -> _RestOperation:
    uri, _, fixed = str(operation.http["requestUri"]).partition("?")
    demanded = {name: values[0] or None for name, values in parse_qs(fixed, keep_blank_values=True).items()}
    headers = []
    shape = operation.input_shape
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            place: dict[str, Any] = shape.members[name].serialization
            if place.get("location") == "querystring":
                demanded.setdefault(place["name"], None)
            elif place.get("location") == "header":
                headers.append(place["name"].lower())
    return _RestOperation(
        operation.name, str(operation.http["method"]), _path(uri), tuple(demanded.items()), tuple(headers)
    )


def _path(uri: str) -> re.Pattern[str]:
    """`/{Bucket}/{Key+}` as a pattern; a greedy label takes slashes too."""
    parts = re.split(r"(\{[^}]+\})", uri.rstrip("/") or "/")
    pattern = "".join(
        ("(?:.+)" if part.endswith("+}") else "(?:[^/]+)") if part.startswith("{") else re.escape(part)
        for part in parts
    )
    return re.compile(pattern + "/?", re.DOTALL)
