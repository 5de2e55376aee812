"""README's pictures of the report that `make demo` drew last: `python -m docs.report_pictures` takes them anew.

They are made for README's column on GitHub, which is less than 900 pixels wide, at twice its pixels.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image, ImageOps
from playwright.sync_api import sync_playwright

from sandbox.demo_report import REPORT_FILE
from sandbox.errors import SandboxError

PICTURES = {"light": Path(__file__).parent / "report.png", "dark": Path(__file__).parent / "report-dark.png"}
FRAMES = {"light": "#d1d9e0", "dark": "#3d444d"}
"""The colours of GitHub's own borders: paper on paper would have no edge."""

TOP, WIDTH, HEIGHT = 36, 1080, 682
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> int:
    """Take both."""
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        raise SandboxError("There is no Chromium here to open the report in")
    if not REPORT_FILE.exists():
        raise SandboxError("There is no report yet: run `make demo` first")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        for scheme, picture in PICTURES.items():
            page = browser.new_page(
                viewport={"width": WIDTH, "height": TOP + HEIGHT},
                device_scale_factor=2,
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page.goto(REPORT_FILE.as_uri())
            shot = page.screenshot(clip={"x": 0, "y": TOP, "width": WIDTH, "height": HEIGHT})
            _write(shot, FRAMES[scheme], picture)
        browser.close()
    return 0


def _write(screenshot: bytes, frame: str, picture: Path) -> None:
    """A palette of 256 colours is enough, and a third of the bytes."""
    image = ImageOps.expand(Image.open(io.BytesIO(screenshot)).convert("RGB"), 2, frame)
    image.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3).save(picture, optimize=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SandboxError as error:
        sys.exit(f"report_pictures: {error}")
