"""Amazon Rekognition Custom Labels: the API of an account's projects, as far as running a trained model needs it.

Requests are JSON 1.1 with the target `RekognitionService.<Operation>`. Constraints on parameters come from
botocore's own model of the service; states, error codes and image limits from the Custom Labels developer
guide and the API reference.
"""

import asyncio
import base64
import io
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.model import Shape, StringShape, StructureShape
from PIL import Image, UnidentifiedImageError

from sandbox.api_calls import service_model
from sandbox.classifier import Classifier
from sandbox.clock import SimulatedClock, iso
from sandbox.model import STARTABLE, Faults, ModelVersion
from sandbox.settings import PROJECT_CREATED_MILLIS, PROJECT_NAME, SandboxSettings, project_arn

TARGET_PREFIX = "RekognitionService"
VERSION_NAMES = ("surfaces.2026-11-01T00.00.00",)

MAX_INFERENCE_UNITS = 5
"""Units the account may use at once: AWS's default quota for a model."""
_DEFAULT_MIN_CONFIDENCE = 50.0
_MAX_BYTES, _MAX_S3_BYTES = 4 * 1024 * 1024, 15 * 1024 * 1024
_MIN_PIXELS, _MAX_PIXELS, _MAX_ASPECT = 64, 4096, 20
_MEGABYTE_HINT = "Image size is too large."
_NO_OBJECT = "Unable to get object metadata from S3. Check object key, region and/or access permissions."

Response = tuple[int, dict[str, str], bytes]
Headers = Mapping[str, str]
ReadObject = Callable[[Headers, str, str, str | None], bytes]
"""Reads bucket, key and version with the permissions of whoever signed the request with these headers;
raises PermissionError or LookupError."""


@dataclass
class ApiError(Exception):
    """An error answer: its code, its message and its HTTP status."""

    code: str
    message: str
    status: int = 400


class Project:
    """A project and its trained versions."""

    def __init__(
        self,
        settings: SandboxSettings,
        clock: SimulatedClock,
        version_names: tuple[str, ...] = VERSION_NAMES,
        name: str = PROJECT_NAME,
    ) -> None:
        self.name = name
        self.arn = project_arn(name)
        prefix = self.arn.rpartition("/")[0]
        self.created_at = PROJECT_CREATED_MILLIS / 1000
        self.faults = Faults()
        self.clock = clock
        self.versions = [
            ModelVersion(
                name=name,
                arn=f"{prefix}/version/{name}/{PROJECT_CREATED_MILLIS + 1 + index}",
                created_at=(PROJECT_CREATED_MILLIS + 1 + index) / 1000,
                settings=settings,
                clock=clock,
                faults=lambda: self.faults,
            )
            for index, name in enumerate(version_names)
        ]

    def newest_first(self) -> list[ModelVersion]:
        """The versions as DescribeProjectVersions lists them."""
        return sorted(self.versions, key=lambda version: -version.created_at)

    def version(self, arn: str) -> ModelVersion:
        """Find a version by its ARN, or raise AWS's ResourceNotFoundException."""
        for version in self.versions:
            if version.arn == arn:
                return version
        raise ApiError("ResourceNotFoundException", f"The resource {arn} could not be found.")

    def set_faults(self, faults: Faults) -> None:
        """Let other things go wrong from now on: what the old faults held up was held up until now."""
        for version in self.versions:
            version.keep_up()
        self.faults = faults

    def mend(self) -> None:
        """Let versions that a fault has made FAILED be startable again."""
        for version in self.versions:
            version.mend()

    def ledger(self, held_out_accuracy: float) -> dict[str, Any]:
        """What `GET /_sandbox/model` answers. Times and minutes are simulated."""
        versions = [version.to_json() for version in self.versions]
        return {
            "projectArn": self.arn,
            "versions": versions,
            "now": iso(self.clock.now()),
            "timeScale": self.clock.time_scale,
            "billedInferenceUnitMinutes": round(sum(v["billedInferenceUnitMinutes"] for v in versions), 4),
            "heldOutAccuracy": held_out_accuracy,
        }


class Rekognition:
    """Answers the API's requests about an account's projects.

    Parameters
    ----------
    projects
        Each with its versions.
    classifier
        What looks at the pixels.
    read_object
        Reads an S3 object with the caller's permissions, as AWS does.
    """

    def __init__(self, projects: Sequence[Project], classifier: Classifier, read_object: ReadObject) -> None:
        self._projects, self._classifier, self._read_object = projects, classifier, read_object
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "StartProjectVersion": self._start,
            "StopProjectVersion": self._stop,
            "DescribeProjectVersions": self._describe_versions,
            "DescribeProjects": self._describe_projects,
        }

    async def handle(self, headers: Headers, body: bytes) -> Response:
        """Answer one request; IAM has been checked before."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            if operation != "DetectCustomLabels" and operation not in self._operations:
                raise ApiError("UnknownOperationException", "")
            request = _parse(operation, body)
            if operation == "DetectCustomLabels":
                # In a thread of its own: decoding a large picture must not hold up every other service.
                answer = await asyncio.to_thread(self._detect, headers, request)
            else:
                answer = self._operations[operation](request)
        except ApiError as error:
            return _response(error.status, _error_document(error))
        return _response(200, answer)

    def _version(self, arn: str) -> tuple[Project, ModelVersion]:
        """A version by its ARN, and its project; raises as the project does."""
        named = [project for project in self._projects if f":project/{project.name}/" in arn]
        project = named[0] if named else self._projects[0]
        return project, project.version(arn)

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        project, version = self._version(request["ProjectVersionArn"])
        units = request["MinInferenceUnits"]
        _raise_injected(project.faults.start_error)
        if request.get("MaxInferenceUnits", units) < units:
            raise ApiError("InvalidParameterException", "MaxInferenceUnits must not be below MinInferenceUnits.")
        if version.status not in STARTABLE:
            raise ApiError(
                "ResourceInUseException", f"ProjectVersion {version.arn} cannot be started: it is {version.status}."
            )
        used = sum(other.inference_units or 0 for found in self._projects for other in found.versions)
        if used + units > MAX_INFERENCE_UNITS:
            raise ApiError(
                "LimitExceededException", f"The account's {MAX_INFERENCE_UNITS} inference units do not suffice."
            )
        version.start(units)
        return {"Status": "STARTING"}

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        project, version = self._version(request["ProjectVersionArn"])
        _raise_injected(project.faults.stop_error)
        if version.status != "RUNNING":
            raise ApiError(
                "ResourceInUseException", f"ProjectVersion {version.arn} cannot be stopped: it is {version.status}."
            )
        version.stop()
        return {"Status": "STOPPING"}

    def _describe_versions(self, request: dict[str, Any]) -> dict[str, Any]:
        project = next((found for found in self._projects if found.arn == request["ProjectArn"]), None)
        if project is None:
            raise ApiError("ResourceNotFoundException", f"The resource {request['ProjectArn']} could not be found.")
        names = request.get("VersionNames")
        versions = [v for v in project.newest_first() if names is None or v.name in names]
        page, token = _page(versions, request)
        return {"ProjectVersionDescriptions": [_describe(version) for version in page], **token}

    def _describe_projects(self, request: dict[str, Any]) -> dict[str, Any]:
        names = request.get("ProjectNames")
        projects = [project for project in self._projects if names is None or project.name in names]
        page, token = _page(projects, request)
        descriptions = [
            {
                "ProjectArn": project.arn,
                "CreationTimestamp": project.created_at,
                "Status": "CREATED",
                "Datasets": [],
                "Feature": "CUSTOM_LABELS",
            }
            for project in page
        ]
        return {"ProjectDescriptions": descriptions, **token}

    def _detect(self, headers: Headers, request: dict[str, Any]) -> dict[str, Any]:
        project, version = self._version(request["ProjectVersionArn"])
        if version.status != "RUNNING":
            raise ApiError(
                "ResourceNotReadyException",
                f"ProjectVersion {version.arn} is not ready for inference: it is {version.status}.",
            )
        if not version.take_call():
            raise ApiError(
                "ProvisionedThroughputExceededException",
                "Provisioned rate exceeded. You can increase MinInferenceUnits for the ProjectVersion.",
            )
        try:
            _raise_injected(project.faults.pick_error())
            predictions = self._classifier.predict(self._picture(headers, request["Image"]))
        except ApiError:
            version.count(ok=False)
            raise
        version.count(ok=True)
        least = request.get("MinConfidence", _DEFAULT_MIN_CONFIDENCE)
        labels = [{"Name": p.label, "Confidence": p.confidence} for p in predictions if p.confidence >= least]
        return {"CustomLabels": labels[: request.get("MaxResults")]}

    def _picture(self, headers: Headers, image: dict[str, Any]) -> Image.Image:
        if ("Bytes" in image) == ("S3Object" in image):
            raise ApiError("InvalidParameterException", "Image needs either Bytes or S3Object.")
        if "Bytes" in image:
            return open_image(base64.b64decode(image["Bytes"]), _MAX_BYTES)
        reference = image["S3Object"]
        if not reference.get("Bucket") or not reference.get("Name"):
            raise ApiError("InvalidParameterException", "S3Object needs a Bucket and a Name.")
        try:
            content = self._read_object(
                headers, reference["Bucket"], reference["Name"], reference.get("Version") or None
            )
        except (PermissionError, LookupError):
            raise ApiError("InvalidS3ObjectException", _NO_OBJECT) from None
        return open_image(content, _MAX_S3_BYTES)


def open_image(content: bytes, max_bytes: int) -> Image.Image:
    """Decode a PNG or JPEG within AWS's limits, or raise the error AWS answers with."""
    if len(content) > max_bytes:
        raise ApiError("ImageTooLargeException", _MEGABYTE_HINT)
    try:
        picture = Image.open(io.BytesIO(content), formats=("JPEG", "PNG"))
        width, height = picture.size
        if min(width, height) < _MIN_PIXELS or max(width, height) > _MAX_PIXELS:
            raise ApiError("InvalidParameterException", "Request has invalid parameters")
        if max(width, height) > _MAX_ASPECT * min(width, height):
            raise ApiError("InvalidParameterException", "Request has invalid parameters")
        picture.draft("L", (128, 128))
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise ApiError("InvalidImageFormatException", "Request has invalid image format") from None
    return picture


def _describe(version: ModelVersion) -> dict[str, Any]:
    units = version.inference_units
    return {
        "ProjectVersionArn": version.arn,
        "CreationTimestamp": version.created_at,
        "Status": version.status,
        "StatusMessage": version.status_message,
        "BillableTrainingTimeInSeconds": 1800,
        "TrainingEndTimestamp": version.created_at + 3600,
        "Feature": "CUSTOM_LABELS",
        **({"MinInferenceUnits": units} if units else {}),
    }


def _page(items: list[Any], request: dict[str, Any]) -> tuple[list[Any], dict[str, str]]:
    """One page of the items, and the token of the next one."""
    size, token = request.get("MaxResults", 100), request.get("NextToken", "0")
    if not token.isdigit() or int(token) > len(items):
        raise ApiError("InvalidPaginationTokenException", "Pagination token in the request is not valid.")
    start = int(token)
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return items[start : start + size], more


def _raise_injected(code: str | None) -> None:
    if code:
        status = 500 if code == "InternalServerError" else 400
        raise ApiError(code, "Injected by the sandbox's fault seam.", status)


def _parse(operation: str, body: bytes) -> dict[str, Any]:
    """The request as a dictionary, checked against the service's model."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        raise ApiError("SerializationException", "The request is not valid JSON.") from None
    shape = service_model("rekognition").operation_model(operation).input_shape
    if not isinstance(request, dict) or shape is None:
        raise ApiError("SerializationException", "The request is not a JSON object.")
    problems = list(_problems(shape, request, ""))
    if problems:
        count = len(problems)
        raise ApiError(
            "ValidationException",
            f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(problems)}",
        )
    return request


_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "integer": (int,),
    "float": (int, float),
    "list": (list,),
    "structure": (dict,),
}


def _problems(shape: Shape, value: Any, path: str) -> list[str]:
    """Every constraint of the model that the value breaks, in AWS's words."""
    expected: Any = _PYTHON_TYPES.get(shape.type_name, (object,))
    if not isinstance(value, expected) or isinstance(value, bool):
        raise ApiError("SerializationException", f"Expected {shape.type_name} at '{path}'")
    found = _constraint_problems(shape, value, path)
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if name not in value:
                found.append(_problem(None, _member(path, name), "Member must not be null"))
        for name, member in shape.members.items():
            if value.get(name) is not None:
                found += _problems(member, value[name], _member(path, name))
    return found


def _constraint_problems(shape: Shape, value: Any, path: str) -> list[str]:
    rules, found = shape.metadata, []
    size = len(value) if isinstance(value, (str, list)) else value
    kind = "length" if isinstance(value, (str, list)) else "value"
    if "min" in rules and size < rules["min"]:
        found.append(_problem(value, path, f"Member must have {kind} greater than or equal to {rules['min']}"))
    # A blob's limit is about the decoded bytes, which the image checks look at.
    if "max" in rules and size > rules["max"] and shape.type_name != "blob":
        found.append(_problem(value, path, f"Member must have {kind} less than or equal to {rules['max']}"))
    if isinstance(shape, StringShape) and "pattern" in rules and not re.search(rules["pattern"], value):
        found.append(_problem(value, path, f"Member must satisfy regular expression pattern: {rules['pattern']}"))
    return found


def _member(path: str, name: str) -> str:
    lowered = name[0].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered


def _problem(value: Any, path: str, rule: str) -> str:
    shown = "null" if value is None else f"'{str(value)[:200]}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def _error_document(error: ApiError) -> dict[str, Any]:
    return {"__type": error.code, "Code": error.code, "Message": error.message, "Logref": str(uuid.uuid4())}


def _response(status: int, document: dict[str, Any]) -> Response:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(document).encode()
