"""The generated parts of documents: what stands between `<!-- make docs: name -->` and `<!-- /make docs -->`."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.deploy import REPOSITORY

_BEGIN, _END = "<!-- make docs: {name} -->\n", "<!-- /make docs -->"
_PART = re.compile(rf"^<!-- make docs: ([^\n]+) -->\n(.*?)^{_END}$", re.MULTILINE | re.DOTALL)
_MARKER = re.compile(r"^<!-- (/?)make docs\b", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """A part of a document by its name, or a whole file, which needs none."""

    file: Path
    name: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, [str(self.file.relative_to(REPOSITORY)), self.name]))

    def shown(self) -> str:
        """What stands there now."""
        text = self.file.read_text(encoding="utf-8")
        return dict(_PART.findall(text))[self.name] if self.name else text

    def difference(self, made: str) -> str:
        """From what stands there to what was made, as `diff -u` has it; empty if they are the same."""
        before, after = self.shown().splitlines(keepends=True), made.splitlines(keepends=True)
        return "".join(difflib.unified_diff(before, after, f"{self}, as it stands", f"{self}, as the code is", n=1))

    def write(self, made: str) -> None:
        text = made
        if self.name:
            before, begin, rest = self.file.read_text(encoding="utf-8").partition(_BEGIN.format(name=self.name))
            _, end, after = rest.partition(_END)
            text = f"{before}{begin}{made}{end}{after}"
        self.file.write_text(text, encoding="utf-8")


def parts_of(document: Path) -> Iterator[Part]:
    """In a document's order.

    Raises
    ------
    ValueError
        A part is not closed, or there are two of one name.
    """
    text = document.read_text(encoding="utf-8")
    names = [name for name, _ in _PART.findall(text)]
    if _MARKER.findall(text) != ["", "/"] * len(names) or len(set(names)) < len(names):
        raise ValueError(f"{document.name}: `<!-- make docs: name -->` and `{_END}` are not in pairs, each name once")
    yield from (Part(document, name) for name in names)
