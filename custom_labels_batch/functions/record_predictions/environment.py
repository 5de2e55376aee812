"""The environment variables of record-predictions."""

from pydantic import Field

from ..shared.environment import EnvironmentModel


class RecordPredictionsEnvironment(EnvironmentModel):
    """What record-predictions must be told; each description says what is allowed."""

    analytics_bucket_name: str = Field(min_length=3, max_length=63, description="the name of the analytics bucket")
