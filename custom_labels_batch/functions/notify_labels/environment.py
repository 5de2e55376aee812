"""The environment variables of notify-labels."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, Json

from ..shared.environment import EnvironmentModel

Percent = Annotated[float, Field(ge=0, le=100)]

MAX_LINK_MINUTES = 7 * 24 * 60
"""The longest that a Signature Version 4 link can be asked to work (Amazon S3 user guide, presigned URLs)."""


class Mode(StrEnum):
    """How many notifications a batch of predictions makes: one, or one for each image."""

    DIGEST = "digest"
    IMAGE = "image"


class NotifyLabelsEnvironment(EnvironmentModel):
    """What notify-labels must be told; each description says what is allowed."""

    notification_topic_arn: str = Field(
        pattern=r"^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:.+$",
        description="the ARN of the notification topic, arn:aws:sns:REGION:ACCOUNT:NAME",
    )
    labels_of_interest: Json[dict[str, Percent]] = Field(
        description='a JSON object of label to threshold, 0 to 100, such as {"crack": 55}, or {} to send nothing'
    )
    notification_mode: Mode = Field(description="digest or image")
    presigned_url_minutes: int = Field(
        ge=0, le=MAX_LINK_MINUTES, description=f"a whole number from 0 (no links) to {MAX_LINK_MINUTES}"
    )
