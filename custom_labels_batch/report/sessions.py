"""A run's timeline from the model's own ledger, finer than its record."""

from collections.abc import Sequence
from dataclasses import dataclass

from custom_labels_batch.report.data import BilledPeriod, ModelState, Run


@dataclass(frozen=True)
class Session:
    """One start of the model, in minutes since the run's start; None for what has not happened."""

    start_requested: float
    running: float | None
    stop_requested: float | None
    stopped: float | None
    inference_units: int = 1


def with_sessions(run: Run, sessions: Sequence[Session]) -> Run:
    """`run` with the model's states and the billed time as its own ledger knows them, exact to the moment."""
    end = run.duration_minutes
    states: list[ModelState] = []
    for session in sessions:
        moments = [
            ("STARTING", session.start_requested),
            ("RUNNING", session.running),
            ("STOPPING", session.stop_requested),
            ("STOPPED", session.stopped),
        ]
        happened = [(status, at) for status, at in moments if at is not None]
        ends = [*(at for _, at in happened[1:]), end]
        states += [
            ModelState(status=s, begin=at, end=max(at, until)) for (s, at), until in zip(happened, ends, strict=True)
        ]
    billed = [_billed(session, end) for session in sessions]
    return run.model_copy(update={"states": tuple(states), "billed": tuple(period for period in billed if period)})


def _billed(session: Session, end: float) -> BilledPeriod | None:
    """From RUNNING until the stop was accepted."""
    if session.running is None:
        return None
    until = next((at for at in (session.stop_requested, session.stopped) if at is not None), end)
    return BilledPeriod(begin=session.running, end=max(session.running, until), inference_units=session.inference_units)
