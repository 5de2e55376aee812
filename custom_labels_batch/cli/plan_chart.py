"""A comparison as a picture: what each schedule costs, beside how old its results get."""

from pathlib import Path
from typing import Any

import altair as alt

from custom_labels_batch.cli.comparison import Comparison, Row
from custom_labels_batch.cli.errors import InputError
from custom_labels_batch.cli.options import checked_file
from custom_labels_batch.cli.wording import duration, usd

SUFFIXES = (".html", ".svg", ".png")
PIXELS_A_POINT = 2

# The report's colours on light paper (report/web/page.css).
_PAPER, _INK, _MUTED, _LINE, _OTHER = "#ffffff", "#1d1d1b", "#65645f", "#e4e2dc", "#9d9b94"
_MODEL, _EVERYTHING_ELSE, _CHOSEN, _WANTED = "#3f74c0", "#e08a3c", "#43a07f", "#b3362b"

_ROW_HEIGHT, _COST_WIDTH, _AGE_WIDTH = 34, 300, 380
_AGE_TICKS = (1 / 60, 1 / 6, 1, 10, 60, 240, 1440, 10_080, 43_200)

Drawing = Any
"""A chart of Altair, whose methods are typed too widely to be chained under strict typing."""


def checked_chart_file(file: Path) -> Path:
    """A file that a chart can be written to.

    Raises
    ------
    InputError
        Naming the file and what is allowed.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise InputError(f"--chart {file}: allowed is a name that ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    return checked_file("--chart", file)


def draw(comparison: Comparison, title: str, file: Path) -> None:
    """Write the picture.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    picture = _picture(comparison, title)
    try:
        if file.suffix.lower() == ".html":
            picture.save(str(file), format="html", inline=True)  # Vega inside: it opens without a network
        else:
            picture.save(str(file), format=file.suffix[1:].lower(), scale_factor=PIXELS_A_POINT)
    except OSError as error:
        raise InputError(f"--chart {file}: it cannot be written ({error.strerror}); name another file") from None


def _picture(comparison: Comparison, title: str) -> Drawing:
    names = [row.name for row in comparison.rows]
    settings, wanted = comparison.question.settings, comparison.question.wanted_age_minutes
    told = f"The model starts in {settings.start_minutes:g} minutes; {settings.tps_per_inference_unit:g} TPS a unit"
    told += f"; wanted: every result within {duration(wanted)}" if wanted else ""
    return (
        alt.hconcat(_costs(comparison, names), _ages(comparison, names), spacing=28)
        .properties(
            title=alt.TitleParams(
                title,
                subtitle=f"{told}. USD in {comparison.question.days} days, at list prices.",
                anchor="start",
                fontSize=17,
                subtitleFontSize=12,
                subtitleColor=_MUTED,
                color=_INK,
                offset=22,
                subtitlePadding=5,
            )
        )
        .configure(background=_PAPER, font="Arial, Helvetica, sans-serif", padding=24)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=_INK, titleColor=_MUTED, titleFontWeight="normal", gridColor=_LINE, domain=False, ticks=False
        )
        .configure_legend(labelColor=_MUTED, title=None, orient="none", direction="horizontal", symbolType="square")
    )


def _costs(comparison: Comparison, names: list[str]) -> Drawing:
    rows = comparison.rows
    parts = [
        {"name": row.name, "of": of, "usd": value, "from": start, "to": start + value}
        for row in rows
        for of, start, value in (("model", 0.0, row.model_usd), ("everything else", row.model_usd, row.other_usd))
    ]
    base = alt.Chart(alt.InlineData(values=parts)).properties(width=_COST_WIDTH, height=alt.Step(_ROW_HEIGHT))
    y = _names(names, _labels_colour(comparison))
    most = max(row.usd for row in rows)
    scale = alt.Scale(domain=[0, most * 1.22], nice=False)
    bars = base.mark_bar(height=14, opacity=1).encode(
        y=y,
        x=alt.X("from:Q", scale=scale, axis=None),
        x2="to:Q",
        color=alt.Color(
            "of:N",
            scale=alt.Scale(domain=["model", "everything else"], range=[_MODEL, _EVERYTHING_ELSE]),
            legend=alt.Legend(legendX=0, legendY=-26),
        ),
        tooltip=["name:N", "of:N", alt.Tooltip("usd:Q", format=",.2f")],
    )
    totals = [{"name": row.name, "usd": row.usd, "told": usd(row.usd)} for row in rows]
    figures = (
        alt.Chart(alt.InlineData(values=totals))
        .mark_text(align="left", dx=6, color=_INK, fontSize=12)
        .encode(y=y, x=alt.X("usd:Q", scale=scale), text="told:N")
    )
    return alt.layer(bars, figures)


def _ages(comparison: Comparison, names: list[str]) -> Drawing:
    rows = [_age(row, comparison) for row in comparison.rows if row.median_age_minutes is not None]
    lowest = min((row["median"] for row in rows), default=1)
    highest = max([row["worst"] for row in rows] + [comparison.question.wanted_age_minutes or 1])
    domain = [max(lowest / 1.6, 1 / 120), highest * 2.6]
    ticks = [tick for tick in _AGE_TICKS if domain[0] <= tick <= domain[1]]
    told = "".join(f"datum.value == {tick} ? '{_tick_label(tick)}' : " for tick in ticks)
    x = alt.X(
        "median:Q",
        scale=alt.Scale(type="log", domain=domain, nice=False),
        axis=alt.Axis(
            values=ticks,
            labelExpr=f"{told}''",
            title="age of results:  | median   ○ 95 %   ● worst",
            labelColor=_MUTED,
            orient="top",
        ),
    )
    base = alt.Chart(alt.InlineData(values=rows)).properties(width=_AGE_WIDTH, height=alt.Step(_ROW_HEIGHT))
    y = alt.Y("name:N", sort=names, axis=None)
    colour = alt.Color("colour:N", scale=None)
    line = base.mark_rule(strokeWidth=2.5).encode(y=y, x=x, x2="worst:Q", color=colour)
    median = base.mark_tick(thickness=2.5, height=12, opacity=1).encode(y=y, x=x, color=colour)
    most = base.mark_point(filled=False, size=46, strokeWidth=2, fill=_PAPER, opacity=1).encode(
        y=y, x="age95:Q", stroke=colour
    )
    worst = base.mark_point(filled=True, size=80, opacity=1).encode(y=y, x="worst:Q", color=colour)
    text: dict[str, Any] = {"align": "left", "dx": 9, "fontSize": 12}
    halo = base.mark_text(**text, stroke=_PAPER, strokeWidth=4).encode(y=y, x="worst:Q", text="told:N")
    figures = base.mark_text(**text, color=_INK).encode(y=y, x="worst:Q", text="told:N")
    marks = [line, median, most, worst, halo, figures]
    return alt.layer(*_wanted(comparison), *marks)


def _age(row: Row, comparison: Comparison) -> dict[str, Any]:
    worst = row.worst_age_minutes or 0
    return {
        "name": row.name,
        "median": max(row.median_age_minutes or 0, 1 / 100),
        "age95": max(row.age_95_minutes or 0, 1 / 100),
        "worst": max(worst, 1 / 100),
        "told": "grows without end" if row.images_left else duration(worst),
        "colour": _CHOSEN if row is comparison.chosen else _OTHER if row.compared_with else _MODEL,
    }


def _wanted(comparison: Comparison) -> list[Drawing]:
    """A line at the wanted age."""
    minutes = comparison.question.wanted_age_minutes
    if not minutes:
        return []
    line = alt.Chart(alt.InlineData(values=[{"wanted": minutes}]))
    return [line.mark_rule(color=_WANTED, strokeDash=[4, 3], strokeWidth=1.5).encode(x="wanted:Q")]


def _tick_label(minutes: float) -> str:
    return duration(minutes).replace(".0 ", " ").replace("60 min", "1 h").replace("24 h", "1 d")


def _names(names: list[str], colour: Any) -> alt.Y:
    return alt.Y(
        "name:N",
        sort=names,
        axis=alt.Axis(title=None, labelFontSize=13, labelLimit=320, labelPadding=12, grid=False, labelColor=colour),
    )


def _labels_colour(comparison: Comparison) -> Any:
    dim = " || ".join(f"datum.value == '{row.name}'" for row in comparison.rows if row.compared_with)
    return {"condition": {"test": dim, "value": _MUTED}, "value": _INK}
