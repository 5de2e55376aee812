"""SQS: a visibility timeout somebody changes is a wait, so it runs in simulated time.

A queue's own visibility timeout is not shortened: real code runs inside it. What was skipped has passed for what SNS
and EventBridge deliver too: it would arrive older than it is, and be dropped for its age. And no message is lost
between threads: ministack puts a new list in the place of a queue's messages while another thread adds to the old one.
"""

import functools
import json
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from ministack.core import concurrency
from ministack.services import eventbridge, sns, sqs

from sandbox.clock import SimulatedClock
from sandbox.emulator.patching import SNS_TO_SQS, Function, replace, require

LEAST_REAL_SECONDS = 0.2
"""No changed visibility timeout ends sooner, so that the caller's own clean-up comes first."""

_DELIVERIES = (
    (eventbridge, "_dispatch_to_sqs", "spec payload sqs_parameters"),
    (sns, "_deliver_to_sqs", SNS_TO_SQS),
)

_queue = require(sqs, "_get_q")
_queues_lock = require(sqs, "_queues_lock")
_wake = require(concurrency, "esm_wake")

Request = dict[str, Any]

_delivering: ContextVar[bool] = ContextVar("delivering", default=False)


def install(clock: SimulatedClock) -> None:
    """Scale ChangeMessageVisibility and ChangeMessageVisibilityBatch, and keep messages that arrive meanwhile."""
    replace(sqs, "_act_change_visibility", "data qurl", lambda original: _scaling(original, clock, lambda data: [data]))
    replace(
        sqs,
        "_act_change_visibility_batch",
        "data qurl",
        lambda original: _scaling(original, clock, lambda data: data.get("Entries", [])),
    )
    require(sqs, "time")
    vars(sqs).update(time=_TimeWithSkips(clock))
    for module, name, parameters in _DELIVERIES:
        require(module, "time")
        vars(module).update(time=_TimeOfDeliveries(clock))
        replace(module, name, parameters, _delivering_in_the_queues_time)
    replace(sqs, "_delete_messages_for_esm", "queue_url receipt_handles", lambda _: _delete_in_place)
    replace(sqs, "_dlq_sweep", "q", _only_when_due)


class _TimeWithSkips:
    """Stands in for the `time` module in ministack's SQS: real time, and what was skipped of it."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def time(self) -> float:
        return time.time() + self._clock.real_seconds(self._clock.skipped)


class _TimeOfDeliveries(_TimeWithSkips):
    """Stands in for the `time` module of a service that delivers to queues: real time, but while it delivers."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def time(self) -> float:
        return super().time() if _delivering.get() else time.time()


def _delivering_in_the_queues_time(original: Function) -> Function:
    @functools.wraps(original)
    def deliver(*arguments: Any, **keywords: Any) -> Any:
        token = _delivering.set(True)
        try:
            return original(*arguments, **keywords)
        finally:
            _delivering.reset(token)

    return deliver


def _delete_in_place(queue_url: str, receipt_handles: set[str]) -> None:
    with _queues_lock:
        messages = _queue(queue_url)["messages"]
        for message in [m for m in messages if m.get("receipt_handle") in receipt_handles]:
            messages.remove(message)


def _only_when_due(original: Function) -> Function:
    """Every look at a queue with a dead-letter queue would put a new list in place."""

    def sweep(queue: dict[str, Any]) -> None:
        most, now = _most_receives(queue), sqs.time.time()
        if most and any(m["receive_count"] >= most and m["visible_at"] <= now for m in queue["messages"]):
            original(queue)

    return sweep


def _most_receives(queue: dict[str, Any]) -> int:
    policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
    return int(policy.get("maxReceiveCount", 0))


def _scaling(original: Function, clock: SimulatedClock, entries: Function) -> Function:
    def change(data: Request, qurl: str) -> Any:
        answer = original(data, qurl)
        messages = {m["receipt_handle"]: m for m in _queue(data.get("QueueUrl", qurl))["messages"]}
        _shorten(entries(data), messages, clock)
        return answer

    return change


def _shorten(entries: Iterable[Request], messages: dict[str, Any], clock: SimulatedClock) -> None:
    for entry in entries:
        seconds = int(entry.get("VisibilityTimeout", 30))
        message = messages.get(entry.get("ReceiptHandle", ""))
        if message is None or seconds == 0:
            continue
        real = max(LEAST_REAL_SECONDS, clock.real_seconds(seconds))
        message["visible_at"] = sqs.time.time() + real
        clock.set_alarm(clock.now() + real / clock.time_scale, _wake.set)
