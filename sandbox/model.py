"""One trained version of the sandbox's model: its states, its clock, its speed limit and its bill."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from sandbox.api_calls import service_model
from sandbox.clock import SimulatedClock, iso
from sandbox.settings import SandboxSettings

STARTABLE = frozenset({"TRAINING_COMPLETED", "COPYING_COMPLETED", "STOPPED"})
BURST_SECONDS = 1.0
"""Simulated seconds of unused calls a model lets through at once."""

_NO_REASON = "The model could not be started. Amazon Rekognition experienced a service issue."


@cache
def _statuses() -> tuple[str, ...]:
    return tuple(service_model("rekognition").shape_for("ProjectVersionStatus").enum)  # type: ignore[attr-defined]


def _known_status(status: str) -> str:
    if status not in _statuses():
        raise ValueError(f"a status is one of {', '.join(_statuses())}")
    return status


class Faults(BaseModel):
    """What a test makes go wrong; all off by default.

    Attributes
    ----------
    start_fails
        A started version ends FAILED with this message instead of RUNNING.
    never_starts
        A started version stays STARTING.
    never_stops
        A stopped version stays STOPPING.
    status
        Version name to the status it shows, whatever it really is.
    die_after_calls
        A running version turns FAILED once it has answered this many calls more.
    error_rate
        DetectCustomLabels error code to the share of calls, 0 to 1, answered with it.
    start_error, stop_error
        Error code StartProjectVersion or StopProjectVersion answers with.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", strict=True)

    start_fails: str | None = None
    never_starts: bool = False
    never_stops: bool = False
    status: dict[str, Annotated[str, AfterValidator(_known_status)]] = {}
    die_after_calls: Annotated[int, Field(ge=0)] | None = None
    error_rate: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    start_error: str | None = None
    stop_error: str | None = None

    @field_validator("start_fails", mode="before")
    @classmethod
    def _with_a_message(cls, value: object) -> object:
        return _NO_REASON if value is True else None if value is False else value

    @classmethod
    def from_json(cls, document: object) -> "Faults":
        """Read the body of `POST /_sandbox/faults`.

        Raises
        ------
        ValueError
            Naming each wrong fault, and what is allowed.
        """
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise ValueError("; ".join(map(cls._told, error.errors()))) from None

    @classmethod
    def _told(cls, problem: ErrorDetails) -> str:
        where = ".".join(map(str, problem["loc"]))
        if problem["type"] == "extra_forbidden":
            return f"unknown fault {where}; known are calls, {', '.join(map(to_camel, cls.model_fields))}"
        return f"{where or 'the faults'}: {problem['input']!r} is not allowed: {problem['msg']}"

    def as_json(self) -> dict[str, Any]:
        """Those that are on."""
        return self.model_dump(by_alias=True, exclude_defaults=True)

    def pick_error(self) -> str | None:
        """The error code this call is to be answered with, or None."""
        draw = random.random()  # noqa: S311 - a test's dice, not a secret
        for code, share in self.error_rate.items():
            if draw < share:
                return code
            draw -= share
        return None


@dataclass
class Session:
    """One run of a version, from its StartProjectVersion to its end, in simulated epoch seconds.

    Attributes
    ----------
    calls, first_call_at, last_call_at
        DetectCustomLabels calls that were let through.
    """

    start_requested_at: float
    inference_units: int
    running_at: float | None = None
    stop_requested_at: float | None = None
    stopped_at: float | None = None
    calls: int = 0
    first_call_at: float | None = None
    last_call_at: float | None = None

    def let_through(self, now: float) -> None:
        """Count a call that the speed limit allows."""
        self.calls += 1
        self.first_call_at = now if self.first_call_at is None else self.first_call_at
        self.last_call_at = now

    def billed_minutes(self, now: float) -> float:
        """Inference-unit minutes: from RUNNING until the stop was accepted, times the units."""
        if self.running_at is None:
            return 0.0
        end = next((t for t in (self.stop_requested_at, self.stopped_at) if t is not None), now)
        return max(0.0, end - self.running_at) / 60 * self.inference_units

    def to_json(self) -> dict[str, Any]:
        """The session with ISO times, null for what has not happened."""
        times = {
            "startRequestedAt": self.start_requested_at,
            "runningAt": self.running_at,
            "stopRequestedAt": self.stop_requested_at,
            "stoppedAt": self.stopped_at,
            "firstCallAt": self.first_call_at,
            "lastCallAt": self.last_call_at,
        }
        shown = {name: None if moment is None else iso(moment) for name, moment in times.items()}
        return {**shown, "inferenceUnits": self.inference_units, "calls": self.calls}


@dataclass
class CallCounts:
    """How DetectCustomLabels calls to one version ended."""

    ok: int = 0
    throttled: int = 0
    failed: int = 0


class ModelVersion:
    """A project version that starts, runs, stops and keeps its own ledger. Safe to use from many threads.

    Its state is worked out from the clock whenever somebody looks, so no thread of its own is needed.
    """

    def __init__(
        self,
        name: str,
        arn: str,
        created_at: float,
        settings: SandboxSettings,
        clock: SimulatedClock,
        faults: Callable[[], Faults],
    ) -> None:
        self.name, self.arn, self.created_at = name, arn, created_at
        self.calls = CallCounts()
        self.sessions: list[Session] = []
        self.status_message = "The model is ready to run."
        self._settings, self._clock, self._faults = settings, clock, faults
        self._status = "TRAINING_COMPLETED"
        self._tokens, self._tokens_at = 0.0, 0.0
        self._held_until = 0.0  # a fault kept it from starting or stopping so long, as far as anybody has looked
        self._lock = threading.RLock()

    @property
    def status(self) -> str:
        """The state AWS would show now."""
        with self._lock:
            self._advance()
            return self._faults().status.get(self.name, self._status)

    @property
    def inference_units(self) -> int | None:
        """Units of the current session; None when there is none."""
        return self.sessions[-1].inference_units if self.status in {"STARTING", "RUNNING", "STOPPING"} else None

    def start(self, inference_units: int) -> None:
        """Begin a session. The caller has checked that the state allows it."""
        with self._lock:
            self._advance()
            self.sessions.append(Session(self._clock.now(), inference_units))
            self._become("STARTING", "The model is being prepared for running.")

    def stop(self) -> None:
        """Accept a stop: billing ends here."""
        with self._lock:
            self._advance()
            self.sessions[-1].stop_requested_at = self._clock.now()
            self._become("STOPPING", "The model is being stopped.")

    def keep_up(self) -> None:
        """Let what was due until now have happened."""
        with self._lock:
            self._advance()

    def mend(self) -> None:
        """Let a FAILED version be startable again, as after a repair."""
        with self._lock:
            self._advance()
            if self._status == "FAILED":
                self._become("STOPPED", "The model is ready to run.")

    def take_call(self) -> bool:
        """Use one call of the speed limit; False when the model is asked for more than its units take."""
        with self._lock:
            now, limit = self._clock.now(), self._settings.tps_per_unit * (self.inference_units or 1)
            capacity = max(1.0, limit * BURST_SECONDS)
            self._tokens = min(capacity, self._tokens + (now - self._tokens_at) * limit)
            self._tokens_at = now
            if self._tokens < 1:
                self.calls.throttled += 1
                return False
            self._tokens -= 1
            self.sessions[-1].let_through(now)
            return True

    def count(self, *, ok: bool) -> None:
        """Count a call that was let through."""
        with self._lock:
            if ok:
                self.calls.ok += 1
            else:
                self.calls.failed += 1
            faults = self._faults()
            if faults.die_after_calls is not None:
                faults.die_after_calls -= 1
                if faults.die_after_calls <= 0 and self._status == "RUNNING":
                    faults.die_after_calls = None
                    self._end("FAILED", "The model stopped unexpectedly.", self._clock.now())

    def billed_minutes(self) -> float:
        """Inference-unit minutes of all sessions, in simulated time."""
        with self._lock:
            self._advance()
            return sum(session.billed_minutes(self._clock.now()) for session in self.sessions)

    def to_json(self) -> dict[str, Any]:
        """This version's part of the ledger."""
        return {
            "name": self.name,
            "projectVersionArn": self.arn,
            "status": self.status,
            "statusMessage": self.status_message,
            "inferenceUnits": self.inference_units,
            "billedInferenceUnitMinutes": round(self.billed_minutes(), 4),
            "sessions": [session.to_json() for session in self.sessions],
            "calls": vars(self.calls),
        }

    def _advance(self) -> None:
        now, faults = self._clock.now(), self._faults()
        if faults.never_starts or faults.never_stops:
            self._held_until = now
        if self._status == "STARTING" and not faults.never_starts:
            usual = self.sessions[-1].start_requested_at + self._settings.model_start_minutes * 60
            ready_at = max(usual, self._held_until)
            if now >= ready_at:
                self._ready(ready_at, faults)
        if self._status == "STOPPING" and not faults.never_stops:
            requested_at = self.sessions[-1].stop_requested_at or now
            stopped_at = max(requested_at + self._settings.model_stop_minutes * 60, self._held_until)
            if now >= stopped_at:
                self._end("STOPPED", "The model is ready to run.", stopped_at)

    def _ready(self, ready_at: float, faults: Faults) -> None:
        if faults.start_fails:
            self._end("FAILED", faults.start_fails, ready_at)
            return
        self.sessions[-1].running_at = ready_at
        self._tokens_at, self._tokens = ready_at, 1.0
        self._become("RUNNING", "The model is running.")

    def _end(self, status: str, message: str, at: float) -> None:
        self.sessions[-1].stopped_at = at
        self._become(status, message)

    def _become(self, status: str, message: str) -> None:
        self._status, self.status_message = status, message
