"""The report in a real browser, as its readers use it."""

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from custom_labels_batch.report.data import Image, Status
from custom_labels_batch.report.visible_text import visible
from tests.browser.conftest import OpenReport
from tests.unit.report.samples import HOSTILE_KEYS, big, empty, hostile, ordinary

pytestmark = pytest.mark.xdist_group("browser")


def tiles(page: Page) -> list[str]:
    """The full names of the images that are shown."""
    return [tile.get_attribute("title") or "" for tile in page.locator("#gallery .tile").all()]


def found(page: Page) -> str:
    return page.locator("#found").inner_text()


def chip(page: Page, name: str) -> None:
    page.locator(".shows button", has_text=re.compile(name)).click()


def exported(page: Page) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    return Path(download.value.path()).read_bytes().decode("utf-8")


class TestWhatIsSeenFirst:
    def test_the_figures_are_those_of_the_data(self, open_report: OpenReport) -> None:
        page = open_report(ordinary())

        figures = dict(
            zip(
                page.locator(".figure dt").all_inner_texts(),
                page.locator(".figure dd:not(.note)").all_inner_texts(),
                strict=True,
            )
        )

        assert figures == {
            "Images": "72",
            "Labelled": "67",
            "Rejected": "5",
            "Model billed": "2.3 min",
            "To the last result": "12.7 min",
            "Accuracy": "98.5%",
        }
        assert page.locator(".centre b").inner_text() == "66"

    def test_every_picture_of_the_first_page_is_drawn(self, open_report: OpenReport) -> None:
        page = open_report(ordinary())
        page.wait_for_function("[...document.querySelectorAll('#gallery img')].every(i => i.complete)")

        widths = page.locator("#gallery img").evaluate_all("all => all.map(each => each.naturalWidth)")

        assert len(widths) == 24
        assert min(widths) > 100

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_light_and_dark_have_a_background_of_their_own(self, open_report: OpenReport, scheme: str) -> None:
        page = open_report(ordinary(), scheme=scheme)

        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")

        assert colour == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 22, 22)"}[scheme]

    def test_a_report_without_images_opens_too(self, open_report: OpenReport) -> None:
        assert "No image has been looked at yet" in open_report(empty()).locator(".lead").inner_text()


class TestFilters:
    def test_by_label(self, open_report: OpenReport) -> None:
        page = open_report(ordinary())

        chip(page, "grass")

        assert found(page) == "21 images"
        assert page.locator("#gallery .chip-name").all_inner_texts() == ["grass"] * 21

    def test_by_rejected_with_the_reason_in_the_details(self, open_report: OpenReport) -> None:
        page = open_report(ordinary())

        chip(page, "Rejected")
        page.locator("#gallery .tile").first.click()

        assert len(tiles(page)) == 5
        assert page.locator("#details .verdict").inner_text() == "the file is cut off"

    def test_by_a_part_of_the_name(self, open_report: OpenReport) -> None:
        page = open_report(ordinary())

        page.get_by_placeholder("Search in names").fill("EMOJI")

        assert tiles(page) == ["emoji/🧱 wall.jpg"]

    def test_by_confidence(self, open_report: OpenReport) -> None:
        page = open_report(ordinary())
        expected = sum(image.labels[0].confidence >= 95 for image in ordinary().images if image.labels)

        page.locator("#filter-confidence").fill("95")

        assert found(page).endswith(f"{expected} images")

    def test_by_what_nothing_matches(self, open_report: OpenReport) -> None:
        page = open_report(ordinary())

        page.get_by_placeholder("Search in names").fill("no such image")

        assert (tiles(page), found(page)) == ([], "No image is like that")

    def test_by_a_slice_of_the_pie(self, open_report: OpenReport) -> None:
        page = open_report(ordinary())

        # At three o'clock on the ring: the first of three slices begins at twelve.
        pie = page.locator(".pie svg").bounding_box()
        assert pie is not None
        page.locator(".pie svg").click(position={"x": pie["width"] * 0.91, "y": pie["height"] / 2})

        assert found(page) == "23 images"
        expect(page.locator('[data-show="label-0"]').first).to_have_attribute("aria-pressed", "true")

    def test_by_a_slice_of_the_pie_with_the_keyboard(self, open_report: OpenReport) -> None:
        page = open_report(ordinary())

        page.locator(".pie a").nth(1).focus()
        expect(page.locator("#tip")).to_contain_text("gravel: 22")
        page.keyboard.press("Enter")

        assert found(page) == "22 images"

    def test_one_of_the_labels_without_a_colour(self, open_report: OpenReport) -> None:
        page = open_report(hostile())

        page.locator("#filter-more").select_option(label='label 49, "49" (1)')

        assert tiles(page) == ["fifty-labels.jpg"]

    def test_least_sure_first(self, open_report: OpenReport) -> None:
        page = open_report(ordinary())

        page.locator("#filter-order").select_option("unsurest")

        shown = [float(text.removesuffix(" %")) for text in page.locator("#gallery .percent").all_inner_texts()]
        assert shown == sorted(shown)
        assert shown[0] == pytest.approx(min(i.labels[0].confidence for i in ordinary().images if i.labels), abs=0.06)


class TestDetails:
    def test_they_tell_all_and_the_arrows_walk_on(self, open_report: OpenReport) -> None:
        page = open_report(ordinary())

        page.locator("#gallery .tile").nth(2).click()
        expect(page.locator("#details .key")).to_have_text("line-1/gravel-002.jpg")
        assert "s3://final-bucket/images/line-1/gravel-002.jpg" in page.locator("#details dl").inner_text()
        assert page.get_by_text("Open the image").get_attribute("href") == "https://example.com/2"
        page.keyboard.press("ArrowRight")
        expect(page.locator("#details .key")).to_have_text("line-2/brick-003.jpg")
        page.keyboard.press("Escape")
        expect(page.locator("#details")).to_be_hidden()

    def test_all_fifty_labels_are_there(self, open_report: OpenReport) -> None:
        page = open_report(hostile())

        page.get_by_title("fifty-labels.jpg").click()

        assert page.locator("#details .label-list li").count() == 50


class TestHostileNames:
    def test_they_are_shown_as_text(self, open_report: OpenReport) -> None:
        page = open_report(hostile())

        assert tiles(page)[: len(HOSTILE_KEYS)] == [visible(key) for key in HOSTILE_KEYS]
        for place, key in enumerate(HOSTILE_KEYS):
            page.locator("#gallery .tile").nth(place).click()
            expect(page.locator("#details .key")).to_have_text(visible(key), use_inner_text=False)
            page.keyboard.press("Escape")
        assert page.title() == "<script>alert('title')</script>"

    def test_every_exported_cell_reads_back_and_none_is_a_formula(self, open_report: OpenReport) -> None:
        text = exported(open_report(hostile()))

        assert text.startswith("\ufeff")
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
        names = list(dict.fromkeys(row["image"] for row in rows))
        assert [name.replace("'", "") for name in names] == [image.key.replace("'", "") for image in hostile().images]
        assert {name for name in names if name.startswith("'")} == {"'=1+1.jpg", "'@SUM(A1:A9).jpg"}
        assert sum(row["image"] == "fifty-labels.jpg" for row in rows) == 50

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_no_cell_begins_like_a_formula_whatever_a_program_splits_at(
        self, open_report: OpenReport, separator: str
    ) -> None:
        keys = [
            "=1",
            "+1",
            "-1",
            "@A1",
            "\t=1",
            "\r=1",
            " =1",
            "a;=1",
            'a;"=1"',
            "a\n=1",
            "a\t@x",
            "'=1",
            "＝1",
            '"";=1;"',
            "|x",
            "%x",
        ]
        images = tuple(Image(key=key, status=Status.LABELLED) for key in keys)

        text = exported(open_report(empty().model_copy(update={"images": images})))

        cells = [cell for row in csv.reader(io.StringIO(text[1:], newline=""), delimiter=separator) for cell in row]
        cells += [cell.strip('"') for line in text[1:].splitlines() for cell in line.split(separator)]
        assert not [cell for cell in cells if cell.strip(' "\t\r\n')[:1] in set("=+-@|%＝")]

    def test_the_export_holds_what_is_filtered(self, open_report: OpenReport) -> None:
        page = open_report(ordinary())

        chip(page, "Rejected")

        rows = list(csv.DictReader(io.StringIO(exported(page).removeprefix("\ufeff"))))
        assert [row["status"] for row in rows] == ["rejected"] * 5
        assert rows[2]["reason"] == "the file is empty"


class TestOnAPhone:
    @pytest.mark.parametrize("report", [ordinary, hostile, empty])
    def test_nothing_is_wider_than_the_screen(self, open_report: OpenReport, report: object) -> None:
        page = open_report(report(), width=390, height=844)  # type: ignore[operator]

        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    def test_the_details_of_the_longest_name_fit(self, open_report: OpenReport) -> None:
        page = open_report(hostile(), width=390, height=844)

        page.locator("#gallery .tile").nth(9).click()

        assert page.locator("#details").evaluate(
            "each => [each.scrollWidth <= each.clientWidth, each.offsetWidth <= 390]"
        ) == [True, True]


class TestManyImages:
    def test_only_the_page_one_looks_at_is_in_the_document(self, open_report: OpenReport) -> None:
        page = open_report(big(5_000))

        assert found(page) == "1 to 24 of 5,000 images"
        assert page.locator("img").count() < 60
        page.locator("#page-next").click()
        assert found(page) == "25 to 48 of 5,000 images"
        assert page.locator("img").count() < 60

    def test_the_last_of_them_is_found_and_has_its_own_picture(self, open_report: OpenReport) -> None:
        report = big(5_000)
        page = open_report(report)

        page.get_by_placeholder("Search in names").fill("img-04999")

        assert tiles(page) == [report.images[-1].key]
        page.wait_for_function("document.querySelector('#gallery img').naturalWidth > 0")
