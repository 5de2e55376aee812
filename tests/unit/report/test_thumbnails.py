"""Thumbnails: small, upright, without metadata, and never a reason to fail."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from custom_labels_batch.report.thumbnails import BUDGET_BYTES, Size, size_for, thumbnail
from sandbox.photographs import photographs

SIZE = Size(96, 60)
ORIENTATION = 0x0112


def encoded(picture: Image.Image, image_format: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, image_format, **options)
    return buffer.getvalue()


def opened(content: bytes | None) -> Image.Image:
    assert content is not None
    return Image.open(io.BytesIO(content))


class TestWhatIsDrawn:
    @pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
    def test_a_photograph_becomes_a_small_webp_of_the_same_shape(self, mode: str) -> None:
        small = opened(thumbnail(encoded(Image.new(mode, (400, 200))), SIZE))

        assert (small.format, small.size) == ("WEBP", (96, 48))

    @pytest.mark.parametrize("mode", ["RGBA", "P", "LA", "I;16", "1"])
    def test_every_kind_of_png_is_drawn(self, mode: str) -> None:
        assert opened(thumbnail(encoded(Image.new(mode, (200, 100)), "PNG"), SIZE)).size == (96, 48)

    def test_a_picture_held_sideways_is_turned_upright(self) -> None:
        picture = Image.new("RGB", (200, 100), "white")
        picture.paste("red", (0, 0, 100, 100))
        exif = Image.Exif()
        exif[ORIENTATION] = 6  # its top is at the right

        small = opened(thumbnail(encoded(picture, exif=exif), SIZE)).convert("RGB")

        assert small.size == (48, 96)
        assert small.getpixel((24, 10))[1] < 60 < 200 < small.getpixel((24, 86))[1]  # type: ignore[index]

    def test_where_and_with_what_it_was_taken_is_left_out(self) -> None:
        exif = Image.Exif()
        exif[0x010F] = "A camera with an owner"
        original = encoded(Image.new("RGB", (200, 100)), exif=exif)

        small = thumbnail(original, SIZE)

        assert b"owner" in original
        assert small is not None
        assert b"owner" not in small
        assert not opened(small).getexif()

    def test_a_small_picture_is_not_blown_up(self) -> None:
        assert opened(thumbnail(encoded(Image.new("RGB", (20, 10)), "PNG"), SIZE)).size == (20, 10)


class TestWhatIsRefused:
    @given(st.binary(max_size=200))
    def test_bytes_that_are_no_image_have_no_thumbnail(self, content: bytes) -> None:
        assert thumbnail(content, SIZE) is None

    @given(st.integers(min_value=0, max_value=99))
    def test_a_photograph_cut_anywhere_never_raises(self, percent: int) -> None:
        _, content = next(photographs(1, 3))

        cut = thumbnail(content[: len(content) * percent // 100], SIZE)

        assert cut is None or opened(cut).format == "WEBP"

    @pytest.mark.parametrize(("side", "is_drawn"), [(7_000, True), (7_100, False)])
    def test_a_decompression_bomb_is_not_decoded(self, side: int, is_drawn: bool) -> None:
        small_file = encoded(Image.new("1", (side, side)), "PNG")

        assert len(small_file) < 10_000
        assert (thumbnail(small_file, SIZE) is not None) is is_drawn

    def test_a_header_that_asks_for_all_the_memory_is_not_believed(self) -> None:
        assert thumbnail(png_that_claims(60_000, 60_000), SIZE) is None

    def test_other_formats_are_not_even_tried(self) -> None:
        assert thumbnail(encoded(Image.new("RGB", (100, 100)), "GIF"), SIZE) is None


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of some bytes with a header that asks for much memory."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class TestTheBudget:
    @pytest.mark.parametrize("images", [200, 600, 1_500, 5_000])
    def test_a_full_tier_of_photographs_fits(self, images: int) -> None:
        bodies = [body for _, body in photographs(30, 8)]
        mean = sum(len(thumbnail(body, size_for(images)) or b"") for body in bodies) / len(bodies)

        assert mean * images < BUDGET_BYTES

    def test_more_images_never_have_larger_thumbnails(self) -> None:
        sides = [size_for(images).side for images in range(0, 20_000, 100)]

        assert sides == sorted(sides, reverse=True)
