"""Labels of interest that the model does not seem to know, such as misspelt ones."""

import unicodedata
from collections.abc import Collection, Iterable
from difflib import get_close_matches

from ..shared.prediction import Prediction, Status

PATIENCE = 100
"""Labelled images without a label of interest after which that is worth a word."""

_LISTED = 20


class UnseenLabels:
    """Remembers which labels came by in this execution environment, and complains once about each that did not."""

    def __init__(self, labels_of_interest: Collection[str]) -> None:
        self._unseen = dict.fromkeys(labels_of_interest)
        self._seen: set[str] = set()
        self._images = 0

    def look(self, predictions: Iterable[Prediction]) -> list[str]:
        """Take notice of predictions; give a line for each label of interest that should be looked into.

        A label that came by in another spelling is complained about at once, any other after a while.
        """
        for prediction in predictions:
            self._images += prediction.status is Status.LABELLED
            self._seen.update(label.name for label in prediction.labels)
        for name in self._seen & self._unseen.keys():
            del self._unseen[name]
        complaints = {name: complaint for name in self._unseen if (complaint := self._complaint(name))}
        for name in complaints:
            del self._unseen[name]
        return list(complaints.values())

    def _complaint(self, name: str) -> str | None:
        spellings = [seen for seen in self._seen if _loosely(seen) == _loosely(name)]
        if spellings:
            return (
                f"The model returns the label {min(spellings)!r}, not {name!r}: labels of interest match exactly, so "
                f"nobody hears about it. Correct the label of interest"
            )
        if self._images < PATIENCE:
            return None
        near = get_close_matches(name, sorted(self._seen), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return (
            f"The label of interest {name!r} was not found in the {self._images} images labelled since this function "
            f"started. It may be rare, below the confidence that is kept, or misspelt.{hint} "
            f"Found were: {self._found()}"
        )

    def _found(self) -> str:
        names = sorted(self._seen)
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        return ", ".join(map(repr, names[:_LISTED])) + more if names else "no labels"


def _loosely(name: str) -> str:
    """A spelling without case, accents, and what separates words; a name without letters is spelled one way."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(character for character in letters if character.isalnum()) or name
