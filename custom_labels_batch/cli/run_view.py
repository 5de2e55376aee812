"""A run on the console: what is new, line by line, and on a terminal how far it is."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from custom_labels_batch.cli.model import MODEL_STYLES
from custom_labels_batch.cli.run_watch import Look
from custom_labels_batch.cli.wording import count, duration

_BAR_WIDTH = 24


class RunView:
    """Shows looks at a run; a context manager, which leaves only the lines.

    Example
    -------
    >>> with RunView(Console()) as view:
    ...     for look in follow(stack, run_arn):
    ...         view.show(look)
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, transient=True, auto_refresh=False) if console.is_terminal else None
        self._told: tuple[str, str] | None = None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, look: Look) -> None:
        """Print what is new, and draw how far it is."""
        news = (look.state, look.model_status)
        if news != self._told:
            self._told = news
            self._console.print(_line(look))
        if self._live:
            self._live.update(_picture(look), refresh=True)


def _line(look: Look) -> Text:
    text = Text.assemble((f"  minute {look.minutes:5.1f}", "dim"), f"  {look.state}")
    if look.model_status:
        text.append(", model ").append(look.model_status, MODEL_STYLES.get(look.model_status, ""))
    return text


def _picture(look: Look) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 2))
    grid.add_column(style="dim")
    grid.add_column()
    grid.add_column()
    if look.version:
        grid.add_row("model", look.version, look.model_status)
    done = look.lock.done if look.lock else 0
    bar = ProgressBar(total=max(1, done + look.backlog), completed=done, width=_BAR_WIDTH)
    grid.add_row("backlog", bar, f"{count(look.backlog, 'image')} left, {done:,} done")
    rate = look.images_a_minute
    if rate is not None:
        left = "" if look.minutes_left is None else f"{duration(look.minutes_left)} left"
        grid.add_row("rate", f"{rate:,.0f} images a minute", left)
    grid.add_row("billed", f"{look.billed_minutes:.1f} inference-unit minutes", "so far")
    return grid
