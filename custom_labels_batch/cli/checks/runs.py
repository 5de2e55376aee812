"""Runs, what starts them, and what ends them. With `trigger: upload` there are none."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from custom_labels_batch.cli.errors import OperationError
from custom_labels_batch.cli.findings import Finding, ok, problem, warning
from custom_labels_batch.cli.model import version_name
from custom_labels_batch.cli.runs import (
    execution_status,
    last_runs,
    mapping_state,
    minutes_between,
    read_lock,
    run_name,
    settings_in,
)
from custom_labels_batch.cli.schedule import group_and_name, how_to_switch_on
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.cli.wording import duration

_GUARD_MINUTES = 15
"""The pause of the guard's schedule (components.triggers.GUARD_SCHEDULE)."""

_BAD_ENDS = ("FAILED", "TIMED_OUT", "ABORTED")
_BAD_OUTCOMES = ("FAILED", "TIMED_OUT", "GONE")
"""The others are of runs that did their work, or that a person ended."""


def lock(stack: Stack) -> Iterator[Finding]:
    """Whether whoever holds the model is alive."""
    if not stack.is_scheduled:
        return
    held = read_lock(stack)
    if held is None:
        yield ok("lock", "no run holds the model")
        return
    name, status = run_name(held.run_execution_arn), execution_status(stack, held.execution_arn)
    if status in ("RUNNING", "PENDING_REDRIVE"):
        what = "its model is being released" if held.is_released else "it is at work"
        yield ok("lock", f"run {name} holds the model; {what}")
    else:
        model = version_name(held.project_version_arn) if held.project_version_arn else "no version"
        yield problem(
            "lock",
            f"run {name} holds the model ({model}), and its execution is {status}",
            "clb stop releases it; the guard does so within 15 minutes, if it works",
        )


def mapping(stack: Stack) -> Iterator[Finding]:
    """Whether the mapping is open exactly while it should be."""
    state = mapping_state(stack)
    is_open = state in ("Enabled", "Enabling", "Updating", "Creating")
    if not stack.is_scheduled:
        if is_open:
            yield ok("mapping", f"open ({state}), as it always is with trigger upload")
        else:
            yield problem("mapping", f"closed ({state}): no upload is labelled", "pulumi up --refresh opens it")
    elif is_open and read_lock(stack) is None:
        yield problem(
            "mapping",
            f"open ({state}) while no run is active: messages fail against a model that does not run",
            "clb stop closes it; the next tick of the schedule does so too",
        )
    else:
        yield ok("mapping", f"open ({state}), for the active run" if is_open else f"closed ({state}), no run is active")


def schedules(stack: Stack) -> Iterator[Finding]:
    """Whether the schedules of runs and of the guard are on."""
    if not stack.is_scheduled:
        return
    group, name = group_and_name(stack)
    pages = stack.scheduler.get_paginator("list_schedules").paginate(GroupName=group)
    states = {found["Name"]: found["State"] for page in pages for found in page["Schedules"]}
    if states.get(name) == "ENABLED":
        yield ok("schedule", "on")
    else:
        what = "switched off" if name in states else "gone"
        yield warning("schedule", f"{what}: no run begins by itself", how_to_switch_on(stack))
    for other, state in states.items():
        if other != name and state != "ENABLED":
            yield problem(
                "guard", f"its schedule {other} is switched off: a dead run's model runs on", how_to_switch_on(stack)
            )
    if not states.keys() - {name}:
        yield problem("guard", "its schedule is gone: a dead run's model runs on", "pulumi up --refresh makes it anew")


def guard(stack: Stack) -> Iterator[Finding]:
    """Whether release_model has been started lately, as the guard's schedule does, and has ended well."""
    if not stack.is_scheduled:
        return
    machine = stack.output("releaseStateMachineArn")
    found = stack.stepfunctions.list_executions(stateMachineArn=machine, maxResults=20)["executions"]
    if not found:
        made = stack.stepfunctions.describe_state_machine(stateMachineArn=machine)["creationDate"]
        yield _never_ran(_minutes_since(made, stack))
        return
    yield _last_start(_minutes_since(found[0]["startDate"], stack))
    ended = [execution for execution in found if execution["status"] != "RUNNING"]
    if ended and ended[0]["status"] in _BAD_ENDS:
        cause = stack.stepfunctions.describe_execution(executionArn=ended[0]["executionArn"]).get("cause")
        yield problem(
            "guard",
            f"the last release of the model {ended[0]['status']}: {cause or 'no cause is given'}",
            "see whether the model runs (clb status) and stop it (clb stop); Step Functions has the execution",
        )


def _never_ran(minutes: float) -> Finding:
    if minutes < 2 * _GUARD_MINUTES:
        return ok("guard", "has not run yet; the stack is new")
    return problem(
        "guard", f"has never run, in {duration(minutes)}", "the alarm failed-schedule, or CloudTrail, says why"
    )


def _last_start(minutes: float) -> Finding:
    if minutes <= 2 * _GUARD_MINUTES:
        return ok("guard", f"ran {duration(minutes)} ago")
    return problem(
        "guard",
        f"ran {duration(minutes)} ago, and should every {_GUARD_MINUTES} minutes: a dead run's model runs on",
        "is its schedule on, and may its role start release_model? pulumi up --refresh puts both back",
    )


def _minutes_since(moment: datetime, stack: Stack) -> float:
    """Minutes of the stack's clock; Step Functions' moments are real ones."""
    return minutes_between(moment, datetime.now(UTC)) / stack.time_scale


def last_run(stack: Stack) -> Iterator[Finding]:
    """How the last run ended."""
    if not stack.is_scheduled:
        return
    records = last_runs(stack, 1)
    if not records:
        yield ok("last run", "there has been none")
    elif records[0].outcome not in _BAD_OUTCOMES:
        yield ok("last run", records[0].outcome)
    else:
        yield warning(
            "last run",
            f"{records[0].outcome}: {records[0].cause or 'no cause is given'}",
            "its cause says what to mend; what it did not label waits for the next run",
        )


def run_settings(stack: Stack) -> dict[str, Any]:
    """What the workflow was deployed with, such as `maxInferenceUnits`.

    Raises
    ------
    OperationError
        Its definition does not say.
    """
    definition = stack.stepfunctions.describe_state_machine(stateMachineArn=stack.state_machine())["definition"]
    found = settings_in(definition)
    if found is None:
        raise OperationError("the workflow's definition names no maxInferenceUnits; is it this project's last version?")
    return found
