"""Where things go in the final bucket.

| What became of the image                              | The image                    | Its JSON document |
| ----------------------------------------------------- | ---------------------------- | ----------------- |
| labelled                                              | images/<key>                 | <image>.json      |
| can never be labelled                                 | rejected/<key>               | <image>.json      |
| finished after a later version of the same key        | superseded/<key>/<image id>  | <image>.json      |
"""

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_KEY_BYTES = 1024
"""S3 refuses longer keys; counted in UTF-8 bytes."""

_JSON = ".json"


class Shelf(StrEnum):
    """A prefix of the final bucket under which one key has one place, which its latest version holds."""

    IMAGES = "images"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Place:
    """The keys of one image and of the document beside it, which is the mark that the image is done."""

    image_key: str

    @property
    def document_key(self) -> str:
        return self.image_key + _JSON


def place_on(shelf: Shelf, key: str, image_id: str) -> Place:
    """Where the latest version of a source key goes.

    Example
    -------
    >>> place_on(Shelf.IMAGES, "yard/a b.JPG", "5e884898").document_key
    'images/yard/a b.JPG.json'
    """
    return _fitting(shelf, key, key, image_id)


def superseded_place(key: str, image_id: str) -> Place:
    """Where a version goes that was finished after a later version of the same key.

    Example
    -------
    >>> superseded_place("a.jpg", "5e884898").image_key
    'superseded/a.jpg/5e884898'
    """
    return _fitting("superseded", f"{key}/{image_id}", key, image_id)


def _fitting(prefix: str, rest: str, key: str, image_id: str) -> Place:
    """The place under a prefix, or one named by the image id where the document's key would be too long."""
    place = Place(f"{prefix}/{rest}")
    if len(place.document_key.encode()) <= MAX_KEY_BYTES:
        return place
    return Place(f"{prefix}/long-keys/{image_id}{_suffix(key)}")


def _suffix(key: str) -> str:
    found = re.search(r"\.[A-Za-z0-9]{1,8}\Z", key)
    return found.group() if found else ""
