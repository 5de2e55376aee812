"""A report's images: rows of Athena's, with their pictures and links."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from custom_labels_batch.cli.athena import Row, Statement, identifier
from custom_labels_batch.cli.aws_errors import error_code, told
from custom_labels_batch.cli.period import Period
from custom_labels_batch.cli.report_links import Links
from custom_labels_batch.cli.results_query import COLUMNS, period_conditions
from custom_labels_batch.cli.stack import Stack, StackTime
from custom_labels_batch.report.data import Box, Image, Label, Status
from custom_labels_batch.report.thumbnails import Size, thumbnail

_DOWNLOADS = 8
_DECODERS = 2
_LARGEST_PICTURE = 15 * 1024 * 1024
"""Bytes: Rekognition's own limit; what is larger was rejected, and is not worth the download."""


def images_statement(view: str, period: Period, most: int) -> Statement:
    """The rows of the newest images of a period; `images` is how many there are in all."""
    conditions = list(period_conditions(period))
    columns = ", ".join(COLUMNS)
    found = (
        f"SELECT {columns}, label_number, dense_rank() OVER (ORDER BY uploaded_at DESC, image_id) AS place "  # noqa: S608
        f"FROM {identifier(view)} WHERE {' AND '.join(sql for sql, _ in conditions)}"
    )
    counted = f"SELECT {columns}, label_number, place, max(place) OVER () AS images FROM ({found})"  # noqa: S608
    return Statement(
        f"SELECT {columns}, images FROM ({counted}) WHERE place <= {most} ORDER BY place, label_number",  # noqa: S608
        [parameter for _, parameters in conditions for parameter in parameters],
    )


def images(rows: Iterable[Row]) -> Iterator[Image]:
    """One for each image, of rows in which an image's follow each other."""
    for _, of_one in groupby(rows, key=lambda row: row["image_id"]):
        yield _image(list(of_one))


def _image(rows: Sequence[Row]) -> Image:
    about = rows[0]
    return Image(
        key=about["image"] or "",
        status=Status(about["status"] or ""),
        labels=tuple(_label(row) for row in rows if row["label"] is not None),
        reason=about["reason_message"] or "",
        uploaded_at=_moment(about["uploaded_at"]),
        processed_at=_moment(about["processed_at"]),
        size=int(about["size"] or 0),
        image_id=about["image_id"] or "",
        final_uri=about["image_uri"] or "",
    )


def _label(row: Row) -> Label:
    sides = [row[f"box_{side}"] for side in ("left", "top", "width", "height")]
    numbers = [float(side) for side in sides if side is not None]
    box = Box(**dict(zip(("left", "top", "width", "height"), numbers, strict=True))) if len(numbers) == 4 else None
    return Label(name=row["label"] or "", confidence=float(row["confidence"] or 0), box=box)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def in_stack_time(image: Image, time: StackTime) -> Image:
    """The image with the times that the stack's clock showed."""
    moments = {"uploaded_at": image.uploaded_at, "processed_at": image.processed_at}
    return image.model_copy(update={name: at and time.at(at) for name, at in moments.items()})


@dataclass
class Pictures:
    """Gets small pictures of images and makes links to them.

    The final bucket keeps one object a key: of an image that a later upload of its key has replaced there is neither
    picture nor link, rather than the later one's.

    Attributes
    ----------
    size
        Of the pictures; None for none.
    problems
        Why pictures could not be read, and of how many images.
    """

    stack: Stack
    size: Size | None
    links: Links | None
    problems: Counter[str] = field(default_factory=Counter)
    _decoding: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_DECODERS))

    def added(self, found: Sequence[Image], on_image: Callable[[], None]) -> list[Image]:
        """The images, with what could be had of each, in their order."""
        replaced = _replaced(found)
        with ThreadPoolExecutor(_DOWNLOADS) as pool:
            adding = [pool.submit(self._add, image, is_there=image.image_id not in replaced) for image in found]
            try:
                done = []
                for one in adding:
                    done.append(one.result())
                    on_image()
                return done
            except BaseException:  # Ctrl-C too: what has not begun never does
                pool.shutdown(cancel_futures=True)
                raise

    def _add(self, image: Image, *, is_there: bool) -> Image:
        if not is_there:
            return image
        bucket, _, key = image.final_uri.removeprefix("s3://").partition("/")
        picture = None
        if self.size and (image.size or 0) <= _LARGEST_PICTURE:
            try:
                stored = self.stack.s3.get_object(Bucket=bucket, Key=key)
                if image.processed_at and stored["LastModified"] > image.processed_at:
                    return image
                picture = self._small(stored["Body"])
            except (ClientError, BotoCoreError) as error:
                if isinstance(error, ClientError) and error_code(error) in ("NoSuchKey", "404"):
                    return image
                self.problems[told(error)] += 1
        link = self.links.to(bucket, key) if self.links else None
        return image.model_copy(update={"thumbnail": picture, "link": link})

    def _small(self, body: Any) -> bytes | None:
        content = body.read()
        # A decoded photograph is tens of megabytes.
        with self._decoding:
            return thumbnail(content, self.size) if self.size else None


def _replaced(found: Iterable[Image]) -> set[str]:
    """Ids of images whose object is a later one's: the newest come first."""
    seen: set[str] = set()
    replaced = set()
    for image in found:
        if image.final_uri in seen:
            replaced.add(image.image_id)
        seen.add(image.final_uri)
    return replaced
