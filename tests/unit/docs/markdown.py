"""The repository's Markdown documents, read as GitHub reads them."""

import subprocess
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin

from sandbox.deploy import REPOSITORY


@dataclass
class Document:
    """What a document links to, shows and names."""

    path: Path
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    images: list[tuple[str, str]] = field(default_factory=list)
    """Where each is, and its alt text."""
    spans: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)

    @property
    def code(self) -> list[str]:
        return self.spans + self.blocks


class _Html(HTMLParser):
    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self._document.links.append(given["href"])
        if tag == "img":
            self._document.images.append((given.get("src", ""), given.get("alt", "")))
        if tag == "source":
            self._document.links.append(given.get("srcset", ""))
        self._document.anchors.update(given[name] for name in ("id", "name") if name in given)


def read(text: str, path: Path) -> Document:
    document = Document(path)
    for token in _tokens(_reader().parse(text)):
        if token.type == "heading_open":
            document.anchors.add(str(token.attrGet("id")))
        elif token.type == "link_open":
            document.links.append(str(token.attrGet("href")))
        elif token.type == "image":
            document.images.append((str(token.attrGet("src")), token.content))
        elif token.type == "code_inline":
            document.spans.append(token.content)
        elif token.type in ("fence", "code_block"):
            document.blocks.append(token.content)
        elif token.type in ("html_block", "html_inline"):
            _Html(document).feed(token.content)
    return document


@cache
def tracked() -> frozenset[Path]:
    """The files that a clone has."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True, text=True)
    return frozenset(REPOSITORY / name for name in listed.stdout.split("\0") if name)


@cache
def documents() -> dict[Path, Document]:
    return {path: read(path.read_text(encoding="utf-8"), path) for path in sorted(tracked()) if path.suffix == ".md"}


def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table").use(anchors_plugin, max_level=6)


def _tokens(tokens: list[Token]) -> list[Token]:
    """Those within others too."""
    return [found for token in tokens for found in (token, *_tokens(token.children or []))]
