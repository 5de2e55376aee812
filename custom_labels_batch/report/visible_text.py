"""Names from outside, made safe to look at: what is invisible, or turns text around, is spelled out."""

import re

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)


def visible(text: str) -> str:
    """`text` with control and direction characters written as ⟨U+202E⟩; web/images.js has the same for the gallery.

    Example
    -------
    >>> visible("photo\\u202egpj.exe")
    'photo⟨U+202E⟩gpj.exe'
    """
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def shortened(text: str, length: int) -> str:
    """`visible` text of at most `length` characters, its end replaced by an ellipsis."""
    seen = visible(text)
    return seen if len(seen) <= length else seen[: length - 1] + "…"
