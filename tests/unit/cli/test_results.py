"""`clb results`."""

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_labels_batch.cli.app import main
from custom_labels_batch.cli.athena import Answered, rows
from custom_labels_batch.cli.results_query import COLUMNS
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.components.predictions_table import VIEW_COLUMNS
from tests.unit.cli.athena_answers import AthenaAnswers, rejected, row
from tests.unit.cli.aws_stack import AwsStack
from tests.unit.cli.conftest import Cli, interrupt


@pytest.fixture
def results(aws: AwsStack, athena: AthenaAnswers, cli: Cli) -> Cli:
    return lambda *arguments: cli("results", *arguments, "--outputs", aws.file())


def test_each_image_is_shown_with_its_labels_and_when(results: Cli, athena: AthenaAnswers) -> None:
    athena.answer(row("a.jpg"), row("a.jpg", "scratch", 70.04), row("b.jpg", None))
    said = results()
    assert said.code == 0
    table = [" ".join(line.split()) for line in said.out.splitlines()]
    assert table[:4] == [
        "image label confidence uploaded (UTC)",
        "a.jpg crack 91.5 % 2026-11-22 10:00:00",
        "scratch 70.0 %",
        "b.jpg no label 2026-11-22 10:00:00",
    ]
    assert "3 rows about images uploaded since" in said.words


def test_a_label_that_is_almost_certain_is_not_said_to_be(results: Cli, athena: AthenaAnswers) -> None:
    athena.answer(row("a.jpg", "crack", 100), row("a.jpg", "scratch", 99.96))
    words = results().words
    assert "crack 100 %" in words
    assert "scratch 99.9 %" in words


def test_a_rejected_image_is_shown_with_its_reason(results: Cli, athena: AthenaAnswers) -> None:
    athena.answer(rejected("a.jpg", "32 x 32 pixels"))
    assert "a.jpg rejected: 32 x 32 pixels 2026-11-22" in results("--rejected").words


def test_what_was_scanned_is_told_with_its_price(results: Cli, athena: AthenaAnswers) -> None:
    athena.answer(row("a.jpg"))
    assert "20,000,000 bytes scanned for 0.00010 USD." in results().words


def test_a_small_query_is_billed_as_ten_megabytes() -> None:
    assert Answered("q", "s3://b/k", scanned_bytes=1).usd == pytest.approx(0.00005)


def test_a_key_cannot_write_to_the_terminal(results: Cli, athena: AthenaAnswers) -> None:
    athena.answer(row("\x1b[2J[red]a.jpg", "[b]x"))
    assert "⟨U+001B⟩[2J[red]a.jpg  [b]x" in results().out


class TestQuestions:
    """What Athena is asked."""

    def test_the_period_is_days_and_exact_times(self, results: Cli, athena: AthenaAnswers) -> None:
        athena.answer()
        results("--since", "2026-10-02T12:30", "--until", "2026-10-05")
        (asked,) = athena.asked
        assert " WHERE dt >= ? AND uploaded_at >= ? AND dt <= ? AND uploaded_at < ? ORDER BY " in asked["QueryString"]
        assert asked["ExecutionParameters"] == [
            "'2026-10-02'",
            "CAST('2026-10-02 12:30:00.000' AS timestamp)",
            "'2026-10-06'",
            "CAST('2026-10-06 00:00:00.000' AS timestamp)",
        ]

    def test_without_a_period_it_is_the_last_seven_days(self, results: Cli, athena: AthenaAnswers) -> None:
        athena.answer()
        before = datetime.now(UTC) - timedelta(days=7)
        said = results()
        day, moment = athena.asked[0]["ExecutionParameters"]
        asked = datetime.fromisoformat(moment.split("'")[1]).replace(tzinfo=UTC)
        assert timedelta(seconds=-1) < asked - before < timedelta(minutes=1)
        assert day == f"'{asked:%Y-%m-%d}'"
        assert f"since {asked:%Y-%m-%d %H:%M} UTC" in said.words

    def test_images_older_than_the_table_are_looked_for_on_its_first_day(
        self, results: Cli, athena: AthenaAnswers
    ) -> None:
        athena.answer()
        results("--since", "2023-01-01", "--until", "2024-01-01")
        assert athena.asked[0]["ExecutionParameters"][2] == "'2026-01-01'"

    def test_values_are_parameters_and_never_part_of_the_query(self, results: Cli, athena: AthenaAnswers) -> None:
        athena.answer()
        athena.answer(columns=["label", "images"])
        results("--label", "it's", "--label", "'; DROP TABLE x --", "--label", "it's", "--min-confidence", "80.5")
        asked = athena.asked[0]
        assert "label IN (?, ?) AND confidence >= ?" in asked["QueryString"]
        assert asked["ExecutionParameters"][2:] == ["'it''s'", "'''; DROP TABLE x --'", "80.500000"]

    def test_rejected_images_are_asked_for_by_their_status(self, results: Cli, athena: AthenaAnswers) -> None:
        athena.answer()
        results("--rejected")
        assert "status = ?" in athena.asked[0]["QueryString"]
        assert athena.asked[0]["ExecutionParameters"][2:] == ["'rejected'"]

    def test_it_is_the_stacks_view_in_its_workgroup(self, results: Cli, athena: AthenaAnswers) -> None:
        athena.answer()
        results()
        (asked,) = athena.asked
        assert (asked["WorkGroup"], asked["QueryExecutionContext"]) == ("group", {"Database": "db"})
        assert ' FROM "seen" ' in asked["QueryString"]

    def test_every_column_that_is_asked_for_is_in_the_view(self) -> None:
        assert set(COLUMNS) == {column.name for column in VIEW_COLUMNS} - {"dt", "label_number"}


class TestLimits:
    def test_a_table_has_100_rows_and_says_that_there_are_more(self, results: Cli, athena: AthenaAnswers) -> None:
        athena.answer(*(row(f"{n}.jpg") for n in range(101)))
        said = results()
        assert athena.asked[0]["QueryString"].endswith(" LIMIT 101")
        assert ("99.jpg" in said.out, "100.jpg" in said.out) == (True, False)
        assert "100 rows about" in said.words
        assert "There are more: --limit shows more than 100" in said.words

    def test_all_rows_of_a_table_are_all(self, results: Cli, athena: AthenaAnswers) -> None:
        athena.answer(row("a.jpg"), row("b.jpg"))
        said = results("--limit", "2")
        assert "2 rows about" in said.words
        assert "There are more" not in said.out

    @pytest.mark.parametrize("form", ["--csv", "--json"])
    def test_what_a_program_reads_has_no_limit(self, results: Cli, athena: AthenaAnswers, form: str) -> None:
        athena.answer(*(row(f"{n}.jpg") for n in range(1_200)))
        said = results(form)
        assert "LIMIT" not in athena.asked[0]["QueryString"]
        assert len(said.out.splitlines()) == 1_200 + (form == "--csv")

    def test_a_limit_of_its_own_holds_there_too(self, results: Cli, athena: AthenaAnswers) -> None:
        athena.answer(*(row(f"{n}.jpg") for n in range(4)))
        said = results("--json", "--limit", "3")
        assert len(said.out.splitlines()) == 3
        assert "There are more" in said.err

    def test_a_table_of_more_than_10_000_rows_is_refused(self, results: Cli, athena: AthenaAnswers) -> None:
        said = results("--limit", "10001")
        assert (said.code, athena.asked) == (2, [])
        assert "print --csv or --json" in said.err


class TestForPrograms:
    def test_json_lines_have_every_column_by_its_type(self, results: Cli, athena: AthenaAnswers) -> None:
        athena.answer(row("a b.jpg", box_left="-0.01"), rejected("b.jpg", "is empty"))
        first, second = (json.loads(line) for line in results("--json").out.splitlines())
        assert list(first) == list(COLUMNS)
        assert (first["image"], first["confidence"], first["size"], first["box_left"]) == ("a b.jpg", 91.5, 2048, -0.01)
        assert first["uploaded_at"] == "2026-11-22T10:00:00.250Z"
        assert (second["label"], second["confidence"], second["reason_message"]) == (None, None, "is empty")

    def test_csv_has_every_column_and_no_formula(self, results: Cli, athena: AthenaAnswers) -> None:
        awkward = '=1+1,"x"\né.jpg'
        athena.answer(row(awkward, "+crack", box_left="-0.5"))
        out = results("--csv").out
        assert out.startswith('\ufeff"image","status"')
        header, found = csv.reader(io.StringIO(out.removeprefix("\ufeff"), newline=""))
        cells = dict(zip(header, found, strict=True))
        assert (cells["image"], cells["label"]) == (f"'{awkward}", "'+crack")
        assert (cells["box_left"], cells["reason_code"]) == ("-0.5", "")

    def test_only_rows_are_on_stdout(self, results: Cli, athena: AthenaAnswers) -> None:
        athena.answer()
        said = results("--json")
        assert said.out == ""
        assert "0 rows about images uploaded since" in said.err

    def test_both_forms_at_once_are_refused(self, results: Cli) -> None:
        assert results("--json", "--csv").code == 2


class TestMissingLabels:
    @pytest.fixture(autouse=True)
    def there(self, athena: AthenaAnswers) -> None:
        athena.answer()
        athena.answer(["crack", "12"], ["Scratch", "3"], columns=["label", "images"])

    def test_a_near_one_is_told(self, results: Cli) -> None:
        assert "has the label krack; did you mean crack (12 images)?" in results("--label", "krack").words

    def test_another_case_is_near(self, results: Cli) -> None:
        assert "did you mean Scratch (3 images)" in results("--label", "scratch").words

    def test_without_a_near_one_all_are_told(self, results: Cli) -> None:
        assert "there are crack (12 images), Scratch (3 images)." in results("--label", "dog").words

    def test_one_that_is_never_so_sure_is_told_as_such(self, results: Cli) -> None:
        words = results("--label", "crack", "--min-confidence", "99.5").words
        assert "crack is in 12 images, never from 99.5 % on." in words

    def test_programs_find_it_on_stderr(self, results: Cli) -> None:
        said = results("--label", "krack", "--json")
        assert (said.out, "did you mean crack" in said.err) == ("", True)


def test_a_label_without_rows_is_told_beside_one_that_has_some(results: Cli, athena: AthenaAnswers) -> None:
    athena.answer(row("a.jpg", "crack"))
    athena.answer(["crack", "1"], columns=["label", "images"])
    words = results("--label", "crack", "--label", "dog").words
    assert "a.jpg crack" in words
    assert "has the label dog; there are crack (1 image)." in words


def test_without_any_labels_that_is_told(results: Cli, athena: AthenaAnswers) -> None:
    athena.answer()
    athena.answer(columns=["label", "images"])
    assert "has the label dog, nor any other." in results("--label", "dog").words


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"State": "FAILED", "StateChangeReason": "HIVE_BAD_DATA: line\n1"}, "q1 FAILED: HIVE_BAD_DATA: line 1\n"),
        (
            {"State": "CANCELLED", "StateChangeReason": "Bytes scanned limit was exceeded"},
            "q1 CANCELLED: Bytes scanned limit was exceeded; ask for a shorter period",
        ),
    ],
)
def test_a_query_that_fails_is_one_line_with_its_id_and_reason(
    results: Cli, athena: AthenaAnswers, state: dict[str, str], words: str
) -> None:
    athena.states = [state]
    said = results()
    assert said.code == 1
    assert f"error: Athena query {words}" in said.err
    assert len(said.err.splitlines()) == 1


def test_a_query_is_waited_for(results: Cli, athena: AthenaAnswers, meanwhile: Callable[..., None]) -> None:
    athena.states = ["QUEUED", "RUNNING"]
    athena.answer(row("a.jpg"))
    meanwhile(lambda: None, lambda: None)
    assert "a.jpg" in results().out


def test_ctrl_c_stops_the_query(results: Cli, athena: AthenaAnswers, meanwhile: Callable[..., None]) -> None:
    athena.states = ["RUNNING"]
    meanwhile(interrupt)
    said = results()
    assert (said.code, athena.stopped) == (130, ["q1"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--rejected", "--label", "x"),
        ("--rejected", "--min-confidence", "5"),
        ("--label", ""),
        ("--label", 256 * "x"),
        ("--since", "soon"),
        ("--min-confidence", "101"),
        ("--limit", "0"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_asked(
    results: Cli, athena: AthenaAnswers, arguments: tuple[str, ...]
) -> None:
    assert (results(*arguments).code, athena.asked) == (2, [])


class _Body:
    """A result of so many rows, which does not exist before it is read."""

    def __init__(self, rows: int) -> None:
        self._parts = self._text(rows)
        self._left = b""

    def _text(self, rows: int) -> Iterator[bytes]:
        yield (",".join(COLUMNS) + "\n").encode()
        for number in range(rows):
            yield (",".join(f'"{cell}"' if cell else "" for cell in row(f"{number}.jpg")) + "\n").encode()

    def read(self, size: int) -> bytes:
        while len(self._left) < size and (part := next(self._parts, b"")):
            self._left += part
        found, self._left = self._left[:size], self._left[size:]
        return found

    def close(self) -> None:
        """Nothing to close."""


class _Objects:
    def __init__(self, rows: int) -> None:
        self._rows = rows

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"Body": _Body(self._rows)}


def _peak_bytes(monkeypatch: pytest.MonkeyPatch, count: int) -> int:
    stack = Stack("any", {})
    monkeypatch.setattr(Stack, "s3", _Objects(count))
    tracemalloc.start()
    try:
        assert sum(1 for _ in rows(stack, Answered("q", "s3://b/k", 0))) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_ten_times_the_rows_take_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (_peak_bytes(monkeypatch, count) for count in (3_000, 30_000))
    assert many < 1.1 * few


def test_a_reader_that_has_seen_enough_is_no_error(
    aws: AwsStack, athena: AthenaAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    athena.answer(row("a.jpg"))

    class _Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

        def fileno(self) -> int:
            return 99

    monkeypatch.setattr("os.dup2", lambda *_: None)
    monkeypatch.setattr("sys.stdout", _Closed())
    assert main(["results", "--json", "--outputs", aws.file()]) == 0
