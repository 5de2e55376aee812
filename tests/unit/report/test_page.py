"""The page: complete in itself, and inert whatever the names in it are."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from custom_labels_batch.report.data import Image, Label, Mail, Report, Run, Status
from custom_labels_batch.report.page import render, write
from custom_labels_batch.report.page_data import embedded, thumbnail_blocks
from custom_labels_batch.report.visible_text import shortened, visible
from tests.unit.report.samples import BEGAN, empty, hostile, ordinary

NASTY = st.text(max_size=30) | st.sampled_from(
    [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "]]>",
        "'\"`",
        "\u2028\u2029",
        "=1+1",
        "\u202e",
        "&lt;b&gt;",
        "\x00",
    ]
)


class Page(HTMLParser):
    """Which elements a page has, with their attributes and texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[int, str] = {}
        self._open = -1
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = len(self.elements) - 1

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - its base class names it
        self._open = -1

    def handle_data(self, data: str) -> None:
        self.texts[self._open] = self.texts.get(self._open, "") + data

    def with_text(self, wanted: str) -> Iterator[tuple[dict[str, str | None], str]]:
        for place, (tag, attributes) in enumerate(self.elements):
            if tag == wanted:
                yield attributes, self.texts.get(place, "")


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render(ordinary()))


@pytest.fixture(scope="module")
def hostile_page() -> Page:
    return Page(render(hostile()))


def policy(page: Page) -> str:
    return next(a["content"] or "" for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")


class TestOneFile:
    def test_nothing_is_fetched(self, page: Page) -> None:
        for tag, attributes in page.elements:
            assert tag not in {"link", "iframe", "object", "embed", "base", "img"}
            assert not {"src", "srcset", "background", "action"} & attributes.keys()

    def test_the_policy_reaches_no_network_and_names_every_inline_script_and_style(self, page: Page) -> None:
        assert policy(page).startswith("default-src 'none'; img-src data:;")
        assert "unsafe" not in policy(page)
        inline = [text for attributes, text in page.with_text("script") if "type" not in attributes]
        inline += [text for _, text in page.with_text("style")]
        assert len(inline) == 6
        for text in inline:
            assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy(page)

    def test_no_element_has_a_style_or_a_handler_which_the_policy_would_block(self, page: Page) -> None:
        for tag, attributes in page.elements:
            assert not [name for name in attributes if name == "style" or name.startswith("on")], tag

    def test_it_is_written_where_there_was_no_folder(self, tmp_path: Path) -> None:
        write(empty(), tmp_path / "a" / "report.html")

        assert (tmp_path / "a" / "report.html").read_text(encoding="utf-8") == render(empty())

    def test_links_of_charts_stay_on_the_page(self, page: Page) -> None:
        links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]

        assert len(links) > 10
        assert all((link or "").startswith("#") for link in links)


class TestHostileNames:
    def test_they_make_no_element(self, page: Page, hostile_page: Page) -> None:
        scripts = [a for a, _ in hostile_page.with_text("script")]
        expected = [a for a, _ in page.with_text("script")]

        assert scripts == expected
        assert not [tag for tag, _ in hostile_page.elements if tag == "img"]

    def test_they_are_shown_as_they_are(self, hostile_page: Page) -> None:
        assert [text for _, text in hostile_page.with_text("h1")] == ["<script>alert('title')</script>"]

    def test_what_cannot_be_seen_is_spelled_out(self) -> None:
        assert visible("photo\u202egpj.exe\n") == "photo⟨U+202E⟩gpj.exe⟨U+000A⟩"
        assert visible("Größe 🧱 naïve") == "Größe 🧱 naïve"
        assert shortened("a" * 30, 10) == "a" * 9 + "…"

    @given(key=NASTY, label=NASTY.filter(bool), text=NASTY)
    @settings(max_examples=12)
    def test_any_text_gives_the_same_page_but_for_texts(self, key: str, label: str, text: str) -> None:
        assert elements(key, label, text or "x") == elements("key", "label", "text")

    @pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", " https://x"])
    def test_a_link_that_runs_something_is_refused(self, link: str) -> None:
        with pytest.raises(ValidationError, match="a link begins with"):
            Image(key="a", status=Status.LABELLED, link=link)


@cache
def elements(key: str, label: str, text: str) -> list[str]:
    return [tag for tag, _ in Page(render(report_of(key, label, text))).elements]


def report_of(key: str, label: str, text: str) -> Report:
    image = Image(key=key, status=Status.LABELLED, labels=(Label(name=label, confidence=80),), processed_at=BEGAN)
    rejected = Image(key=key, status=Status.REJECTED, reason=text, final_uri=text, image_id=text)
    return Report(
        title=text,
        source=text,
        generated_at=BEGAN,
        time_note=text,
        images=(image, rejected),
        runs=(Run(name=text, outcome=text, cause=text),),
        mails=(Mail(to=text, subject=text, text=text),),
    )


class TestEmbeddedData:
    @given(st.recursive(NASTY, lambda inner: st.lists(inner) | st.dictionaries(NASTY, inner), max_leaves=8))
    def test_it_reads_back_and_can_end_no_element(self, value: object) -> None:
        text = str(embedded(value))

        assert json.loads(text) == value
        assert text.isascii()
        assert not re.search("[<>&']", text)

    def test_every_image_is_in_the_data_with_its_labels_by_place(self, page: Page) -> None:
        data = json.loads(next(text for a, text in page.with_text("script") if a.get("id") == "data"))

        assert [image["key"] for image in data["images"]] == [image.key for image in ordinary().images]
        assert data["labels"][data["images"][0]["labels"][0][0]]["name"] == "brick"

    def test_thumbnails_keep_their_places_and_the_budget(self) -> None:
        images = tuple(
            Image(key="a", status=Status.LABELLED, thumbnail=bytes(300) if n % 2 else None) for n in range(410)
        )

        blocks = list(thumbnail_blocks(images, budget=1_000))

        assert [len(block) for block in blocks] == [200, 200, 10]
        assert [place for place, text in enumerate(blocks[0]) if text] == [1, 3, 5]
        assert not any(blocks[1])


class TestEmptyReports:
    def test_no_images_says_so(self) -> None:
        assert "No image has been looked at yet" in render(empty())

    def test_a_run_without_images_and_without_samples_is_still_told(self) -> None:
        html = render(empty().model_copy(update={"runs": (Run(name="Run 1", outcome="MAPPING_CLOSED"),)}))

        assert "Mapping closed" in html
