"""What the demo uploads: photographs, and everything that goes wrong with uploads in real life."""

import io
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from PIL import Image

from sandbox.photographs import photographs

SEED = 20261101


@dataclass(frozen=True)
class Upload:
    """One object to put into the source bucket.

    Attributes
    ----------
    label
        What the photograph shows; None for a file no model can label.
    """

    key: str
    body: bytes
    label: str | None

    @property
    def content_type(self) -> str:
        """As an upload tool would guess it from the name."""
        return mimetypes.guess_type(self.key.lower())[0] or "application/octet-stream"


def demo_uploads(plain: int = 60) -> list[Upload]:
    """Photographs with plain keys, then awkward keys, then the files that can never be labelled.

    One photograph is uploaded twice to the same key: two versions, so two images.
    """
    pictures = photographs(plain + 6, SEED)
    uploads = [
        Upload(f"line-{number % 2 + 1}/{label}-{number:03}.jpg", body, label)
        for number, (label, body) in enumerate(islice(pictures, plain))
    ]
    uploads += _awkward_keys(pictures)
    uploads += [uploads[0], *_never_labelled()]
    return uploads


def _awkward_keys(pictures: Iterator[tuple[str, bytes]]) -> list[Upload]:
    keys = (
        "with spaces/two  of them.jpg",
        "plus+plus/a+b=c & 100%.jpg",
        "accents/Größe-façade-naïve.jpg",
        "emoji/🧱 wall.jpg",
        "deep/down/in/a/nested/folder/photo.jpeg",
        "UPPER/IMG_0001.JPG",
    )
    return [Upload(key, body, label) for key, (label, body) in zip(keys, pictures, strict=True)]


def _never_labelled() -> list[Upload]:
    whole = next(photographs(1, SEED + 1))[1]
    tiny = io.BytesIO()
    Image.new("RGB", (32, 32), "grey").save(tiny, "PNG")
    return [
        Upload("broken/cut-off.jpg", whole[:600], None),
        Upload("broken/noise.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, None),
        Upload("broken/empty.jpg", b"", None),
        Upload("broken/notes.png", b"This is a text file with the name of a picture.\n", None),
        Upload("broken/thumbnail.png", tiny.getvalue(), None),
    ]
