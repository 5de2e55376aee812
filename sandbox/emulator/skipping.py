"""Skips the time in which nothing works: hours of waiting pass at once, and every simulated time stays exact."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.clock import SimulatedClock, iso

_QUIET_REAL_SECONDS = 0.1
"""How long nothing was at work before anything is skipped: threads hand over to each other in between."""
_PATIENCE_REAL_SECONDS, _LOOK_REAL_SECONDS = 0.5, 0.01

Document = dict[str, Any]


class Skipping:
    """The sandbox's `POST /_sandbox/clock/skip`.

    Parameters
    ----------
    next_tick
        The simulated time at which a schedule is due next.
    has_messages
        Whether an open event source mapping could take a message, or is working on one.
    """

    def __init__(
        self, clock: SimulatedClock, next_tick: Callable[[], float | None], has_messages: Callable[[], bool]
    ) -> None:
        self._clock, self._next_tick, self._has_messages = clock, next_tick, has_messages

    async def skip(self, request: Document) -> Document:
        """Jump to what is due next, but not past `until` (an ISO time, or null for no limit).

        Nothing is skipped while anything is at work, or due already: that is waited for, a moment only.

        Raises
        ------
        ValueError
            `until` is no ISO time with a time zone.
        """
        limit = _limit(request.get("until"))
        patience = time.monotonic() + _PATIENCE_REAL_SECONDS
        while (answer := self._try(limit))["busy"] and time.monotonic() < patience:
            await asyncio.sleep(_LOOK_REAL_SECONDS)
        return answer

    def _try(self, limit: float | None) -> Document:
        coming = [moment for moment in (self._clock.next_alarm(), self._next_tick()) if moment is not None]
        busy = self._is_busy() or min(coming, default=float("inf")) <= self._clock.now()
        stops = [*coming, *([] if limit is None else [limit])]
        skipped = self._clock.skip_to(min(stops)) if stops and not busy else 0.0
        return {"now": iso(self._clock.now()), "busy": busy, "skippedSeconds": skipped}

    def _is_busy(self) -> bool:
        return self._clock.activity.idle_seconds() < _QUIET_REAL_SECONDS or self._has_messages()


def _limit(until: Any) -> float | None:
    if until is None:
        return None
    moment = datetime.fromisoformat(until) if isinstance(until, str) else None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"until is {until!r}; allowed is an ISO time with a time zone, or null")
    return moment.timestamp()
