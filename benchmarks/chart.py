"""The bench's results as a picture: billed minutes and price of this stack, of the sample, and the limit."""

import math
import re
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from benchmarks.measure import Measurement
from benchmarks.results import Results
from sandbox.deploy import REPOSITORY

_CSS = (REPOSITORY / "custom_labels_batch" / "report" / "web" / "page.css").read_text(encoding="utf-8")
_FONT = "Arial, sans-serif"
_ROW_PIXELS = 34

Drawing = Any
"""A chart of Altair, whose methods are typed too widely to be chained under strict typing."""


def _colour(name: str) -> str:
    """A colour of the report, light."""
    found = re.search(rf"--{name}: (#[0-9a-f]+)", _CSS)
    if found is None:
        raise ValueError(f"page.css has no colour {name}")
    return found[1]


_INK, _MUTED, _LINE, _PAPER = (_colour(name) for name in ("ink", "muted", "line", "paper"))
_OURS, _SAMPLE, _LIMIT = "this stack", "published sample", "limit (images / TPS)"
_COLOURS = {_OURS: _colour("label-0"), _SAMPLE: _colour("label-1"), _LIMIT: _INK}


def draw(results: Results, folder: Path, name: str) -> None:
    """Write the picture as SVG and PNG."""
    specification = _drawing(results).to_dict()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.svg").write_text(vl_convert.vegalite_to_svg(specification), encoding="utf-8")
    (folder / f"{name}.png").write_bytes(vl_convert.vegalite_to_png(specification, scale=2))


def _drawing(results: Results) -> Drawing:
    rows = [_row(results, each) for each in results.measurements if not each.is_baseline]
    order = [row["row"] for row in rows]
    minutes = _panel(_points(rows, "minutes"), order, "Billed inference-unit minutes", 390, labels=True)
    price = _panel(_points(rows, "price"), order, "USD for 1,000 images, at list prices", 215)
    return (
        alt.hconcat(minutes, price, spacing=28)
        .configure(background=_PAPER, font=_FONT, padding={"left": 8, "right": 8, "top": 12, "bottom": 10})
        .configure_view(stroke=None)
        .configure_text(font=_FONT)
        .configure_axis(labelColor=_MUTED, gridColor=_LINE, domain=False, ticks=False, labelFontSize=12)
        .configure_title(fontSize=14, color=_INK, anchor="start", offset=10)
        .configure_legend(
            orient="bottom", title=None, labelFontSize=13, labelColor=_INK, columnPadding=24, offset=14, symbolOpacity=1
        )
    )


def _row(results: Results, measurement: Measurement) -> dict[str, Any]:
    baseline = results.baseline_of(measurement)
    variant = measurement.policy.partition(", ")[2]
    name = measurement.workload
    if measurement.images != measurement.planned_images:
        name = f"{name} ({measurement.images:,} measured)"
    return {
        "row": f"{name}, {variant}" if variant else name,
        "minutes": {
            _OURS: measurement.billed_minutes,
            _SAMPLE: baseline.billed_minutes if baseline else None,
            _LIMIT: measurement.limit_minutes,
        },
        "price": {
            _OURS: 1000 * measurement.dollars_an_image,
            _SAMPLE: 1000 * baseline.dollars_an_image if baseline else None,
        },
    }


def _points(rows: list[dict[str, Any]], figure: str) -> list[dict[str, Any]]:
    return [
        {"row": row["row"], "who": who, "value": value, "told": f"{value:,.3g}" if value < 100 else f"{value:,.0f}"}
        for row in rows
        for who, value in row[figure].items()
        if value is not None
    ]


def _panel(points: list[dict[str, Any]], order: list[str], title: str, width: int, *, labels: bool = False) -> Drawing:
    """A row a workload, on a log scale: a line from the limit, or what this stack bills, to what the sample bills."""
    values = [point["value"] for point in points]
    base = alt.Chart(alt.InlineData(values=points)).encode(
        y=alt.Y(
            "row:N",
            sort=order,
            axis=alt.Axis(title=None, labels=labels, labelColor=_INK, labelPadding=10, labelLimit=300),
        ),
        x=alt.X(
            "value:Q",
            scale=alt.Scale(type="log", domain=[min(values) * 0.7, max(values) * 3], nice=False),
            axis=alt.Axis(title=None, format="~r", values=_powers(values), labelPadding=6),
        ),
    )
    colour = alt.Color(
        "who:N",
        scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values())),
        legend=alt.Legend() if labels else None,
    )
    span = base.mark_line(color=_LINE, strokeWidth=4).encode(detail="row:N")
    ours, sample, limit = (base.transform_filter(alt.datum.who == who) for who in (_OURS, _SAMPLE, _LIMIT))
    return alt.layer(
        span,
        limit.mark_tick(thickness=3, height=16, opacity=1).encode(color=colour),
        ours.mark_circle(size=130, opacity=1).encode(color=colour),
        sample.mark_circle(size=130, opacity=1).encode(color=colour),
        ours.mark_text(dy=-13, color=_COLOURS[_OURS], fontSize=12, fontWeight=600).encode(text="told:N"),
        sample.mark_text(dx=12, align="left", color=_COLOURS[_SAMPLE], fontSize=12, fontWeight=600).encode(
            text="told:N"
        ),
    ).properties(width=width, height=_ROW_PIXELS * len(order), title=title)


def _powers(values: list[float]) -> list[float]:
    """Powers of ten on the axis."""
    return [10.0**power for power in range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)]
