"""A comparison as an operator reads it: a table, a picture in text, and what follows from them; or JSON."""

import json
from dataclasses import asdict
from typing import Any

from pydantic.alias_generators import to_camel
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from custom_labels_batch.cli.comparison import ALWAYS, Comparison, Row
from custom_labels_batch.cli.wording import count, duration, share, usd

_BAR_WIDTH = 16
_WIDTH = 100
_EIGHTHS = " ▏▎▍▌▋▊▉"


def report_console() -> Console:
    """The terminal; where there is none, as wide as a table needs."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH)


def show(comparison: Comparison, arrivals: str, console: Console) -> None:
    """Print all of it.

    Parameters
    ----------
    arrivals
        How the images are called in the heading.
    """
    settings, question = comparison.question.settings, comparison.question
    console.print(
        f"[bold]{escape(arrivals)}[/bold] ({count(question.arrivals.total, 'image')} in {count(question.days, 'day')})"
    )
    stacks = f"{question.stacks} stacks, each with up to " if question.stacks > 1 else "up to "
    console.print(
        f"The model starts in {settings.start_minutes:g} minutes; {stacks}"
        f"{count(settings.max_inference_units, 'inference unit')} of {settings.tps_per_inference_unit:g} TPS.\n"
    )
    console.print(_table(comparison))
    console.print()
    console.print(Padding(_bars(comparison), (0, 0, 0, 1)))
    console.print()
    for line in conclusions(comparison):
        console.print(line, soft_wrap=False)


def _table(comparison: Comparison) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 1), collapse_padding=True, header_style="dim")
    table.add_column("\nschedule", overflow="fold")
    for heading in ("model\nUSD", "other\nUSD", "billed\nminutes", "\nidle", "\nruns", "median\nage", "95 %\nage"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("worst\nage", "most\nunits"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in comparison.rows:
        style = "bold" if row is comparison.chosen else "dim" if row.compared_with else ""
        table.add_row(*_cells(row), style=style)
    return table


def _cells(row: Row) -> list[str]:
    return [
        row.name,
        usd(row.model_usd),
        usd(row.other_usd),
        f"{row.billed_minutes:,.{0 if row.billed_minutes >= 10 else 1}f}",
        share(row.idle_share),
        f"{row.runs:,}",
        duration(row.median_age_minutes),
        duration(row.age_95_minutes),
        "grows" if row.images_left else duration(row.worst_age_minutes),
        str(row.most_units),
    ]


def _bars(comparison: Comparison) -> Table:
    """Cost and the oldest result, as lengths."""
    most_usd = max(row.usd for row in comparison.rows)
    most_age = max((row.worst_age_minutes or 0 for row in comparison.rows), default=0) or 1
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    table.add_row("", Text("cost in USD", style="dim"), Text("oldest result", style="dim"))
    for row in comparison.rows:
        colour = "dim" if row.compared_with else "green" if row is comparison.chosen else "blue"
        age = "grows" if row.images_left else duration(row.worst_age_minutes)
        table.add_row(
            Text(row.name, style="dim" if row.compared_with else ""),
            Text.assemble((_bar(row.usd / most_usd), colour), f" {usd(row.usd)}"),
            Text.assemble((_bar((row.worst_age_minutes or 0) / most_age), colour), f" {age}"),
        )
    return table


def _bar(part: float) -> str:
    """A bar in eighths of a character; never nothing for something."""
    eighths = max(1, round(part * _BAR_WIDTH * 8))
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).strip()


def conclusions(comparison: Comparison) -> list[str]:
    """What to do, in sentences."""
    refused = [
        f"{schedule}: the stack refuses --min-batch-size here, because an image must be able to wait for two ticks; "
        f"it takes --max-queue-age-minutes {age} or more. The row shows runs at every tick that finds images."
        for schedule, age in comparison.refused.items()
    ]
    return [*refused, *_warnings(comparison), *_answer(comparison)]


def _warnings(comparison: Comparison) -> list[str]:
    question = comparison.question
    rate = question.arrivals.total / question.days / 86_400
    most = question.stacks * question.settings.max_inference_units * question.settings.rate
    if comparison.grows:
        return [
            f"[bold]The backlog grows without end:[/bold] {rate:.1f} images arrive a second on average, and "
            f"{count(question.settings.max_inference_units * question.stacks, 'inference unit')} can label {most:.1f}. "
            f"Use --max-units {comparison.units_needed} or more"
            + (f" on each of {question.stacks} stacks." if question.stacks > 1 else ", or more --stacks.")
        ]
    short = [row for row in comparison.rows if row.images_left and not row.compared_with]
    return [f"{row.name} leaves {count(row.images_left, 'image')} unlabelled: it does not keep up." for row in short]


def _answer(comparison: Comparison) -> list[str]:
    wanted, chosen, nearest = comparison.question.wanted_age_minutes, comparison.chosen, comparison.nearest
    if chosen and wanted is None:
        return [
            f"Cheapest: [bold]{chosen.name}[/bold], {usd(chosen.usd)} USD. Its oldest result is "
            f"{duration(chosen.worst)} old; say --max-age-minutes to choose by age."
        ]
    if chosen:
        return [
            f"Cheapest with every result within {duration(wanted)}: [bold]{chosen.name}[/bold], {usd(chosen.usd)} USD; "
            f"its oldest result is {duration(chosen.worst)} old."
        ]
    if wanted is None:
        return [] if comparison.grows else ["None of these schedules labels all images."]
    come = (
        f"; nearest comes {nearest.name}, with {duration(nearest.worst)} for {usd(nearest.usd)} USD" if nearest else ""
    )
    return [
        f"[bold]No schedule here gives every result within {duration(wanted)}[/bold]{come}.",
        _help(comparison, wanted),
    ]


def _help(comparison: Comparison, wanted: float) -> str:
    settings, advice = comparison.question.settings, comparison.advice
    always = next(row for row in comparison.rows if row.name == ALWAYS)
    if advice:
        units, target = advice.settings.max_inference_units, advice.settings.target_drain_minutes
        options = [f'--schedule "{advice.row.name}"']
        options += [f"--max-units {units}"] if units > settings.max_inference_units else []
        options += [f"--target-drain-minutes {target:g}"] if target != settings.target_drain_minutes else []
        run = advice.settings.max_run_minutes
        options += [f"--max-run-minutes {run:g}"] if run != settings.max_run_minutes else []
        options += ["--min-batch-size 1"] if settings.min_batch_size > 1 else []
        return f"What would: {' '.join(options)}: {duration(advice.row.worst)} for {usd(advice.row.usd)} USD."
    if wanted <= settings.start_minutes + 1:
        reason = f"No run can: the model alone takes {settings.start_minutes:g} minutes to start."
    else:
        reason = "Shorter schedules and more inference units do not get there either."
    return f"{reason} A model that always runs (trigger: upload) costs {usd(always.usd)} USD: {duration(always.worst)}."


def as_json(comparison: Comparison) -> str:
    """Everything, for programs."""
    question = comparison.question
    answer: dict[str, Any] = {
        "images": question.arrivals.total,
        "days": question.days,
        "stacks": question.stacks,
        "timezone": question.timezone,
        "wantedAgeMinutes": question.wanted_age_minutes,
        "settings": {name: value for name, value in asdict(question.settings).items() if name != "longest_pause"},
        "schedules": [{**asdict(row), "usd": row.usd} for row in comparison.rows],
        "chosen": comparison.chosen.name if comparison.chosen else None,
        "nearest": comparison.nearest.name if comparison.nearest else None,
        "advice": _advice_json(comparison),
        "unitsNeeded": comparison.units_needed,
        "backlogGrows": comparison.grows,
        "refused": [{"schedule": name, "needs_max_queue_age_minutes": age} for name, age in comparison.refused.items()],
    }
    return json.dumps(_camel(answer), indent=2, allow_nan=False)


def _advice_json(comparison: Comparison) -> dict[str, Any] | None:
    advice = comparison.advice
    if not advice:
        return None
    settings = {name: value for name, value in asdict(advice.settings).items() if name != "longest_pause"}
    return {
        "schedule": advice.row.name,
        "settings": settings,
        "worst_age_minutes": advice.row.worst,
        "usd": advice.row.usd,
    }


def _camel(value: Any) -> Any:
    """Keys as the stack's settings are written."""
    if isinstance(value, dict):
        return {to_camel(key): _camel(item) for key, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value
