"""A run as it goes on."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from custom_labels_batch.cli.model import version_name, version_status
from custom_labels_batch.cli.queues import depth
from custom_labels_batch.cli.runs import Lock, minutes_between, read_lock
from custom_labels_batch.cli.stack import Stack

_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Look:
    """What is seen of a run at one moment. Minutes are simulated on a sandbox.

    Attributes
    ----------
    execution
        The answer of DescribeExecution.
    lock
        The run's, as it was seen last; None until it has taken the model.
    is_locked
        Whether it holds the model still.
    model_status
        Empty until the run has chosen a version.
    backlog
        Images that wait or are in flight, of this run or not.
    minutes
        Since the run began.
    now
        See `Stack.now`.
    """

    execution: Mapping[str, Any]
    lock: Lock | None
    is_locked: bool
    model_status: str
    backlog: int
    minutes: float
    now: datetime

    @property
    def status(self) -> str:
        return str(self.execution["status"])

    @property
    def has_ended(self) -> bool:
        return self.status != "RUNNING"

    @property
    def state(self) -> str:
        """What the run does, in words."""
        if self.has_ended:
            return self.status
        if self.lock is None:
            return "looks whether there is work"
        if not self.is_locked:
            return "ends"
        if self.lock.is_released:
            return "closes the mapping and releases the model"
        if self.lock.model_running_at:
            return "labels images"
        return "waits for the model to start" if self.lock.project_version_arn else "chooses a version"

    @property
    def version(self) -> str:
        """Name of the model's version; empty until one is chosen."""
        arn = self.lock.project_version_arn if self.lock else ""
        return version_name(arn) if arn else ""

    @property
    def images_a_minute(self) -> float | None:
        """Since the model runs; None before anything is labelled."""
        minutes = self._running_minutes
        return self.lock.done / minutes if self.lock and self.lock.done and minutes else None

    @property
    def minutes_left(self) -> float | None:
        """Until the backlog is labelled, if it goes on like this; None where nobody knows."""
        rate = self.images_a_minute
        return self.backlog / rate if rate and self.state == "labels images" else None

    @property
    def billed_minutes(self) -> float:
        """Inference-unit minutes so far, as the run sees them; none for a model somebody else started."""
        if self.lock is None or not self.lock.started_by_run:
            return 0.0
        return self.lock.inference_units * self._running_minutes

    @property
    def _running_minutes(self) -> float:
        if self.lock is None or self.lock.model_running_at is None:
            return 0.0
        if self.lock.release_started_at:
            return minutes_between(self.lock.model_running_at, self.lock.release_started_at)
        return minutes_between(self.lock.model_running_at, self.now)


def follow(stack: Stack, run_arn: str) -> Iterator[Look]:
    """Look every few seconds until the run has ended; the last look is at its end."""
    found = _look(stack, run_arn, None)
    yield found
    while not found.has_ended:
        time.sleep(stack.look_seconds(_LOOK_SECONDS))
        found = _look(stack, run_arn, found.lock)
        yield found


def _look(stack: Stack, run_arn: str, before: Lock | None) -> Look:
    execution = stack.stepfunctions.describe_execution(executionArn=run_arn)
    held = read_lock(stack)
    mine = held if held and held.run_execution_arn == run_arn else None
    lock = mine or before
    chosen = lock is not None and lock.project_version_arn
    return Look(
        execution=execution,
        lock=lock,
        is_locked=mine is not None,
        model_status=version_status(stack, lock.project_arn, lock.project_version_arn) if lock and chosen else "",
        backlog=depth(stack.sqs, stack.output("imageQueueUrl")).total,
        minutes=minutes_between(execution["startDate"], datetime.now(UTC)) / stack.time_scale,
        now=stack.now(),
    )
