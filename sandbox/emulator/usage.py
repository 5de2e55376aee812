"""What AWS would bill beside the model, counted while the sandbox works: `GET /_sandbox/usage`.

Counters only grow; a caller subtracts. Requests of the account's root (the key `test`: the deployer, and whoever
drives the sandbox) are not counted. Neither is what AWS bills and the emulator does not do: receives of an open
mapping that find nothing, logs, storage.
"""

import math
import threading
import time
from collections import Counter, defaultdict
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_actions, router
from ministack.services import eventbridge, lambda_svc, s3, sns, sqs, stepfunctions

from sandbox.clock import SimulatedClock, iso
from sandbox.emulator.patching import SNS_TO_SQS, Function, replace, require

_ROOT_KEY = "test"
_MESSAGES_A_REQUEST = 10

_access_key = require(router, "extract_access_key_id")
_executions = require(stepfunctions, "_executions")

_ATTEMPTS = {"TaskScheduled", "ParallelStateStarted", "MapStateStarted"}
_ENTRIES = {f"{kind}StateEntered" for kind in ("Pass", "Wait", "Choice", "Succeed", "Fail")}
STATE_TRANSITIONS = _ATTEMPTS | _ENTRIES
"""History events that AWS bills: a state that is entered, and each retry of one that can be retried."""

Document = dict[str, Any]


class Usage:
    """Counters, safe to add to from many threads."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._function_seconds: Counter[tuple[str, int]] = Counter()
        self._written: dict[str, float] = {}

    def as_json(self) -> Document:
        """Every counter.

        requests
            By `service:Action`, as IAM names it, also of what was refused.
        queueRequests
            Requests of services to queues, ten messages at most in each: `send` (of S3, SNS and EventBridge), `receive`
            and `delete` (of event source mappings).
        functions
            By name: `invocations`, simulated `seconds`, and `gbSeconds`. They are as long as this machine takes, so at
            a fast time scale they are more than AWS would bill.
        stateTransitions
            By state machine.
        snsDeliveriesToSqs, scheduleTicks
            How many.
        events
            On event buses, by source.
        """
        with self._lock:
            return {
                "now": iso(self._clock.now()),
                "requests": dict(self._counts["requests"]),
                "queueRequests": dict(self._counts["queues"]),
                "functions": self._functions(),
                "stateTransitions": _state_transitions(),
                "snsDeliveriesToSqs": self._counts["sns"]["sqs"],
                "events": dict(self._counts["events"]),
                "scheduleTicks": self._counts["scheduler"]["ticks"],
            }

    def writes_as_json(self) -> dict[str, str]:
        """When each object was last written by a role: `bucket/key` -> simulated time."""
        with self._lock:
            return {path: iso(moment) for path, moment in self._written.items()}

    def install(self) -> None:
        """Count from now on; comes last, since it wraps what others have replaced."""
        replace(iam_actions, "extract_iam_action", "request", self._counting_requests)
        replace(lambda_svc, "_execute_function_dispatch", "func config event request_id started", self._timing)
        replace(sqs, "_receive_messages_for_esm", "queue_url max_number", self._counting_receives)
        replace(sqs, "_delete_messages_for_esm", "queue_url receipt_handles", self._counting_deletes)
        replace(sns, "_deliver_to_sqs", SNS_TO_SQS, self._counting_deliveries)
        replace(s3, "_deliver_event_to_sqs", "arn event_payload bucket_region bucket_name", self._counting_sends)
        replace(eventbridge, "_dispatch_to_sqs", "spec payload sqs_parameters", self._counting_sends)
        replace(eventbridge, "_dispatch_event", "event view", self._counting_events)
        replace(eventbridge, "_invoke_target", "target event rule view", self._counting_ticks)

    def _add(self, table: str, name: str, number: int = 1) -> None:
        with self._lock:
            self._counts[table][name] += number

    def _counting_requests(self, original: Function) -> Function:
        def extract(*request: Any) -> Any:
            action = original(*request)
            _, _, path, headers, _, query_params = request
            if action and _access_key(headers, query_params) != _ROOT_KEY:
                self._add("requests", action)
                if action == "s3:PutObject":
                    with self._lock:
                        self._written[unquote(path.lstrip("/"))] = self._clock.now()
            return action

        return extract

    def _timing(self, original: Function) -> Function:
        def execute(func: Document, config: Document, *more: Any) -> Any:
            began = time.monotonic()
            try:
                return original(func, config, *more)
            finally:
                milliseconds = math.ceil((time.monotonic() - began) * 1000 / self._clock.time_scale)
                self._add("invocations", config["FunctionName"])
                with self._lock:
                    self._function_seconds[config["FunctionName"], config.get("MemorySize", 128)] += milliseconds

        return execute

    def _functions(self) -> Document:
        return {
            name: {
                "invocations": self._counts["invocations"][name],
                "seconds": milliseconds / 1000,
                "gbSeconds": milliseconds / 1000 * megabytes / 1024,
            }
            for (name, megabytes), milliseconds in self._function_seconds.items()
        }

    def _counting_receives(self, original: Function) -> Function:
        def receive(queue_url: str, max_number: int) -> Any:
            messages = original(queue_url, max_number)
            self._add("queues", "receive", math.ceil(len(messages) / _MESSAGES_A_REQUEST))
            return messages

        return receive

    def _counting_deletes(self, original: Function) -> Function:
        def delete(queue_url: str, receipt_handles: set[str]) -> None:
            original(queue_url, receipt_handles)
            self._add("queues", "delete", math.ceil(len(receipt_handles) / _MESSAGES_A_REQUEST))

        return delete

    def _counting_sends(self, original: Function) -> Function:
        def send(*arguments: Any, **keywords: Any) -> None:
            original(*arguments, **keywords)
            self._add("queues", "send")

        return send

    def _counting_deliveries(self, original: Function) -> Function:
        def deliver(*arguments: Any, **keywords: Any) -> None:
            original(*arguments, **keywords)
            self._add("sns", "sqs")
            self._add("queues", "send")

        return deliver

    def _counting_events(self, original: Function) -> Function:
        def dispatch(event: Document, view: Any = None) -> None:
            self._add("events", str(event.get("Source")))
            original(event, view)

        return dispatch

    def _counting_ticks(self, original: Function) -> Function:
        def invoke(target: Document, event: Document, rule: Document, view: Any = None) -> None:
            if event.get("Source") == "aws.scheduler":
                self._add("scheduler", "ticks")
            original(target, event, rule, view)

        return invoke


def _state_transitions() -> dict[str, int]:
    """What the histories of all executions show, by state machine."""
    found: Counter[str] = Counter()
    for record in list(_executions._data.values()):
        name = record["stateMachineArn"].rpartition(":")[2]
        found[name] += sum(event["type"] in STATE_TRANSITIONS for event in list(record["events"]))
    return dict(found)
