"""The bench's harness, end to end on a few images: that it measures, not what."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import pace
from benchmarks.batch_run import bench
from benchmarks.pace import Capacity
from benchmarks.results import Results, read
from benchmarks.workloads import BOTH, Workload, at_once
from tests.ports import free_port

pytestmark = pytest.mark.xdist_group("bench")

TINY = Workload("10 images", at_once(10), BOTH)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Results, Path]]:
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    fast = Capacity(labelled=1000, uploaded=1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "SHORT_SECONDS", 0.2)  # the few images at ten times real speed
        yield bench([TINY], seconds=1, port=free_port(), file=file, capacity=fast), file


def test_both_policies_label_every_image_and_are_billed_for_it(measured: tuple[Results, Path]) -> None:
    results, _ = measured

    assert [each.policy for each in results.measurements] == ["ours", "sample"]
    for each in results.measurements:
        assert each.images == 10
        assert 0 < each.limit_minutes < each.billed_minutes
        assert 0 < each.median_minutes <= each.p95_minutes <= each.worst_minutes <= each.last_result_minute
        assert min(each.lambda_gb_seconds, each.state_transitions, each.messages) > 0


def test_every_part_that_a_policy_uses_has_a_price(measured: tuple[Results, Path]) -> None:
    ours, sample = measured[0].measurements

    assert min(ours.dollars.values()) > 0
    assert {part for part, dollars in sample.dollars.items() if not dollars} == {"DynamoDB"}


def test_the_sample_holds_its_model_for_59_minutes_more_than_ours(measured: tuple[Results, Path]) -> None:
    ours, sample = measured[0].measurements

    assert sample.billed_minutes > ours.billed_minutes + 50


def test_results_and_a_chart_are_left(measured: tuple[Results, Path]) -> None:
    results, file = measured

    assert read(file) == results
    assert file.with_suffix(".png").stat().st_size > 10_000
    assert "10 images" in file.with_suffix(".svg").read_text(encoding="utf-8")
