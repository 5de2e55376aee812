"""Reads what an image file's first bytes say of it: just enough to tell why Rekognition cannot take it.

Pure and total: any bytes give an answer, none an exception. Formats: PNG (W3C, "IHDR Image header") and
JPEG (ITU-T T.81, B.2.2 "Frame header syntax").
"""

import re
import struct
from dataclasses import dataclass

from ..shared.prediction import Reason

MIN_PIXELS = 64
MAX_PIXELS = 4096
MAX_ASPECT = 20
"""A side's least and greatest length, and how many times the shorter side the longer may be (AWS, "Guidelines
and quotas in Amazon Rekognition Custom Labels")."""


@dataclass(frozen=True)
class Header:
    """An image's format, "PNG" or "JPEG", and its size in pixels."""

    image_format: str
    width: int
    height: int


@dataclass(frozen=True)
class Unreadable:
    """No header was found.

    Attributes
    ----------
    reason
        What is there instead.
    cut_short
        Whether the bytes end before the header does, so that more of the file may show it.
    """

    reason: Reason
    cut_short: bool = False


_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_SIGNATURE = b"\xff\xd8\xff"
_OTHERS = (
    (b"GIF8", 0, "a GIF image"),
    (b"WEBP", 8, "a WebP image"),
    (b"BM", 0, "a BMP image"),
    (b"II*\0", 0, "a TIFF image"),
    (b"MM\0*", 0, "a TIFF image"),
    (b"ftypheic", 4, "a HEIC image"),
    (b"ftypheix", 4, "a HEIC image"),
    (b"ftypmif1", 4, "a HEIF image"),
    (b"ftypavif", 4, "an AVIF image"),
    (b"%PDF", 0, "a PDF document"),
)
_SEGMENTLESS = frozenset({0x01, *range(0xD0, 0xD8)})
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_NO_PADDING = re.compile(rb"[^\xff]")

_MOST_MARKERS = 10_000
"""Before the frame. Files have tens; the millions that fit into 15 MB would keep a function busy for seconds."""


def read_header(data: bytes) -> Header | Unreadable:
    """Find the format and the dimensions in the first bytes of a file.

    Example
    -------
    >>> read_header(b"GIF89a").reason.message
    'a GIF image; only PNG and JPEG are read'
    """
    if data.startswith(_PNG_SIGNATURE):
        return _read_png(data)
    if data.startswith(_JPEG_SIGNATURE):
        return _read_jpeg(data)
    for signature, offset, name in _OTHERS:
        if data.startswith(signature, offset):
            return _not_png_or_jpeg(name)
    return _not_png_or_jpeg("neither a PNG nor a JPEG file")


def out_of_limits(header: Header) -> Reason | None:
    """Why Rekognition Custom Labels does not take an image of these dimensions; None if it does.

    Example
    -------
    >>> out_of_limits(Header("PNG", 32, 32)).message
    '32 x 32 pixels; at least 64 x 64 are needed'
    """
    short, long = sorted((header.width, header.height))
    size = f"{header.width} x {header.height} pixels"
    if short < MIN_PIXELS:
        return Reason(code="ImageTooSmall", message=f"{size}; at least {MIN_PIXELS} x {MIN_PIXELS} are needed")
    if long > MAX_PIXELS:
        return Reason(code="ImageTooLarge", message=f"{size}; at most {MAX_PIXELS} x {MAX_PIXELS} are allowed")
    if long > MAX_ASPECT * short:
        message = f"{size}; the longer side may be at most {MAX_ASPECT} times the shorter"
        return Reason(code="ImageTooNarrow", message=message)
    return None


def _not_png_or_jpeg(what: str) -> Unreadable:
    return Unreadable(Reason(code="NotPngOrJpeg", message=f"{what}; only PNG and JPEG are read"))


def _broken(image_format: str, *, cut_short: bool = False) -> Unreadable:
    message = f"a broken {image_format} file: its dimensions cannot be read"
    return Unreadable(Reason(code="BrokenImage", message=message), cut_short)


def _read_png(data: bytes) -> Header | Unreadable:
    if len(data) < 24:
        return _broken("PNG", cut_short=True)
    kind, width, height = struct.unpack_from(">4sII", data, 12)
    return Header("PNG", width, height) if kind == b"IHDR" and width and height else _broken("PNG")


def _read_jpeg(data: bytes) -> Header | Unreadable:
    at = 2
    for _ in range(_MOST_MARKERS):
        if at + 1 >= len(data):
            return _broken("JPEG", cut_short=True)
        if data[at] != 0xFF:
            return _broken("JPEG")
        found = _NO_PADDING.search(data, at)
        if not found:
            return _broken("JPEG", cut_short=True)
        at = found.start() - 1
        marker = data[at + 1]
        if marker in _SEGMENTLESS:
            at += 2
        elif marker in _START_OF_FRAME:
            return _read_frame(data, at)
        elif marker in (_START_OF_SCAN, _END_OF_IMAGE):
            return _broken("JPEG")
        elif at + 4 > len(data):
            return _broken("JPEG", cut_short=True)
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
    return _broken("JPEG")


def _read_frame(data: bytes, at: int) -> Header | Unreadable:
    if at + 9 > len(data):
        return _broken("JPEG", cut_short=True)
    height, width = struct.unpack_from(">HH", data, at + 5)
    return Header("JPEG", width, height) if width and height else _broken("JPEG")
