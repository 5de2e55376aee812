"""CSV for spreadsheet programs."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_labels_batch.cli import spreadsheet
from sandbox.deploy import REPOSITORY

REPORTS = REPOSITORY / "custom_labels_batch" / "report" / "web" / "csv.js"


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ('  "=1', "  \"'=1"),
        ("a;=1", "a;'=1"),
        ("a\n=1", "a\n'=1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
        ("photo-1.jpg", "photo-1.jpg"),
    ],
)
def test_what_would_be_a_formula_gets_an_apostrophe(written: str, cell: str) -> None:
    assert next(csv.reader(io.StringIO(spreadsheet.line([written]), newline=""))) == [cell]


def test_a_number_is_no_formula() -> None:
    assert spreadsheet.line([-0.5, 12]) == '"-0.5","12"\r\n'


def test_the_rule_is_the_reports() -> None:
    written = r"(^|[;\t\r\n])([\s" + "\"'" + r"]*)(?=[=+\-@|%＝＋－＠])"
    assert f"const FORMULA = /{written}/g;" in REPORTS.read_text(encoding="utf-8")
    assert spreadsheet.FORMULA.pattern.replace(r"\"", '"') == written


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_no_text_ends_its_cell(cells: list[str]) -> None:
    found = list(csv.reader(io.StringIO(spreadsheet.line(cells), newline="")))
    assert [len(row) for row in found] == [len(cells)]
