"""A headless Chromium of this machine, without a network, for pages from files."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from custom_labels_batch.report.data import Report
from custom_labels_batch.report.page import write

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None
)

OpenReport = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with its module: while Playwright is open an event loop runs, and other tests could not run theirs."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install chromium or google-chrome to test the report in a browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[OpenReport]:
    """Open a report; the test fails if the page has an error, shows a dialog, or asks the network for anything."""
    troubles: list[str] = []
    with ExitStack() as cleanup:

        def open_(report: Report, width: int = 1440, height: int = 900, scheme: str = "light") -> Page:
            file = tmp_path / "report.html"
            write(report, file)
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                accept_downloads=True,
                offline=True,
            )
            cleanup.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(15_000)
            page.on("console", lambda said: troubles.append(f"console {said.type}: {said.text}"))
            page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
            page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
            page.on("request", lambda asked: troubles.extend(_outside(asked.url, file.as_uri())))
            page.goto(file.as_uri())
            return page

        yield open_
    assert troubles == []


def _outside(address: str, page: str) -> list[str]:
    return [] if address == page or address.startswith(("data:", "blob:")) else [f"request: {address}"]
