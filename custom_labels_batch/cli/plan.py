"""`plan`: what a stack would cost and how old its results would get, before anything is deployed."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, available_timezones

import typer

from custom_labels_batch.cli.errors import InputError
from custom_labels_batch.cli.options import number, whole_number
from custom_labels_batch.cli.plan_choices import DEFAULT_SCHEDULES, Shape
from custom_labels_batch.cli.wording import count
from custom_labels_batch.rules import limits

if TYPE_CHECKING:
    from custom_labels_batch.cli.arrivals import Arrivals, Recording

_ARRIVALS, _STACK, _ANSWER = "What arrives", "The stack's settings", "The answer"

FIRST_DAY = datetime(2024, 1, 1)
"""A Monday. Any would do, but a plan is the same whenever it is asked for."""

_SPREAD = {
    Shape.EVENLY: "spread over the day",
    Shape.OFFICE_HOURS: "from 8 to 18 o'clock on working days",
    Shape.NIGHTLY: "delivered at 2 o'clock",
}

EXAMPLES = """[bold]Examples[/bold]

clb plan --images-per-day 5000

clb plan --images-per-day 5000 --arrive office-hours --max-age-minutes 90

clb plan --arrivals uploads.csv --max-units 4 --target-drain-minutes 20 --chart plan.png

clb plan --images-per-day 200 --schedule "rate(1 hour)" --schedule "cron(0 6,18 * * ? *)"

A CSV file has one ISO time a line, and after a comma how many images came, if more than one: 2026-11-22T08:30:00,12
"""


def plan(
    images_per_day: Annotated[
        int | None, whole_number("Images a day.", 1, 10_000_000, _ARRIVALS, show_default=False)
    ] = None,
    arrivals: Annotated[
        Path | None,
        typer.Option(help="CSV file of times instead.", rich_help_panel=_ARRIVALS, show_default=False, metavar="FILE"),
    ] = None,
    arrive: Annotated[
        Shape,
        typer.Option(
            help="A day's images come evenly over the day, from 8 to 18 o'clock Monday to Friday (office-hours), or "
            "all at 2 o'clock (nightly).",
            rich_help_panel=_ARRIVALS,
            metavar="SHAPE",
        ),
    ] = Shape.EVENLY,
    days: Annotated[int, whole_number("Days to simulate, from a Monday on.", 1, 92, _ARRIVALS)] = 30,
    start_minutes: Annotated[float, number("Minutes the model takes to start.", 0, 60, _STACK)] = 10,
    tps: Annotated[
        float,
        number(
            "Images a second that a unit labels (tpsPerInferenceUnit).", *limits.TPS_PER_INFERENCE_UNIT.ends, _STACK
        ),
    ] = 5,
    max_units: Annotated[
        int, whole_number("Most units of a run (maxInferenceUnits).", *limits.MAX_INFERENCE_UNITS.ends, _STACK)
    ] = limits.MAX_INFERENCE_UNITS.default,
    target_drain_minutes: Annotated[
        int,
        whole_number(
            "Minutes to work off a backlog in (targetDrainMinutes).", *limits.TARGET_DRAIN_MINUTES.ends, _STACK
        ),
    ] = limits.TARGET_DRAIN_MINUTES.default,
    max_run_minutes: Annotated[
        int, whole_number("Minutes after which a run ends (maxRunMinutes).", *limits.MAX_RUN_MINUTES.ends, _STACK)
    ] = limits.MAX_RUN_MINUTES.default,
    min_batch_size: Annotated[
        int, whole_number("Images worth starting the model for (minBatchSize).", *limits.MIN_BATCH_SIZE.ends, _STACK)
    ] = limits.MIN_BATCH_SIZE.default,
    max_queue_age_minutes: Annotated[
        int,
        whole_number(
            "Minutes after which fewer are, too (maxQueueAgeMinutes).", *limits.MAX_QUEUE_AGE_MINUTES.ends, _STACK
        ),
    ] = limits.MAX_QUEUE_AGE_MINUTES.default,
    schedule: Annotated[
        list[str] | None,
        typer.Option(
            help="Schedule to compare; repeat it for several. Without one: " + ", ".join(DEFAULT_SCHEDULES) + ".",
            rich_help_panel=_STACK,
            show_default=False,
            metavar="EXPR",
        ),
    ] = None,
    timezone: Annotated[
        str,
        typer.Option(help="Of schedules and arrivals (scheduleTimezone).", rich_help_panel=_STACK, metavar="NAME"),
    ] = "UTC",
    stacks: Annotated[int, whole_number("Stacks that share the images evenly.", 1, 1000, _STACK)] = 1,
    max_age_minutes: Annotated[
        float | None,
        number(
            "Wanted age of results, in minutes: no image may wait longer for its own.",
            0.01,
            43_200,
            _ANSWER,
            show_default=False,
        ),
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option(
            help="Draw cost beside age into this .html, .svg or .png.",
            rich_help_panel=_ANSWER,
            show_default=False,
            metavar="FILE",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.", rich_help_panel=_ANSWER)] = False,
) -> None:
    """What a month would cost, and how old results would get, for several schedules side by side.

    Simulates the stack's workflow, the published sample's policy and a model that always runs; needs no AWS account.
    """
    # NumPy and Altair take longer to import than `status` takes to answer.
    from custom_labels_batch.cli.comparison import Question, compare
    from custom_labels_batch.cli.plan_report import as_json, report_console, show
    from custom_labels_batch.cli.scheduled_runs import ScheduledRuns
    from custom_labels_batch.cli.schedules import pause_of

    zone = _zone(timezone)
    chart_file = _checked(chart) if chart else None
    schedules = list(dict.fromkeys(schedule or DEFAULT_SCHEDULES))
    for expression in schedules:
        pause_of(expression, timezone)
    images, begin, note = _arrivals(images_per_day, arrivals, arrive, days, zone)
    settings = ScheduledRuns(
        start_minutes=start_minutes,
        tps_per_inference_unit=tps,
        max_inference_units=max_units,
        target_drain_minutes=target_drain_minutes,
        max_run_minutes=max_run_minutes,
        min_batch_size=min_batch_size,
        max_queue_age_minutes=max_queue_age_minutes,
    )
    comparison = compare(Question(images, begin, days, timezone, settings, schedules, stacks, max_age_minutes))
    if chart_file:
        from custom_labels_batch.cli.plan_chart import draw

        draw(comparison, note[:1].upper() + note[1:], chart_file)
    if json:
        typer.echo(as_json(comparison))
        return
    console = report_console()
    show(comparison, note, console)
    if chart_file:
        console.print(f"\nChart: {chart_file}", soft_wrap=True, markup=False)


def _checked(chart: Path) -> Path:
    from custom_labels_batch.cli.plan_chart import checked_chart_file

    return checked_chart_file(chart)


def _arrivals(
    images_per_day: int | None, file: Path | None, shape: Shape, days: int, zone: ZoneInfo
) -> tuple["Arrivals", datetime, str]:
    """Images, midnight before the first, and how to call them."""
    from custom_labels_batch.cli.arrivals import daily, read_csv

    if (images_per_day is None) == (file is None):
        raise InputError("--images-per-day or --arrivals: exactly one of them is needed; try --images-per-day 5000")
    if file is None:
        images = images_per_day or 0
        return (
            daily(images, days, shape),
            FIRST_DAY.replace(tzinfo=zone),
            f"{count(images, 'image')} a day, {_SPREAD[shape]}",
        )
    if shape is not Shape.EVENLY:
        raise InputError(f"--arrive {shape.value}: the times come from --arrivals {file}; leave one of the two out")
    return _recorded(read_csv(file, zone), file, days)


def _recorded(recording: "Recording", file: Path, days: int) -> tuple["Arrivals", datetime, str]:
    if recording.days > days:
        note = f"the first {days} of {recording.days} days in {file.name}"
        return recording.arrivals.within(days), recording.begin, note
    repeated = f", repeated for {days} days" if recording.days < days else ""
    note = f"{count(recording.days, 'day')} in {file.name}{repeated}"
    return recording.arrivals.repeated(recording.days, days), recording.begin, note


def _zone(name: str) -> ZoneInfo:
    if name not in available_timezones():
        raise InputError(
            f"--timezone {name!r}: allowed is a name of the IANA time zone database, such as Europe/Berlin"
        )
    return ZoneInfo(name)
