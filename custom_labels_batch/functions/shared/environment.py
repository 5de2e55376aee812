"""Typed environment variables, checked when a function is imported.

A function that is configured wrongly fails at its first start, and says which variables are wrong, what
their values are and what is allowed, instead of failing somewhere in the middle of an image.
"""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class EnvironmentModel(BaseModel):
    """Base of a function's environment: a field `min_confidence` is the variable MIN_CONFIDENCE.

    Give every field a description that says what is allowed: the error quotes it.
    """

    model_config = ConfigDict(frozen=True, alias_generator=str.upper, extra="ignore")


class WrongEnvironmentError(ValueError):
    """One or more environment variables are missing or wrong; the text names every one."""


Environment = TypeVar("Environment", bound=EnvironmentModel)


def read_environment(model: type[Environment], variables: Mapping[str, str]) -> Environment:
    """Read a function's environment variables.

    Parameters
    ----------
    model
        What the function expects.
    variables
        Where to look, normally `os.environ`.

    Raises
    ------
    WrongEnvironmentError
        Naming every wrong variable, its value and what is allowed.

    Example
    -------
    >>> from pydantic import Field
    >>> class Settings(EnvironmentModel):
    ...     threads: int = Field(ge=1, description="a whole number of at least 1")
    >>> read_environment(Settings, {"THREADS": "4"}).threads
    4
    >>> read_environment(Settings, {"THREADS": "none"})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    custom_labels_batch...WrongEnvironmentError: THREADS is 'none': it must be a whole number of at least 1
    """
    try:
        return model.model_validate(dict(variables))
    except ValidationError as error:
        names = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
        raise WrongEnvironmentError("; ".join(_complaint(model, name, variables) for name in names)) from None


def _complaint(model: type[EnvironmentModel], name: str, variables: Mapping[str, str]) -> str:
    value = f"{name} is {variables[name]!r}" if name in variables else f"{name} is not set"
    return f"{value}: it must be {model.model_fields[name.lower()].description}"
