"""A run's timeline from the model's own ledger."""

from custom_labels_batch.report.data import Run
from custom_labels_batch.report.sessions import Session, with_sessions

RUN = Run(name="run", duration_minutes=20, billed_minutes=3)


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
