"""The operator's commands, and how their errors are told: one line, with an exit code."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from typer.exceptions import TyperException

from custom_labels_batch.cli import (
    aws_errors,
    backfill,
    destroy,
    doctor,
    plan,
    redrive,
    report,
    results,
    run,
    status,
    stop,
    upload,
)
from custom_labels_batch.cli.errors import FAILED, INTERRUPTED, WRONG_INPUT, InputError, OperationError
from custom_labels_batch.report.visible_text import visible

DISTRIBUTION = "custom-labels-batch"
"""The name in pyproject.toml."""

TRACEBACK = "CLB_TRACEBACK"
"""The environment variable with which an unexpected error shows where it came from."""

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False)
app.command(epilog=plan.EXAMPLES)(plan.plan)
app.command(epilog=upload.EXAMPLES)(upload.upload)
app.command(epilog=backfill.EXAMPLES)(backfill.backfill)
app.command(epilog=run.EXAMPLES)(run.run)
app.command(epilog=status.EXAMPLES)(status.status)
app.command(epilog=report.EXAMPLES)(report.report)
app.command(epilog=results.EXAMPLES)(results.results)
app.command(epilog=doctor.EXAMPLES)(doctor.doctor)
app.command(epilog=stop.EXAMPLES)(stop.stop)
app.command(epilog=redrive.EXAMPLES)(redrive.redrive)
app.command(epilog=destroy.EXAMPLES)(destroy.destroy)


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"clb {version(DISTRIBUTION)}")
        except PackageNotFoundError:
            raise OperationError(f"{DISTRIBUTION} is not installed here, so nobody knows its version") from None
        raise typer.Exit


@app.callback()
def _clb(
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """Plan and operate a stack that labels images with Amazon Rekognition Custom Labels."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    try:
        return int(app(args=arguments, prog_name="clb", standalone_mode=False) or 0)
    except BrokenPipeError:  # the reader has seen enough, as head has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except typer.Abort:
        return INTERRUPTED
    except InputError as error:
        return _told(str(error), WRONG_INPUT)
    except TyperException as error:
        # Without a message it is the help that was shown instead.
        return _told(error.format_message(), WRONG_INPUT) if error.format_message() else WRONG_INPUT
    except OperationError as error:
        return _told(str(error), FAILED)
    except (BotoCoreError, ClientError) as error:
        return _told(aws_errors.told(error), FAILED)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return _told(f"unexpected, {what}; report it with what {TRACEBACK}=1 shows, set before the command", FAILED)


def _told(message: str, code: int) -> int:
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(
        "error:", visible(" ".join(message.split()))
    )
    return code
