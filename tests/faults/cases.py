"""What a fault case says about itself, for the table of all cases."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent

always = pytest.mark.always
"""A case that `make test` runs too; all others are for `make faults`."""


def case(broken: str, does: str, found: str = "") -> pytest.MarkDecorator:
    """Mark a test as a fault case.

    Parameters
    ----------
    broken
        What is broken on purpose.
    does
        What the stack then does.
    found
        What the case found wrong or costly, and whether it was mended or left; nothing if it found nothing.
    """
    return pytest.mark.fault(broken=broken, does=does, found=found)


@dataclass(frozen=True)
class Case:
    """One row of the table: the test's name as a sentence, and what its mark says."""

    area: str
    name: str
    broken: str
    does: str
    found: str


def cases() -> Iterator[Case]:
    """Every fault case of this folder, in the order of files and of tests in them.

    Raises
    ------
    LookupError
        A test of this folder has no mark.
    """
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(f"tests.faults.{path.stem}")
        for name, test in vars(module).items():
            if name.startswith("test_"):
                yield _case(path.stem, name, getattr(test, "pytestmark", []))


def _case(module: str, name: str, marks: list[pytest.Mark]) -> Case:
    found = next((mark for mark in marks if mark.name == "fault"), None)
    if found is None:
        raise LookupError(f"{module}.{name} is no fault case: give it @case(...)")
    return Case(sentence(module), sentence(name), **found.kwargs)


def sentence(test_name: str) -> str:
    """`test_a_run_that_is_aborted` in words."""
    words = test_name.removeprefix("test_").replace("_", " ")
    return words[0].upper() + words[1:]
