"""A stack's status on one screen."""

from datetime import datetime

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from custom_labels_batch.cli.alarms import Alarms, RaisedAlarm
from custom_labels_batch.cli.model import BILLED, MODEL_STYLES, Version
from custom_labels_batch.cli.stack_status import ActiveRun, PastRun, QueueState, Status
from custom_labels_batch.cli.wording import count, duration
from custom_labels_batch.report.visible_text import visible


def show(status: Status, console: Console | None = None) -> None:
    """Print it; in a pipe without colours, and 80 columns wide."""
    console = console or Console(highlight=False)
    console.print(Text.assemble((status.stack, "bold"), f", {status.region}, trigger {status.trigger}"))
    console.print()
    console.print(_queues(status.queues))
    console.print()
    console.print(_facts(status))
    if status.last_runs:
        console.print()
        console.print(_runs(status.last_runs))
        _show_cause(status.last_runs[0], console)


def _queues(queues: list[QueueState]) -> Table:
    table = _table()
    table.add_column("queue")
    for heading in ("waiting", "in flight", "delayed", "oldest", "dead letters"):
        table.add_column(heading, justify="right")
    for queue in queues:
        table.add_row(
            queue.name,
            f"{queue.waiting:,}",
            f"{queue.in_flight:,}",
            f"{queue.delayed:,}",
            duration(queue.oldest_minutes),
            Text(f"{queue.dead_letters:,}", "bold red" if queue.dead_letters else ""),
        )
    return table


def _facts(status: Status) -> Table:
    facts = Table(box=None, padding=(0, 1), show_header=False)
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    for version in status.model:
        facts.add_row("model", _model(version))
    if not status.model:
        facts.add_row("model", Text("no version can be started", "red"))
    if status.trigger == "schedule":
        facts.add_row("active run", _active(status.active_run) if status.active_run else "none")
        facts.add_row("next run", _next(status))
    if status.alarms:
        facts.add_row("alarms", _alarms(status.alarms))
        for alarm in status.alarms.raised:
            facts.add_row("", Text.assemble((alarm.name, "red"), f", {_clock(alarm.since)}: {_what_to_do(alarm)}"))
    return facts


def _model(version: Version) -> Text:
    text = Text.assemble(version.name, " ", (version.status, MODEL_STYLES.get(version.status, "bold")))
    if version.status in BILLED:
        text.append(f", {count(version.inference_units or 1, 'inference unit')}")
    return text


def _active(run: ActiveRun) -> str:
    what = "its model is being released" if run.is_released else f"{run.processed + run.rejected:,} images done"
    return f"{run.name}, for {duration(run.minutes)}; {what}, {run.backlog_at_start:,} waited when it began"


def _next(status: Status) -> str:
    schedule = status.schedule
    if schedule is None or not schedule.is_enabled:
        return "the schedule is switched off"
    if schedule.next_run is None:
        return f"none that can be told, by {schedule.expression}"
    wait = (schedule.next_run - status.now).total_seconds() / 60
    return f"{_clock(schedule.next_run)}, in {duration(wait)}, by {schedule.expression}"


def _alarms(alarms: Alarms) -> Text:
    unknown = f", {alarms.without_data} without data yet" if alarms.without_data else ""
    if not alarms.raised:
        return Text(f"none of {alarms.total} is raised{unknown}")
    return Text.assemble((f"{len(alarms.raised)} of {alarms.total} raised", "bold red"), unknown)


def _what_to_do(alarm: RaisedAlarm) -> str:
    return alarm.to_do or alarm.meaning


def _runs(runs: list[PastRun]) -> Table:
    table = _table()
    table.add_column("last runs", no_wrap=True)
    table.add_column("outcome")
    for heading in ("took", "labelled", "rejected", "units", "billed min"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in runs:
        table.add_row(
            _clock(run.started_at),
            Text(run.outcome, "" if run.outcome == "DRAINED" else "yellow"),
            duration(run.minutes),
            f"{run.processed:,}",
            f"{run.rejected:,}",
            str(run.inference_units),
            f"{run.billed_inference_unit_minutes:,.1f}",
        )
    return table


def _show_cause(newest: PastRun, console: Console) -> None:
    if newest.cause:
        console.print(Padding(Text(f"The last one: {visible(newest.cause)}", "yellow", overflow="fold"), (1, 0, 0, 1)))


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _table() -> Table:
    return Table(box=None, padding=(0, 1), header_style="dim")
