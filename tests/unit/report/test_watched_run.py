"""A run's timeline from looks at it, and from the model's own ledger."""

from report.data import Run
from report.watched_run import Look, Session, with_looks, with_sessions

RUN = Run(name="run", duration_minutes=20, billed_minutes=3)


def test_looks_become_states_backlog_and_images_done() -> None:
    looks = [Look(0, "STOPPED", 5, 0), Look(1, "STARTING", 5, 0), Look(9, "STARTING", 5, 0), Look(11, "RUNNING", 2, 3)]

    watched = with_looks(RUN, looks)

    assert [(state.status, state.begin, state.end) for state in watched.states] == [
        ("STOPPED", 0, 1),
        ("STARTING", 1, 11),
        ("RUNNING", 11, 20),
    ]
    assert [(sample.minute, sample.count) for sample in watched.backlog] == [(0, 5), (1, 5), (9, 5), (11, 2)]
    assert watched.done[-1].count == 3


def test_without_looks_the_run_stays_as_it_is() -> None:
    assert with_looks(RUN, []) is RUN


def test_a_session_is_exact_and_billed_until_the_stop_was_accepted() -> None:
    watched = with_sessions(RUN, [Session(0.5, 10.5, 13.5, 14.5, inference_units=2)])

    assert [(state.status, state.begin, state.end) for state in watched.states] == [
        ("STARTING", 0.5, 10.5),
        ("RUNNING", 10.5, 13.5),
        ("STOPPING", 13.5, 14.5),
        ("STOPPED", 14.5, 20),
    ]
    assert [(period.begin, period.end, period.inference_units) for period in watched.billed] == [(10.5, 13.5, 2)]


def test_a_model_that_is_still_running_is_billed_until_the_end() -> None:
    watched = with_sessions(RUN, [Session(0, 10, None, None)])

    assert [(period.begin, period.end) for period in watched.billed] == [(10, 20)]


def test_a_start_that_failed_is_not_billed() -> None:
    assert with_sessions(RUN, [Session(0, None, None, 10)]).billed == ()
