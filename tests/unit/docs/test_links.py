"""Every link, image and name in the documents leads to something that is there. Nothing here asks the network."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from sandbox.deploy import REPOSITORY
from tests.unit.docs.markdown import Document, documents, read, tracked

IDS = [str(path.relative_to(REPOSITORY)) for path in documents()]


@pytest.fixture(params=documents().values(), ids=IDS)
def document(request: pytest.FixtureRequest) -> Document:
    found: Document = request.param
    return found


def target(document: Document, link: str) -> Path:
    """The file that a link without a scheme leads to."""
    path = unquote(urlsplit(link).path)
    return (document.path.parent / path).resolve() if path else document.path


def problem(document: Document, link: str) -> str | None:
    """Why a link leads nowhere, if it does."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None if parts.scheme == "https" and "." in (parts.hostname or "") else "not an https address"
    file = target(document, link)
    if file not in tracked() and not any(file in known.parents for known in tracked()):
        return "no such file in a clone"
    if parts.fragment and parts.fragment not in documents().get(file, Document(file)).anchors:
        return "no such heading"
    return None


def test_every_link_leads_somewhere(document: Document) -> None:
    found = {link: problem(document, link) for link in document.links}
    assert {link: why for link, why in found.items() if why} == {}


def test_every_image_is_there_and_says_what_it_shows(document: Document) -> None:
    for source, alt in document.images:
        assert target(document, source) in tracked(), source
        assert alt.strip(), f"{source} needs a text for who cannot see it"


def test_every_document_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [REPOSITORY / "README.md"]
    while waiting:
        path = waiting.pop()
        if path not in reached and path in documents():
            reached.add(path)
            waiting += [target(documents()[path], link) for link in documents()[path].links if "://" not in link]
    assert sorted(documents().keys() - reached) == []


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Make it: safe, and *fast*", "make-it-safe-and-fast"),
        ("`clb doctor` finds it", "clb-doctor-finds-it"),
        ("A run_id's 2nd half - really", "a-run_ids-2nd-half---really"),
        ("[Linked](https://example.com) words", "linked-words"),
    ],
)
def test_a_heading_is_linked_to_by_the_anchor_that_github_gives_it(heading: str, anchor: str) -> None:
    assert read(f"## {heading}\n", REPOSITORY / "README.md").anchors == {anchor}


def test_the_second_heading_of_a_name_gets_a_number() -> None:
    assert read("# Same\n\n## Same\n\n## Same\n", REPOSITORY / "README.md").anchors == {"same", "same-1", "same-2"}


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("docs/no-such-file.md", "no such file in a clone"),
        (".venv/bin/python", "no such file in a clone"),
        ("CHANGELOG.md#no-such-heading", "no such heading"),
        ("#no-such-heading", "no such heading"),
        ("http://example.com/", "not an https address"),
        ("https://localhost/", "not an https address"),
        ("CHANGELOG.md#unreleased", None),
        ("tests/unit", None),
    ],
)
def test_a_link_that_leads_nowhere_is_seen(link: str, why: str | None) -> None:
    readme = documents()[REPOSITORY / "README.md"]
    assert problem(readme, link) == why


def test_links_and_images_in_html_and_in_tables_are_seen() -> None:
    text = '| a |\n| --- |\n| [x](one) |\n\n<p><img src="two" alt="2"><a href="three">3</a></p>\n'
    found = read(text, REPOSITORY / "README.md")
    assert (found.links, found.images) == (["one", "three"], [("two", "2")])
