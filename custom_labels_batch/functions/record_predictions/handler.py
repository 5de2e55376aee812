"""Lambda entry point: a batch of predictions in, the messages that must come again out."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from ..shared.observability import logger, metrics
from ..shared.predictions_batch import process
from .wiring import queue, recording


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Write the rows of one batch of predictions; answers Lambda's partial batch response."""

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    response = process(event, queue, lambda deliveries: recording.record(deliveries, seconds_left), seconds_left)
    recorded = len(event["Records"]) - len(response["batchItemFailures"])
    metrics.add_metric(name="PredictionsRecorded", unit=MetricUnit.Count, value=recorded)
    return response
