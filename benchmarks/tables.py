"""The bench's results as tables: for the terminal, docs/performance.md and README."""

from collections.abc import Callable, Iterable

from rich.table import Table

from benchmarks.measure import PARTS, Measurement
from benchmarks.results import Results

Cell = Callable[[Measurement], str]


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _dollars(value: float) -> str:
    """What costs next to nothing is not shown as nothing."""
    if 0 < value < 0.001:
        return "<0.001"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.1f}"


def terminal_tables(results: Results) -> list[Table]:
    """Minutes and speed; then everything else that AWS bills."""
    model: dict[str, Cell] = {
        "billed": lambda m: f"{m.billed_minutes:.2f}",
        "limit": lambda m: f"{m.limit_minutes:.2f}",
        "times\nlimit": lambda m: f"{m.times_limit:.2f}",
        "share of\nsample's": lambda m: _share(results.ratio_to_baseline(m)),
        "share\nof TPS": lambda m: _share(m.throughput),
        "refused\ncalls": lambda m: _share(m.throttled_share),
        "result:\nmedian": lambda m: f"{m.median_minutes:.1f}",
        "\n95 %": lambda m: f"{m.p95_minutes:.1f}",
        "\nworst": lambda m: f"{m.worst_minutes:.1f}",
        "\nlast": lambda m: f"{m.last_result_minute:.1f}",
    }
    rest: dict[str, Cell] = {
        "GB-s an\nimage": lambda m: f"{m.lambda_gb_seconds / m.images:.2f}",
        "transi-\ntions": lambda m: f"{m.state_transitions:,}",
        "mes-\nsages": lambda m: f"{m.messages:,}",
        **{
            part.replace(" ", "\n").replace("Bridge", "\nBridge").replace("Dynamo", "Dynamo\n"): _part(part)
            for part in PARTS
        },
        "all": lambda m: _dollars(1000 * m.dollars_an_image),
    }
    return [
        _table(results, "Billed inference-unit minutes, speed of the drain, and minutes from upload to result", model),
        _table(results, "Lambda, state transitions, requests to SQS and SNS; list price of 1,000 images in USD", rest),
    ]


def _part(name: str) -> Cell:
    return lambda m: _dollars(1000 * m.dollars[name] / m.images)


def _table(results: Results, title: str, columns: dict[str, Cell]) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("images", no_wrap=True)
    table.add_column("policy", no_wrap=True)
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for name, measurement in _named(results.measurements):
        table.add_row(name, measurement.policy, *(cell(measurement) for cell in columns.values()))
    return table


def markdown(results: Results) -> str:
    """Every measurement, for docs/performance.md."""
    columns: dict[str, Cell] = {
        "billed minutes": lambda m: f"{m.billed_minutes:.2f}",
        "times limit": lambda m: f"{m.times_limit:.2f}",
        "of the sample's": lambda m: _share(results.ratio_to_baseline(m)),
        "of TPS": lambda m: _share(m.throughput),
        "refused calls": lambda m: _share(m.throttled_share),
        "minutes to result: median": lambda m: f"{m.median_minutes:.1f}",
        "worst": lambda m: f"{m.worst_minutes:.1f}",
        "USD for 1,000 images": lambda m: _dollars(1000 * m.dollars_an_image),
    }
    lines = [
        "| images | policy | " + " | ".join(columns) + " |",
        "| --- | --- |" + " ---: |" * len(columns),
        *(
            f"| {name} | {m.policy} | " + " | ".join(cell(m) for cell in columns.values()) + " |"
            for name, m in _named(results.measurements)
        ),
    ]
    return "\n".join([*lines, *(f"\n{note}" for note in results.notes)]) + "\n"


def headline(results: Results) -> str:
    """What images cost that are there at once, beside the published sample, for README."""
    lines = [
        "| images at once | billed minutes | *sample* | cost, USD | *sample* | last result after | *sample* |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for ours in results.measurements:
        sample = results.baseline_of(ours)
        if sample and not ours.is_baseline and ours.workload.endswith("at once"):
            pairs = zip(_headline_cells(ours), _headline_cells(sample), strict=True)
            cells = " | ".join(f"**{here}** | {there}" for here, there in pairs)
            lines.append(f"| {ours.images:,} | {cells} |")
    return "\n".join(lines) + "\n"


def _headline_cells(m: Measurement) -> tuple[str, str, str]:
    return f"{m.billed_minutes:.1f}", f"{m.images * m.dollars_an_image:.2f}", f"{m.worst_minutes:.1f} min"


def _named(measurements: Iterable[Measurement]) -> Iterable[tuple[str, Measurement]]:
    """Each with its workload's name, where that is not the one above's."""
    above = ""
    for each in measurements:
        yield ("" if each.workload == above else each.workload), each
        above = each.workload
