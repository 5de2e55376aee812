"""Reading an image's header and judging its dimensions."""

import io
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from custom_labels_batch.functions.analyze_image.image_header import Header, Unreadable, out_of_limits, read_header
from custom_labels_batch.functions.analyze_image.refusals import MAX_BYTES
from tests.unit.functions.world import png


def encoded(image_format: str, width: int, height: int, **options: object) -> bytes:
    """A real file, as Pillow writes it."""
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, image_format, **options)
    return file.getvalue()


class TestAHeader:
    @given(prefix=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0"]), data=st.binary())
    @example(prefix=b"", data=b"\xff\xd8\xff\xe0\x00")
    @example(prefix=b"", data=b"\xff\xd8\xff\xff\xff")
    @example(prefix=b"", data=b"\xff\xd8\xff\xe0\x00\x00" * 9)
    def test_is_found_or_not_in_any_bytes_without_an_exception(self, prefix: bytes, data: bytes) -> None:
        assert isinstance(read_header(prefix + data), Header | Unreadable)

    @given(width=st.integers(1, 2**31), height=st.integers(1, 2**31))
    def test_of_a_png_gives_its_dimensions(self, width: int, height: int) -> None:
        assert read_header(png(width=width, height=height)) == Header("PNG", width, height)

    @pytest.mark.parametrize("options", [{}, {"progressive": True}, {"exif": b"Exif\0\0" + bytes(9000)}])
    def test_of_a_jpeg_gives_its_dimensions(self, options: dict[str, object]) -> None:
        assert read_header(encoded("JPEG", 317, 211, **options)) == Header("JPEG", 317, 211)

    @pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
    def test_cut_off_before_the_dimensions_asks_for_more(self, image_format: str) -> None:
        data = encoded(image_format, 317, 211)
        answers = [read_header(data[:length]) for length in range(8, len(data))]

        found = answers.index(Header(image_format, 317, 211))
        assert all(isinstance(answer, Unreadable) and answer.cut_short for answer in answers[:found])
        assert all(isinstance(answer, Header) for answer in answers[found:])

    @pytest.mark.parametrize(
        "data",
        [
            png(width=0),
            png().replace(b"IHDR", b"RDHI"),
            b"\xff\xd8\xff\xd9",
            b"\xff\xd8\xff\xda\x00\x0c" + bytes(20),
            b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x00\x01\x00" + bytes(20),
            b"\xff\xd8\xff\xe0\x00\x04ab no marker",
        ],
        ids=["no width", "no IHDR", "ends at once", "scan without frame", "no height", "no marker"],
    )
    def test_that_makes_no_sense_is_a_broken_file(self, data: bytes) -> None:
        answer = read_header(data)

        assert isinstance(answer, Unreadable)
        assert (answer.reason.code, answer.cut_short) == ("BrokenImage", False)

    @pytest.mark.parametrize(
        ("image_format", "name"),
        [("GIF", "a GIF image"), ("BMP", "a BMP image"), ("TIFF", "a TIFF image"), ("WEBP", "a WebP image")],
    )
    def test_of_another_format_names_that_format(self, image_format: str, name: str) -> None:
        answer = read_header(encoded(image_format, 100, 100))

        assert isinstance(answer, Unreadable)
        assert answer.reason.message == f"{name}; only PNG and JPEG are read"

    @pytest.mark.parametrize("piece", [b"\xff", b"\xff\x01", b"\xff\xe0\x00\x02"], ids=["padding", "bare", "empty"])
    def test_is_looked_for_in_a_bounded_number_of_steps(self, piece: bytes) -> None:
        """15 MB of markers, or of padding, take millions of steps one by one: seconds, for each image of a batch."""
        data = b"\xff\xd8" + piece * (MAX_BYTES // len(piece))

        started = process_time()
        answer = read_header(data)

        assert isinstance(answer, Unreadable)
        assert process_time() - started < 0.5

    def test_behind_padding_and_many_segments_is_found(self) -> None:
        frame = b"\xff" * 9 + b"\xff\xc0\x00\x11\x08\x00\x40\x00\x80"

        assert read_header(b"\xff\xd8" + b"\xff\xe0\x00\x02" * 5000 + frame) == Header("JPEG", 128, 64)


class TestDimensions:
    @pytest.mark.parametrize(("width", "height"), [(64, 64), (4096, 4096), (1280, 64), (205, 4096)])
    def test_at_the_limits_are_allowed(self, width: int, height: int) -> None:
        assert out_of_limits(Header("PNG", width, height)) is None

    @pytest.mark.parametrize(
        ("width", "height", "message"),
        [
            (63, 64, "63 x 64 pixels; at least 64 x 64 are needed"),
            (64, 4097, "64 x 4097 pixels; at most 4096 x 4096 are allowed"),
            (1281, 64, "1281 x 64 pixels; the longer side may be at most 20 times the shorter"),
        ],
    )
    def test_beyond_the_limits_are_named_with_the_limit(self, width: int, height: int, message: str) -> None:
        reason = out_of_limits(Header("PNG", width, height))

        assert reason is not None
        assert reason.message == message
