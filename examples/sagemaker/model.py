"""A SageMaker endpoint, asked for the labels of an image: takes the place of functions/analyze_image/model.py."""
# Its neighbours are there, where the type checker does not see them from here.
# mypy: disable-error-code="import-not-found,import-untyped,misc,no-any-return"

import json
import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from pydantic import Field

from ..shared.aws_errors import error_code, error_message
from ..shared.environment import EnvironmentModel, read_environment
from ..shared.image_version import ImageVersion
from ..shared.prediction import Reason
from .detector import Detection, Detector, Parts, RefusedError
from .failures import BusyModelError, ModelNotUpError

MAX_BYTES = 6_291_456
"""Of InvokeEndpoint's Body (SageMaker Runtime API)."""


class EndpointEnvironment(EnvironmentModel):
    """What BatchInference gives every detector; here it is the endpoint's ARN."""

    project_arn: str = Field(
        pattern=r"^arn:[a-z-]+:sagemaker:[a-z0-9-]+:\d{12}:endpoint/[a-z0-9-]{1,63}$",
        description="an endpoint's ARN, arn:aws:sagemaker:REGION:ACCOUNT:endpoint/NAME",
    )


def make_detector(parts: Parts) -> Detector:
    """Called once, when Lambda imports the function."""
    arn = read_environment(EndpointEnvironment, os.environ).project_arn
    runtime = boto3.client(
        "sagemaker-runtime", config=parts.config.merge(Config(retries={"mode": "adaptive", "total_max_attempts": 4}))
    )
    runtime.meta.events.register(
        "before-send.sagemaker-runtime.InvokeEndpoint", lambda **_: parts.pacer.wait(), unique_id="pacer"
    )
    return Endpoint(runtime, arn, parts)


class Endpoint:
    def __init__(self, runtime: Any, arn: str, parts: Parts) -> None:
        self._runtime, self._arn, self._parts = runtime, arn, parts

    def detect(self, image: ImageVersion) -> Detection:
        """As `Detector.detect`."""
        if not 0 < image.size <= MAX_BYTES:
            message = f"{image.size:,} bytes; 1 to {MAX_BYTES:,} are allowed"
            raise RefusedError(Reason(code="ObjectSize", message=message), proven=True)
        content = self._parts.source.all_bytes(image)
        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=self._arn.rpartition("/")[2],
                ContentType="application/x-image",
                Accept="application/json;verbose",  # JumpStart: the labels and their probabilities
                Body=content,
            )
        except ClientError as error:
            raise self._failure(error) from error
        found = labels_in(json.load(answer["Body"]))
        return Detection(tuple(one for one in found if one["Confidence"] >= self._parts.min_confidence), self._arn)

    def _failure(self, error: ClientError) -> Exception:
        """What an error of InvokeEndpoint means for the image; it stands for itself where nothing else is known."""
        code, message = error_code(error), error_message(error)
        if code == "ModelNotReadyException" or (code == "ValidationError" and "not found" in message):
            return ModelNotUpError(f"{self._arn} is not in service: {message}")
        if code == "ModelError":
            answer: Any = error.response
            if 400 <= answer.get("OriginalStatusCode", 500) < 500:
                reason = Reason(code=code, message=f"The model cannot read the image: {message}")
                return RefusedError(reason, proven=False, model_arn=self._arn)
            return BusyModelError(f"{self._arn}: {message}")
        return error


def labels_in(answer: Any) -> list[Any]:
    """The labels in what the container answered; the one function to write for another container.

    Example
    -------
    >>> labels_in({"labels": ["brick", "grass"], "probabilities": [0.9, 0.1]})
    [{'Name': 'brick', 'Confidence': 90.0}, {'Name': 'grass', 'Confidence': 10.0}]
    """
    pairs = zip(answer["labels"], answer["probabilities"], strict=True)
    return [{"Name": name, "Confidence": 100 * probability} for name, probability in pairs]
