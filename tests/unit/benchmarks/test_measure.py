"""How a played workload becomes figures."""

from typing import Any

import pytest

from benchmarks.measure import PARTS, dollars, measure, throughput
from benchmarks.play import Played
from benchmarks.workloads import BOTH, Arrival, Workload
from custom_labels_batch.rules.prices import Prices

NOTHING: dict[str, Any] = {
    "requests": {},
    "queueRequests": {},
    "functions": {},
    "stateTransitions": {},
    "snsDeliveriesToSqs": 0,
    "events": {},
    "scheduleTicks": 0,
}


def session(seconds: int, calls: int, units: int = 1) -> dict[str, Any]:
    return {
        "firstCallAt": "2026-11-22T10:00:00.000Z",
        "lastCallAt": f"2026-11-22T10:00:{seconds:02}.000Z",
        "calls": calls,
        "inferenceUnits": units,
    }


class TestThroughput:
    def test_is_the_share_of_what_the_units_take_between_the_first_and_the_last_call(self) -> None:
        assert throughput([session(seconds=20, calls=101)]) == 1
        assert throughput([session(seconds=20, calls=101, units=2)]) == 0.5

    def test_weighs_runs_by_their_length(self) -> None:
        assert throughput([session(seconds=10, calls=51), session(seconds=30, calls=76)]) == pytest.approx(125 / 200)

    def test_of_a_single_call_means_nothing(self) -> None:
        assert throughput([session(seconds=0, calls=1)]) is None


class TestPrices:
    @pytest.mark.parametrize(
        ("part", "usage", "cost"),
        [
            ("Lambda", {"functions": {"f": {"invocations": 2, "seconds": 9.0, "gbSeconds": 4.5}}}, 2 * 3 + 4.5 * 5),
            ("Step Functions", {"stateTransitions": {"run": 10, "release": 5}}, 15 * 7),
            ("SQS and SNS", {"requests": {"sqs:GetQueueAttributes": 2, "sns:Publish": 1}}, 2 * 11 + 13),
            ("SQS and SNS", {"queueRequests": {"send": 3, "receive": 1, "delete": 1}}, 5 * 11),
            ("S3", {"requests": {"s3:PutObject": 2, "s3:GetObject": 3, "s3:DeleteObject": 9}}, 2 * 17 + 3 * 19),
            ("DynamoDB", {"requests": {"dynamodb:UpdateItem": 2, "dynamodb:GetItem": 1}}, 2 * 23 + 29),
            ("EventBridge", {"events": {"aws.s3": 2, "aws.states": 9}, "scheduleTicks": 3}, 2 * 31 + 3 * 37),
        ],
    )
    def test_are_those_of_the_list(self, part: str, usage: dict[str, Any], cost: float) -> None:
        prices = Prices(
            lambda_request=3,
            lambda_gb_second=5,
            state_transition=7,
            sqs_request=11,
            sns_publish=13,
            s3_put=17,
            s3_get=19,
            dynamodb_write_unit=23,
            dynamodb_read_unit=29,
            eventbridge_event=31,
            scheduler_invocation=37,
        )

        found = dollars(0, {**NOTHING, **usage}, prices=prices)

        assert found == {**dict.fromkeys(PARTS, 0), part: cost}

    def test_of_the_model_is_by_the_hour(self) -> None:
        assert dollars(90, NOTHING, prices=Prices(inference_unit_hour=4))["model"] == 6


def test_an_image_is_as_old_as_the_time_since_its_own_upload() -> None:
    workload = Workload("two", (Arrival(0, 1), Arrival(8, 1)), BOTH)
    played = Played(workload, BOTH[0], time_scale=1.0, uploaded={"a": 0, "b": 8}, written={"a": 10, "b": 10})
    played.usage = NOTHING
    played.model = {
        "billedInferenceUnitMinutes": 1.0,
        "calls": {"ok": 2, "throttled": 2, "failed": 0},
        "sessions": [session(seconds=10, calls=2)],
    }

    measured = measure(played)

    assert (measured.median_minutes, measured.worst_minutes, measured.last_result_minute) == (6, 10, 10)
    assert measured.throttled_share == 0.5
    assert measured.times_limit == pytest.approx(1 / (2 / 5 / 60))
