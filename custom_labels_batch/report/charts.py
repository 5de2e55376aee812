"""The report's charts: Vega-Altair drawings, turned into SVG when the report is written.

An SVG of some kilobytes instead of Vega's 900 kB of JavaScript: nothing to load, nothing to run, colours by
CSS variables (so light and dark are one drawing), and it prints. Marks that filter the gallery are links.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

from custom_labels_batch.report.data import Image, Report, Run, Sample
from custom_labels_batch.report.figures import Figures, minutes_between
from custom_labels_batch.report.palette import OTHER, Palette
from custom_labels_batch.report.visible_text import shortened

_INK, _MUTED, _LINE = "var(--ink)", "var(--muted)", "var(--line)"
_LINK_BASE = 'xlink:href="https://vega.github.io/vega-datasets/#'
_MAX_SAMPLES = 240
_FEWEST_BARS, _MOST_BARS = 12, 28
_STEPS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 20160, 43200, 129600)
_RELATIVE_UP_TO_MINUTES = 180
_MILLISECONDS_A_DAY = 86_400_000

Drawing = Any
"""A chart of Altair, whose methods are typed too widely to be chained under strict typing."""


@dataclass(frozen=True)
class Chart:
    """One drawing for desktops and one for phones; CSS shows the right one."""

    wide: Markup
    narrow: Markup


@dataclass(frozen=True)
class _Extent:
    """Pixels of the plot and of its letters."""

    width: int
    height: int
    font: int = 12


def donut(figures: Figures, palette: Palette) -> Markup:
    """Share of each label, of all labels given."""
    counts: Counter[str] = Counter()
    for label in figures.labels:
        counts[palette.number(label.name)] += label.count
    names = [*palette.named, "other labels"]
    rows = [
        {
            "order": order,
            "count": count,
            "colour": f"var(--label-{number})",
            "href": f"#label={number}",
            "told": f"{shortened(names[order], 60)}: {count:,} ({count / counts.total():.0%})",
        }
        for order, (number, count) in enumerate(counts.items())
    ]
    pie = (
        _chart(rows)
        .properties(width=220, height=220)
        .mark_arc(innerRadius=74, outerRadius=108, padAngle=0.012 if len(rows) > 1 else 0, cornerRadius=2)
        .encode(
            theta=alt.Theta("count:Q", stack=True),
            order="order:O",
            color=alt.Color("colour:N", scale=None),
            href="href:N",
            description="told:N",
        )
    )
    return _svg(pie, f"{counts.total():,} labels by name")


def over_time(report: Report, palette: Palette) -> Chart | None:
    """Labels given in each slice of time, stacked; None when no label has a time."""
    given = [
        (image.processed_at, label.name) for image in report.images if image.processed_at for label in image.labels
    ]
    if not given:
        return None
    axis = _TimeAxis(report, [moment for moment, _ in given])
    counts: Counter[tuple[int, str]] = Counter((axis.slice(at), palette.number(name)) for at, name in given)
    rows = list(_stacked(counts, axis, palette))
    most = max(row["high"] for row in rows)

    def draw(extent: _Extent) -> Drawing:
        bars = (
            _chart(rows)
            .properties(width=extent.width, height=extent.height)
            .mark_rect(stroke="var(--paper)", strokeWidth=0.6)
        )
        return bars.encode(
            x=axis.x(extent),
            x2="end",
            y=_counts("low", most, extent),
            y2="high",
            color=alt.Color("colour:N", scale=None),
            href="href:N",
            description="told:N",
        )

    return _both(draw, "Labels over time", _Extent(500, 190), _Extent(310, 170))


def histogram(images: Iterable[Image], palette: Palette, threshold: float | None) -> Chart | None:
    """How sure the model was of the labels it gave; None without labels."""
    given = [(label.confidence, label.name) for image in images for label in image.labels]
    if not given:
        return None
    lowest = min(min(confidence for confidence, _ in given), 100 if threshold is None else threshold)
    start = max(0, min(90, math.ceil(lowest / 10) * 10 - 10))  # below the threshold, so that its line is seen
    step = (100 - start) / 20
    counts: Counter[tuple[int, str]] = Counter(
        (min(19, int((confidence - start) / step)), palette.number(name)) for confidence, name in given
    )
    rows = list(_stacked(counts, _ConfidenceAxis(start, step), palette))
    most = max(row["high"] for row in rows)

    def draw(extent: _Extent) -> Drawing:
        base = _chart(rows).properties(width=extent.width, height=extent.height)
        x = alt.X("begin:Q", scale=alt.Scale(domain=[start, 100], nice=False), axis=_axis("confidence, %", extent, 6))
        bars = base.mark_rect(stroke="var(--paper)", strokeWidth=0.6).encode(
            x=x,
            x2="end",
            y=_counts("low", most, extent),
            y2="high",
            color=alt.Color("colour:N", scale=None),
            href="href:N",
            description="told:N",
        )
        return bars if threshold is None or threshold <= start else alt.layer(bars, *_threshold(threshold, extent))

    return _both(draw, "Confidence of the labels", _Extent(500, 170), _Extent(310, 160))


def timeline(run: Run) -> Chart | None:
    """What the model and the images did during one run; None when nothing is known of it."""
    ends = [*(state.end for state in run.states), *(sample.minute for sample in (*run.backlog, *run.done))]
    if not ends:
        return None
    end = max(*ends, run.duration_minutes, 0.01)

    def draw(extent: _Extent) -> Drawing:
        band = _Extent(extent.width, 24, extent.font)
        drawing = alt.vconcat(_images_plot(run, end, extent), _states_band(run, end, band), spacing=6)
        return drawing.resolve_scale(x="shared")

    return _both(draw, f"Timeline of {run.name}", _Extent(1040, 250, 12), _Extent(310, 200, 11))


class _TimeAxis:
    """Slices of time: minutes since the start where the report is short or its time simulated, else UTC."""

    def __init__(self, report: Report, moments: Sequence[datetime]) -> None:
        starts = [run.started_at for run in report.runs if run.started_at and run.started_at <= min(moments)]
        self._scale = report.time_scale
        self._of_run = bool(starts)
        self._origin = min(starts, default=min(moments))
        first, last = (minutes_between(self._origin, at, self._scale) for at in (min(moments), max(moments)))
        self._relative = self._scale != 1 or last <= _RELATIVE_UP_TO_MINUTES
        if not self._relative:
            self._origin = self._origin.replace(hour=0, minute=0, second=0, microsecond=0)
            first, last = (minutes_between(self._origin, at, self._scale) for at in (min(moments), max(moments)))
        self._step = next((step for step in _STEPS if (last - first) / step <= _MOST_BARS), _STEPS[-1])
        self._first, self._last = int(first // self._step), int(last // self._step)
        # Few slices are not blown up to fill the width.
        self._last = max(self._last, self._first + _FEWEST_BARS - 1)

    def slice(self, moment: datetime) -> int:
        return int(minutes_between(self._origin, moment, self._scale) // self._step)

    def bounds(self, slice_: int) -> tuple[float, float]:
        """As Vega takes them: minutes, or milliseconds since the epoch."""
        if self._relative:
            return slice_ * self._step, (slice_ + 1) * self._step
        origin = self._origin.timestamp() * 1000
        return origin + slice_ * self._step * 60_000, origin + (slice_ + 1) * self._step * 60_000

    def text(self, slice_: int) -> str:
        begin = slice_ * self._step
        if self._relative:
            return f"minute {begin:g} to {begin + self._step:g}"
        moment = datetime.fromtimestamp(self.bounds(slice_)[0] / 1000, self._origin.tzinfo)
        return f"{moment:%d %b %Y}" if self._step >= 1440 else f"{moment:%d %b %H:%M}"

    def href(self, number: str, slice_: int) -> str:  # noqa: ARG002 - a time does not filter
        return f"#label={number}"

    def x(self, extent: _Extent) -> alt.X:
        domain = [self.bounds(self._first)[0], self.bounds(self._last)[1]]
        ticks = 4 if extent.width < 400 else 7
        if self._relative:
            domain[0] = min(domain[0], 0 if self._first * self._step < 0.3 * self._last * self._step else domain[0])
            axis = _axis(f"minutes since the {'run began' if self._of_run else 'first result'}", extent, ticks)
            return alt.X("begin:Q", scale=alt.Scale(domain=domain, nice=False), axis=axis)
        scale = alt.Scale(type="utc", domain=domain, nice=False)
        days = (domain[1] - domain[0]) / _MILLISECONDS_A_DAY
        axis = _axis("time, UTC", extent, ticks)
        axis.format = "%-d %b" if days > 2 else "%-d %b %H:%M"
        if days > 2:
            axis.tickCount = alt.TimeIntervalStep(interval="day", step=math.ceil(days / ticks))
        return alt.X("begin:T", scale=scale, axis=axis)


@dataclass(frozen=True)
class _ConfidenceAxis:
    start: float
    step: float

    def bounds(self, slice_: int) -> tuple[float, float]:
        return self.start + slice_ * self.step, self.start + (slice_ + 1) * self.step

    def text(self, slice_: int) -> str:
        begin, end = self.bounds(slice_)
        return f"{begin:g} to {end:g} %"

    def href(self, number: str, slice_: int) -> str:
        return f"#label={number}&confidence={self.bounds(slice_)[0]:g}"


def _stacked(
    counts: Counter[tuple[int, str]], axis: _TimeAxis | _ConfidenceAxis, palette: Palette
) -> Iterable[dict[str, Any]]:
    order = [*(palette.number(name) for name in palette.named), OTHER]
    height: Counter[int] = Counter()
    for (slice_, number), count in sorted(counts.items(), key=lambda item: (item[0][0], order.index(item[0][1]))):
        begin, end = axis.bounds(slice_)
        name = "other labels" if number == OTHER else shortened(palette.named[int(number)], 60)
        yield {
            "begin": begin,
            "end": end,
            "low": height[slice_],
            "high": height[slice_] + count,
            "colour": f"var(--label-{number})",
            "href": axis.href(number, slice_),
            "told": f"{name}, {axis.text(slice_)}: {count:,}",
        }
        height[slice_] += count


def _threshold(threshold: float, extent: _Extent) -> tuple[Drawing, Drawing]:
    base = _chart([{"at": threshold, "told": f"threshold {threshold:g} %"}])
    rule = base.mark_rule(color=_INK, strokeDash=[3, 3]).encode(x="at:Q")
    text = base.mark_text(align="center", y=-5, baseline="bottom", color=_INK, fontSize=extent.font).encode(
        x="at:Q", text="told:N"
    )
    return rule, text


def _images_plot(run: Run, end: float, extent: _Extent) -> Drawing:
    """Backlog falling and images done rising, over the time that is billed."""
    x = alt.X("minute:Q", scale=alt.Scale(domain=[0, end], nice=False), axis=_axis("", extent, labels=False))
    billed = [{"minute": p.begin, "end": p.end, "told": _billed_text(p.end - p.begin)} for p in run.billed]
    shade = _chart(billed).mark_rect(color="var(--billed)").encode(x=x, x2="end", description="told:N")
    layers: list[Drawing] = [shade]
    most = max((sample.count for sample in (*run.backlog, *run.done)), default=1)
    for samples, colour, filled in ((run.backlog, "var(--backlog)", True), (run.done, "var(--done)", False)):
        if samples:
            layers.append(_line(samples, end, most, x, colour, extent, filled=filled))
    return alt.layer(*layers).properties(width=extent.width, height=extent.height)


def _line(
    samples: Sequence[Sample], end: float, most: int, x: alt.X, colour: str, extent: _Extent, *, filled: bool
) -> Drawing:
    kept = _thinned(samples)
    rows = [{"minute": sample.minute, "count": sample.count} for sample in kept]
    rows.append({"minute": max(end, kept[-1].minute), "count": kept[-1].count})
    chart = _chart(rows)
    line = {"color": colour, "strokeWidth": 2}
    mark = (
        chart.mark_area(interpolate="step-after", line=line, color=colour, fillOpacity=0.14)
        if filled
        else chart.mark_line(interpolate="step-after", **line)
    )
    return mark.encode(x=x, y=_counts("count", most, extent))


def _thinned(samples: Sequence[Sample]) -> list[Sample]:
    """At most some hundred samples in order of time; the first, the last and every change of a short run stay."""
    ordered = sorted(samples, key=lambda sample: sample.minute)
    changes = [s for before, s in zip([None, *ordered], ordered, strict=False) if not before or s.count != before.count]
    kept = changes if changes[-1] is ordered[-1] else [*changes, ordered[-1]]
    if len(kept) <= _MAX_SAMPLES:
        return kept
    places = {round(number * (len(kept) - 1) / (_MAX_SAMPLES - 1)) for number in range(_MAX_SAMPLES)}
    return [kept[place] for place in sorted(places)]


def _states_band(run: Run, end: float, extent: _Extent) -> Drawing:
    rows = [
        {
            "minute": state.begin,
            "end": state.end,
            "middle": (state.begin + state.end) / 2,
            "colour": f"var(--state-{_STATE_COLOURS.get(state.status, 'off')})",
            "ink": "var(--state-on-ink)" if state.status in {"RUNNING", "FAILED"} else _INK,
            "name": _fitting(state.status, (state.end - state.begin) / end * extent.width, extent.font),
            "told": f"Model {state.status}: minute {state.begin:.1f} to {state.end:.1f}",
        }
        for state in run.states
        if state.end > state.begin
    ]
    x = alt.X(
        "minute:Q", scale=alt.Scale(domain=[0, end], nice=False), axis=_axis("minutes since the run began", extent)
    )
    base = _chart(rows)
    bands = base.mark_rect(cornerRadius=3, stroke="var(--paper)", strokeWidth=1.5).encode(
        x=x, x2="end", color=alt.Color("colour:N", scale=None), description="told:N"
    )
    names = base.mark_text(fontSize=extent.font - 1, fontWeight=600).encode(
        x="middle:Q", text="name:N", color=alt.Color("ink:N", scale=None)
    )
    return alt.layer(bands, names).properties(width=extent.width, height=extent.height)


_STATE_COLOURS = {"STARTING": "change", "RUNNING": "on", "STOPPING": "change", "FAILED": "failed"}


def _fitting(status: str, pixels: float, font: int) -> str:
    """The state's name, if its band is wide enough for it."""
    name = status.replace("_", " ").capitalize()
    return name if len(name) * font * 0.55 + 8 <= pixels else ""


def _billed_text(minutes: float) -> str:
    return f"billed: {minutes:.2f} minutes"


def _counts(field: str, most: int, extent: _Extent) -> alt.Y:
    step = next(step for step in _whole_steps() if most / step <= 5)
    axis = alt.Axis(
        title=None,
        values=list(range(0, most + step, step)),
        format=",d",
        grid=True,
        domain=False,
        ticks=False,
        labelFontSize=extent.font,
    )
    return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(domain=[0, max(most, 1)], nice=False))


def _whole_steps() -> Iterator[int]:
    """1, 2, 5, 10, 20, 50, ..."""
    return (digit * 10**power for power in itertools.count() for digit in (1, 2, 5))


def _axis(title: str, extent: _Extent, ticks: int | None = None, *, labels: bool = True) -> alt.Axis:
    return alt.Axis(
        title=title or None,
        tickCount=ticks or (5 if extent.width < 400 else 12),
        grid=False,
        domain=labels,
        ticks=False,
        labels=labels,
        labelPadding=6,
        titlePadding=8,
        labelFontSize=extent.font,
        titleFontSize=extent.font,
        labelFlush=True,
        labelOverlap=True,
    )


def _chart(rows: list[dict[str, Any]]) -> Drawing:
    return alt.Chart(alt.InlineData(values=rows))


def _both(draw: Callable[[_Extent], Drawing], told: str, wide: _Extent, narrow: _Extent) -> Chart:
    return Chart(_svg(draw(wide), told), _svg(draw(narrow), told))


def _svg(drawing: Drawing, told: str) -> Markup:
    """The drawing as inline SVG. Vega escapes texts; `told` says what it is to who cannot see it."""
    font = {"labelFont": "Arial", "titleFont": "Arial"}  # measured as Arial; the page's own font is close
    drawn = (
        drawing.configure(background="transparent", font="Arial", padding=1)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=_MUTED, titleColor=_MUTED, titleFontWeight="normal", gridColor=_LINE, domainColor=_LINE, **font
        )
    )
    svg = vl_convert.vegalite_to_svg(drawn.to_dict())
    named = f'<svg role="group" aria-label="{Markup.escape(shortened(told, 120))}"'
    return Markup(svg.replace(_LINK_BASE, 'href="#').replace("<svg", named, 1))  # noqa: S704 - built by Vega
