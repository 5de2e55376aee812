"""The `SANDBOX_*` environment variables, typed and validated in one place."""

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.errors import SandboxError

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
"""The account ministack gives to requests signed `test`/`test`, which act as its root."""

PROJECT_NAME, PROJECT_CREATED_MILLIS = "surfaces", 1793491200000  # 2026-11-01T00:00:00Z


def project_arn(name: str) -> str:
    """The ARN of a Custom Labels project that the sandbox's Rekognition serves."""
    return f"arn:aws:rekognition:{REGION}:{ACCOUNT_ID}:project/{name}/{PROJECT_CREATED_MILLIS}"


PROJECT_ARN = project_arn(PROJECT_NAME)
"""The project that the demo's model is a version of."""

HOST = "127.0.0.1"

_VARIABLES = {
    "port": "SANDBOX_PORT",
    "time_scale": "SANDBOX_TIME_SCALE",
    "model_start_minutes": "SANDBOX_MODEL_START_MINUTES",
    "model_stop_minutes": "SANDBOX_MODEL_STOP_MINUTES",
    "tps_per_unit": "SANDBOX_TPS_PER_UNIT",
    "projects": "SANDBOX_PROJECTS",
}

_ALLOWED = {
    "port": "a whole number from 1 to 65535",
    "time_scale": "a number above 0 and up to 1, in real seconds for each simulated second",
    "model_start_minutes": "a number of simulated minutes from 0 to 1440",
    "model_stop_minutes": "a number of simulated minutes from 0 to 1440",
    "tps_per_unit": "a number above 0 and up to 1000, in calls for each simulated second",
    "projects": "names of Custom Labels projects, with commas",
}


class SandboxSettings(BaseModel):
    """How the sandbox behaves; every value has a default and a `SANDBOX_*` variable."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(default=4566, ge=1, le=65535)
    """Port on 127.0.0.1 that answers every AWS call."""

    time_scale: float = Field(default=1 / 30, gt=0, le=1, allow_inf_nan=False)
    """Real seconds for each simulated second: 1/30 makes a minute of waiting last 2 seconds."""

    model_start_minutes: float = Field(default=10, ge=0, le=1440, allow_inf_nan=False)
    """Simulated minutes a model spends in STARTING."""

    model_stop_minutes: float = Field(default=1, ge=0, le=1440, allow_inf_nan=False)
    """Simulated minutes a model spends in STOPPING."""

    tps_per_unit: float = Field(default=5, gt=0, le=1000, allow_inf_nan=False)
    """DetectCustomLabels calls one inference unit takes in a simulated second."""

    projects: str = Field(default="surfaces,textures", pattern=r"^[a-zA-Z0-9_.-]{1,255}(,[a-zA-Z0-9_.-]{1,255})*$")
    """The Custom Labels projects there are, by their names, each with one trained version; stacks share none."""

    @property
    def endpoint_url(self) -> str:
        """Where the AWS CLI and SDKs find the sandbox."""
        return f"http://{HOST}:{self.port}"

    @property
    def region(self) -> str:
        """The one region the sandbox speaks for."""
        return REGION

    @property
    def account_id(self) -> str:
        """The account every resource belongs to."""
        return ACCOUNT_ID

    def environment(self) -> dict[str, str]:
        """The variables that give these settings to a child process."""
        return {variable: str(getattr(self, field)) for field, variable in _VARIABLES.items()}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "SandboxSettings":
        """Read the variables that are set and not empty.

        Raises
        ------
        SandboxError
            One line that names every wrong variable, its value and what is allowed.
        """
        source = os.environ if environment is None else environment
        values = {field: source[name] for field, name in _VARIABLES.items() if source.get(name)}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SandboxError("; ".join(_problem(str(item["loc"][0]), values) for item in error.errors())) from None


def _problem(field: str, values: Mapping[str, str]) -> str:
    return f"{_VARIABLES[field]} is {values[field]!r}; allowed is {_ALLOWED[field]}"
