"""What the page's script works on, as JSON that is safe inside a script element."""

import base64
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from custom_labels_batch.report.data import Image, Label, Report
from custom_labels_batch.report.figures import Figures
from custom_labels_batch.report.palette import Palette
from custom_labels_batch.report.thumbnails import BUDGET_BYTES

THUMBNAILS_A_BLOCK = 200
"""Thumbnails are read a block at a time, when one of it is first shown."""


def embedded(value: Any) -> Markup:
    """JSON in ASCII in which no `<`, `>`, `&` or `'` appears: nothing in it can end or open an element."""
    return htmlsafe_json_dumps(value, separators=(",", ":"))


def page_data(report: Report, figures: Figures, palette: Palette) -> dict[str, Any]:
    """Images in the report's order; a label is its place in `labels`. Times are milliseconds since the epoch."""
    names = [label.name for label in figures.labels]
    places = {name: place for place, name in enumerate(names)}
    return {
        "labels": [
            {"name": label.name, "colour": palette.number(label.name), "count": label.count} for label in figures.labels
        ],
        "images": [_image(image, places) for image in report.images],
        "thumbnailsABlock": THUMBNAILS_A_BLOCK,
    }


def thumbnail_blocks(images: tuple[Image, ...], budget: int = BUDGET_BYTES) -> Iterator[list[str | None]]:
    """Base64 of each image's thumbnail, in the images' order; None from where the budget is used up."""
    texts: list[str | None] = []
    left = budget
    for image in images:
        left -= len(image.thumbnail or b"")
        fits = image.thumbnail is not None and left >= 0
        texts.append(base64.b64encode(image.thumbnail).decode("ascii") if fits and image.thumbnail else None)
    for first in range(0, len(texts), THUMBNAILS_A_BLOCK):
        yield texts[first : first + THUMBNAILS_A_BLOCK]


def _image(image: Image, places: dict[str, int]) -> dict[str, Any]:
    every = {
        "key": image.key,
        "status": image.status.value,
        "labels": [_label(label, places) for label in image.labels],
        "reason": image.reason,
        "uploadedAt": _milliseconds(image.uploaded_at),
        "processedAt": _milliseconds(image.processed_at),
        "size": image.size,
        "id": image.image_id,
        "uri": image.final_uri,
        "link": image.link,
    }
    return {name: value for name, value in every.items() if value not in (None, "", [])}


def _label(label: Label, places: dict[str, int]) -> list[Any]:
    """Place of the name, confidence, and the box where there is one."""
    short: list[Any] = [places[label.name], round(label.confidence, 3)]
    if label.box:
        short.append([round(side, 4) for side in (label.box.left, label.box.top, label.box.width, label.box.height)])
    return short


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
