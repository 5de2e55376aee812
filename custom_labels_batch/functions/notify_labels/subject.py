"""The subject of a notification, which is also its text message: the news in one line."""

from collections.abc import Sequence

from .alert import Alert
from .digest import Digest, Part
from .plain_text import ascii_only, quoted, shortened
from .wording import percent

MAX_LENGTH = 99
"""SNS takes ASCII that begins with a letter, a number or a punctuation mark, without line breaks and control
characters, of less than 100 characters (Amazon SNS API reference, Publish)."""

_LABEL_LENGTH = 40
_LEAST_NAME_LENGTH = 30


def subject(part: Part) -> str:
    """The labels and the image, or how many images have which label."""
    end = f" (part {part.number} of {part.of})" if part.of > 1 else ""
    alerts = part.digest.alerts
    room = MAX_LENGTH - len(end)
    return (_of_one_image(alerts[0], room) if len(alerts) == 1 else _of_images(part.digest, room)) + end


def _of_one_image(alert: Alert, room: int) -> str:
    name = _file_name(alert.prediction.image_key)
    labels = [f"{_label(label.name)} {percent(label.confidence)}" for label in alert.labels]
    found = _as_many_as_fit(labels, room - len(" in ") - min(len(name), _LEAST_NAME_LENGTH))
    return f"{found} in {shortened(name, room - len(found) - len(' in '))}"


def _of_images(digest: Digest, room: int) -> str:
    start = f"{len(digest.alerts):,} images: "
    labels = [f"{len(summary.confidences):,} {_label(summary.name)}" for summary in digest.summaries]
    return start + _as_many_as_fit(labels, room - len(start))


def _as_many_as_fit(texts: Sequence[str], room: int) -> str:
    """As many texts of a list as there is room for, the first one always, and how many more there are."""
    for kept in range(len(texts), 1, -1):
        joined = ", ".join(texts[:kept]) + _more(len(texts) - kept)
        if len(joined) <= room:
            return joined
    return texts[0] + _more(len(texts) - 1)


def _more(number: int) -> str:
    return f" and {number} more" if number else ""


def _label(name: str) -> str:
    return ascii_only(quoted(shortened(_legible(name) or "label of interest", _LABEL_LENGTH)))


def _file_name(key: str) -> str:
    name = key.rstrip("/").rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    return ascii_only(name) if _legible(stem) else "an image"


def _legible(text: str) -> str:
    """A text in ASCII, or nothing if that leaves no letter and no digit of it."""
    found = ascii_only(text)
    return found if any(character.isalnum() for character in found) else ""
