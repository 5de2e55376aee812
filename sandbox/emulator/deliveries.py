"""EventBridge and its Scheduler: targets need permission, what cannot be delivered goes to the dead-letter
queue, and schedules run in simulated time."""

import json
import logging
import time as real_time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ministack.core import concurrency
from ministack.core.arn import parse_arn
from ministack.services import eventbridge, scheduler, sqs

from sandbox.clock import SimulatedClock
from sandbox.emulator.access import role_may, role_trusts
from sandbox.emulator.patching import Function, replace, require
from sandbox.settings import ACCOUNT_ID, REGION

_TICK_REAL_SECONDS = 0.25

_queue_policy_allows = require(sqs, "queue_policy_allows")
_send = require(eventbridge, "_dispatch_to_sqs")
_event_view = require(eventbridge, "_pattern_event_view")
_error = require(scheduler, "_error")
_schedules = require(scheduler, "_schedules")
_rate_seconds = require(eventbridge, "_parse_rate_seconds")
_cron_fields = require(eventbridge, "_parse_cron_fields")
_cron_next = require(eventbridge, "_cron_next_fire")
_wake = require(concurrency, "esm_wake")
_log = logging.getLogger("sandbox.deliveries")

Document = dict[str, Any]


class _SimulatedTime:
    """Stands in for the `time` module in ministack's scheduler."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.time = clock.now
        self.sleep = real_time.sleep


def install(clock: SimulatedClock) -> Callable[[], float | None]:
    """Replace what ministack delivers without asking, and the scheduler's clock.

    Returns
    -------
    callable
        The simulated time at which a schedule is due next.
    """
    replace(eventbridge, "_invoke_target", "target event rule view", _asking_first)
    replace(scheduler, "_create_schedule", "name body", _with_role_check)
    replace(scheduler, "_update_schedule", "name body", _with_role_check)
    require(scheduler, "time")
    require(scheduler, "_SCHEDULE_TICK_INTERVAL")
    vars(scheduler).update(time=_SimulatedTime(clock), _SCHEDULE_TICK_INTERVAL=_TICK_REAL_SECONDS)
    return _next_tick


def _next_tick() -> float | None:
    fired = require(scheduler, "_schedule_last_fired")
    ticks = [
        tick
        for key, schedule in list(_schedules._data.items())
        if schedule.get("State") == "ENABLED"
        and (tick := _tick_after(schedule, fired.get(key, schedule["CreationDate"]))) is not None
    ]
    return min(ticks, default=None)


def _tick_after(schedule: Document, fired: float) -> float | None:
    expression = schedule.get("ScheduleExpression", "")
    if (period := _rate_seconds(expression)) is not None:
        return fired + float(period)
    fields = _cron_fields(expression)
    following: datetime | None = _cron_next(fields, datetime.fromtimestamp(fired, UTC)) if fields else None
    return following.timestamp() if following else None


def _asking_first(original: Function) -> Function:
    """Deliver only what the target's policy or role allows; the rest goes to the target's dead-letter queue."""

    def invoke(target: Document, event: Document, rule: Document, view: Any = None) -> None:
        service = "scheduler.amazonaws.com" if event.get("Source") == "aws.scheduler" else "events.amazonaws.com"
        source_arn = str(rule.get("Arn", ""))
        reason = _refusal(target, service, source_arn)
        if reason is None:
            original(target, event, rule, view)
            _wake.set()
            return
        _log.warning("%s does not reach %s: %s", source_arn, target.get("Arn"), reason)
        dead_letters = (target.get("DeadLetterConfig") or {}).get("Arn")
        if dead_letters and _queue_policy_allows(dead_letters, service, source_arn, ACCOUNT_ID):
            whole_event = (view or _event_view(event)).event_with_detail()
            _send(parse_arn(dead_letters), json.dumps(whole_event))

    return invoke


def _refusal(target: Document, service: str, source_arn: str) -> str | None:
    """Why the target may not be invoked, or None."""
    arn = str(target.get("Arn", ""))
    if ":states:" in arn:
        role = str(target.get("RoleArn", ""))
        trusted_for = _group_arn(source_arn) if service.startswith("scheduler") else source_arn
        if not role_trusts(role, service, trusted_for):
            return f"{service} may not assume the role {role or '(none)'}"
        if not role_may(role, "states:StartExecution", arn):
            return f"the role {role} may not start it"
    asks_policy = ":sqs:" in arn and not target.get("RoleArn")
    if asks_policy and not _queue_policy_allows(arn, service, source_arn, ACCOUNT_ID):
        return f"the queue's policy does not let {service} send"
    return None


def _group_arn(schedule_arn: str) -> str:
    """A schedule's group, which is what Scheduler names as the source when it assumes a role."""
    group = schedule_arn.partition(":schedule/")[2].partition("/")[0]
    return f"arn:aws:scheduler:{REGION}:{ACCOUNT_ID}:schedule-group/{group}"


def _with_role_check(original: Function) -> Function:
    def save(name: str, body: Document) -> Any:
        group = body.get("GroupName") or "default"
        role = str((body.get("Target") or {}).get("RoleArn", ""))
        source = f"arn:aws:scheduler:{REGION}:{ACCOUNT_ID}:schedule-group/{group}"
        if role and not role_trusts(role, "scheduler.amazonaws.com", source):
            message = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
            return _error(400, "ValidationException", message)
        return original(name, body)

    return save
