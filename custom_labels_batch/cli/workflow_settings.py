"""What a deployed workflow was told, as its definition says it."""

import json
from typing import Any


def settings_in(definition: str) -> dict[str, Any] | None:
    """The settings of the workflow that runs the model, such as `maxInferenceUnits`; None of another workflow."""
    return _first(json.loads(definition))


def _first(node: Any) -> dict[str, Any] | None:
    if isinstance(node, dict):
        if "maxInferenceUnits" in node:
            return node
        node = list(node.values())
    if isinstance(node, list):
        return next((found for child in node if (found := _first(child))), None)
    return None
