"""What AWS asks of a state machine before it ever runs: known fields, whole transitions, and the rights to log."""

from collections.abc import Iterator
from typing import Any

LOG_DELIVERY_ACTIONS = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
"""What a state machine's role needs to log, all on "*" (Step Functions developer guide)."""

State = dict[str, Any]

_COMMON = {"Type", "Comment", "QueryLanguage"}
_FLOW = {"Next", "End", "Output", "Assign"}
_ERRORS = {"Retry", "Catch"}
_FIELDS = {
    "Pass": _FLOW,
    "Task": _FLOW | _ERRORS | {"Resource", "Arguments", "TimeoutSeconds", "HeartbeatSeconds", "Credentials"},
    "Choice": {"Choices", "Default", "Output", "Assign"},
    "Wait": _FLOW | {"Seconds", "Timestamp"},
    "Succeed": {"Output"},
    "Fail": {"Error", "Cause"},
    "Parallel": _FLOW | _ERRORS | {"Branches", "Arguments"},
    "Map": _FLOW | _ERRORS | {"Items", "ItemSelector", "ItemProcessor", "MaxConcurrency"},
}
_RETRIER = {
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}
_CATCHER = {"ErrorEquals", "Next", "Output", "Assign", "Comment"}
_RULE = {"Condition", "Next", "Output", "Assign", "Comment"}
_MACHINE = {"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"}


def problems(definition: State) -> list[str]:
    """Every reason AWS would refuse this JSONata definition for, each with the place it is about."""
    if definition.get("QueryLanguage") != "JSONata":
        return ["the sandbox runs JSONata state machines only: QueryLanguage must be JSONata at the top"]
    return [*_unknown("the state machine", definition, _MACHINE), *_machine_problems(definition, "")]


def _machine_problems(machine: State, path: str) -> Iterator[str]:
    states = machine.get("States") or {}
    if machine.get("StartAt") not in states:
        yield f"{path or '/'}: StartAt names no state"
    reached = {machine.get("StartAt")}
    for name, state in states.items():
        yield from _state_problems(f"{path}/{name}", state, set(states))
        reached.update(_targets(state))
    for name in states:
        if name not in reached:
            yield f"{path}/{name}: no transition leads to this state"


def _state_problems(path: str, state: State, names: set[str]) -> Iterator[str]:
    kind = state.get("Type", "")
    if kind not in _FIELDS:
        yield f"{path}: unknown Type {kind!r}"
        return
    yield from _unknown(path, state, _FIELDS[kind] | _COMMON)
    yield from (f"{path}: {target!r} is no state here" for target in _targets(state) if target not in names)
    if "Next" in _FIELDS[kind] and ("Next" in state) == (state.get("End") is True):
        yield f"{path}: needs either Next or End"
    for field, allowed in (("Retry", _RETRIER), ("Catch", _CATCHER), ("Choices", _RULE)):
        for entry in state.get(field, []):
            yield from _unknown(f"{path}/{field}", entry, allowed)
    for field in ("Retry", "Catch"):
        yield from _states_all_problems(f"{path}/{field}", state.get(field, []))
    for index, branch in enumerate(state.get("Branches", [])):
        yield from _machine_problems(branch, f"{path}/Branches[{index}]")
    if kind == "Map":
        yield from _machine_problems(state.get("ItemProcessor", {}), f"{path}/ItemProcessor")


def _states_all_problems(path: str, entries: list[State]) -> Iterator[str]:
    for index, entry in enumerate(entries):
        names = entry.get("ErrorEquals") or []
        if not names:
            yield f"{path}: ErrorEquals is empty"
        if "States.ALL" in names and (len(names) > 1 or index < len(entries) - 1):
            yield f"{path}: States.ALL must be alone and last"


def _targets(state: State) -> set[str]:
    found = {state.get("Next"), state.get("Default")}
    found |= {entry.get("Next") for field in ("Choices", "Catch") for entry in state.get(field, [])}
    return {target for target in found if target is not None}


def _unknown(path: str, value: State, allowed: set[str]) -> Iterator[str]:
    for field in sorted(set(value) - allowed):
        yield f"{path}: the field {field!r} is not supported"
