"""What the stack costs beside the model: requests, messages and state transitions, at list prices.

Counts by name of the price. They follow from the functions and workflows: an image's with notifications and analytics,
a run's without the looks, which depend on its length. Storage, logs, e-mails and queries are not in them.
"""

from collections.abc import Mapping

from custom_labels_batch.cli.simulation import Simulation
from custom_labels_batch.rules.limits import EXECUTIONS_PER_INFERENCE_UNIT
from custom_labels_batch.rules.prices import PRICES, Prices

Counts = Mapping[str, float]

BATCH = 10
MEMORY_GIGABYTES = 0.5

AN_IMAGE: Counts = {
    "eventbridge_event": 1,
    "sqs_request": 3 * (1 + 2 / BATCH),  # sent to three queues, received and deleted in batches
    "lambda_request": 1 / BATCH,
    "s3_put": 2,
    "s3_get": 1,
    "sns_publish": 1,
    "dynamodb_write_unit": 1 / BATCH,
    "dynamodb_read_unit": 1 / BATCH,
}
A_RUN: Counts = {
    "state_transition": 64,
    "eventbridge_event": 1,
    "sns_publish": 1,
    "dynamodb_write_unit": 8,
    "dynamodb_read_unit": 8,
}
A_LOOK: Counts = {"state_transition": 3}
A_TICK: Counts = {"scheduler_invocation": 1, "state_transition": 8}
A_DAY: Counts = {"scheduler_invocation": 96, "state_transition": 96 * 7}  # the guard, every 15 minutes

A_SAMPLE_IMAGE: Counts = {"sqs_request": 3, "lambda_request": 1, "s3_put": 2, "s3_get": 1}
A_SAMPLE_RUN: Counts = {"state_transition": 10}


def images_cost(images: float, tps: float, prices: Prices = PRICES) -> float:
    """USD for what every image takes, whatever starts the model."""
    gigabyte_seconds = MEMORY_GIGABYTES * EXECUTIONS_PER_INFERENCE_UNIT / tps
    return images * (_cost(AN_IMAGE, prices) + gigabyte_seconds * prices.lambda_gb_second)


def scheduled_cost(simulation: Simulation, ticks: int, days: int, tps: float, prices: Prices = PRICES) -> float:
    """USD for everything but the model, of a stack with `trigger: schedule` that ticked so often in so many days."""
    images, runs, looks = _totals(simulation)
    workflow = (
        runs * _cost(A_RUN, prices)
        + looks * _cost(A_LOOK, prices)
        + ticks * _cost(A_TICK, prices)
        + days * _cost(A_DAY, prices)
    )
    return workflow + images_cost(images, tps, prices)


def sample_cost(simulation: Simulation, ticks: int, tps: float, prices: Prices = PRICES) -> float:
    """USD for everything but the model, of the published sample, which does less with an image."""
    images, runs, looks = _totals(simulation)
    an_image = _cost(A_SAMPLE_IMAGE, prices) + MEMORY_GIGABYTES / tps * prices.lambda_gb_second
    a_tick = _cost({"state_transition": 3}, prices)
    return images * an_image + runs * _cost(A_SAMPLE_RUN, prices) + looks * _cost(A_LOOK, prices) + ticks * a_tick


def model_cost(simulation: Simulation, prices: Prices = PRICES) -> float:
    """USD for the model's inference units."""
    return simulation.billed_minutes / 60 * prices.inference_unit_hour


def _totals(simulation: Simulation) -> tuple[int, int, int]:
    runs = simulation.runs
    return sum(run.images for run in runs), len(runs), sum(run.looks for run in runs)


def _cost(counts: Counts, prices: Prices) -> float:
    return sum(number * float(getattr(prices, name)) for name, number in counts.items())
