"""Documents show what `plan` prints."""

from pathlib import Path

import pytest

from docs.plan_outputs import DOCUMENTS, renewed


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_output_in_the_document_is_what_the_command_prints(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert text == renewed(text), "python -m docs.plan_outputs writes them anew"
