"""The operator's commands, and how their errors are told: one line, and exit code 2 for wrong input."""

import os
import sys
from collections.abc import Sequence

import typer
from rich.console import Console
from typer.exceptions import TyperException

from cli.errors import InputError
from cli.plan import EXAMPLES, plan

WRONG_INPUT = 2

app = typer.Typer(
    help="Plan, and later operate, a stack that labels images with Amazon Rekognition Custom Labels.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command(epilog=EXAMPLES)(plan)


@app.callback()
def _operate() -> None:
    """Without it, Typer would make the only command the program itself."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    try:
        return int(app(args=arguments, prog_name="python -m cli", standalone_mode=False) or 0)
    except BrokenPipeError:  # the reader has seen enough, as head has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except typer.Abort:
        return 130
    except InputError as error:
        return _told(str(error))
    except TyperException as error:
        return _told(error.format_message())


def _told(message: str) -> int:
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print("error:", " ".join(message.split()))
    return WRONG_INPUT
