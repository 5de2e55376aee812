"""Batches of an SQS event source mapping: gathered until they are full, or their window is over.

ministack receives ten messages at most and hands them over at once, which is right for a mapping without a batching
window only.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ministack.core import concurrency
from ministack.services import sqs

from sandbox.clock import SimulatedClock
from sandbox.emulator.patching import Function, replace, require

LARGEST_EVENT = 6_291_456
"""Bytes of the event of a synchronous invocation (Lambda quotas)."""

_RECORD_BYTES = 1000
"""About what a record holds beside body and attributes; a receipt handle of AWS is most of it."""

LARGEST_BATCH, LARGEST_BATCH_WITHOUT_WINDOW, LONGEST_WINDOW = 10_000, 10, 300
"""Messages, messages, and seconds (CreateEventSourceMapping)."""

_queues_lock = require(sqs, "_queues_lock")
_queue = require(sqs, "_get_q")
_expire = require(sqs, "_expire_retained")
_collect = require(sqs, "_collect_msgs")
_wake = require(concurrency, "esm_wake")

Message = dict[str, Any]
Mapping = dict[str, Any]


@dataclass(frozen=True)
class _Received:
    """A message, the handle it was received with, and its share of the event."""

    message: Message
    handle: str
    bytes: int

    def is_held(self, there: set[int]) -> bool:
        """Whether it is still in the queue, and hidden for this batch."""
        hidden = self.message["receipt_handle"] == self.handle and self.message["visible_at"] > sqs.time.time()
        return hidden and id(self.message) in there


@dataclass
class _Batch:
    """What has been received for one invocation."""

    ends_at: float = 0
    received: list[_Received] = field(default_factory=list)
    is_full: bool = False

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.received)

    def drop_lost(self, queue: Mapping) -> None:
        """Let go of what was purged, or came back because the queue's visibility timeout was shorter."""
        there = {id(message) for message in queue["messages"]}
        self.received = [each for each in self.received if each.is_held(there)]

    def fill(self, queue: Mapping, size: int) -> None:
        """Receive what is visible, as far as it fits."""
        chosen, total = 0, self.bytes
        for message in _visible(queue):
            total += _record_bytes(message)
            if len(self.received) + chosen >= size or total > LARGEST_EVENT:
                break
            chosen += 1
        self.is_full = len(self.received) + chosen >= size or total > LARGEST_EVENT
        if chosen:
            taken = _collect(queue, chosen, int(queue["attributes"].get("VisibilityTimeout", "30")))
            self.received += [_Received(m, m["receipt_handle"], _record_bytes(m)) for m in taken]


class Batches:
    """The batches that are being gathered, one a mapping."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._gathering: dict[str, _Batch] = {}
        self._mapping: Mapping = {}
        self._takes_more = True

    def install(self) -> None:
        """Take the place of ministack's way to receive messages for a mapping."""
        replace(sqs, "_receive_messages_for_esm", "queue_url max_number", self._receiving)

    def turn_to(self, mapping: Mapping, takes_more: bool) -> None:
        """Say whose turn it is: ministack's poller asks for messages without naming the mapping."""
        self._mapping, self._takes_more = mapping, takes_more

    def is_gathering(self, uuid: str) -> bool:
        """Whether a mapping holds messages its function has not seen."""
        return uuid in self._gathering

    def forget(self, uuid: str) -> None:
        """Drop what a deleted mapping holds: it comes back when its visibility timeout is over."""
        self._gathering.pop(uuid, None)

    def _receiving(self, original: Function) -> Function:
        def receive(queue_url: str, max_number: int) -> list[Message]:
            window = self._mapping.get("MaximumBatchingWindowInSeconds") or 0
            if not window and not self.is_gathering(self._mapping["UUID"]):
                return list(original(queue_url, max_number))
            with _queues_lock:
                return self._gather(_queue(queue_url), self._mapping["UUID"], max_number, window)

        return receive

    def _gather(self, queue: Mapping, uuid: str, size: int, window: int) -> list[Message]:
        """The batch, once it is complete."""
        batch = self._gathering.get(uuid) or _Batch()
        batch.drop_lost(queue)
        if self._takes_more and window:
            batch.fill(queue, size)
        if not batch.received:
            self.forget(uuid)
            return []
        if not batch.ends_at:
            self._open(uuid, batch, window)
        is_over = self._clock.now() >= batch.ends_at or not self._takes_more or not window
        if not (batch.is_full or is_over):
            return []
        self.forget(uuid)
        return [each.message for each in batch.received]

    def _open(self, uuid: str, batch: _Batch, window: int) -> None:
        """Start the window with the first message, and wake the poller when it is over."""
        batch.ends_at = self._clock.now() + window
        self._gathering[uuid] = batch
        self._clock.set_alarm(batch.ends_at, _wake.set)


def problem(is_fifo: bool, size: int, window: int) -> str | None:
    """What Lambda says about a batch size and window it does not take together, or None."""
    if not 0 <= window <= LONGEST_WINDOW:
        return f"Maximum batch window in seconds must be between 0 and {LONGEST_WINDOW}"
    if not 1 <= size <= LARGEST_BATCH:
        return f"Batch size must be between 1 and {LARGEST_BATCH}"
    if is_fifo and window:
        return "Batching window is not supported for FIFO queues"
    if size <= LARGEST_BATCH_WITHOUT_WINDOW:
        return None
    if is_fifo:
        return f"Maximum batch size for FIFO queues is {LARGEST_BATCH_WITHOUT_WINDOW}"
    if not window:
        return "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
    return None


def _visible(queue: Mapping) -> Iterator[Message]:
    _expire(queue)
    sqs._dlq_sweep(queue)
    now = sqs.time.time()
    return (message for message in queue["messages"] if message["visible_at"] <= now)


def _record_bytes(message: Message) -> int:
    return len(json.dumps([message["body"], message.get("message_attributes")])) + _RECORD_BYTES
