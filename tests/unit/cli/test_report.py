"""`clb report`."""

import errno
import io
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.credentials import Credentials, RefreshableCredentials
from PIL import Image

from custom_labels_batch.cli.report_images import images, in_stack_time
from custom_labels_batch.cli.results_query import COLUMNS
from custom_labels_batch.cli.stack import Stack, StackTime
from custom_labels_batch.report import data
from tests.unit.cli.athena_answers import AthenaAnswers, rejected, row
from tests.unit.cli.aws_stack import AwsStack
from tests.unit.cli.conftest import Cli, interrupt


def photograph() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (80, 80), "red").save(file, "JPEG")
    return file.getvalue()


class Page:
    """The command, and what it would draw: drawing takes a second, and the end-to-end tests do it."""

    shown: data.Report

    def __init__(self, aws: AwsStack, athena: AthenaAnswers, cli: Cli, folder: Path) -> None:
        self.file = folder / "report.html"
        self._aws, self._athena, self._cli = aws, athena, cli

    def write(self, shown: data.Report, file: Path) -> None:
        self.shown = shown
        file.write_text("a page")

    def report(self, *arguments: str) -> Any:
        return self._cli("report", "--out", str(self.file), *arguments, "--outputs", self._aws.file())

    def finds(self, *rows: list[Any], of: int | None = None) -> None:
        """What Athena answers, with how many images there are in all."""
        self._athena.answer(*([*found, str(of or len(rows))] for found in rows), columns=[*COLUMNS, "images"])

    def stored(self, key: str, body: bytes | None = None) -> None:
        self._aws.client("s3").put_object(Bucket="final", Key=f"images/{key}", Body=body or photograph())

    @property
    def image(self) -> data.Image:
        """The first."""
        return self.shown.images[0]


@pytest.fixture
def page(aws: AwsStack, athena: AthenaAnswers, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    made = Page(aws, athena, cli, tmp_path)
    monkeypatch.setattr("custom_labels_batch.report.page.write", made.write)
    return made


def now_in_athena(minutes: int = 0) -> str:
    return f"{datetime.now(UTC) + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}.000"


def test_images_have_their_labels_reason_picture_and_link(page: Page) -> None:
    page.stored("a b.jpg")
    page.finds(
        row("a b.jpg", "crack", 70.5, processed_at=now_in_athena(1)),
        row("a b.jpg", "dent", 91, box_left="0.1", box_top="0", box_width="0.5", box_height="1"),
        rejected("b.jpg", "is empty"),
    )
    assert page.report().code == 0
    first, second = page.shown.images
    assert (first.key, first.status, first.size) == ("a b.jpg", data.Status.LABELLED, 2048)
    assert [label.name for label in first.labels] == ["dent", "crack"]
    assert first.labels[0].box == data.Box(left=0.1, top=0, width=0.5, height=1)
    assert (first.thumbnail or b"").startswith(b"RIFF")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in str(first.link)
    assert "/images/a%20b.jpg?" in str(first.link)
    assert (second.status, second.reason) == (data.Status.REJECTED, "is empty")


def test_the_page_and_the_terminal_say_when_links_end(page: Page) -> None:
    page.finds(row("a.jpg"))
    before = datetime.now(UTC) + timedelta(hours=3)
    said = page.report("--link-hours", "3", "--no-pictures")
    (told,) = re.findall(r"Links open their image until ([\d-]+ [\d:]+ UTC)", said.out)
    assert told in page.shown.time_note
    assert timedelta(minutes=-1) <= datetime.strptime(told, "%Y-%m-%d %H:%M %Z").replace(tzinfo=UTC) - before
    assert "X-Amz-Expires=10800" in str(page.image.link)


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        (Credentials("a", "b"), "12:00 UTC."),
        (Credentials("a", "b", "token"), "12:00 UTC, or until the temporary credentials end that signed them."),
        (
            RefreshableCredentials("a", "b", "token", datetime(2099, 1, 1, 1, tzinfo=UTC), dict, "test"),
            "01:00 UTC.",
        ),
    ],
)
def test_links_end_with_the_credentials(
    page: Page, monkeypatch: pytest.MonkeyPatch, credentials: Credentials, words: str
) -> None:
    class Noon(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "datetime":  # type: ignore[override]
            return datetime(2099, 1, 1, 0, tzinfo=tz)

    monkeypatch.setattr("custom_labels_batch.cli.report.datetime", Noon)
    monkeypatch.setattr(Stack, "credentials", property(lambda _: credentials))
    page.finds(row("a.jpg"))
    assert f"Links open their image until 2099-01-01 {words}" in page.report("--no-pictures").words


def test_without_link_hours_there_are_no_links(page: Page) -> None:
    page.finds(row("a.jpg"))
    said = page.report("--link-hours", "0", "--no-pictures")
    assert (page.image.link, "Links" in said.out) == (None, False)


class TestAnImageThatIsNotThere:
    """The final bucket has one object a key."""

    def test_any_more_has_neither_picture_nor_link(self, page: Page) -> None:
        page.finds(row("a.jpg"))
        assert page.report().code == 0
        assert (page.image.link, page.image.thumbnail) == (None, None)

    def test_but_a_later_one_is_does_not_show_that(self, page: Page) -> None:
        page.stored("a.jpg")
        page.finds(row("a.jpg", processed_at=now_in_athena(-5)))
        page.report()
        assert (page.image.link, page.image.thumbnail) == (None, None)

    def test_but_a_later_one_of_this_page_is_does_not_show_that(self, page: Page) -> None:
        page.finds(row("a.jpg", image_id="new"), row("a.jpg", image_id="old"))
        page.report("--no-pictures")
        assert [image.link is not None for image in page.shown.images] == [True, False]


def test_a_file_that_is_too_large_is_not_downloaded(page: Page) -> None:
    page.stored("a.jpg")
    page.finds(row("a.jpg", size=str(15 * 1024 * 1024 + 1), processed_at=now_in_athena(1)))
    page.report()
    assert page.image.thumbnail is None


def test_what_is_no_picture_has_none(page: Page) -> None:
    page.stored("a.jpg", b"text")
    page.finds(row("a.jpg", processed_at=now_in_athena(1)))
    assert page.report().code == 0
    assert page.image.thumbnail is None


def test_pictures_that_may_not_be_read_are_told(page: Page, monkeypatch: pytest.MonkeyPatch, aws: AwsStack) -> None:
    s3 = aws.new_client("s3")
    s3.meta.events.register(
        "before-call.s3.GetObject",
        lambda params, **_: (
            (SimpleNamespace(status_code=403, headers={}), {"Error": {"Code": "AccessDenied", "Message": "no"}})
            if "images/" in params["url"]
            else None
        ),
    )
    monkeypatch.setattr(Stack, "s3", property(lambda _: s3))
    page.finds(row("a.jpg"), row("b.jpg"))
    said = page.report()
    assert said.code == 0
    assert "2 pictures could not be read: GetObject: AccessDenied: no; whoever gives you rights" in said.words


def test_what_is_left_out_is_told_on_the_page_and_beside_it(page: Page, athena: AthenaAnswers) -> None:
    page.finds(row("a.jpg"), row("b.jpg"), of=1_234)
    said = page.report("--limit", "2", "--no-pictures")
    assert "WHERE place <= 2 ORDER BY place, label_number" in athena.asked[0]["QueryString"]
    assert "Only the newest 2 of 1,234 images are here, and counted." in said.words
    assert "Only the newest 2 of 1,234 images are here, and counted" in page.shown.source


def test_the_period_is_asked_for_by_parameters(page: Page, athena: AthenaAnswers) -> None:
    page.finds()
    page.report("--since", "2026-11-01", "--until", "2026-11-02")
    assert athena.asked[0]["ExecutionParameters"][0] == "'2026-11-01'"


def test_runs_are_those_that_began_in_the_period(page: Page, aws: AwsStack) -> None:
    for days in (1, 3, 5):
        aws.record(f"run-{days}", minutes_ago=days * 1440)
    page.finds()
    assert ", 1 run." in page.report("--since", "4d", "--until", "2d").words
    (run,) = page.shown.runs
    assert (run.images, run.billed_minutes) == (100, 6)
    page.finds()
    assert ", 2 runs." in page.report("--since", "4d").words


def test_with_trigger_upload_there_are_no_runs(page: Page, aws: AwsStack) -> None:
    del aws.outputs["runsTableName"]
    page.finds(row("a.jpg"))
    assert ", 0 runs." in page.report("--no-pictures").words


def test_the_times_of_a_sandbox_are_its_clocks() -> None:
    real, simulated = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    time = StackTime(real, simulated, scale=1 / 60)
    rows = [dict(zip(COLUMNS, row("a.jpg", uploaded_at="2026-11-22 11:59:00.000"), strict=True))]
    (image,) = images(rows)
    assert in_stack_time(image, time).uploaded_at == simulated - timedelta(hours=1)


def test_a_file_in_no_folder_is_refused_before_anything_is_asked(page: Page, athena: AthenaAnswers) -> None:
    page.file = page.file / "in no folder.html"
    said = page.report()
    assert said.code == 2
    assert "report.html is no folder to write it to; name a file in one that exists" in said.err
    assert not athena.asked


def test_a_file_that_cannot_be_written_is_one_line(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("custom_labels_batch.report.page.write", full)
    page.finds()
    said = page.report()
    assert said.code == 1
    assert "report.html cannot be written (No space left on device); name another with --out" in said.err


def test_ctrl_c_writes_nothing_and_stops_the_query(
    page: Page, athena: AthenaAnswers, meanwhile: Callable[..., None]
) -> None:
    athena.states = ["RUNNING"]
    meanwhile(interrupt)
    assert (page.report().code, athena.stopped, page.file.exists()) == (130, ["q1"], False)


def test_the_browser_is_opened_only_if_asked(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def open_page(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", open_page)
    for arguments in ([], ["--open"]):
        page.finds()
        page.report(*arguments)
    assert opened == [page.file.as_uri()]
