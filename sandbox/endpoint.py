"""What the sandbox tells beside AWS's own APIs: `GET /_sandbox/...`."""

import http.client
import json
import urllib.request
from typing import Any

from sandbox.errors import SandboxError
from sandbox.settings import SandboxSettings


def read_json(settings: SandboxSettings, name: str) -> dict[str, Any]:
    """The answer of `GET /_sandbox/<name>`.

    Raises
    ------
    SandboxError
        The emulator does not answer.
    """
    try:
        with urllib.request.urlopen(f"{settings.endpoint_url}/_sandbox/{name}", timeout=10) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
    except (OSError, http.client.HTTPException) as error:
        raise SandboxError(f"The emulator at {settings.endpoint_url} does not answer: {error}") from error
    return found


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
