"""Whatever fails, however often, and whenever the run is ended: after a release nothing runs on."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflows.definitions import NAMES, states
from tests.workflows.scenarios import SCENARIOS
from tests.workflows.world import Fault

TASKS = sorted({(name, task) for name in NAMES for task in states(name, "Task")})
CODES = ("throttled", "AccessDeniedException", "InternalServerError", "lost")

faults = st.builds(
    lambda task, code, times, after: Fault(code, machine=task[0], state=task[1], times=times, after=after),
    st.sampled_from(TASKS),
    st.sampled_from(CODES),
    st.integers(1, 30),
    st.integers(0, 3),
)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    way=st.sampled_from(sorted(SCENARIOS)),
    going_wrong=st.lists(faults, max_size=4),
    abort_after=st.none() | st.floats(0, 400),
    late=st.booleans(),
    stops_while_starting=st.booleans(),
)
def test_after_a_release_nothing_runs_on(
    way: str, going_wrong: list[Fault], abort_after: float | None, late: bool, stops_while_starting: bool
) -> None:
    with SCENARIOS[way].world() as world:
        world.faults, world.stops_while_starting = going_wrong, stops_while_starting
        world.step_functions.calls_land_late = late
        run = world.start_run()
        if abort_after is not None:
            world.at(abort_after, lambda: world.abort(run))

        world.finish(run)
        world.timeline.pass_time(10)
        world.faults = []  # what was wrong is over
        world.finish(world.start_release(), *world.step_functions.executions.values())
        world.release()  # the guard's next one, for a release that was still at work
        if world.mapping.enabled:
            world.finish(world.start_run())  # the next tick, for a mapping that could not be closed

        assert run.error not in {"States.Runtime", "States.QueryEvaluationError"}
        world.assert_released()
