"""Where things go in the final bucket.

| What became of the image                              | The image                    | Its JSON document |
| ----------------------------------------------------- | ---------------------------- | ----------------- |
| labelled                                              | images/<key>                 | <image>.json      |
| can never be labelled                                 | rejected/<key>               | <image>.json      |
| finished after a later version of the same key        | superseded/<key>/<image id>  | <image>.json      |

No two images share a place: where <key> would be too long, or could be a place of another image, it is
long-keys/<image id> and the key's suffix.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_KEY_BYTES = 1024
"""S3 refuses longer keys; counted in UTF-8 bytes."""

_JSON = ".json"
_BY_ID = "long-keys/"


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
    """The place under a prefix, or one named by the image id.

    That is where the document's key would be too long, and where the place could be another image's: a key that ends
    in .json may name another image's document, and one below long-keys/ a place that was named by an id.
    """
    place = Place(f"{prefix}/{rest}")
    if len(place.document_key.encode()) <= MAX_KEY_BYTES and not rest.endswith(_JSON) and not rest.startswith(_BY_ID):
        return place
    return Place(f"{prefix}/{_BY_ID}{image_id}{_suffix(key)}")


def _suffix(key: str) -> str:
    found = re.search(r"\.[A-Za-z0-9]{1,8}\Z", key)
    return found.group() if found else ""
