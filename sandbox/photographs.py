"""Photographs for the sandbox: patches of the brick, grass and gravel textures that scikit-image ships.

Each texture is one 512 x 512 grey picture. Its upper 320 rows are for training and its lower 192 rows
for everything else (the held-out measurement and the demo's uploads), so no pixel the model was trained
on is ever shown to it again.
"""

import io
from collections.abc import Iterator
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from skimage import data

Region = Literal["train", "demo"]
Pixels = NDArray[np.uint8]

LABELS = ("brick", "grass", "gravel")

_ROWS = {"train": slice(0, 320), "demo": slice(320, 512)}
_PATCH_PIXELS = (72, 150)
_PHOTOGRAPH_PIXELS = (160, 320)
# Typical light of each surface, so that people see a photograph. The classifier looks at grey pixels only.
_TINTS = {"brick": (1.0, 0.72, 0.58), "grass": (0.66, 0.95, 0.5), "gravel": (0.92, 0.93, 1.0)}


@cache
def _texture(label: str, region: Region) -> Image.Image:
    picture: Pixels = getattr(data, label)()
    return Image.fromarray(picture[_ROWS[region]])


def patch(label: str, region: Region, random: np.random.Generator) -> Image.Image:
    """One grey photograph of a surface, cropped, mirrored, scaled and lit at random."""
    texture = _texture(label, region)
    size = int(random.integers(*_PATCH_PIXELS, endpoint=True))
    left = int(random.integers(0, texture.width - size, endpoint=True))
    top = int(random.integers(0, texture.height - size, endpoint=True))
    crop = texture.crop((left, top, left + size, top + size))
    if random.random() < 0.5:
        crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    side = int(random.integers(*_PHOTOGRAPH_PIXELS, endpoint=True))
    crop = crop.resize((side, side), Image.Resampling.BICUBIC)
    crop = ImageEnhance.Brightness(crop).enhance(float(random.uniform(0.65, 1.3)))
    return ImageEnhance.Contrast(crop).enhance(float(random.uniform(0.7, 1.3)))


def photographs(n: int, seed: int, image_format: Literal["JPEG", "PNG"] = "JPEG") -> Iterator[tuple[str, bytes]]:
    """Yield `n` photographs of the demo region as (label, encoded image); the same seed gives the same ones.

    Example
    -------
    >>> label, image = next(photographs(1, seed=7))
    >>> label in LABELS, image[:2] == b"\\xff\\xd8"
    (True, True)
    """
    random = np.random.default_rng(seed)
    for index in range(n):
        label = LABELS[index % len(LABELS)]
        yield label, _encode(_tinted(patch(label, "demo", random), label, random), image_format)


def _tinted(grey: Image.Image, label: str, random: np.random.Generator) -> Image.Image:
    tint = np.array(_TINTS[label]) * random.uniform(0.92, 1.08, size=3)
    pixels = np.asarray(grey, dtype=np.float32)[:, :, np.newaxis] * tint
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _encode(picture: Image.Image, image_format: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, image_format, **({"quality": 88} if image_format == "JPEG" else {}))
    return buffer.getvalue()
