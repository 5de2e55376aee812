"""The model's ledger, as `GET /_sandbox/model` answers it."""

from typing import Any

from sandbox.endpoint import read_json
from sandbox.settings import SandboxSettings


def read_ledger(settings: SandboxSettings) -> dict[str, Any]:
    """States, calls and billed inference-unit minutes of every version, in simulated time.

    Raises
    ------
    SandboxError
        The emulator does not answer.
    """
    return read_json(settings, "model")


def newest_version(settings: SandboxSettings) -> dict[str, Any]:
    """The ledger of the version that runs use when none is pinned; raises as `read_ledger` does."""
    version: dict[str, Any] = read_ledger(settings)["versions"][0]
    return version
