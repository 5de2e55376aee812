"""The report as one HTML file."""

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from custom_labels_batch.report import charts
from custom_labels_batch.report.data import Report, Run, Status
from custom_labels_batch.report.figures import bytes_text, figures, minutes_text, usd_text
from custom_labels_batch.report.page_data import embedded, page_data, thumbnail_blocks
from custom_labels_batch.report.palette import COLOURS, OTHER, Palette
from custom_labels_batch.report.visible_text import visible

WEB = Path(__file__).parent / "web"

SCRIPTS = ("images.js", "csv.js", "details.js", "gallery.js", "charts.js")
"""In the order in which they need each other."""

_REJECTED_SHOWN = 12
_RUNS_SHOWN = 30
_RUNS_DRAWN = 3


def write(report: Report, file: Path) -> None:
    """Render `report` into `file`, making its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(render(report), encoding="utf-8")


def render(report: Report) -> str:
    """The whole page: styles, scripts, charts, pictures and data inside, and nothing fetched from anywhere.

    Every name, reason and text of the report is shown as text, whatever it holds. The page's policy lets only
    its own styles and scripts run (by their hashes) and reaches no network.
    """
    counted = figures(report)
    palette = Palette(counted.labels)
    style = _read("page.css")
    scripts = [_read(name) for name in SCRIPTS]
    blocks = list(thumbnail_blocks(report.images))
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            figures=counted,
            palette=palette,
            other=OTHER,
            named_labels=counted.labels[:COLOURS],
            more_labels=counted.labels[COLOURS:],
            more_count=sum(label.count for label in counted.labels[COLOURS:]),
            given=sum(label.count for label in counted.labels),
            policy=_policy(style, scripts),
            style=style,
            scripts=scripts,
            data=embedded(page_data(report, counted, palette)),
            thumbnail_blocks=[embedded(block) for block in blocks],
            without_thumbnail=_left_out(report, blocks),
            donut=charts.donut(counted, palette) if counted.labels else None,
            over_time=charts.over_time(report, palette),
            histogram=charts.histogram(report.images, palette, report.threshold),
            timelines=[(run, charts.timeline(run)) for run in _newest_first(report)[:_RUNS_DRAWN]],
            runs=_newest_first(report)[:_RUNS_SHOWN],
            rejected=[(place, image) for place, image in enumerate(report.images) if image.status is Status.REJECTED][
                :_REJECTED_SHOWN
            ],
        )
    )


def _newest_first(report: Report) -> list[Run]:
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(report.runs, key=lambda run: run.started_at or oldest, reverse=True)


def _left_out(report: Report, blocks: list[list[str | None]]) -> int:
    """Thumbnails that there was no room for."""
    shown = sum(text is not None for block in blocks for text in block)
    return sum(image.thumbnail is not None for image in report.images) - shown


def _policy(style: Markup, scripts: list[Markup]) -> str:
    allowed = " ".join(_source(script) for script in scripts)
    return (
        f"default-src 'none'; img-src data:; style-src {_source(style)}; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    """A hash that a Content-Security-Policy names an inline element by."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _read(name: str) -> Markup:
    return Markup((WEB / name).read_text(encoding="utf-8"))  # noqa: S704 - this package's own file


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(WEB), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        {"visible": visible, "minutes": minutes_text, "usd": usd_text, "bytes": bytes_text, "moment": _moment}
    )
    return environment


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%d %b %Y, %H:%M} UTC".lstrip("0")
