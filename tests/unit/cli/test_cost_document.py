"""docs/cost.md shows what `plan` prints."""

from docs.plan_outputs import DOCUMENT, renewed


def test_every_output_in_the_document_is_what_the_command_prints() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == renewed(text), "python -m docs.plan_outputs writes them anew"
