"""Labels that were asked for and are not there: which ones are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from custom_labels_batch.cli.athena import Row, ask, rows
from custom_labels_batch.cli.results_query import Question, labels_statement
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.cli.wording import count

_MOST_LABELS = 1_000
_MOST_TOLD = 12


class Labels:
    """Counts rows and keeps the names of their labels, as they pass.

    A model has at most some hundred labels (Rekognition Custom Labels guide, "Guidelines and quotas").
    """

    def __init__(self) -> None:
        self.rows = 0
        self.names: set[str] = set()

    def watched(self, found: Iterable[Row]) -> Iterator[Row]:
        """The same rows."""
        for row in found:
            self.rows += 1
            if row["label"] is not None:
                self.names.add(row["label"])
            yield row


def missing_labels(stack: Stack, question: Question, missing: Sequence[str]) -> list[str]:
    """A line for each label that no row has: whether it is misspelt, or only never so sure."""
    statement = labels_statement(stack.output("athenaTable"), question.period, _MOST_LABELS)
    there = {str(row["label"]): int(row["images"] or 0) for row in rows(stack, ask(stack, statement))}
    return [_line(name, there, question) for name in missing]


def _line(name: str, there: Mapping[str, int], question: Question) -> str:
    if name in there:
        return f"{name} is in {count(there[name], 'image')}, never from {question.min_confidence:g} % on."
    nobody = f"No image uploaded {question.period} has the label {name}"
    if not there:
        return f"{nobody}, nor any other."
    folded = {label.casefold(): label for label in reversed(list(there))}
    near = [folded[match] for match in get_close_matches(name.casefold(), folded)]
    if near:
        return f"{nobody}; did you mean {' or '.join(_counted(label, there) for label in near)}?"
    told = ", ".join(_counted(label, there) for label in list(there)[:_MOST_TOLD])
    more = f" and {len(there) - _MOST_TOLD:,} more" if len(there) > _MOST_TOLD else ""
    return f"{nobody}; there are {told}{more}."


def _counted(label: str, there: Mapping[str, int]) -> str:
    return f"{label} ({count(there[label], 'image')})"
