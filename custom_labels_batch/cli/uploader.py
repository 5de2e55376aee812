"""Puts images into the source bucket, several at once, each once."""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from custom_labels_batch.cli.aws_errors import error_code, told
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.cli.upload_files import ImageFile
from custom_labels_batch.functions.shared.object_keys import Shelf, place_on

MOST_FAILURES_IN_A_ROW = 20
"""What fails so often will fail for the rest, too."""


class Outcome(StrEnum):
    UPLOADED = "uploaded"
    THERE = "there already"
    FAILED = "failed"


@dataclass
class Tally:
    """What became of the images so far.

    Attributes
    ----------
    uploaded_bytes
        Of images that were uploaded.
    failures
        Image and reason.
    gave_up
        Whether the rest was not tried.
    """

    counts: Counter[Outcome] = field(default_factory=Counter)
    uploaded_bytes: int = 0
    failures: list[tuple[ImageFile, str]] = field(default_factory=list)
    gave_up: bool = False


class Uploader:
    """Uploads images, unless they are there.

    An image is there if the same bytes are in the source bucket under its key, or in the final bucket under
    `images/<key>` or `rejected/<key>`, where a run has moved them.

    Parameters
    ----------
    again
        Upload what is there, too.
    """

    def __init__(self, stack: Stack, *, again: bool) -> None:
        self._s3, self._again = stack.s3, again
        self._source, self._final = stack.output("sourceBucketName"), stack.output("finalBucketName")
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._failures_in_a_row = 0
        self.tally = Tally()

    def upload(self, images: Iterable[ImageFile], at_once: int, on_image: Callable[[ImageFile], None]) -> None:
        """Upload all of them, and count in `tally`; after Ctrl-C, finish those under way.

        Parameters
        ----------
        on_image
            Called after each image, from several threads.

        Raises
        ------
        ClientError
            The source bucket is not there, or may not be used.
        """
        self._s3.head_bucket(Bucket=self._source)
        left = iter(images)

        def work() -> None:
            while not self._stopped.is_set():
                with self._lock:
                    image = next(left, None)
                if image is None:
                    return
                self._count(image, *self._handle(image))
                on_image(image)

        with ThreadPoolExecutor(at_once) as pool:
            workers = [pool.submit(work) for _ in range(at_once)]
            try:
                wait(workers)
            except KeyboardInterrupt:
                self._stopped.set()
                raise
        for worker in workers:
            worker.result()

    def _handle(self, image: ImageFile) -> tuple[Outcome, str]:
        try:
            if not self._again and self._is_there(image):
                return Outcome.THERE, ""
            with image.path.open("rb") as body:
                self._s3.put_object(Bucket=self._source, Key=image.key, Body=body, ContentType=image.content_type)
        except (ClientError, BotoCoreError) as error:
            return Outcome.FAILED, told(error)
        except OSError as error:
            return Outcome.FAILED, f"cannot be read ({error.strerror})"
        return Outcome.UPLOADED, ""

    def _is_there(self, image: ImageFile) -> bool:
        """The source bucket first: a run copies an image before it deletes it there."""
        moved = (place_on(shelf, image.key, "").image_key for shelf in Shelf)
        places = [(self._source, image.key), *((self._final, key) for key in moved)]
        return any(self._holds(bucket, key, image) for bucket, key in places)

    def _holds(self, bucket: str, key: str, image: ImageFile) -> bool:
        try:
            found = self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error_code(error) in ("404", "NoSuchKey"):
                return False
            raise
        return found["ContentLength"] == image.size and found["ETag"].strip('"') == _md5(image)

    def _count(self, image: ImageFile, outcome: Outcome, reason: str) -> None:
        with self._lock:
            self.tally.counts[outcome] += 1
            if outcome is Outcome.UPLOADED:
                self.tally.uploaded_bytes += image.size
            if outcome is not Outcome.FAILED:
                self._failures_in_a_row = 0
                return
            self.tally.failures.append((image, reason))
            self._failures_in_a_row += 1
            if self._failures_in_a_row >= MOST_FAILURES_IN_A_ROW:
                self.tally.gave_up = True
                self._stopped.set()


def _md5(image: ImageFile) -> str:
    """What S3 gives as the ETag of an object that was put in one piece and is not encrypted with a KMS key."""
    with image.path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
