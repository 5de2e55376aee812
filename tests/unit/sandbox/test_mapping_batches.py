"""Batches of an SQS event source mapping: how they are gathered, handed over and reported on."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.sandbox.mapped_function import Mapped
from tests.unit.sandbox.support import TIME_SCALE, Sandbox, wait_until

pytestmark = pytest.mark.xdist_group("sandbox")


class TestGathering:
    def test_a_batch_holds_what_came_within_the_window(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, BatchSize=1000, MaximumBatchingWindowInSeconds=60)

        mapped.send(45)

        assert mapped.called(1) == [45]
        wait_until(lambda: mapped.counts() == (0, 0))

    def test_the_window_lasts_simulated_seconds_from_the_first_message(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, BatchSize=1000, MaximumBatchingWindowInSeconds=100)
        started = time.monotonic()

        mapped.send(1)
        time.sleep(100 * TIME_SCALE / 2)
        mapped.send(1)

        assert mapped.called(1) == [2]
        assert 100 * TIME_SCALE <= time.monotonic() - started < 100 * TIME_SCALE + 1.5

    def test_a_full_batch_does_not_wait(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, BatchSize=25, MaximumBatchingWindowInSeconds=300)

        mapped.send(60)

        assert mapped.called(2, seconds=300 * TIME_SCALE / 2) == [25, 25]
        wait_until(lambda: mapped.counts() == (0, 10), seconds=300 * TIME_SCALE / 2)

    def test_a_window_also_gathers_a_small_batch(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, BatchSize=5, MaximumBatchingWindowInSeconds=50)

        mapped.send(3)

        assert mapped.called(1) == [3]

    def test_a_batch_holds_no_more_than_an_event_may(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, BatchSize=100, MaximumBatchingWindowInSeconds=60)

        mapped.send(30, body="x" * 250_000)

        first, second = mapped.called(2)
        assert (first, second) == (25, 5)

    def test_what_is_gathered_is_in_flight(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, BatchSize=1000, MaximumBatchingWindowInSeconds=300)

        mapped.send(12)

        wait_until(lambda: mapped.counts() == (0, 12), seconds=300 * TIME_SCALE / 2)
        assert mapped.calls == []

    def test_purged_messages_are_not_handed_over(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, BatchSize=1000, MaximumBatchingWindowInSeconds=100)
        mapped.send(12)
        wait_until(lambda: mapped.counts() == (0, 12))

        mapped.sqs.purge_queue(QueueUrl=mapped.url)
        mapped.send(1)

        assert mapped.called(1) == [1]

    def test_messages_that_came_back_to_the_queue_are_handed_over_once(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, visibility=2, BatchSize=1000, MaximumBatchingWindowInSeconds=150)
        mapped.send(12)

        assert sum(mapped.called(1)) == 12
        wait_until(lambda: mapped.counts() == (0, 0))
        assert sum(mapped.called(1)) == 12

    def test_no_more_batches_run_at_once_than_the_maximum(self, sandbox: Sandbox) -> None:
        mapped = Mapped(
            sandbox,
            work="time.sleep(0.4)",
            BatchSize=11,
            MaximumBatchingWindowInSeconds=20,
            ScalingConfig={"MaximumConcurrency": 2},
        )

        mapped.send(66)
        mapped.called(6)

        running = [sum(o["started"] <= c["started"] < o["ended"] for o in mapped.calls) for c in mapped.calls]
        assert max(running) == 2

    def test_thousands_of_small_messages_are_one_batch(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, Enabled=False, BatchSize=10_000, MaximumBatchingWindowInSeconds=300)
        mapped.send(2_000)

        mapped.lambda_.update_event_source_mapping(UUID=mapped.uuid, Enabled=True)

        assert mapped.called(1) == [2_000]
        wait_until(lambda: mapped.counts() == (0, 0))


class TestClosing:
    def test_a_mapping_being_disabled_hands_over_what_it_gathered_and_takes_no_more(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, BatchSize=1000, MaximumBatchingWindowInSeconds=300)
        mapped.send(12)
        wait_until(lambda: mapped.counts() == (0, 12))

        mapped.lambda_.update_event_source_mapping(UUID=mapped.uuid, Enabled=False)
        mapped.send(3)

        assert mapped.called(1, seconds=300 * TIME_SCALE / 2) == [12]
        mapped.settle()
        wait_until(lambda: mapped.counts() == (3, 0))

    def test_a_deleted_mapping_gives_back_what_it_gathered(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, visibility=2, BatchSize=1000, MaximumBatchingWindowInSeconds=300)
        mapped.send(12)
        wait_until(lambda: mapped.counts() == (0, 12))

        mapped.lambda_.delete_event_source_mapping(UUID=mapped.uuid)

        wait_until(lambda: mapped.counts() == (12, 0))


class TestReports:
    FAILED = "[{'itemIdentifier': r['messageId']} for r in event['Records'] if r['body'].startswith('7 ')]"

    def test_only_reported_messages_come_again(self, sandbox: Sandbox) -> None:
        mapped = Mapped(
            sandbox,
            answer=f"{{'batchItemFailures': {self.FAILED}}}",
            visibility=3,
            BatchSize=100,
            MaximumBatchingWindowInSeconds=20,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )

        mapped.send(15)
        mapped.called(1)
        wait_until(lambda: mapped.counts() == (0, 1))

        assert mapped.called(2) == [15, 1]
        assert mapped.calls[1]["bodies"] == ["7        "]

    @pytest.mark.parametrize("answer", ["None", "{}", "{'batchItemFailures': []}", "{'batchItemFailures': None}"])
    def test_a_report_without_failures_is_a_success(self, sandbox: Sandbox, answer: str) -> None:
        mapped = Mapped(sandbox, answer=answer, FunctionResponseTypes=["ReportBatchItemFailures"])

        mapped.send(2)
        mapped.called(1)

        wait_until(lambda: mapped.counts() == (0, 0))

    @pytest.mark.parametrize(
        "answer",
        [
            "'done'",
            "{'batchItemFailures': [{'itemIdentifier': ''}]}",
            "{'batchItemFailures': [{'itemIdentifier': None}]}",
            "{'batchItemFailures': [{'messageId': 'x'}]}",
            "{'batchItemFailures': 'all'}",
        ],
    )
    def test_a_report_lambda_cannot_read_fails_the_batch(self, sandbox: Sandbox, answer: str) -> None:
        mapped = Mapped(sandbox, answer=answer, FunctionResponseTypes=["ReportBatchItemFailures"])

        mapped.send(2)
        mapped.called(1)
        time.sleep(0.3)

        assert mapped.counts() == (0, 2)

    def test_without_reports_an_answer_means_nothing(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, answer="{'batchItemFailures': 'all'}")

        mapped.send(2)
        mapped.called(1)

        wait_until(lambda: mapped.counts() == (0, 0))


class TestRefusals:
    @pytest.mark.parametrize(
        "request_",
        [
            {"BatchSize": 11},
            {"BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1},
            {"MaximumBatchingWindowInSeconds": 301},
        ],
    )
    def test_a_mapping_cannot_have_it_from_the_start_nor_later(
        self, sandbox: Sandbox, request_: dict[str, Any]
    ) -> None:
        mapped = Mapped(sandbox, Enabled=False)
        found = mapped.lambda_.get_event_source_mapping(UUID=mapped.uuid)
        place = {"EventSourceArn": found["EventSourceArn"], "FunctionName": found["FunctionArn"]}

        with pytest.raises(ClientError, match="InvalidParameterValueException"):
            mapped.lambda_.create_event_source_mapping(**place, **request_)
        with pytest.raises(ClientError, match="InvalidParameterValueException"):
            mapped.lambda_.update_event_source_mapping(UUID=mapped.uuid, **request_)

    def test_the_window_of_a_large_batch_cannot_be_taken_away(self, sandbox: Sandbox) -> None:
        mapped = Mapped(sandbox, Enabled=False, BatchSize=100, MaximumBatchingWindowInSeconds=1)

        with pytest.raises(ClientError, match="must be greater than 0"):
            mapped.lambda_.update_event_source_mapping(UUID=mapped.uuid, MaximumBatchingWindowInSeconds=0)

    @pytest.mark.parametrize(
        "request_", [{"MaximumBatchingWindowInSeconds": 1}, {"BatchSize": 11, "MaximumBatchingWindowInSeconds": 1}]
    )
    def test_a_fifo_queue_has_small_batches_and_no_window(self, sandbox: Sandbox, request_: dict[str, Any]) -> None:
        arn = "arn:aws:sqs:us-east-1:000000000000:images.fifo"

        with pytest.raises(ClientError, match="FIFO"):
            sandbox.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="any", **request_)
