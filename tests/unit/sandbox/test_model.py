"""A model version's states, speed limit and bill, on a clock the test turns by hand."""

import pytest

from sandbox.clock import SimulatedClock
from sandbox.model import Faults, ModelVersion
from sandbox.settings import SandboxSettings

MINUTE = 60.0


class HandClock(SimulatedClock):
    def __init__(self) -> None:
        super().__init__(time_scale=1)
        self.seconds = 1_000_000.0

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def version(clock: HandClock, faults: Faults) -> ModelVersion:
    settings = SandboxSettings(model_start_minutes=10, model_stop_minutes=1, tps_per_unit=5)
    return ModelVersion("v1", "arn:v1", 0, settings, clock, lambda: faults)


def test_a_started_version_runs_after_the_start_time(version: ModelVersion, clock: HandClock) -> None:
    version.start(1)
    clock.seconds += 9.9 * MINUTE
    assert version.status == "STARTING"

    clock.seconds += 0.2 * MINUTE
    assert version.status == "RUNNING"


def test_a_stopped_version_is_stopping_first(version: ModelVersion, clock: HandClock) -> None:
    version.start(1)
    clock.seconds += 10 * MINUTE
    version.stop()
    assert version.status == "STOPPING"

    clock.seconds += MINUTE
    assert version.status == "STOPPED"


def test_billing_runs_from_running_to_the_accepted_stop_times_the_units(
    version: ModelVersion, clock: HandClock
) -> None:
    version.start(3)
    clock.seconds += 14 * MINUTE
    version.stop()
    clock.seconds += 60 * MINUTE

    assert version.billed_minutes() == pytest.approx(4 * 3)


def test_a_running_version_is_billed_until_now(version: ModelVersion, clock: HandClock) -> None:
    version.start(1)
    clock.seconds += 12 * MINUTE

    assert version.billed_minutes() == pytest.approx(2)


def test_every_session_is_kept_with_its_times(version: ModelVersion, clock: HandClock) -> None:
    for units in (1, 2):
        version.start(units)
        clock.seconds += 10 * MINUTE
        version.stop()
        clock.seconds += MINUTE

    sessions = version.to_json()["sessions"]

    assert [session["inferenceUnits"] for session in sessions] == [1, 2]
    assert all(session[name] for session in sessions for name in ("startRequestedAt", "runningAt", "stoppedAt"))


@pytest.mark.parametrize("units", [1, 2])
def test_the_speed_limit_grows_with_the_units(version: ModelVersion, clock: HandClock, units: int) -> None:
    version.start(units)
    clock.seconds += 20 * MINUTE

    taken = 0
    for _ in range(1000):
        clock.seconds += 0.01
        taken += version.take_call()

    assert taken == pytest.approx(10 * 5 * units, abs=5 * units)


def test_about_one_second_of_calls_may_come_at_once(version: ModelVersion, clock: HandClock) -> None:
    version.start(1)
    clock.seconds += 20 * MINUTE

    assert [version.take_call() for _ in range(8)] == [True] * 5 + [False] * 3
    assert version.calls.throttled == 3


def test_a_failed_start_says_why_and_costs_nothing(version: ModelVersion, clock: HandClock, faults: Faults) -> None:
    faults.start_fails = "No capacity."
    version.start(1)
    clock.seconds += 30 * MINUTE

    assert (version.status, version.status_message) == ("FAILED", "No capacity.")
    assert version.billed_minutes() == 0


def test_a_start_may_never_end(version: ModelVersion, clock: HandClock, faults: Faults) -> None:
    faults.never_starts = True
    version.start(1)
    clock.seconds += 1000 * MINUTE

    assert version.status == "STARTING"


def test_a_version_may_die_after_some_calls(version: ModelVersion, clock: HandClock, faults: Faults) -> None:
    version.start(1)
    clock.seconds += 11 * MINUTE
    assert version.status == "RUNNING"
    faults.die_after_calls = 2

    version.count(ok=True)
    assert version.status == "RUNNING"
    version.count(ok=True)

    assert version.status == "FAILED"
    clock.seconds += 60 * MINUTE
    assert version.billed_minutes() == pytest.approx(1)


def test_a_misspelt_fault_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="startFials"):
        Faults.from_json({"startFials": True})


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"errorRate": {"ThrottlingException": 2}}, "errorRate.ThrottlingException: 2 is not allowed"),
        ({"errorRate": 0.5}, "errorRate: 0.5 is not allowed"),
        ({"startFails": 5}, "startFails: 5 is not allowed"),
        ({"neverStarts": "yes"}, "neverStarts: 'yes' is not allowed"),
        ({"dieAfterCalls": -1}, "dieAfterCalls: -1 is not allowed"),
        ({"status": {"v1": "BOGUS"}}, "a status is one of TRAINING_IN_PROGRESS"),
        ([], "the faults: .* is not allowed"),
    ],
)
def test_a_wrong_fault_is_refused_with_what_is_allowed(wrong: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Faults.from_json(wrong)


def test_faults_are_told_as_they_were_given() -> None:
    given = {"startFails": "No capacity.", "errorRate": {"ThrottlingException": 0.5}, "dieAfterCalls": 3}
    assert Faults.from_json(given).as_json() == given


def test_a_stop_may_never_end(version: ModelVersion, clock: HandClock, faults: Faults) -> None:
    version.start(1)
    clock.seconds += 10 * MINUTE
    version.stop()
    faults.never_stops = True

    clock.seconds += 60 * MINUTE

    assert version.status == "STOPPING"


def test_a_start_that_was_held_up_ends_when_it_no_longer_is(
    version: ModelVersion, clock: HandClock, faults: Faults
) -> None:
    version.start(1)
    faults.never_starts = True
    clock.seconds += 60 * MINUTE
    version.keep_up()
    faults.never_starts = False
    clock.seconds += MINUTE

    assert version.status == "RUNNING"
    assert version.billed_minutes() == 1


def test_a_failed_version_is_startable_once_it_is_mended(
    version: ModelVersion, clock: HandClock, faults: Faults
) -> None:
    faults.start_fails = "No capacity."
    version.start(1)
    clock.seconds += 10 * MINUTE
    assert version.status == "FAILED"

    version.mend()

    assert version.status == "STOPPED"
