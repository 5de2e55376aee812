"""Which label has which colour: the same in every chart, chip and picture of one report."""

from collections.abc import Sequence

from custom_labels_batch.report.figures import LabelCount

COLOURS = 8
"""Labels with a colour of their own; page.css defines them, for light and dark. All others share one."""

OTHER = "other"


class Palette:
    """The most frequent labels have colours 0 to 7; the rest is `other`."""

    def __init__(self, labels: Sequence[LabelCount]) -> None:
        self.named = [label.name for label in labels[:COLOURS]]
        self._numbers = {name: str(number) for number, name in enumerate(self.named)}

    def number(self, label: str) -> str:
        """ "0" to "7", or `OTHER`: the end of a CSS class or variable."""
        return self._numbers.get(label, OTHER)

    def css(self, label: str) -> str:
        """The colour as SVG and CSS take it."""
        return f"var(--label-{self.number(label)})"
