"""The model: which version is asked, and what it says of one image."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ..shared.aws_errors import error_code, error_message
from ..shared.image_version import ImageVersion
from .failures import ModelNotUpError

if TYPE_CHECKING:
    from types_boto3_rekognition import RekognitionClient
    from types_boto3_rekognition.type_defs import (
        CustomLabelTypeDef,
        DescribeProjectVersionsRequestPaginateTypeDef,
        S3ObjectTypeDef,
    )

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


class RefusedError(Exception):
    """Rekognition would not look at the image; whose fault that is, the code alone does not say.

    Attributes
    ----------
    code, message
        As Rekognition gave them.
    project_version_arn
        The model version that was asked.
    """

    def __init__(self, code: str, message: str, project_version_arn: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.project_version_arn = project_version_arn


@dataclass(frozen=True)
class Detection:
    """What one version of the model found, unfiltered."""

    labels: "tuple[CustomLabelTypeDef, ...]"
    project_version_arn: str


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
    def __init__(self, rekognition: "RekognitionClient", version: RememberedVersion, min_confidence: float) -> None:
        self._rekognition = rekognition
        self._version = version
        self._min_confidence = min_confidence

    def detect(self, image: ImageVersion) -> Detection:
        """Ask for the labels of exactly this image version.

        Where the bucket keeps no versions, S3 gives whatever is there now: compare the ETag afterwards.

        Raises
        ------
        RefusedError
            Rekognition would not look at the image.
        ModelNotUpError
            No version is running, also after looking again for the version to ask.
        ClientError, HTTPClientError, ConnectionError
            Anything else, after the client's own retries.
        """
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
                raise RefusedError(error_code(error), error_message(error), arn) from error
            raise
        return Detection(tuple(answer["CustomLabels"]), arn)


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
