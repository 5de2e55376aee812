"""What `doctor` finds, and how a check that cannot be made is told."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from custom_labels_batch.cli import aws_errors
from custom_labels_batch.cli.answer import Answer
from custom_labels_batch.cli.aws_errors import is_forbidden
from custom_labels_batch.cli.errors import InputError, OperationError
from custom_labels_batch.cli.stack import Stack

_AT_ONCE = 8


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NOT_CHECKED = "not checked"


class Finding(Answer):
    """One thing that is as it should be, or is not.

    Attributes
    ----------
    check
        What was looked at.
    to_do
        Empty where nothing is to be done.
    """

    check: str
    level: Level
    finding: str
    to_do: str = ""


Check = Callable[[Stack], Iterable[Finding]]
"""One question; its docstring says which."""


def ok(check: str, finding: str) -> Finding:
    return Finding(check=check, level=Level.OK, finding=finding)


def warning(check: str, finding: str, to_do: str) -> Finding:
    return Finding(check=check, level=Level.WARNING, finding=finding, to_do=to_do)


def problem(check: str, finding: str, to_do: str) -> Finding:
    return Finding(check=check, level=Level.PROBLEM, finding=finding, to_do=to_do)


def not_checked(check: str, why: str, to_do: str = "") -> Finding:
    return Finding(check=check, level=Level.NOT_CHECKED, finding=why, to_do=to_do)


def examine(stack: Stack, checks: Iterable[Check]) -> list[Finding]:
    """Make all checks at once; their findings in the order of the checks."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [finding for found in pool.map(lambda check: _made(check, stack), checks) for finding in found]


def _made(check: Check, stack: Stack) -> list[Finding]:
    """A check's findings, or why it could not be made: one that fails takes no other with it."""
    name = check.__name__.replace("_", " ")
    try:
        return list(check(stack))
    except ClientError as error:
        if is_forbidden(error):
            return [not_checked(name, f"{error.operation_name} is not allowed", "ask for the right to")]
        return [not_checked(name, aws_errors.told(error))]
    except BotoCoreError as error:
        return [not_checked(name, aws_errors.told(error))]
    except (InputError, OperationError) as error:
        return [not_checked(name, str(error))]
    except Exception as error:  # such as a sandbox's answer that is not as AWS's are
        return [not_checked(name, f"the check itself failed: {type(error).__name__}: {error}", "report it")]
