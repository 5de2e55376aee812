"""Names that anybody may have chosen, made fit for a line of plain text."""

import re
import unicodedata

_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_JOINERS = "\u200c\u200d"
"""Invisible, but scripts and emoji need them, and they neither break nor turn a line."""

_PLAIN_NAME = re.compile(r"\w([\w .-]*\w)?")

_SPELLED_OUT = str.maketrans(
    {
        "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
        "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "‘": "'", "’": "'", "“": '"',
        "”": '"', "„": '"', "«": '"', "»": '"', "‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-", "×": "x",
        "⁄": "/", "€": "EUR",
    }
)  # fmt: skip
"""What Unicode does not decompose into an ASCII letter and a mark."""


def visible(text: str) -> str:
    r"""A text on one line: what breaks, hides or turns text is shown as an escape.

    Example
    -------
    >>> print(visible("wall.jpg\nModel: none"))
    wall.jpg\nModel: none
    """
    return "".join(_escape(character) if _is_harmful(character) else character for character in text)


def _is_harmful(character: str) -> bool:
    code = ord(character)
    is_noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    hides = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in _JOINERS
    return is_noncharacter or hides


def _escape(character: str) -> str:
    code = ord(character)
    return _SHORT_ESCAPES.get(character) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def quoted(name: str) -> str:
    """A name on one line, in quotes where it would otherwise run into the words around it.

    Example
    -------
    >>> print(quoted("hair-line crack"), quoted("dents, deep"))
    hair-line crack “dents, deep”
    """
    return name if _PLAIN_NAME.fullmatch(name) else f"“{visible(name)}”"


def ascii_only(text: str) -> str:
    """A text in printable ASCII: letters without their marks, one `?` for anything else, single spaces.

    Example
    -------
    >>> ascii_only("Straße  nach Łódź 🧱🧱.jpg")
    'Strasse nach Lodz ?.jpg'
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_SPELLED_OUT)).translate(_SPELLED_OUT)
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return re.sub(" +", " ", re.sub(r"[^\x20-\x7e]+", "?", letters)).strip()


def shortened(text: str, limit: int) -> str:
    """A text of at most `limit` characters, which loses its middle if it is longer.

    Example
    -------
    >>> shortened("photograph-0001.jpg", 13)
    'photo...1.jpg'
    """
    if len(text) <= limit:
        return text
    kept = limit - len("...")
    tail = kept // 2
    return f"{text[: kept - tail]}...{text[len(text) - tail :]}"
