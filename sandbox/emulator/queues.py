"""SQS: a visibility timeout somebody changes is a wait, so it runs in simulated time.

A queue's own visibility timeout is not shortened: real code runs inside it.
"""

import threading
import time
from collections.abc import Iterable
from typing import Any

from ministack.core import concurrency
from ministack.services import sqs

from sandbox.clock import SimulatedClock
from sandbox.emulator.patching import Function, replace, require

LEAST_REAL_SECONDS = 0.2
"""No changed visibility timeout ends sooner, so that the caller's own clean-up comes first."""

_queue = require(sqs, "_get_q")
_wake = require(concurrency, "esm_wake")

Request = dict[str, Any]


def install(clock: SimulatedClock) -> None:
    """Scale ChangeMessageVisibility and ChangeMessageVisibilityBatch."""
    replace(sqs, "_act_change_visibility", "data qurl", lambda original: _scaling(original, clock, lambda data: [data]))
    replace(
        sqs,
        "_act_change_visibility_batch",
        "data qurl",
        lambda original: _scaling(original, clock, lambda data: data.get("Entries", [])),
    )


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
        message["visible_at"] = time.time() + real
        timer = threading.Timer(real, _wake.set)
        timer.daemon = True
        timer.start()
