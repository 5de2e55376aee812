"""One batch of messages, handled at the same time, each of which succeeds or comes back on its own."""

import asyncio
import contextvars
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from ..shared.aws_errors import is_passing, is_throttled
from ..shared.image_version import ImageVersion
from ..shared.messages import MalformedMessageError
from ..shared.observability import logger
from ..shared.work_queue import WorkQueue
from .analysis import Analysis, Done, Doubt, Outcome
from .failures import (
    ModelNotUpError,
    OutOfTimeError,
    RetryLaterError,
    SuspectError,
    seconds_until_retry,
)
from .message import parse_message

LONGEST_IMAGE_SECONDS = 30
"""What must be left of the function's timeout to begin one more image: its calls with their retries. Half of
the timeout, where that is less, or a short timeout would never begin any."""

BELIEVED_AFTER_RECEIVES = 3
"""From this receive on, the model's word is taken even if it refuses a whole batch."""

Result = TypeVar("Result")


@dataclass
class Tally:
    """What happened in a batch; `labelled` and `rejected` count each image once, not each delivery."""

    labelled: int = 0
    rejected: int = 0
    labels: int = 0
    throttled: int = 0
    model_not_up: int = 0

    def add(self, done: Done) -> None:
        self.labelled += done.outcome is Outcome.LABELLED
        self.rejected += done.outcome is Outcome.REJECTED
        self.labels += len(done.finding.labels) if done.finding else 0

    def add_failure(self, failure: Exception) -> None:
        self.throttled += is_throttled(failure)
        self.model_not_up += isinstance(failure, ModelNotUpError)


class Jury:
    """Hears what came of every message of a batch, then says whether to suspect ourselves.

    If the model refused every image that it was asked about, at least two, and none of them shows why, then
    a permission, a key or the service itself is broken more likely than all the images.
    """

    def __init__(self, size: int) -> None:
        self._unheard = size
        self._labelled = 0
        self._doubtful = 0
        self._all_heard = asyncio.Event()

    def hear(self, verdict: Done | Doubt | None) -> None:
        """Take one message's verdict; None for one that failed. Every message must be heard once."""
        self._labelled += isinstance(verdict, Done) and verdict.outcome is Outcome.LABELLED
        self._doubtful += isinstance(verdict, Doubt)
        self._unheard -= 1
        if self._unheard == 0:
            self._all_heard.set()

    async def suspects_ourselves(self) -> bool:
        await self._all_heard.wait()
        return self._doubtful > 1 and not self._labelled


class Batch:
    """Handles the messages of one invocation in the threads of an executor.

    Messages about the same key take turns, in the order they came. Once the model is known not to be up, or the
    time has run out, messages not begun yet are given back without a call.

    Parameters
    ----------
    source_bucket
        A message about another bucket is refused: nothing is read or deleted there, whatever the role may do.
    size
        Number of messages in the batch.
    seconds_left
        Until Lambda stops the function.
    """

    def __init__(
        self,
        analysis: Analysis,
        queue: WorkQueue,
        executor: Executor,
        source_bucket: str,
        size: int,
        seconds_left: Callable[[], float],
    ) -> None:
        self.tally = Tally()
        self._analysis = analysis
        self._queue = queue
        self._executor = executor
        self._source_bucket = source_bucket
        self._seconds_left = seconds_left
        self._seconds_needed = min(LONGEST_IMAGE_SECONDS, seconds_left() / 2)
        self._jury = Jury(size)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._model_not_up = False

    async def handle(self, record: SQSRecord) -> None:
        """Handle one message; whatever it raises makes the message an item failure of the batch."""
        try:
            done = await self._handle(record)
        except Exception as failure:
            await self._give_back(record, failure)
            raise
        self.tally.add(done)

    async def _handle(self, record: SQSRecord) -> Done:
        verdict = None
        try:
            image = self._image(record)
            logger.thread_safe_append_keys(image_id=image.image_id, image_key=image.key)
            verdict = await self._in_turn(image, partial(self._analysis.analyze, image))
        finally:
            self._jury.hear(verdict)
        if isinstance(verdict, Done):
            return verdict
        if await self._jury.suspects_ourselves() and _receive_count(record) < BELIEVED_AFTER_RECEIVES:
            raise SuspectError("The model refused every image of the batch")
        return await self._in_turn(image, partial(self._analysis.reject, verdict))

    def _image(self, record: SQSRecord) -> ImageVersion:
        image = parse_message(record.body)
        if image.bucket != self._source_bucket:
            raise MalformedMessageError(f"Not about the source bucket: detail.bucket.name is {image.bucket}")
        return image

    async def _in_turn(self, image: ImageVersion, work: Callable[[], Result]) -> Result:
        async with self._turns[image.key]:
            return await self._in_thread(partial(self._begin, work))

    def _begin(self, work: Callable[[], Result]) -> Result:
        if self._model_not_up:
            raise ModelNotUpError("The model was not up for another image of the batch")
        if self._seconds_left() < self._seconds_needed:
            raise OutOfTimeError("Too little of the function's timeout is left to begin")
        try:
            return work()
        except ModelNotUpError:
            self._model_not_up = True
            raise

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        """Run in the executor, with this message's logging keys."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: context.run(work))

    async def _give_back(self, record: SQSRecord, failure: Exception) -> None:
        self.tally.add_failure(failure)
        seconds = seconds_until_retry(failure, _receive_count(record))
        extra = {"message_id": record.message_id, "error": str(failure), "seconds": seconds}
        if isinstance(failure, RetryLaterError) or is_passing(failure):
            logger.warning("Given back to the queue", extra=extra)
        else:
            logger.error("Given back to the queue", extra=extra, exc_info=failure)
        try:
            await self._in_thread(partial(self._queue.hide, record, seconds))
        except Exception as error:  # the queue's own visibility timeout is slower, not wrong
            logger.warning("Its visibility timeout could not be shortened", extra={"error": str(error)})


def _receive_count(record: SQSRecord) -> int:
    return int(record.attributes.approximate_receive_count)
