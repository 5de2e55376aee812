"""A run's timeline from looks at it while it went on, finer than its record."""

from collections.abc import Sequence
from dataclasses import dataclass

from report.data import BilledPeriod, ModelState, Run, Sample


@dataclass(frozen=True)
class Look:
    """What somebody saw at a minute since the run's start: the model's status, images waiting and images done."""

    minute: float
    status: str
    backlog: int
    done: int


@dataclass(frozen=True)
class Session:
    """One start of the model, in minutes since the run's start; None for what has not happened."""

    start_requested: float
    running: float | None
    stop_requested: float | None
    stopped: float | None
    inference_units: int = 1


def with_looks(run: Run, looks: Sequence[Look]) -> Run:
    """`run` with the timeline that `looks`, in order of time, show. No looks leave it as it is."""
    if not looks:
        return run
    end = max(run.duration_minutes, looks[-1].minute)
    states: list[ModelState] = []
    for look, following in zip(looks, [*(look.minute for look in looks[1:]), end], strict=True):
        begin = states.pop().begin if states and states[-1].status == look.status else look.minute
        states.append(ModelState(status=look.status, begin=begin, end=following))
    return run.model_copy(
        update={
            "duration_minutes": end,
            "states": tuple(states),
            "backlog": tuple(Sample(minute=look.minute, count=look.backlog) for look in looks),
            "done": tuple(Sample(minute=look.minute, count=look.done) for look in looks),
        }
    )


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
