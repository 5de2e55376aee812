"""Projected partitions, and values as Athena writes them."""

import csv as csv_reader
import io
import struct
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.athena.errors import QueryError
from sandbox.athena.partitions import projected
from sandbox.athena.results import as_text, csv
from sandbox.athena.types import from_hive, from_trino, in_trino

NOW = datetime(2026, 11, 22, 5, 30)


def values(**properties: str) -> list[str]:
    given = {f"projection.p.{name.replace('_', '.')}": value for name, value in properties.items()}
    return [partition.values[0] for partition in projected(given, ["p"], "s3://bucket/t", NOW)]


class TestProjection:
    def test_of_months_in_their_own_format(self) -> None:
        found = values(type="date", format="yyyy/MM", range="NOW-2MONTHS,NOW")

        assert found == ["2026/09", "2026/10", "2026/11"]

    def test_of_every_other_day(self) -> None:
        found = values(type="date", format="yyyyMMdd", range="20260227,20260304", interval="2", interval_unit="DAYS")

        assert found == ["20260227", "20260301", "20260303"]

    def test_of_hours_needs_a_unit(self) -> None:
        hours = {"type": "date", "format": "yyyy-MM-dd-HH", "range": "2026-01-01-22,2026-01-02-01"}

        assert values(**hours, interval="1", interval_unit="HOURS")[1:3] == ["2026-01-01-23", "2026-01-02-00"]
        with pytest.raises(QueryError, match=r"interval\.unit is required"):
            values(**hours)

    def test_of_numbers_with_leading_zeros(self) -> None:
        assert values(type="integer", range="8,12", interval="2", digits="3") == ["008", "010", "012"]

    def test_of_names(self) -> None:
        assert values(type="enum", values="a,b") == ["a", "b"]

    def test_of_several_columns_is_every_combination_where_its_name_says(self) -> None:
        properties = {"projection.a.type": "enum", "projection.a.values": "x,y", "projection.b.type": "enum"}
        found = projected({**properties, "projection.b.values": "1"}, ["a", "b"], "s3://bucket/t/", NOW)

        assert [partition.location for partition in found] == ["s3://bucket/t/a=x/b=1", "s3://bucket/t/a=y/b=1"]


class TestTypes:
    @pytest.mark.parametrize(
        ("hive", "trino"),
        [
            ("string", "varchar"),
            ("int", "integer"),
            ("float", "real"),
            ("timestamp", "timestamp"),
            ("decimal(5,2)", "decimal(5, 2)"),
            ("array<struct<left:double,`top`:int>>".replace("`", ""), "array(row(left double, top integer))"),
            ("map<string,bigint>", "map(varchar, bigint)"),
        ],
    )
    def test_are_the_same_in_both_spellings(self, hive: str, trino: str) -> None:
        assert from_hive(hive) == from_trino(trino)
        assert in_trino(from_hive(hive)) == trino

    @pytest.mark.parametrize("text", ["", "text", "struct<a>", "array<int", "int)", "array<int,int>", "uuid"])
    def test_that_do_not_exist_are_refused(self, text: str) -> None:
        with pytest.raises(QueryError):
            from_hive(text)


class TestValues:
    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_doubles_come_back_the_same(self, number: float) -> None:
        text = as_text(number, from_hive("double"))

        assert text is not None
        assert struct.pack("d", float(text)) == struct.pack("d", number)

    @given(st.lists(st.tuples(st.text(), st.one_of(st.none(), st.text()))))
    def test_text_survives_the_result_file(self, rows: list[tuple[str, str | None]]) -> None:
        text = csv((("a", from_hive("string")), ("b", from_hive("bigint"))), [list(row) for row in rows]).decode(
            "utf-8", "surrogatepass"
        )
        found = list(csv_reader.reader(io.StringIO(text, newline="")))

        assert found == [["a", "b"], *([first, second or ""] for first, second in rows)]
