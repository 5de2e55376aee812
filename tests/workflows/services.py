"""The AWS services a workflow works with, simulated: a queue that drains, a mapping that takes its time."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from sandbox.model import ModelVersion
from tests.workflows.timeline import Timeline

Json = dict[str, Any]

MAPPING_UUID = "5a1c8b1e-0a5e-4a0c-9d6e-3f1b2c4d5e6f"
QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/000000000000/images"
MAPPING_SECONDS = 10
"""How long Enabling, Disabling and Updating take."""


def refuse(operation: str, code: str, message: str = "no", **details: str) -> ClientError:
    """The error boto3 raises for an answer of AWS."""
    return ClientError({"Error": {"Code": code, "Message": message, **details}}, operation)  # type: ignore[typeddict-item]


class EventSourceMapping:
    """The tap: every change takes a while, and is refused while another is under way."""

    def __init__(self, timeline: Timeline, before_change: Callable[[], None]) -> None:
        self._timeline, self._before_change = timeline, before_change
        self.enabled = False
        self.maximum_concurrency = 2
        self._transition, self._changed_at = "", -math.inf

    @property
    def state(self) -> str:
        """As Lambda shows it."""
        if self._timeline.now < self._changed_at + MAPPING_SECONDS:
            return self._transition
        return "Enabled" if self.enabled else "Disabled"

    @property
    def opened_at(self) -> float:
        """Since when an enabled mapping hands messages out."""
        return self._changed_at + MAPPING_SECONDS if self._transition == "Enabling" else -math.inf

    def set(self, *, enabled: bool) -> None:
        """Change it, by the workflow or by a person."""
        self._before_change()
        changed = enabled != self.enabled
        self._transition = ("Enabling" if enabled else "Disabling") if changed else "Updating"
        self.enabled, self._changed_at = enabled, self._timeline.now

    def get(self, request: Json) -> Json:
        """GetEventSourceMapping."""
        if request["UUID"] != MAPPING_UUID:
            raise refuse("GetEventSourceMapping", "ResourceNotFoundException")
        return {"UUID": MAPPING_UUID, "State": self.state, "BatchSize": 10}

    def update(self, request: Json) -> Json:
        """UpdateEventSourceMapping."""
        self.get(request)
        if self.state in {"Enabling", "Disabling", "Updating"}:
            raise refuse("UpdateEventSourceMapping", "ResourceInUseException")
        concurrency = request.get("ScalingConfig", {}).get("MaximumConcurrency")
        self.set(enabled=request.get("Enabled", self.enabled))
        if concurrency is not None:
            self.maximum_concurrency = concurrency
        return self.get(request)


@dataclass
class ImageQueue:
    """Images that wait. They become fewer while the mapping delivers them to a running model."""

    timeline: Timeline
    tps_per_unit: float
    sessions: Callable[[], list[ModelVersion]]
    count_processed: Callable[[int], None]
    mapping: EventSourceMapping = field(init=False)
    waiting: float = 0.0
    arrivals_per_second: float = 0.0
    in_flight: int = 0
    """Messages a function took and has not given back."""
    delayed: int = 0
    missing: bool = False
    broken: bool = False
    """Nothing that is delivered is ever done."""
    looks: int = 0
    false_zeros: frozenset[int] = frozenset()
    """Which looks at the counts show zero, whatever is there."""
    done: float = 0.0
    counts_are_seconds_old: float = 0.0
    _past: list[tuple[float, int]] = field(default_factory=list)
    _flowed_at: float = field(init=False)
    _counted: int = 0

    def __post_init__(self) -> None:
        self._flowed_at = self.timeline.now

    def flow(self) -> None:
        """Work out what arrived and what was labelled since the last time."""
        now, since = self.timeline.now, self._flowed_at
        arrived, capacity = self.arrivals_per_second * (now - since), 0.0
        if self.mapping.enabled and not self.broken:
            for version in self.sessions():
                for session in version.sessions:
                    begins = max(since, self.mapping.opened_at, session.running_at or math.inf)
                    ends = min([now, *(t for t in (session.stop_requested_at, session.stopped_at) if t is not None)])
                    capacity += max(0.0, ends - begins) * session.inference_units * self.tps_per_unit
        labelled = min(self.waiting + arrived, capacity)
        self.waiting, self._flowed_at = self.waiting + arrived - labelled, now
        self.done += labelled

    def count(self) -> None:
        """Let the function write down what it labelled; done only before somebody looks, since it is slow."""
        self.flow()
        if math.floor(self.done) > self._counted:
            self.count_processed(math.floor(self.done) - self._counted)
            self._counted = math.floor(self.done)

    def no_more_arrive(self) -> None:
        """The end of all arrivals."""
        self.flow()
        self.arrivals_per_second = 0

    def get_attributes(self, request: Json) -> Json:
        """GetQueueAttributes."""
        if self.missing or request["QueueUrl"] != QUEUE_URL:
            raise refuse(
                "GetQueueAttributes", "AWS.SimpleQueueService.NonExistentQueue", QueryErrorCode="QueueDoesNotExist"
            )
        self.flow()
        self.looks += 1
        truth = {
            "ApproximateNumberOfMessages": self._visible(),
            "ApproximateNumberOfMessagesNotVisible": self.in_flight,
            "ApproximateNumberOfMessagesDelayed": self.delayed,
        }
        shown = {name: "0" if self.looks in self.false_zeros else str(number) for name, number in truth.items()}
        return {"Attributes": {name: shown[name] for name in request["AttributeNames"]}}

    def show_old_counts(self, seconds: float) -> None:
        """Let the counts be as they were some time ago, as SQS's may be."""
        self.counts_are_seconds_old = seconds
        self._remember()

    def _remember(self) -> None:
        self.flow()
        self._past.append((self.timeline.now, math.ceil(self.waiting - 1e-6)))
        if len(self._past) < 1000:
            self.timeline.after(5, self._remember)

    def _visible(self) -> int:
        if not self._past:
            return math.ceil(self.waiting - 1e-6)
        moment = self.timeline.now - self.counts_are_seconds_old
        return next((count for at, count in reversed(self._past) if at <= moment), self._past[0][1])
