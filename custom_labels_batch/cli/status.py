"""`status`: what waits, what runs, what ran last, and when the next run is due."""

from typing import Annotated

import typer

from custom_labels_batch.cli.stack import OutputsOption, StackOption, find_stack
from custom_labels_batch.cli.stack_status import look
from custom_labels_batch.cli.status_report import show

EXAMPLES = """[bold]Examples[/bold]

clb status

clb status --stack prod

clb status --json | jq '.queues[0].deadLetters'

Exit codes: 0 told, 1 AWS refused something, 2 there is no such stack.
"""


def status(
    outputs: OutputsOption = None,
    stack: StackOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What waits in the queues, what the model does, the last runs, and when the next one is due.

    Only looks: it starts and changes nothing. Counts are SQS's own, which are approximate and a minute late.
    """
    found = look(find_stack(outputs, stack))
    if json:
        typer.echo(found.model_dump_json(by_alias=True, indent=2))
    else:
        show(found)
