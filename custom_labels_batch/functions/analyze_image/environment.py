"""The environment variables of analyze-image."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, Json, ValidationInfo, field_validator

from ..shared.environment import EnvironmentModel

Percent = Annotated[float, Field(ge=0, le=100)]


class Trigger(StrEnum):
    """Who runs the model: the workflow, on a schedule, or the user, who keeps it running for uploads."""

    SCHEDULE = "schedule"
    UPLOAD = "upload"


class AnalyzeImageEnvironment(EnvironmentModel):
    """What analyze-image must be told; each description says what is allowed."""

    trigger: Trigger = Field(description="schedule or upload")
    runs_table_name: str = Field(
        default="",
        validate_default=True,
        description="the name of the runs table while TRIGGER is schedule; it may be empty otherwise",
    )
    source_bucket_name: str = Field(min_length=3, max_length=63, description="the name of the source bucket")
    final_bucket_name: str = Field(min_length=3, max_length=63, description="the name of the final bucket")
    predictions_topic_arn: str = Field(
        pattern=r"^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:.+$",
        description="the ARN of the predictions topic, arn:aws:sns:REGION:ACCOUNT:NAME",
    )
    min_confidence: Percent = Field(description="a number from 0 to 100")
    label_thresholds: Json[dict[str, Percent]] = Field(
        description='a JSON object of label to threshold, 0 to 100, such as {"brick": 80}, or {}'
    )
    detect_calls_per_second: float = Field(
        gt=0, le=10_000, allow_inf_nan=False, description="a number above 0 and at most 10000"
    )
    detect_threads: int = Field(ge=1, le=64, description="a whole number from 1 to 64")

    @field_validator("runs_table_name")
    @classmethod
    def _needed_on_a_schedule(cls, name: str, info: ValidationInfo) -> str:
        if info.data.get("trigger") is Trigger.SCHEDULE and not name:
            raise ValueError("the lock that names the model version is in the runs table")
        return name
