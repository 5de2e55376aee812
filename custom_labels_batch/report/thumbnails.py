"""Small pictures of images, as bytes for a page."""

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 50_000_000
"""More than cameras make and three times what Rekognition takes; what claims more is not decoded (150 MB in memory)."""

BUDGET_BYTES = 8_000_000
"""Thumbnails of one report together, before base64 (a third more): the file stays under what mail servers take."""


@dataclass(frozen=True)
class Size:
    """Longest side in pixels, and WebP quality (0 to 100)."""

    side: int
    quality: int


# Photographs of a whole tier stay within the budget (benchmarks/report.py measures); rendering keeps to it anyway.
_TIERS = ((200, Size(360, 75)), (600, Size(280, 65)), (1_500, Size(200, 55)), (5_000, Size(112, 40)))
_MANY = Size(96, 35)


def size_for(images: int) -> Size:
    """How large the thumbnails of a report of so many images may be."""
    return next((size for limit, size in _TIERS if images <= limit), _MANY)


def thumbnail(content: bytes, size: Size) -> bytes | None:
    """A WebP no larger than `size`, upright, without metadata.

    Returns
    -------
    bytes | None
        None when `content` is not an image, is cut off, or has more than `MAX_PIXELS`.
    """
    from PIL import Image  # here, since most commands of clb need none

    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=["JPEG", "PNG"]) as picture:
            warnings.simplefilter("ignore")  # Pillow warns below its own limit; ours is what counts
            if picture.width * picture.height > MAX_PIXELS:
                return None
            return _webp(picture, size)
    # Pillow's decoders raise what they please on broken files, and no file is worth losing the report.
    except Exception:
        return None


def _webp(picture: "Image.Image", size: Size) -> bytes:
    from PIL import Image, ImageOps

    picture.draft("RGB", (size.side * 2, size.side * 2))  # JPEG only: decode at a lower resolution
    upright = ImageOps.exif_transpose(picture)
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    small = upright.convert("RGBA" if has_alpha else "RGB")
    small.thumbnail((size.side, size.side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=size.quality, method=4, exif=b"", icc_profile=None)
    return buffer.getvalue()
