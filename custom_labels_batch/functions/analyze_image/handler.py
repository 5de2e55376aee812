"""Lambda entry point: a batch from the image queue in, the messages that must come again out."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    EventType,
    async_process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from ..shared.observability import logger, metrics
from .batch import Batch, Tally
from .wiring import analysis, environment, queue, runs_table

processor = AsyncBatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle one batch of Object Created events; answers Lambda's partial batch response."""
    with ThreadPoolExecutor(environment.detect_threads) as executor:
        batch = Batch(
            analysis,
            queue,
            executor,
            source_bucket=environment.source_bucket_name,
            size=len(event["Records"]),
            seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
        )
        response = async_process_partial_response(event, batch.handle, processor, context)
    _measure(batch.tally)
    _count_in_run(batch.tally)
    return response


def _measure(tally: Tally) -> None:
    for name, count in (
        ("ImagesProcessed", tally.labelled),
        ("ImagesRejected", tally.rejected),
        ("ImagesThrottled", tally.throttled),
        ("ModelNotReady", tally.model_not_up),
        ("LabelsFound", tally.labels),
    ):
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)


def _count_in_run(tally: Tally) -> None:
    """Add to the run's counters, which are for people: failing here must not bring images back."""
    if runs_table is None or not (tally.labelled or tally.rejected):
        return
    try:
        runs_table.count(tally.labelled, tally.rejected)
    except Exception as error:
        logger.warning("The run's counters were not updated", extra={"error": str(error)})
