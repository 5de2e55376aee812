"""What is done with a batch of predictions: their rows are written, a file a day."""

from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from functions.record_predictions.analytics_bucket import AnalyticsBucket
from functions.record_predictions.row_files import EncodedPrediction, RowFile, row_files
from functions.record_predictions.rows import day_of, encode
from functions.shared.messages import MalformedMessageError
from functions.shared.observability import logger
from functions.shared.predictions_batch import Delivery


class Recording:
    def __init__(self, bucket: AnalyticsBucket) -> None:
        self._bucket = bucket

    def record(self, deliveries: Sequence[Delivery]) -> dict[str, Exception]:
        """Write the rows of predictions.

        Returns
        -------
        dict
            Message id -> what went wrong: a value that no column holds fails its message, a file that could not be
            written every message whose rows are in it.
        """
        encoded: list[EncodedPrediction] = []
        failures: dict[str, Exception] = {}
        for delivery in deliveries:
            try:
                day, lines = day_of(delivery.prediction), encode(delivery.prediction)
            except MalformedMessageError as error:
                failures[delivery.message_id] = error
            else:
                encoded.append(EncodedPrediction(delivery.message_id, day, lines))
        for file in row_files(encoded):
            failures.update(self._put(file))
        return failures

    def _put(self, file: RowFile) -> dict[str, Exception]:
        extra = {"key": file.key, "predictions": len(file.message_ids), "bytes": len(file.body)}
        try:
            self._bucket.put(file)
        except (BotoCoreError, ClientError) as error:
            logger.error("A file could not be written", extra={**extra, "error": str(error)})
            return dict.fromkeys(file.message_ids, error)
        logger.info("Recorded", extra=extra)
        return {}
