"""A stack as it is now: its queues, its model, its runs and its schedule."""

from collections.abc import Mapping
from datetime import datetime

from custom_labels_batch.cli.alarms import Alarms, alarms_if_allowed
from custom_labels_batch.cli.answer import Answer
from custom_labels_batch.cli.model import Version, notable, versions
from custom_labels_batch.cli.queues import depth, oldest_minutes
from custom_labels_batch.cli.runs import Lock, last_runs, minutes_between, read_lock, run_name
from custom_labels_batch.cli.schedule import Schedule, read_schedule
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.report.stack import RunRecord

LAST_RUNS = 5

QUEUES = {
    "images": ("imageQueueUrl", "imageDeadLetterQueueUrl"),
    "notifications": ("notificationQueueUrl", "notificationDeadLetterQueueUrl"),
    "analytics": ("analyticsQueueUrl", "analyticsDeadLetterQueueUrl"),
}
"""What waits in a queue -> the outputs with its address, and its dead-letter queue's."""


class QueueState(Answer):
    """A queue and its dead-letter queue.

    Attributes
    ----------
    oldest_minutes
        That the oldest message has waited; None where nobody knows.
    """

    name: str
    waiting: int
    in_flight: int
    delayed: int
    oldest_minutes: float | None
    dead_letters: int


class ActiveRun(Answer):
    """The run that holds the model.

    Attributes
    ----------
    minutes
        Since it began.
    """

    name: str
    started_at: datetime
    minutes: float
    is_released: bool
    inference_units: int
    backlog_at_start: int
    processed: int
    rejected: int


class PastRun(Answer):
    """A record of the runs table."""

    name: str
    started_at: datetime
    minutes: float
    outcome: str
    cause: str
    processed: int
    rejected: int
    inference_units: int
    billed_inference_unit_minutes: float


class Status(Answer):
    """The answer. With `trigger: upload` there are no runs and no schedule.

    Attributes
    ----------
    now
        See `Stack.now`: all moments are on that clock.
    alarms
        None where nobody may ask for them.
    """

    stack: str
    region: str
    trigger: str
    now: datetime
    queues: list[QueueState]
    model: list[Version]
    active_run: ActiveRun | None
    schedule: Schedule | None
    last_runs: list[PastRun]
    alarms: Alarms | None


def look(stack: Stack) -> Status:
    """Ask AWS."""
    now = stack.now()
    scheduled = stack.is_scheduled
    lock = read_lock(stack) if scheduled else None
    alarms = alarms_if_allowed(stack)  # first: a sandbox measures its queues when it is asked for alarms
    return Status(
        stack=stack.name,
        region=stack.region,
        trigger="schedule" if scheduled else "upload",
        now=now,
        queues=_queues(stack),
        model=notable(versions(stack), stack.optional("modelVersion")),
        active_run=_active(lock, now) if lock else None,
        schedule=read_schedule(stack, now) if scheduled else None,
        last_runs=[_past(record) for record in last_runs(stack, LAST_RUNS)] if scheduled else [],
        alarms=alarms,
    )


def queues_of(stack: Stack) -> dict[str, tuple[str, str]]:
    """Those of QUEUES that a stack has: a program of its own may leave out listeners, but not the images."""
    return {name: outputs for name, outputs in QUEUES.items() if name == "images" or stack.optional(outputs[0])}


def _queues(stack: Stack) -> list[QueueState]:
    urls = {name: (stack.output(queue), stack.output(dead)) for name, (queue, dead) in queues_of(stack).items()}
    oldest = oldest_minutes(stack.cloudwatch, [queue for queue, _ in urls.values()])
    return [_queue(stack, name, *pair, oldest) for name, pair in urls.items()]


def _queue(stack: Stack, name: str, url: str, dead_letters: str, oldest: Mapping[str, float]) -> QueueState:
    found = depth(stack.sqs, url)
    return QueueState(
        name=name,
        waiting=found.waiting,
        in_flight=found.in_flight,
        delayed=found.delayed,
        oldest_minutes=oldest.get(url) if found.total else None,
        dead_letters=depth(stack.sqs, dead_letters).total,
    )


def _active(lock: Lock, now: datetime) -> ActiveRun:
    return ActiveRun(
        name=run_name(lock.run_execution_arn),
        started_at=lock.started_at,
        minutes=minutes_between(lock.started_at, now),
        is_released=lock.is_released,
        inference_units=lock.inference_units,
        backlog_at_start=lock.backlog_at_start,
        processed=lock.processed,
        rejected=lock.rejected,
    )


def _past(record: RunRecord) -> PastRun:
    return PastRun(
        name=run_name(record.run_execution_arn),
        started_at=record.started_at,
        minutes=minutes_between(record.started_at, record.ended_at),
        outcome=record.outcome,
        cause=record.cause,
        processed=int(record.processed),
        rejected=int(record.rejected),
        inference_units=int(record.inference_units),
        billed_inference_unit_minutes=record.billed_inference_unit_minutes,
    )
