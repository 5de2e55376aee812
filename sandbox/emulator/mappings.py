"""Lambda event source mappings: changes take time, conflict with each other, and need the role's rights; batches
are gathered for as long as the mapping says, and a function's report about them is read as Lambda reads it.
"""

import json
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ministack.core import concurrency
from ministack.services import lambda_svc, sqs

from sandbox.clock import SimulatedClock
from sandbox.emulator import batches
from sandbox.emulator.access import role_may
from sandbox.emulator.patching import Function, replace, require

TRANSITION_SECONDS = 10
"""Simulated seconds a change of a mapping takes; AWS names no figure, seconds to a minute are usual."""

_SQS_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")

_error = require(lambda_svc, "error_response_json")
_batches_in_progress = require(lambda_svc, "_esm_inflight")
_esms = require(lambda_svc, "_esms")
_function_record = require(lambda_svc, "_get_func_record_for_qualifier")
_queue_by_arn = require(sqs, "_queue_by_arn")
_wake = require(concurrency, "esm_wake")

Mapping = dict[str, Any]

_reports_item_failures: ContextVar[bool] = ContextVar("reports_item_failures", default=False)


@dataclass
class _Transition:
    state: str
    ends_at: float


class _Transitions:
    """Which mappings are under way from one state to another."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._current: dict[str, _Transition] = {}

    def begin(self, uuid: str, state: str) -> None:
        ends_at = self._clock.now() + TRANSITION_SECONDS
        self._current[uuid] = _Transition(state, ends_at)
        # The poller sleeps while nothing happens: it is told when the mapping is ready.
        self._clock.set_alarm(ends_at, _wake.set)

    def state(self, uuid: str) -> str | None:
        transition = self._current.get(uuid)
        return transition.state if transition and self._clock.now() < transition.ends_at else None

    def takes_messages(self, esm: Mapping) -> bool:
        """Whether a mapping is open: one that is being opened or closed takes nothing."""
        is_ready = self.state(esm["UUID"]) not in {"Creating", "Enabling", "Disabling"}
        return is_ready and bool(esm.get("Enabled", True))


def install(clock: SimulatedClock) -> Callable[[], bool]:
    """Replace the functions of ministack's event source mappings that are laxer than AWS.

    Returns
    -------
    callable
        Whether any mapping is working on messages, or could take one now.
    """
    transitions, gathered = _Transitions(clock), batches.Batches(clock)
    gathered.install()
    each_mapping = require(lambda_svc, "_iter_all_esms")
    replace(lambda_svc, "_esm_response", "esm", lambda original: _showing_state(original, transitions))
    replace(lambda_svc, "_create_esm", "data", lambda original: _creating(original, transitions))
    replace(lambda_svc, "_update_esm", "esm_id data", lambda original: _updating(original, transitions))
    replace(lambda_svc, "_delete_esm", "esm_id", lambda original: _deleting(original, transitions, gathered))
    replace(lambda_svc, "_iter_all_esms", "", lambda original: _polling_ready_ones(original, transitions, gathered))
    replace(lambda_svc, "_run_sqs_batch", "esm func_rec event batch queue_url queue_name", _noting_what_is_reported)
    replace(lambda_svc, "_execute_function", "func event", _failing_on_a_malformed_report)
    return lambda: bool(_batches_in_progress) or any(_could_take(esm, transitions) for _, _, esm in each_mapping())


def _could_take(esm: Mapping, transitions: _Transitions) -> bool:
    queue = _queue_by_arn(esm["EventSourceArn"])
    if queue is None or not transitions.takes_messages(esm):
        return False
    now = sqs.time.time()
    return any(message["visible_at"] <= now for message in list(queue["messages"]))


def _showing_state(original: Function, transitions: _Transitions) -> Function:
    def respond(esm: Mapping) -> Mapping:
        answer: Mapping = original(esm)
        under_way = transitions.state(esm["UUID"])
        return {**answer, "State": under_way} if under_way else answer

    return respond


def _creating(original: Function, transitions: _Transitions) -> Function:
    def create(data: Mapping) -> Any:
        name = str(data.get("FunctionName", "")).partition(":function:")[2] or str(data.get("FunctionName", ""))
        source_arn = str(data.get("EventSourceArn", ""))
        refusal = _batching_refusal(source_arn, data) or _refusal(name.partition(":")[0], source_arn)
        if refusal:
            return refusal
        known = set(_esms)
        answer = original(data)
        for uuid in set(_esms) - known:
            transitions.begin(uuid, "Creating")
            return require(lambda_svc, "json_response")(lambda_svc._esm_response(_esms[uuid]), 202)
        return answer

    return create


def _updating(original: Function, transitions: _Transitions) -> Function:
    def update(esm_id: str, data: Mapping) -> Any:
        esm = _esms.get(esm_id)
        if esm is None:
            return original(esm_id, data)
        refusal = (
            _conflict(transitions, esm_id)
            or _batching_refusal(esm["EventSourceArn"], {**esm, **data})
            or _refusal(esm["FunctionName"], esm["EventSourceArn"])
        )
        if refusal:
            return refusal
        enabled = esm["Enabled"]
        answer = original(esm_id, data)
        if answer[0] >= 400:
            return answer
        if esm["Enabled"] == enabled:
            transitions.begin(esm_id, "Updating")
        else:
            transitions.begin(esm_id, "Enabling" if esm["Enabled"] else "Disabling")
        return require(lambda_svc, "json_response")(lambda_svc._esm_response(esm), 202)

    return update


def _deleting(original: Function, transitions: _Transitions, gathered: batches.Batches) -> Function:
    def delete(esm_id: str) -> Any:
        conflict = _conflict(transitions, esm_id)
        if conflict is None:
            gathered.forget(esm_id)
        return conflict or original(esm_id)

    return delete


def _polling_ready_ones(original: Function, transitions: _Transitions, gathered: batches.Batches) -> Function:
    """A mapping that is being enabled takes nothing yet; one being disabled takes nothing more, and finishes."""

    def ready() -> Iterator[Any]:
        for account, region, esm in original():
            takes_more = transitions.takes_messages(esm)
            gathered.turn_to(esm, takes_more)
            if takes_more:
                yield account, region, esm
            elif gathered.is_gathering(esm["UUID"]):
                yield account, region, {**esm, "Enabled": True}

    return ready


def _noting_what_is_reported(original: Function) -> Function:
    def run(esm: Mapping, *batch: Any) -> None:
        # Each batch runs in a thread and context of its own.
        _reports_item_failures.set("ReportBatchItemFailures" in (esm.get("FunctionResponseTypes") or []))
        original(esm, *batch)

    return run


def _failing_on_a_malformed_report(original: Function) -> Function:
    """A report of item failures that Lambda cannot read fails the whole batch."""

    def execute(func: Mapping, event: Any) -> Any:
        result = original(func, event)
        if not _reports_item_failures.get() or result.get("error"):
            return result
        try:
            return {**result, "body": {"batchItemFailures": _item_failures(result.get("body"))}}
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            body = {"errorType": "MalformedReport", "errorMessage": f"{type(error).__name__}: {error}"}
            return {**result, "error": True, "body": body}

    return execute


def _item_failures(answer: Any) -> list[Any]:
    """What an answer names as failed, as "Handling errors for an SQS event source" in the Lambda guide reads it.

    No answer, an empty one and a null list name nothing; an identifier that is missing or empty is an error.
    """
    if isinstance(answer, str) and answer:
        answer = json.loads(answer)
    failures = list((answer or {}).get("batchItemFailures") or [])
    for failure in failures:
        if not failure["itemIdentifier"]:
            raise ValueError("an empty itemIdentifier")
    return failures


def _conflict(transitions: _Transitions, uuid: str) -> Any:
    state = transitions.state(uuid)
    if state is None:
        return None
    message = f"Cannot change the event source mapping {uuid} because it is in use: its state is {state}"
    return _error("ResourceInUseException", message, 400)


def _batching_refusal(source_arn: str, asked: Mapping) -> Any:
    if ":sqs:" not in source_arn:
        return None
    size, window = asked.get("BatchSize") or 10, asked.get("MaximumBatchingWindowInSeconds") or 0
    problem = batches.problem(source_arn.endswith(".fifo"), size, window)
    return _error("InvalidParameterValueException", problem, 400) if problem else None


def _refusal(function_name: str, source_arn: str) -> Any:
    """What AWS checks of an SQS mapping when it is created and when it is changed."""
    record, config = _function_record(function_name, None)
    queue = _queue_by_arn(source_arn) if ":sqs:" in source_arn else None
    if record is None or queue is None:
        return None  # the original says what is missing
    for action in _SQS_ACTIONS:
        if not role_may(config["Role"], f"sqs:{action}", source_arn):
            message = f"The provided execution role does not have permissions to call {action} on SQS"
            return _error("InvalidParameterValueException", message, 400)
    visibility, timeout = int(queue["attributes"]["VisibilityTimeout"]), int(config.get("Timeout", 3))
    if visibility < timeout:
        message = f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
        return _error("InvalidParameterValueException", message, 400)
    return None
