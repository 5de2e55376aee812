"""When a message comes back."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from custom_labels_batch.functions.analyze_image.failures import (
    ModelNotUpError,
    OutOfTimeError,
    SuspectError,
    seconds_until_retry,
)
from custom_labels_batch.functions.shared.aws_errors import THROTTLING_CODES


def client_error(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "AnyOperation",
    )


PASSING = [
    *(client_error(code) for code in sorted(THROTTLING_CODES)),
    client_error("InternalServerError", 500),
    client_error("503", 503),
    client_error("ConditionalRequestConflict", 409),
    EndpointConnectionError(endpoint_url="https://rekognition.example"),
    ReadTimeoutError(endpoint_url="https://rekognition.example"),
    SuspectError(),
]


@pytest.mark.parametrize("failure", PASSING, ids=str)
def test_a_passing_trouble_brings_it_back_in_seconds(failure: Exception) -> None:
    seconds = seconds_until_retry(failure, receive_count=1)

    assert 1 <= seconds <= 4


@given(receive_count=st.integers(1, 10_000))
def test_a_passing_trouble_that_stays_brings_it_back_later_each_time(receive_count: int) -> None:
    longest = [seconds_until_retry(PASSING[0], count, jitter=max) for count in (receive_count, receive_count + 1)]

    assert 4 <= longest[0] <= longest[1] <= 60


def test_messages_that_failed_together_do_not_come_back_together() -> None:
    delays = {seconds_until_retry(PASSING[0], receive_count=6) for _ in range(100)}

    assert len(delays) > 20


def test_a_model_that_is_not_up_brings_it_back_in_minutes() -> None:
    seconds = seconds_until_retry(ModelNotUpError(), receive_count=1)

    assert 180 <= seconds <= 300


def test_a_model_that_stays_down_keeps_images_out_of_the_dead_letter_queue_for_hours() -> None:
    soonest = sum(seconds_until_retry(ModelNotUpError(), receive, jitter=min) for receive in range(1, 10))

    assert soonest > 3 * 3600


def test_a_lack_of_time_brings_it_back_at_once() -> None:
    seconds = seconds_until_retry(OutOfTimeError(), receive_count=9)

    assert 1 <= seconds <= 5


@pytest.mark.parametrize(
    "failure", [client_error("AccessDeniedException"), client_error("NoSuchBucket", 404), KeyError("a bug")]
)
def test_anything_else_reaches_the_dead_letter_queue_before_a_run_gives_up_on_progress(failure: Exception) -> None:
    ten_receives = sum(seconds_until_retry(failure, receive, jitter=max) for receive in range(1, 10))

    assert ten_receives < 15 * 60
    assert seconds_until_retry(failure, receive_count=1) >= 45
