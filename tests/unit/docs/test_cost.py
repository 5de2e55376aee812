"""docs/cost.md, held against the prices, the program and the last bench."""

import json
import re

import pytest

from benchmarks.results import PUBLISHED_FILE, read
from custom_labels_batch.cli import other_costs
from custom_labels_batch.rules.prices import PRICES
from docs.cost_tables import POLLS, bench, idle
from sandbox.deploy import REPOSITORY
from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import record_stack

TEXT = (REPOSITORY / "docs" / "cost.md").read_text(encoding="utf-8")
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"


@pytest.fixture(scope="module")
def graph() -> Result:
    return record_stack()


def test_an_idle_stack_costs_what_its_parts_do(graph: Result) -> None:
    amounts = [float(row.split("|")[3]) for row in idle(graph).splitlines()[2:-1]]
    (total,) = re.findall(r"\*\*together\*\* \| \| \*\*([0-9.]+)\*\*", idle(graph))

    assert float(total) == pytest.approx(sum(amounts), abs=0.03)


def test_the_mappings_that_are_open_while_nothing_runs_are_counted(graph: Result) -> None:
    open_ones = [mapping for mapping in graph.of_type(MAPPING) if mapping.properties.get("enabled") is not False]

    assert f"{len(open_ones)} open, which ask" in idle(graph)
    assert len(open_ones) * POLLS * PRICES.sqs_request == pytest.approx(0.52, abs=0.005)


def test_a_thousand_images_cost_what_the_bench_says() -> None:
    for row in bench(read(PUBLISHED_FILE)).splitlines()[2:]:
        model, rest, both = (float(cell) for cell in row.split("|")[2:5])
        assert both == pytest.approx(model + rest, abs=0.0011)


def test_the_work_of_an_image_is_the_price_of_a_fifth_of_a_second() -> None:
    assert "0.00022 USD" in TEXT
    assert PRICES.inference_unit_hour / 3600 / 5 == pytest.approx(0.00022, abs=0.000003)
    assert other_costs.images_cost(1_000_000, 5) == pytest.approx(16, abs=3)


def test_the_policies_that_a_budget_attaches_are_json() -> None:
    block = TEXT.partition("### A budget that stops it")[2].partition("```\n\n")[0]
    found = re.findall(r"'(\{.*?\})'(?=[\s)]|$)", block.replace("'$role'", "ROLE"), re.DOTALL | re.MULTILINE)

    assert len(found) == 4
    for document in found:
        json.loads(document)
