"""SQS: moving a dead-letter queue's messages home, which ministack lacks."""

from typing import Any
from uuid import uuid4

from ministack.core import concurrency
from ministack.services import sqs

from sandbox.emulator.patching import require

Request = dict[str, Any]

_Error = require(sqs, "_Err")
_queue_by_arn = require(sqs, "_queue_by_arn")
_queues_lock = require(sqs, "_queues_lock")
_wake = require(concurrency, "esm_wake")

_tasks: dict[str, list[Request]] = {}
"""Of each source queue, newest first."""


def install() -> None:
    """Answer StartMessageMoveTask, which moves at once, and ListMessageMoveTasks."""
    require(sqs, "_HANDLERS").update(StartMessageMoveTask=_start, ListMessageMoveTasks=_list)


def _start(data: Request, _: str) -> Request:
    source, destination = _queue(data["SourceArn"]), _queue(_destination(data))
    now = sqs.time.time()
    with _queues_lock:
        moved = [message for message in source["messages"] if message["visible_at"] <= now]
        for message in moved:
            source["messages"].remove(message)
            destination["messages"].append({**message, "receive_count": 0, "receipt_handle": None, "visible_at": now})
    _wake.set()
    task = {
        "TaskHandle": str(uuid4()),
        "Status": "COMPLETED",
        "SourceArn": data["SourceArn"],
        "DestinationArn": _destination(data),
        "ApproximateNumberOfMessagesMoved": len(moved),
        "ApproximateNumberOfMessagesToMove": len(moved),
        "StartedTimestamp": int(now * 1000),
    }
    _tasks.setdefault(data["SourceArn"], []).insert(0, task)
    return {"TaskHandle": task["TaskHandle"]}


def _list(data: Request, _: str) -> Request:
    _queue(data["SourceArn"])
    found = _tasks.get(data["SourceArn"], [])[: int(data.get("MaxResults", 1))]
    return {"Results": [{name: value for name, value in task.items() if name != "TaskHandle"} for task in found]}


def _destination(data: Request) -> str:
    """Named by the caller: going back to where each message came from is not emulated."""
    if "DestinationArn" not in data:
        raise _Error("InvalidParameterValue", "The sandbox needs a DestinationArn.")
    return str(data["DestinationArn"])


def _queue(arn: str) -> Any:
    found = _queue_by_arn(arn)
    if found is None:
        raise _Error("ResourceNotFoundException", f"The resource that you specified for {arn} doesn't exist.")
    return found
