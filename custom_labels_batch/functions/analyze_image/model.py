"""The model, a Rekognition Custom Labels one: which version is asked, and what it says of one image."""

import os
import time
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from pydantic import Field

from ..shared.aws_errors import error_code, error_message
from ..shared.environment import EnvironmentModel, read_environment
from ..shared.image_version import ImageVersion
from ..shared.prediction import Reason
from .detector import Detection, Detector, Parts, RefusedError
from .failures import ModelNotUpError
from .image_header import Unreadable, read_header
from .refusals import reason_in_event, reason_in_header, reason_of_service
from .source_bucket import SourceBucket

if TYPE_CHECKING:
    from types_boto3_rekognition import RekognitionClient
    from types_boto3_rekognition.type_defs import DescribeProjectVersionsRequestPaginateTypeDef, S3ObjectTypeDef

_REFUSALS = frozenset(
    {
        "ImageTooLargeException",
        "InvalidImageFormatException",
        "InvalidParameterException",
        "InvalidS3ObjectException",
    }
)
_NOT_UP = frozenset({"ResourceNotFoundException", "ResourceNotReadyException"})
_REMEMBERED_SECONDS = 60


class ModelEnvironment(EnvironmentModel):
    """What the model must be told; each description says what is allowed."""

    project_arn: str = Field(
        pattern=r"^arn:[a-z-]+:rekognition:[a-z0-9-]+:\d{12}:project/[^/]+/\d+$",
        description="a Rekognition project ARN, arn:aws:rekognition:REGION:ACCOUNT:project/NAME/NUMBER",
    )
    model_version: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_.-]{0,255}$",
        description="the name of a model version, or empty for the newest that runs",
    )


def make_detector(parts: Parts) -> Detector:
    """The model that the environment names, the newest running version of a project where no run has chosen one."""
    environment = read_environment(ModelEnvironment, os.environ)
    rekognition = boto3.client(
        "rekognition", config=parts.config.merge(Config(retries={"mode": "adaptive", "total_max_attempts": 4}))
    )
    # Before every attempt, not every call: the client's own retries count against the model's TPS too.
    rekognition.meta.events.register(
        "before-send.rekognition.DetectCustomLabels", lambda **_: parts.pacer.wait(), unique_id="pacer"
    )
    find = (
        parts.runs_table.project_version_arn
        if parts.runs_table
        else partial(find_running_version, rekognition, environment.project_arn, environment.model_version)
    )
    return Model(rekognition, RememberedVersion(find), parts.source, parts.min_confidence)


class RememberedVersion:
    """The ARN of the model version to ask, remembered for a minute and shared by all threads."""

    def __init__(self, find: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._clock = clock
        self._lock = Lock()
        self._arn = ""
        self._found_at = float("-inf")

    def current(self) -> str:
        with self._lock:
            if self._clock() - self._found_at > _REMEMBERED_SECONDS:
                self._look()
            return self._arn

    def instead_of(self, stale: str) -> str:
        """The version to ask after one was found not to run; looks again unless another thread just did."""
        with self._lock:
            if self._arn == stale:
                self._look()
            return self._arn

    def _look(self) -> None:
        self._found_at = float("-inf")
        self._arn = self._find()
        self._found_at = self._clock()


class Model:
    def __init__(
        self,
        rekognition: "RekognitionClient",
        version: RememberedVersion,
        source: SourceBucket,
        min_confidence: float,
    ) -> None:
        self._rekognition = rekognition
        self._version = version
        self._source = source
        self._min_confidence = min_confidence

    def detect(self, image: ImageVersion) -> Detection:
        """As `Detector.detect`.

        Where the bucket keeps no versions, S3 gives whatever is there now: compare the ETag afterwards.

        Raises
        ------
        ModelNotUpError
            No version is running, also after looking again for the version to ask.
        """
        if reason := reason_in_event(image):
            raise RefusedError(reason, proven=True)
        arn = self._version.current()
        try:
            return self._ask(image, arn)
        except ModelNotUpError:
            other = self._version.instead_of(arn)
            if other == arn:
                raise
            return self._ask(image, other)

    def _ask(self, image: ImageVersion, arn: str) -> Detection:
        s3_object: S3ObjectTypeDef = {"Bucket": image.bucket, "Name": image.key}
        if image.version_id is not None:
            s3_object["Version"] = image.version_id
        try:
            answer = self._rekognition.detect_custom_labels(
                ProjectVersionArn=arn, Image={"S3Object": s3_object}, MinConfidence=self._min_confidence
            )
        except ClientError as error:
            if error_code(error) in _NOT_UP:
                raise ModelNotUpError(f"{arn} is not running: {error_message(error)}") from error
            if error_code(error) in _REFUSALS:
                self._judge(image, error, arn)
            raise
        return Detection(tuple(answer["CustomLabels"]), arn)

    def _judge(self, image: ImageVersion, error: ClientError, arn: str) -> None:
        """Find out whether the image is at fault, and raise RefusedError if it may be."""
        code = error_code(error)
        if code == "InvalidS3ObjectException":
            self._source.require(image)
        elif reason := self._reason_in_file(image):
            raise RefusedError(reason, proven=True, model_arn=arn) from error
        elif code != "InvalidParameterException":
            reason = reason_of_service(code, error_message(error))
            raise RefusedError(reason, proven=False, model_arn=arn) from error

    def _reason_in_file(self, image: ImageVersion) -> Reason | None:
        header = read_header(self._source.first_bytes(image))
        if isinstance(header, Unreadable) and header.cut_short:
            header = read_header(self._source.all_bytes(image))
        return reason_in_header(header)


def find_running_version(rekognition: "RekognitionClient", project_arn: str, version_name: str) -> str:
    """The ARN of the newest running version of a project, or of the pinned one if it runs.

    Raises
    ------
    ModelNotUpError
        None is running.
    """
    request: DescribeProjectVersionsRequestPaginateTypeDef = {"ProjectArn": project_arn}
    if version_name:
        request["VersionNames"] = [version_name]
    pages = rekognition.get_paginator("describe_project_versions").paginate(**request)
    running = [
        version for page in pages for version in page["ProjectVersionDescriptions"] if version["Status"] == "RUNNING"
    ]
    if not running:
        raise ModelNotUpError(f"No running version {version_name} in {project_arn}".replace("  ", " "))
    return max(running, key=lambda version: version["CreationTimestamp"])["ProjectVersionArn"]
