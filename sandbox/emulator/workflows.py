"""Step Functions: ministack keeps machines and executions, `sandbox.asl` runs them under AWS's rules."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any

from ministack.services import stepfunctions

from sandbox import asl
from sandbox.asl_definition import LOG_DELIVERY_ACTIONS, problems
from sandbox.clock import SimulatedClock, iso
from sandbox.emulator.access import role_may, role_trusts
from sandbox.emulator.integrations import Integrations
from sandbox.emulator.patching import Function, replace, require
from sandbox.settings import ACCOUNT_ID, REGION

_machines = require(stepfunctions, "_state_machines")
_executions = require(stepfunctions, "_executions")
_add_event = require(stepfunctions, "_add_event")
_emit = require(stepfunctions, "_emit_execution_status_event")
_evaluate = require(stepfunctions, "_evaluate_jsonata")
_error = require(stepfunctions, "error_response_json")
_now = require(stepfunctions, "now_iso")
_EvaluationError = require(stepfunctions, "_ExecutionError")

Record = dict[str, Any]


def install(integrations: Integrations, clock: SimulatedClock) -> None:
    """Put the strict interpreter in the place of ministack's own."""
    runner = _Runner(integrations, clock)
    replace(stepfunctions, "_run_execution", "exec_arn", lambda _: runner.run)
    replace(stepfunctions, "_stop_execution", "data", runner.stopping)
    replace(stepfunctions, "_start_execution", "data", _starting_is_idempotent)
    replace(stepfunctions, "_delete_state_machine", "data", runner.deleting)
    replace(stepfunctions, "_create_state_machine", "data", _with_creation_checks)
    replace(stepfunctions, "_update_state_machine", "data", _with_update_checks)
    replace(stepfunctions, "_register_sfn_jsonata_functions", "expr", lambda original: _with_clock(original, clock))


class _Runner:
    """Runs executions in ministack's background threads, and ends them when they must end."""

    def __init__(self, integrations: Integrations, clock: SimulatedClock) -> None:
        self._integrations, self._clock = integrations, clock
        self._running: dict[str, asl.Control] = {}
        self._ending = threading.RLock()

    def run(self, arn: str) -> None:
        """Take one started execution to its end."""
        record = _executions.get(arn)
        machine = _machines.get(record["stateMachineArn"]) if record else None
        if record is None or machine is None:
            return
        definition = json.loads(machine["definition"])
        execution = self._execution(record, machine)
        self._running[arn] = execution.control
        try:
            with self._time_limit(definition, record, execution.control):
                output = asl.run(definition, execution, json.loads(record["input"]))
        except asl.StateError as error:
            self._end(record, "FAILED", error=error.error, cause=error.cause)
        except asl.Stopped:
            pass  # whoever stopped it has written how it ended
        except Exception as error:
            self._end(record, "FAILED", error="States.Runtime", cause=f"{type(error).__name__}: {error}")
            raise
        else:
            self._end(record, "SUCCEEDED", output=json.dumps(output))
        finally:
            self._running.pop(arn, None)

    def stopping(self, original: Function) -> Function:
        """StopExecution: write the end first, then let no state run on."""

        def stop(data: Record) -> Any:
            with self._ending:
                answer = original(data)
                control = self._running.get(str(data.get("executionArn")))
            if control is not None and answer[0] == 200:
                control.stop()
            return answer

        return stop

    def deleting(self, original: Function) -> Function:
        """DeleteStateMachine: its executions end, and nothing catches that."""

        def delete(data: Record) -> Any:
            owned = [
                arn for arn, record in _executions.items() if record["stateMachineArn"] == data.get("stateMachineArn")
            ]
            for control in [self._running[arn] for arn in owned if arn in self._running]:
                control.stop()
            return original(data)

        return delete

    def _execution(self, record: Record, machine: Record) -> asl.Execution:
        role = machine["roleArn"]

        def evaluate(expression: str, states: dict[str, Any], variables: dict[str, Any]) -> Any:
            context = {**states.get("context", {}), "variables": variables}
            try:
                return _evaluate(
                    expression, states.get("input"), context, states.get("result"), states.get("errorOutput")
                )
            except _EvaluationError as error:
                raise asl.StateError(error.error, error.cause) from None

        return asl.Execution(
            context={
                "Execution": {
                    "Id": record["executionArn"],
                    "Input": json.loads(record["input"]),
                    "Name": record["name"],
                    "RoleArn": role,
                    "StartTime": iso(self._clock.now()),
                    "RedriveCount": 0,
                },
                "StateMachine": {"Id": record["stateMachineArn"], "Name": machine["name"]},
            },
            clock=self._clock,
            evaluate=evaluate,
            call=lambda resource, arguments: self._integrations.call(role, resource, arguments),
            record=lambda kind, details: _add_event(record, kind, details),
        )

    @contextmanager
    def _time_limit(self, definition: Record, record: Record, control: asl.Control) -> Iterator[None]:
        """The state machine's own TimeoutSeconds, in simulated time."""
        if "TimeoutSeconds" not in definition:
            yield
            return

        def expire() -> None:
            self._end(record, "TIMED_OUT", error="States.Timeout")
            control.stop()

        # The clock's thread knows no request: it takes this one's account and region along.
        limit = self._clock.set_alarm(
            self._clock.now() + definition["TimeoutSeconds"], partial(copy_context().run, expire)
        )
        try:
            yield
        finally:
            limit.cancel()

    def _end(self, record: Record, status: str, **details: str) -> None:
        """Write the end of an execution, unless it has ended already."""
        with self._ending:
            if record["status"] != "RUNNING":
                return
            record.update(status=status, stopDate=_now(), **details)
            kind = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "TIMED_OUT": "TimedOut"}[status]
            _add_event(record, f"Execution{kind}", {f"execution{kind}EventDetails": details})
        _emit(record)


def _starting_is_idempotent(original: Function) -> Function:
    """StartExecution with the name and input of a running execution answers with that one, as AWS does."""

    def start(data: Record) -> Any:
        for record in _executions.values():
            same = record["name"] == data.get("name") and record["input"] == data.get("input", "{}")
            if same and record["status"] == "RUNNING" and record["stateMachineArn"] == data.get("stateMachineArn"):
                answer = {"executionArn": record["executionArn"], "startDate": record["startDate"]}
                return require(stepfunctions, "json_response")(answer)
        return original(data)

    return start


def _with_creation_checks(original: Function) -> Function:
    def create(data: Record) -> Any:
        name, role = data.get("name", ""), data.get("roleArn", "")
        return _refusal(data) or _role_refusal(name, role) or _logging_refusal(data) or original(data)

    return create


def _with_update_checks(original: Function) -> Function:
    def update(data: Record) -> Any:
        return (_refusal(data) if "definition" in data else None) or original(data)

    return update


def _role_refusal(name: str, role: str) -> Any:
    arn = f"arn:aws:states:{REGION}:{ACCOUNT_ID}:stateMachine:{name}"
    if role_trusts(role, "states.amazonaws.com", arn):
        return None
    message = "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume"
    return _error("AccessDeniedException", f"{message} the provided role.", 400)


def _logging_refusal(data: Record) -> Any:
    """A machine with logging needs a role that may set up the log delivery, and an ARN that ends in `:*`."""
    logging = data.get("loggingConfiguration") or {}
    if logging.get("level", "OFF") == "OFF":
        return None
    destinations = [d.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "") for d in logging.get("destinations", [])]
    if not destinations or not all(arn.endswith(":*") for arn in destinations):
        return _error(
            "InvalidLoggingConfiguration", "Invalid Logging Configuration: Log Group ARN must end with :*", 400
        )
    if all(role_may(data.get("roleArn", ""), action, "*") for action in LOG_DELIVERY_ACTIONS):
        return None
    message = "The state machine IAM Role is not authorized to access the Log Destination"
    return _error("AccessDeniedException", message, 400)


def _refusal(data: Record) -> Any:
    """What AWS says about a definition it does not take, or None."""
    try:
        found = problems(json.loads(data.get("definition", "")))
    except (ValueError, AttributeError):
        found = ["the definition is not a JSON object"]
    if not found:
        return None
    return _error("InvalidDefinition", "Invalid State Machine Definition: " + "; ".join(found), 400)


def _with_clock(original: Function, clock: SimulatedClock) -> Function:
    """`$millis()` and `$now()` in simulated time, so that a workflow can measure its own waits."""

    def register(expression: Any) -> None:
        original(expression)
        expression.register_lambda("millis", lambda: int(clock.now() * 1000))
        expression.register_lambda("now", lambda: iso(clock.now()))

    return register
