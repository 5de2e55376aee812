"""Lambda entry point: a batch of predictions in, notifications out, the messages that must come again returned."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from ..shared.observability import logger, metrics
from ..shared.predictions_batch import process
from .notifications import Tally
from .wiring import notifications, queue


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Tell about one batch of predictions; answers Lambda's partial batch response."""
    tally = Tally()

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    response = process(
        event, queue, lambda deliveries: notifications.send(deliveries, seconds_left, tally), seconds_left
    )
    metrics.add_metric(name="ImagesNotified", unit=MetricUnit.Count, value=tally.images)
    metrics.add_metric(name="NotificationsPublished", unit=MetricUnit.Count, value=tally.messages)
    return response
