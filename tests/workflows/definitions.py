"""The two workflow definitions as they are in `workflows/`, walked state by state."""

import json
import re
from collections.abc import Iterator
from typing import Any

from custom_labels_batch.components.workflow import WORKFLOWS

State = dict[str, Any]

NAMES = ("batch_inference", "release_model")

_EXPRESSION = re.compile(r"^\{%(.*)%\}$", re.DOTALL)


def definition(name: str) -> State:
    """A workflow, its tokens not replaced."""
    loaded: State = json.loads((WORKFLOWS / f"{name}.asl.json").read_text(encoding="utf-8"))
    return loaded


def machines(name: str) -> Iterator[State]:
    """The workflow itself, then every branch of its Parallel states."""
    yield from _machines(definition(name))


def states(name: str, *types: str) -> dict[str, State]:
    """Every state of a workflow, branches included; of some types only."""
    found = {key: state for machine in machines(name) for key, state in machine["States"].items()}
    return {key: state for key, state in found.items() if not types or state["Type"] in types}


def body_tasks() -> list[str]:
    """The Tasks inside batch_inference's try."""
    _, body = machines("batch_inference")
    return [name for name, state in body["States"].items() if state["Type"] == "Task"]


def transitions(state: State) -> Iterator[tuple[str, State]]:
    """Where a state leads, each with what holds the Output and Assign of that way."""
    if "Next" in state:
        yield state["Next"], state
    if "Default" in state:
        yield state["Default"], state
    for way in (*state.get("Choices", []), *state.get("Catch", [])):
        yield way["Next"], way


def expressions(node: Any) -> Iterator[str]:
    """Every JSONata expression in a part of a definition."""
    if isinstance(node, dict):
        for value in node.values():
            yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)
    elif isinstance(node, str) and (found := _EXPRESSION.match(node)):
        yield found[1].strip()


def _machines(machine: State) -> Iterator[State]:
    yield machine
    for state in machine["States"].values():
        for branch in state.get("Branches", []):
            yield from _machines(branch)
