"""The environment variables of refuse-destroy."""

from pydantic import Field

from ..shared.environment import EnvironmentModel


class RefuseDestroyEnvironment(EnvironmentModel):
    """What refuse-destroy must be told; each description says what is allowed."""

    runs_table_name: str = Field(min_length=3, max_length=255, description="the name of the runs table")
