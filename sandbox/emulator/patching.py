"""Replacing functions of ministack by name, and noticing when they have moved."""

import inspect
from collections.abc import Callable
from importlib.metadata import version
from types import ModuleType
from typing import Any

from sandbox.errors import SandboxError

Function = Callable[..., Any]


SNS_TO_SQS = "endpoint envelope raw raw_message message_group_id message_dedup_id message_attributes topic_arn"
"""Parameters of `sns._deliver_to_sqs`, which several modules replace."""


def replace(module: ModuleType | type, name: str, parameters: str, make: Callable[[Function], Function]) -> None:
    """Put `make(original)` in the place of a function of ministack.

    Parameters
    ----------
    module, name
        Where the function is: in a module, or a class.
    parameters
        The names of its parameters, separated by spaces, as the pinned version has them.
    make
        Gets the original and returns what stands in for it.

    Raises
    ------
    SandboxError
        When the function is gone or takes other parameters.
    """
    original = require(module, name)
    found = " ".join(inspect.signature(original).parameters)
    if found != parameters:
        raise _moved(f"{module.__name__}.{name}({found})", f"({parameters})")
    replacement = make(original)
    setattr(module, name, replacement)
    # Tables from action to function, filled when the module was imported, hold the original too.
    for table in [value for value in vars(module).values() if isinstance(value, dict)]:
        table.update({key: replacement for key, value in table.items() if value is original})


def require(module: Any, name: str) -> Any:
    """The attribute of a ministack module, or of something in it, or a SandboxError that says it has moved."""
    try:
        return getattr(module, name)
    except AttributeError:
        raise _moved(f"{module.__name__}.{name}", "it to exist") from None


def _moved(what: str, expected: str) -> SandboxError:
    return SandboxError(
        f"ministack {version('ministack')} does not fit this sandbox: {what}, expected {expected}. "
        "Install the version that requirements-dev.txt pins."
    )
