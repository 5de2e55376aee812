"""What nobody sends by accident: keys, messages and values made to break the functions, for their tests."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

PATHS = [
    "../a.png", "..", ".", "./a.png", "/", "//", "/a.png", "//a.png", "a//b.png", "a/../../b.png", "a/./b.png",
    "images/../rejected/a.png", "images/../../other-bucket/a.png", "%2e%2e/a.png", "..\\a.png", "C:\\a.png",
    "images/", "images/a.png", "rejected/a.png", "superseded/a.png/" + "1" * 64, "predictions/dt=2026-11-22/a.png",
    "long-keys/" + "1" * 64 + ".png", "a.png.json", "images/a.png.json", ".json", "s3://other/a.png",
]  # fmt: skip
CHARACTERS = [
    "a\nb.png", "a\r\nSubject: x\r\n\r\nb.png", "\0.png", "a\0.png", "\x1b[2J\x1b[31m.png", "\x07\x08.png", "\x7f.png",
    "\x85.png", "\x9b31m.png", "\u2028.png", "\u2029.png", "\u202egnp.exe", "a\u2066b\u2069.png", "a\u200bb.png",
    "\ufeffa.png", "\u00ad.png", "\U000e0041.png", "e\u0301.png", "\u00e9.png", "\ufffe.png", "\uffff.png", " ", "\t",
]  # fmt: skip
WORDS = [
    "'; DROP TABLE predictions; --.png", '" OR 1=1.png', "<script>alert(1)</script>.png", "<img src=x>.png", "=1+1.png",
    "@SUM(A1).png", "-2+3|cmd' /C calc'!A0.png", "${jndi:ldap://a}.png", "{{7*7}}.png", "%s%n.png", "$(reboot).png",
    "a?versionId=1.png", "a#b.png", "a&b=c.png", "a+b c%20d.png", "\\u0000.png", "null", "__proto__.png", "con",
]  # fmt: skip
LENGTHS = [
    "k" * 1020 + ".png",
    "é" * 510 + ".png",
    "🧱" * 255 + ".png",
    "\x01" * 1024,
    "k" * 1012,
    "k" * 1013,
    "a/" * 512,
]
"""1,024 bytes, of one to four a character; and at the limit of images/<key>.json."""

KEYS = {"paths": PATHS, "characters": CHARACTERS, "words": WORDS, "lengths": LENGTHS}

UNPAIRED = "\\ud800"
"""JSON for half a character, which no text can hold."""


def wrong_values() -> st.SearchStrategy[Any]:
    """Whatever JSON, or what Python takes for it, can hold; seldom what belongs where it is put."""
    numbers = st.sampled_from(
        [0, -1, 2**63, -(2**63) - 1, 10**400, 1e308, float("nan"), float("inf"), -float("inf"), 0.5]
    )
    texts = st.sampled_from(
        [
            *PATHS,
            *CHARACTERS,
            *WORDS,
            *LENGTHS,
            "",
            "null",
            "NaN",
            "9" * 5000,
            UNPAIRED,
            "2026-11-22T12:00:00",
            "other-bucket",
        ]
    )
    simple = st.none() | st.booleans() | numbers | texts | st.text(max_size=20)
    return st.recursive(
        simple, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    )


@st.composite
def mutations(draw: st.DrawFn, document: dict[str, Any]) -> str:
    """A document, as JSON, that is wrong in one place or two: something else there, nothing, or twice."""
    wrong = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list(places(wrong)) or [()]))
        if not path:
            return json.dumps(draw(wrong_values()))
        *parents, name = path
        at: Any = wrong
        for parent in parents:
            at = at[parent]
        if draw(st.integers(0, 4)):
            at[name] = draw(wrong_values())
        elif isinstance(at, dict):
            del at[name]
    text = json.dumps(wrong).replace(json.dumps(UNPAIRED)[1:-1], UNPAIRED)
    return text if draw(st.integers(0, 4)) else with_a_name_twice(text, draw(wrong_values()))


def with_a_name_twice(text: str, value: Any) -> str:
    """JSON whose first name comes again at the end, with another value: readers may believe either."""
    name = re.match(r'\{("(?:[^"\\]|\\.)*")', text)
    return f"{text[:-1]}, {name[1]}: {json.dumps(value)}}}" if name else text


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything inside a JSON value."""
    found = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in found:
        yield (*path, name)
        yield from places(inner, (*path, name))


def nonsense() -> st.SearchStrategy[str]:
    """Messages that are no document at all."""
    return st.sampled_from(
        [
            "",
            "null",
            "[]",
            '""',
            "\0",
            "\ud800",
            f'"{UNPAIRED}"',
            "[" * 100_000,
            '{"a":' * 100_000,
            '{"detail":' * 5000 + "1" + "}" * 5000,
            "9" * 100_000,
            "1e999999",
            "{" + '"a":1,' * 100_000 + '"a":1}',
            '{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"photographs"}',
            '{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put"}]}',
            '{"Type":"Notification","Message":"{}","MessageAttributes":{"status":{"Type":1,"Value":[]}}}',
            "<xml/>",
            "x" * (1024 * 1024),
        ]
    ) | st.text(max_size=200)
