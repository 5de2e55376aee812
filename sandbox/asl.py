"""The Amazon States Language in JSONata, with the rules of AWS Step Functions that an emulator likes to bend.

What it holds to, all from the Step Functions developer guide: variables live in the scope that assigned
them; `States.Runtime` and `States.DataLimitExceeded` cannot be caught; data stops at 256 KiB; a Standard
execution ends at 25,000 history events; nothing runs on after an execution was stopped.
"""

import json
import random
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, Lock
from typing import Any

from sandbox.clock import SimulatedClock, iso

Json = Any
State = dict[str, Any]

MAX_DATA_BYTES = 256 * 1024
MAX_HISTORY_EVENTS = 25_000
UNCATCHABLE = frozenset({"States.Runtime", "States.DataLimitExceeded"})

Evaluate = Callable[[str, dict[str, Any], dict[str, Json]], Json]
"""Evaluates a JSONata expression with `$states` and the variables; raises StateError."""
Call = Callable[[str, Json], Json]
"""Does what a Task's Resource says with its Arguments; raises StateError."""
Record = Callable[[str, dict[str, Any]], None]
"""Writes one history event: its type and its details."""


class StateError(Exception):
    """An error as a Catch or Retry sees it."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


class Stopped(BaseException):
    """The execution, or the Parallel around this branch, has ended: no state may run on or catch this."""


class Control:
    """Tells a running execution, or one branch of it, that it is over."""

    def __init__(self, parent: "Control | None" = None) -> None:
        self._parent = parent
        self._changed: Condition = parent._changed if parent else Condition()
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether this or anything around it was stopped."""
        return self._stopped or (self._parent is not None and self._parent.stopped)

    def stop(self) -> None:
        """End this and everything inside it."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def check(self) -> None:
        """Raise Stopped when it is over."""
        if self.stopped:
            raise Stopped

    def sleep(self, clock: SimulatedClock, seconds: float) -> None:
        """Wait simulated seconds, or raise Stopped as soon as it is over."""
        clock.wait(max(0.0, seconds), self._changed, lambda: self.stopped)
        self.check()


class Scope:
    """The variables of an execution, or of one branch: readable inwards, written only where they belong."""

    def __init__(self, parent: "Scope | None" = None) -> None:
        self._parent = parent
        self._own: dict[str, Json] = {}

    def visible(self) -> dict[str, Json]:
        """Every variable that can be read here."""
        return {**(self._parent.visible() if self._parent else {}), **self._own}

    def assign(self, values: dict[str, Json]) -> None:
        """Set variables here; one that an outer scope has raises `States.Runtime`, as AWS does."""
        outer = self._parent.visible() if self._parent else {}
        for name, value in values.items():
            if name in outer:
                raise StateError("States.Runtime", f"The variable '{name}' belongs to an outer scope")
            _check_size(value, f"variable '{name}'")
        self._own |= values


@dataclass
class Execution:
    """What a workflow needs from the world around it."""

    context: dict[str, Any]
    """`$states.context` without the State: Execution and StateMachine."""
    clock: SimulatedClock
    evaluate: Evaluate
    call: Call
    record: Record
    control: Control = field(default_factory=Control)
    events: int = 1
    """History events so far, counted as AWS counts them; ExecutionStarted is the first."""
    _writing: Lock = field(default_factory=Lock)

    def event(self, kind: str, details: dict[str, Any] | None = None) -> None:
        """Count and write one history event; one too many ends the execution."""
        with self._writing:
            self.events += 1
            if self.events >= MAX_HISTORY_EVENTS:
                message = f"The execution reached the maximum number of history events ({MAX_HISTORY_EVENTS})."
                raise StateError("States.Runtime", message)
            self.record(kind, details or {})


@dataclass
class _Frame:
    """One visit of one state."""

    execution: Execution
    control: Control
    scope: Scope
    name: str
    state: State
    input: Json
    entered_at: float
    retry_count: int = 0
    extra_context: dict[str, Any] = field(default_factory=dict)

    def evaluate(self, template: Json, **more: Json) -> Json:
        """Evaluate every `{% %}` in a template; `more` adds to `$states` (result, errorOutput)."""
        context = {
            **self.execution.context,
            **self.extra_context,
            "State": {"Name": self.name, "EnteredTime": iso(self.entered_at), "RetryCount": self.retry_count},
        }
        states = {"input": self.input, "context": context, **more}
        return _evaluate_template(template, self.execution.evaluate, states, self.scope.visible())

    def finish(self, fields: State, default: Json, **more: Json) -> Json:
        """Work out Output and Assign, both from the variables as they were, then assign."""
        output = self.evaluate(fields["Output"], **more) if "Output" in fields else default
        values = self.evaluate(fields.get("Assign", {}), **more)
        _check_size(output, f"output of the state '{self.name}'")
        self.scope.assign(values)
        return output


def run(definition: State, execution: Execution, workflow_input: Json) -> Json:
    """Run a state machine to its end and return its output.

    Raises
    ------
    StateError
        The execution failed.
    Stopped
        The execution's Control was stopped.
    """
    with execution.clock.activity.going_on():
        return _Machine(execution, execution.control, Scope(), {}).run(definition, workflow_input)


class _Machine:
    """The states of one execution, or of one branch, walked from StartAt to the end."""

    def __init__(self, execution: Execution, control: Control, scope: Scope, extra: dict[str, Any]) -> None:
        self._execution, self._control, self._scope, self._extra = execution, control, scope, extra

    def run(self, definition: State, value: Json) -> Json:
        name: str | None = definition["StartAt"]
        while name is not None:
            self._control.check()
            value, name = self._visit(name, definition["States"][name], value)
        return value

    def _visit(self, name: str, state: State, value: Json) -> tuple[Json, str | None]:
        kind = state["Type"]
        self._execution.event(f"{kind}StateEntered", _entered(name, value))
        frame = _Frame(
            self._execution,
            self._control,
            self._scope,
            name,
            state,
            value,
            self._execution.clock.now(),
            extra_context=self._extra,
        )
        output, following = _STATES[kind](frame)
        self._control.check()
        self._execution.event(f"{kind}StateExited", _exited(name, output))
        return output, following


def _pass(frame: _Frame) -> tuple[Json, str | None]:
    return frame.finish(frame.state, frame.input), frame.state.get("Next")


def _succeed(frame: _Frame) -> tuple[Json, str | None]:
    return frame.finish(frame.state, frame.input), None


def _fail(frame: _Frame) -> tuple[Json, str | None]:
    error = frame.evaluate(frame.state.get("Error", "States.Fail"))
    cause = frame.evaluate(frame.state.get("Cause", ""))
    if not isinstance(error, str) or not isinstance(cause, str):
        raise StateError("States.QueryEvaluationError", f"Error and Cause of '{frame.name}' must be strings")
    raise StateError(error, cause)


def _wait(frame: _Frame) -> tuple[Json, str | None]:
    clock = frame.execution.clock
    if "Seconds" in frame.state:
        seconds = frame.evaluate(frame.state["Seconds"])
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds < 0 or seconds % 1:
            raise StateError(
                "States.QueryEvaluationError", f"Seconds of '{frame.name}' must be a whole number, not {seconds!r}"
            )
    else:
        moment = frame.evaluate(frame.state["Timestamp"])
        seconds = frame.execution.evaluate("$toMillis($moment)", {}, {"moment": moment}) / 1000 - clock.now()
    frame.control.sleep(clock, seconds)
    return frame.finish(frame.state, frame.input), frame.state.get("Next")


def _choice(frame: _Frame) -> tuple[Json, str | None]:
    for rule in frame.state["Choices"]:
        matched = frame.evaluate(rule["Condition"])
        if not isinstance(matched, bool):
            raise StateError(
                "States.QueryEvaluationError", f"A Condition of '{frame.name}' gave {matched!r}, not true or false"
            )
        if matched:
            return frame.finish(rule, frame.input), rule["Next"]
    if "Default" not in frame.state:
        raise StateError("States.NoChoiceMatched", f"No rule of '{frame.name}' matched and there is no Default")
    return frame.finish(frame.state, frame.input), frame.state["Default"]


def _task(frame: _Frame) -> tuple[Json, str | None]:
    return _with_retry_and_catch(frame, _attempt_task)


def _attempt_task(frame: _Frame) -> Json:
    execution, resource = frame.execution, frame.state["Resource"]
    arguments = frame.evaluate(frame.state.get("Arguments", frame.input))
    _check_size(arguments, f"Arguments of the state '{frame.name}'")
    execution.event("TaskScheduled", {"taskScheduledEventDetails": _scheduled(resource, arguments)})
    execution.event("TaskStarted", {"taskStartedEventDetails": {"resource": resource, "resourceType": "aws-sdk"}})
    started = time.monotonic()
    try:
        result = execution.call(resource, arguments)
        limit = frame.evaluate(frame.state.get("TimeoutSeconds", 99999999))
        if time.monotonic() - started > limit:  # real seconds: the code behind a Task is real
            raise StateError("States.Timeout", f"The task took longer than {limit} seconds")
        _check_size(result, f"result of the state '{frame.name}'")
    except StateError as error:
        details = {"error": error.error, "cause": error.cause, "resource": resource, "resourceType": "aws-sdk"}
        execution.event("TaskFailed", {"taskFailedEventDetails": details})
        raise
    details = {"resource": resource, "resourceType": "aws-sdk", "output": json.dumps(result)}
    execution.event("TaskSucceeded", {"taskSucceededEventDetails": details})
    return frame.finish(frame.state, result, result=result)


def _parallel(frame: _Frame) -> tuple[Json, str | None]:
    return _with_retry_and_catch(frame, _attempt_parallel)


def _attempt_parallel(frame: _Frame) -> Json:
    value = frame.evaluate(frame.state.get("Arguments", frame.input))
    frame.execution.event("ParallelStateStarted")
    branches = frame.state["Branches"]
    try:
        result = _run_branches(frame, [(branch, value, {}) for branch in branches], len(branches))
    except StateError:
        frame.execution.event("ParallelStateFailed")
        raise
    _check_size(result, f"result of the state '{frame.name}'")
    frame.execution.event("ParallelStateSucceeded")
    return frame.finish(frame.state, result, result=result)


def _map(frame: _Frame) -> tuple[Json, str | None]:
    return _with_retry_and_catch(frame, _attempt_map)


def _attempt_map(frame: _Frame) -> Json:
    items = frame.evaluate(frame.state.get("Items", frame.input))
    if not isinstance(items, list):
        raise StateError("States.QueryEvaluationError", f"Items of '{frame.name}' must be an array, not {items!r}")
    frame.execution.event("MapStateStarted", {"mapStateStartedEventDetails": {"length": len(items)}})
    runs = []
    for index, item in enumerate(items):
        extra = {"Map": {"Item": {"Index": index, "Value": item}}}
        frame.extra_context = extra
        runs.append((frame.state["ItemProcessor"], frame.evaluate(frame.state.get("ItemSelector", item)), extra))
    frame.extra_context = {}
    at_once = frame.evaluate(frame.state.get("MaxConcurrency", 0)) or 40
    try:
        result = _run_branches(frame, runs, at_once, "MapIteration")
    except StateError:
        frame.execution.event("MapStateFailed")
        raise
    _check_size(result, f"result of the state '{frame.name}'")
    frame.execution.event("MapStateSucceeded")
    return frame.finish(frame.state, result, result=result)


def _run_branches(
    frame: _Frame, runs: list[tuple[State, Json, dict[str, Any]]], at_once: int, events: str = ""
) -> list[Json]:
    """Run each definition in a scope of its own; the first error stops the others and is raised."""
    control, activity = Control(frame.control), frame.execution.clock.activity

    def run_one(definition: State, value: Json, extra: dict[str, Any]) -> Json:
        if events:
            frame.execution.event(f"{events}Started")
        with activity.going_on():
            result = _Machine(frame.execution, control, Scope(frame.scope), extra).run(definition, value)
        if events:
            frame.execution.event(f"{events}Succeeded")
        return result

    with ThreadPoolExecutor(max_workers=max(1, at_once)) as pool:
        # A thread of its own knows no request: it takes this one's account and region along.
        futures = [pool.submit(partial(copy_context().run, run_one, *each)) for each in runs]
        with activity.paused():
            wait(futures, return_when=FIRST_EXCEPTION)
        control.stop()
    frame.control.check()
    errors = [error for future in futures if isinstance(error := future.exception(), StateError)]
    if errors:
        # An error nothing may catch must not hide behind another branch's ordinary one.
        raise next((error for error in errors if error.error in UNCATCHABLE), errors[0])
    return [future.result() for future in futures]


def _with_retry_and_catch(frame: _Frame, attempt: Callable[[_Frame], Json]) -> tuple[Json, str | None]:
    used: dict[int, int] = {}
    while True:
        try:
            return attempt(frame), frame.state.get("Next")
        except StateError as error:
            frame.control.check()
            delay = _retry_delay(frame.state, error, used)
            if delay is not None:
                frame.control.sleep(frame.execution.clock, delay)
                frame.retry_count += 1
                continue
            catcher = next((c for c in frame.state.get("Catch", []) if catches(c["ErrorEquals"], error.error)), None)
            if catcher is None:
                raise
            details = {"Error": error.error, "Cause": error.cause}
            return frame.finish(catcher, details, errorOutput=details), catcher["Next"]


def catches(error_equals: list[str], error: str) -> bool:
    """Whether a Retry or Catch with these names applies to the error."""
    if error in UNCATCHABLE:
        return False
    if error in error_equals or "States.ALL" in error_equals:
        return True
    return "States.TaskFailed" in error_equals and error != "States.Timeout"


def _retry_delay(state: State, error: StateError, used: dict[int, int]) -> float | None:
    """Simulated seconds until the next attempt, or None when there is none. Counts the attempt."""
    for index, retrier in enumerate(state.get("Retry", [])):
        if not catches(retrier["ErrorEquals"], error.error):
            continue
        count = used.get(index, 0)
        if count >= retrier.get("MaxAttempts", 3):
            return None
        used[index] = count + 1
        delay = retrier.get("IntervalSeconds", 1) * float(retrier.get("BackoffRate", 2.0)) ** count
        delay = min(delay, retrier.get("MaxDelaySeconds", 31_622_400))
        return random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay  # noqa: S311
    return None


def _evaluate_template(template: Json, evaluate: Evaluate, states: dict[str, Any], variables: dict[str, Json]) -> Json:
    if isinstance(template, str) and template.startswith("{%") and template.endswith("%}"):
        return evaluate(template[2:-2].strip(), states, variables)
    if isinstance(template, dict):
        return {key: _evaluate_template(value, evaluate, states, variables) for key, value in template.items()}
    if isinstance(template, list):
        return [_evaluate_template(item, evaluate, states, variables) for item in template]
    return template


def _check_size(value: Json, what: str) -> None:
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_DATA_BYTES:
        raise StateError("States.DataLimitExceeded", f"The {what} is {size} bytes; the limit is {MAX_DATA_BYTES}")


def _scheduled(resource: str, arguments: Json) -> dict[str, Any]:
    return {"resource": resource, "resourceType": "aws-sdk", "parameters": json.dumps(arguments)}


def _entered(name: str, value: Json) -> dict[str, Any]:
    return {"stateEnteredEventDetails": {"name": name, "input": json.dumps(value)}}


def _exited(name: str, output: Json) -> dict[str, Any]:
    return {"stateExitedEventDetails": {"name": name, "output": json.dumps(output)}}


_STATES: dict[str, Callable[[_Frame], tuple[Json, str | None]]] = {
    "Pass": _pass,
    "Succeed": _succeed,
    "Fail": _fail,
    "Wait": _wait,
    "Choice": _choice,
    "Task": _task,
    "Parallel": _parallel,
    "Map": _map,
}
