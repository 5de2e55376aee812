"""`doctor`: whether a deployment is well, and what to do where it is not."""

from collections import Counter
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from custom_labels_batch.cli.answer import Answer
from custom_labels_batch.cli.checks import CHECKS
from custom_labels_batch.cli.checks.account import credentials
from custom_labels_batch.cli.errors import FAILED
from custom_labels_batch.cli.findings import Finding, Level, examine
from custom_labels_batch.cli.stack import OutputsOption, Stack, StackOption, find_stack
from custom_labels_batch.report.visible_text import visible

_MARKS = {
    Level.OK: ("ok", "green"),
    Level.WARNING: ("warning", "yellow"),
    Level.PROBLEM: ("problem", "bold red"),
    Level.NOT_CHECKED: ("not checked", "dim"),
}

EXAMPLES = """[bold]Examples[/bold]

clb doctor

clb doctor --stack prod

clb doctor --json | jq '.findings[] | select(.level == "problem")'

Exit codes: 0 no problem, whatever the warnings, 1 a problem, 2 there is no such stack.
"""


class Diagnosis(Answer):
    """The answer."""

    stack: str
    region: str
    findings: list[Finding]

    @property
    def has_problem(self) -> bool:
        return any(finding.level is Level.PROBLEM for finding in self.findings)


def doctor(
    outputs: OutputsOption = None,
    stack: StackOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a deployment: credentials, model, runs, queues, people who hear of it, quotas.

    Each finding says what to do. Only looks: it starts and changes nothing.

    What cannot be checked, for want of a right or of the service, is told as such.
    """
    found = diagnose(find_stack(outputs, stack))
    if json:
        typer.echo(found.model_dump_json(by_alias=True, indent=2))
    else:
        show(found, Console(highlight=False))
    if found.has_problem:
        raise typer.Exit(FAILED)


def diagnose(stack: Stack) -> Diagnosis:
    """Make all checks; only that of the credentials, where they are of no use."""
    about_credentials = examine(stack, [credentials])
    usable = all(finding.level is Level.OK for finding in about_credentials)
    rest = examine(stack, CHECKS) if usable else []
    return Diagnosis(stack=stack.name, region=stack.region, findings=[*about_credentials, *rest])


def show(diagnosis: Diagnosis, console: Console) -> None:
    """Print it; in a pipe without colours, and 80 columns wide."""
    console.print(Text.assemble((diagnosis.stack, "bold"), f", {diagnosis.region}"))
    console.print()
    table = Table(box=None, padding=(0, 1), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in diagnosis.findings:
        table.add_row(Text(*_MARKS[finding.level]), finding.check, _told(finding))
    console.print(table)
    counts = Counter(finding.level for finding in diagnosis.findings)
    console.print("\n" + ", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level]))


def _told(finding: Finding) -> Text:
    text = Text(visible(finding.finding))
    return Text.assemble(text, "\n", (f"→ {visible(finding.to_do)}", "bold")) if finding.to_do else text
