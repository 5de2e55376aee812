"""Why an image can never be labelled, in words for the person who uploaded it."""

from ..shared.image_version import ImageVersion
from ..shared.prediction import Reason
from .image_header import Header, Unreadable, out_of_limits

MAX_BYTES = 15 * 1024 * 1024
"""AWS says "15 MB" of an image in S3 and not which megabyte: the larger one, so that nothing is turned away
here that Rekognition might take."""


def reason_in_event(image: ImageVersion) -> Reason | None:
    """Why no call is needed to reject this image: its size says it all."""
    if image.size == 0:
        return Reason(code="EmptyObject", message="the file is empty")
    if image.size > MAX_BYTES:
        message = f"{image.size:,} bytes; at most {MAX_BYTES:,} bytes (15 MB) are allowed"
        return Reason(code="ObjectTooLarge", message=message)
    return None


def reason_in_header(header: Header | Unreadable) -> Reason | None:
    """Why the file itself proves that it can never be labelled; None if its header shows nothing wrong."""
    return header.reason if isinstance(header, Unreadable) else out_of_limits(header)


def reason_of_service(code: str, message: str) -> Reason:
    """Rekognition's own word, where the file's header shows nothing wrong."""
    return Reason(code=code, message=f"Rekognition cannot read the image: {message or code}")
