"""Resource Groups Tagging API: also of state machines and of Athena's workgroups, which ministack leaves out."""

from collections.abc import Iterator

from ministack.services import athena, stepfunctions, tagging

from sandbox.emulator.patching import require

Tagged = tuple[str, list[dict[str, str]]]

_collectors = require(tagging, "_COLLECTORS")
_state_machines = require(stepfunctions, "_tags")
_workgroups = require(athena, "_tags")


def install() -> None:
    """Let GetResources answer them too."""
    _collectors["states"] = _collect_state_machines
    _collectors["athena"] = _collect_workgroups


def _collect_state_machines() -> Iterator[Tagged]:
    for arn, tags in _state_machines.items():
        yield arn, [{"Key": tag["key"], "Value": tag["value"]} for tag in tags]


def _collect_workgroups() -> Iterator[Tagged]:
    for arn, tags in _workgroups.items():
        yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]
