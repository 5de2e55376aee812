"""Step Functions in simulated time: the sandbox's strict interpreter, and executions that start each other."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sandbox import asl
from sandbox.emulator.integrations import Integrations
from sandbox.emulator.workflows import _Runner
from tests.workflows.services import refuse
from tests.workflows.timeline import Timeline, VirtualClock

Json = dict[str, Any]

CALL_SECONDS = 0.2
"""How long a call of an AWS API takes."""
PREFIX = "arn:aws:states:us-east-1:000000000000"


@dataclass
class Execution:
    """One execution and its history."""

    arn: str
    name: str
    machine: str
    input: str
    started_at: float
    status: str = "RUNNING"
    output: Any = None
    error: str = ""
    cause: str = ""
    stopped_at: float | None = None
    states: list[str] = field(default_factory=list)
    """The states it entered, in order."""
    history: list[str] = field(default_factory=list)
    """The types of its history events, in order."""
    control: asl.Control = field(default_factory=asl.Control)

    @property
    def running(self) -> bool:
        return self.status == "RUNNING"

    @property
    def events(self) -> int:
        """History events as AWS counts them, with the first and the last one."""
        return len(self.history) + 1 + (not self.running)


EventHook = Callable[[Execution, str], None]


class StepFunctions:
    """Starts, runs, describes and stops executions of the given definitions."""

    def __init__(self, timeline: Timeline, clock: VirtualClock, integrations: Integrations, definitions: Json) -> None:
        self._timeline, self._integrations, self._definitions = timeline, integrations, definitions
        self._runner = _Runner(integrations, clock)
        self.executions: dict[str, Execution] = {}
        self.calling: Execution | None = None
        self.on_event: EventHook = lambda _execution, _kind: None
        self.calls_land_late = False
        """Whether a call in flight when its execution is stopped still takes effect, seconds later."""
        self.held: set[str] = set()
        """Executions whose calls get no answer for now."""
        self.crashes: list[BaseException] = []
        self.mistakes: list[str] = []
        """Errors that only a wrong workflow makes."""

    def start(self, machine: str, workflow_input: str = "{}", name: str = "") -> Execution:
        """StartExecution."""
        name = name or f"{machine}-{len(self.executions) + 1}"
        execution = Execution(f"{PREFIX}:execution:{machine}:{name}", name, machine, workflow_input, self._timeline.now)
        self.executions[execution.arn] = execution
        self._timeline.spawn(lambda: self._run(execution))
        timeout = self._definitions[machine]["TimeoutSeconds"]
        self._timeline.after(timeout, lambda: self.end(execution, "TIMED_OUT", error="States.Timeout"))
        return execution

    def end(self, execution: Execution, status: str, *, error: str = "", cause: str = "") -> None:
        """StopExecution, or an end of its own; nothing happens to one that has ended."""
        if execution.running:
            execution.status, execution.error, execution.cause = status, error, cause
            execution.stopped_at = self._timeline.now
            execution.control.stop()

    def start_execution(self, request: Json) -> Json:
        """The API's StartExecution."""
        machine = request["stateMachineArn"].rpartition(":")[2]
        if machine not in self._definitions:
            raise refuse("StartExecution", "StateMachineDoesNotExist")
        execution = self.start(machine, request.get("input", "{}"), request.get("name", ""))
        return {"executionArn": execution.arn, "startDate": datetime.fromtimestamp(execution.started_at, UTC)}

    def describe_execution(self, request: Json) -> Json:
        """The API's DescribeExecution."""
        execution = self.executions.get(request["executionArn"])
        if execution is None:
            raise refuse("DescribeExecution", "ExecutionDoesNotExist")
        answer = {
            "executionArn": execution.arn,
            "name": execution.name,
            "status": execution.status,
            "input": execution.input,
            "startDate": datetime.fromtimestamp(execution.started_at, UTC),
            "error": execution.error,
            "cause": execution.cause,
        }
        return {name: value for name, value in answer.items() if value != ""}

    def _run(self, execution: Execution) -> None:
        machine = {"roleArn": f"arn:aws:iam::000000000000:role/{execution.machine}", "name": execution.machine}
        record = {
            "executionArn": execution.arn,
            "name": execution.name,
            "input": execution.input,
            "stateMachineArn": f"{PREFIX}:stateMachine:{execution.machine}",
        }
        sandboxed = self._runner._execution(record, machine)
        observed = replace(
            sandboxed,
            control=execution.control,
            record=lambda kind, details: self._record(execution, kind, details),
            call=lambda resource, arguments: self._call(execution, sandboxed.call, resource, arguments),
            evaluate=self._noting_mistakes(sandboxed.evaluate),
        )
        self._walk(execution, observed)

    def _walk(self, execution: Execution, observed: asl.Execution) -> None:
        try:
            output = asl.run(self._definitions[execution.machine], observed, json.loads(execution.input))
        except asl.StateError as error:
            if error.error in asl.UNCATCHABLE:
                self.mistakes.append(str(error))
            self.end(execution, "FAILED", error=error.error, cause=error.cause)
        except asl.Stopped:
            pass
        except BaseException as error:
            self.crashes.append(error)
            self.end(execution, "FAILED", error=type(error).__name__, cause=str(error))
        else:
            execution.output = output
            self.end(execution, "SUCCEEDED")

    def _record(self, execution: Execution, kind: str, details: Json) -> None:
        execution.history.append(kind)
        if entered := details.get("stateEnteredEventDetails"):
            execution.states.append(entered["name"])
        self.on_event(execution, kind)

    def _call(self, execution: Execution, call: asl.Call, resource: str, arguments: Any) -> Any:
        self._timeline.sleep(CALL_SECONDS)
        while execution.arn in self.held:
            self._timeline.sleep(1)
        if execution.control.stopped:
            if not self.calls_land_late:
                raise asl.Stopped
            self._timeline.sleep(5)
        self.calling = execution
        return call(resource, arguments)

    def _noting_mistakes(self, evaluate: asl.Evaluate) -> asl.Evaluate:
        def noting(expression: str, states: Json, variables: Json) -> Any:
            try:
                return evaluate(expression, states, variables)
            except asl.StateError as error:
                self.mistakes.append(f"{error} in {expression}")
                raise

        return noting
