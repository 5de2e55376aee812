"""What is done with a batch of predictions: their rows are written, a file a day."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from ..shared.observability import logger
from ..shared.predictions_batch import Delivery, OutOfTimeError, SecondsLeft
from .analytics_bucket import AnalyticsBucket
from .row_files import EncodedPrediction, RowFile, row_files
from .rows import encode
from .table_days import day_of, require_shown

LONGEST_PUT_SECONDS = 45
"""What must be left of the function's timeout to write one more file, with the client's retries: a function that is
stopped half-way would write again what it has written."""

MOST_HELD_BYTES = 32 * 1024 * 1024
"""Of rows before they are written. A row repeats its image's key, so one batch of 6 MB may be gigabytes of rows."""


class Recording:
    def __init__(self, bucket: AnalyticsBucket, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._bucket = bucket
        self._now = now

    def record(self, deliveries: Sequence[Delivery], seconds_left: SecondsLeft) -> dict[str, Exception]:
        """Write the rows of predictions.

        Returns
        -------
        dict
            Message id -> what went wrong: a prediction that the table would not show fails its message, a file that
            could not be written every message whose rows are in it.
        """
        encoded: list[EncodedPrediction] = []
        failures: dict[str, Exception] = {}
        held = 0
        for delivery in deliveries:
            try:
                one = self._encode(delivery)
            except Exception as error:
                failures[delivery.message_id] = error
                continue
            encoded.append(one)
            held += len(one.lines)
            if held > MOST_HELD_BYTES:
                failures |= self._write(encoded, seconds_left)
                encoded, held = [], 0
        return failures | self._write(encoded, seconds_left)

    def _write(self, encoded: Sequence[EncodedPrediction], seconds_left: SecondsLeft) -> dict[str, Exception]:
        failures: dict[str, Exception] = {}
        for file in row_files(encoded):
            failures |= self._put(file, seconds_left)
        return failures

    def _encode(self, delivery: Delivery) -> EncodedPrediction:
        require_shown(delivery.prediction, self._now())
        return EncodedPrediction(delivery.message_id, day_of(delivery.prediction), encode(delivery.prediction))

    def _put(self, file: RowFile, seconds_left: SecondsLeft) -> dict[str, Exception]:
        extra = {"key": file.key, "predictions": len(file.message_ids), "bytes": len(file.body)}
        try:
            if seconds_left() < LONGEST_PUT_SECONDS:
                raise OutOfTimeError("Too little of the function's timeout is left to write a file")
            self._bucket.put(file)
        except (BotoCoreError, ClientError, OutOfTimeError) as error:
            logger.error("A file could not be written", extra={**extra, "error": str(error)})
            return dict.fromkeys(file.message_ids, error)
        logger.info("Recorded", extra=extra)
        return {}
