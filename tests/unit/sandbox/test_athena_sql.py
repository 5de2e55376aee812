"""SQL that people type, asked of the engine itself, without a server."""

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sandbox.athena.engine import run
from sandbox.athena.errors import QueryError
from sandbox.athena.objects import File
from sandbox.athena.types import in_trino
from tests.unit.sandbox.athena_support import OPENX, TEXT_INPUT, TEXT_OUTPUT, lines

PEOPLE: list[dict[str, Any]] = [
    {"name": "Ada", "team": "a", "age": 36, "joined": "2026-01-01 10:00:00", "tags": ["x", "y"], "home": {"city": "L"}},
    {"name": "Bob", "team": "a", "age": 20, "joined": "2026-01-02 10:00:00", "tags": [], "home": {"city": None}},
    {"name": "Cy", "team": "b", "age": 20, "joined": "2026-01-02 12:00:00", "tags": None, "home": None},
    {"name": None, "team": "b", "age": None, "joined": None, "tags": ["x", None], "home": None},
]
COLUMNS = {
    "name": "string",
    "team": "string",
    "age": "int",
    "joined": "timestamp",
    "tags": "array<string>",
    "home": "struct<city:string>",
}


ROWS = lines(*PEOPLE)


class OneTable:
    """An account with the table `people` in the database `d`, all of whose rows are in one file."""

    def table(self, database: str, name: str) -> Mapping[str, Any]:
        if (database, name) != ("d", "people"):
            raise QueryError("TABLE_NOT_FOUND", f"Table 'awsdatacatalog.{database}.{name}' does not exist")
        return {
            "Name": name,
            "DatabaseName": database,
            "StorageDescriptor": {
                "Columns": [{"Name": column, "Type": kind} for column, kind in COLUMNS.items()],
                "Location": "s3://bucket/people/",
                "InputFormat": TEXT_INPUT,
                "OutputFormat": TEXT_OUTPUT,
                "SerdeInfo": {"SerializationLibrary": OPENX},
            },
        }

    def partitions(self, database: str, name: str) -> Sequence[tuple[tuple[str, ...], str]]:
        raise AssertionError(f"{database}.{name} has none")

    def files(self, locations: Sequence[str]) -> Sequence[Sequence[File]]:
        return [[File("bucket", "people/rows.json", len(ROWS))] for _ in locations]

    def read(self, file: File) -> bytes:
        assert file.key == "people/rows.json"
        return ROWS


def rows(sql: str) -> list[list[str | None]]:
    return run(sql, OneTable(), "d", None, threading.Event()).rows


def value(expression: str) -> str | None:
    ((found,),) = rows(f"SELECT {expression}")
    return found


def column(sql: str) -> list[str | None]:
    return [row[0] for row in rows(sql)]


def refusal(sql: str) -> str:
    with pytest.raises(QueryError) as raised:
        rows(sql)
    return str(raised.value)


class TestValues:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("7 / 2", "3"),
            ("-7 / 2", "-3"),
            ("7 / 2 / 2", "1"),
            ("-7 % 2", "-1"),
            ("7 / 2e0", "3.5"),
            ("0.1 + 0.2", "0.3"),
            ("round(99.125e0, 2)", "99.13"),
            ("power(2, 10)", "1024.0"),
            ("12345678.9e0", "1.23456789E7"),
            ("100e0", "100.0"),
            ("1 > 2 OR NULL", None),
            ("coalesce(NULL, 2)", "2"),
            ("CASE WHEN 1 > 0 THEN 'more' ELSE 'less' END", "more"),
            ("if(1 > 2, 'a', 'b')", "b"),
            ("nullif(1, 1)", None),
        ],
    )
    def test_numbers_and_conditions(self, expression: str, expected: str | None) -> None:
        assert value(expression) == expected

    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("'it''s' || '!'", "it's!"),
            ("concat('a', 'b')", "ab"),
            ("substr('abc', -2)", "bc"),
            ("substring('abcdef' FROM 2 FOR 3)", "bcd"),
            ("trim(' a ')", "a"),
            ("split_part('a/b', '/', 2)", "b"),
            ("split('a/b', '/')[1]", "a"),
            ("element_at(split('a/b', '/'), -1)", "b"),
            ("strpos('abc', 'c')", "3"),
            ("replace('a.jpg', '.jpg', '')", "a"),
            ("regexp_extract('k=v', '(\\w)=(\\w)', 2)", "v"),
            ("regexp_extract('ab', '\\d+')", None),
            ("split_part('a/b', '/', 3)", None),
            ("regexp_replace('a1b2', '\\d', '#')", "a#b#"),
            ("regexp_like('abc', 'b')", "true"),
            ("'abc' LIKE '_b%'", "true"),
            ("lpad('7', 3, '0')", "007"),
            ("length('é😀')", "2"),
            ("json_extract_scalar('{\"a\": {\"b\": 1}}', '$.a.b')", "1"),
        ],
    )
    def test_text(self, expression: str, expected: str | None) -> None:
        assert value(expression) == expected

    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("DATE '2026-01-31' + INTERVAL '1' MONTH", "2026-02-28"),
            ("date_trunc('month', DATE '2026-01-31')", "2026-01-01"),
            ("date_trunc('hour', TIMESTAMP '2026-01-31 10:20:30')", "2026-01-31 10:00:00.000"),
            ("date_diff('day', TIMESTAMP '2026-01-01 23:00:00', TIMESTAMP '2026-01-02 22:00:00')", "0"),
            ("date_diff('day', DATE '2026-01-01', DATE '2026-01-03')", "2"),
            ("date_diff('day', DATE '2026-01-01', DATE '2026-01-08') / 2", "3"),
            ("date_trunc('month', DATE '2026-01-31' - INTERVAL '31' DAY)", "2025-12-01"),
            ("date_add('week', -1, DATE '2026-01-08')", "2026-01-01"),
            ("day_of_week(DATE '2026-11-22')", "7"),
            ("extract(YEAR FROM DATE '2026-11-22')", "2026"),
            ("date_format(TIMESTAMP '2026-11-22 05:06:07', '%Y-%m-%d %H:%i:%s')", "2026-11-22 05:06:07"),
            ("date_parse('22/11/2026', '%d/%m/%Y')", "2026-11-22 00:00:00.000"),
            ("from_unixtime(0)", "1970-01-01 00:00:00.000 UTC"),
            ("from_iso8601_timestamp('2026-11-22T05:00:00+02:00')", "2026-11-22 03:00:00.000 UTC"),
            ("date(TIMESTAMP '2026-11-22 05:00:00')", "2026-11-22"),
            ("TIMESTAMP '2026-11-22 05:00:00' > DATE '2026-11-22'", "true"),
        ],
    )
    def test_time(self, expression: str, expected: str) -> None:
        assert value(expression) == expected

    def test_today_is_a_date_and_now_is_a_moment_in_utc(self) -> None:
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value("current_date")))
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3} UTC", str(value("now()")))

    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("CAST(7 AS varchar)", "7"),
            ("CAST('7' AS integer) + 1", "8"),
            ("CAST('1.005' AS decimal(5,2))", "1.01"),
            ("CAST('2026-11-22' AS date)", "2026-11-22"),
            ("TRY_CAST('x' AS integer)", None),
            ("TRY(CAST('x' AS integer))", None),
        ],
    )
    def test_casts(self, expression: str, expected: str | None) -> None:
        assert value(expression) == expected


class TestQueries:
    def test_group_having_and_order_by_a_name_of_the_result(self) -> None:
        sql = "SELECT team, count(*) AS people FROM people GROUP BY team HAVING count(age) > 1 ORDER BY people DESC"

        assert rows(sql) == [["a", "2"]]

    def test_a_column_without_a_name_is_called_by_its_place(self) -> None:
        assert column("SELECT _col1 FROM (SELECT team, count(*) FROM people GROUP BY 1)") == ["2", "2"]

    def test_group_by_place(self) -> None:
        assert rows("SELECT upper(team), count(*) FROM people GROUP BY 1 ORDER BY 1") == [["A", "2"], ["B", "2"]]

    def test_nulls_come_last_either_way(self) -> None:
        assert column("SELECT age FROM people ORDER BY age") == ["20", "20", "36", None]
        assert column("SELECT age FROM people ORDER BY age DESC") == ["36", "20", "20", None]
        assert column("SELECT age FROM people ORDER BY age NULLS FIRST")[0] is None

    def test_aggregates_with_distinct_filter_and_order(self) -> None:
        sql = """
            SELECT count(DISTINCT age), count(*) FILTER (WHERE age > 20), count_if(age = 20), sum(age), avg(age),
                   array_join(array_agg(DISTINCT team ORDER BY team DESC), ','), max_by(name, age),
                   approx_distinct(team), listagg(team, '-') WITHIN GROUP (ORDER BY name)
            FROM people
        """

        assert rows(sql) == [["2", "1", "2", "76", "25.333333333333332", "b,a", "Ada", "2", "a-a-b-b"]]

    def test_windows(self) -> None:
        sql = """
            SELECT name, row_number() OVER (PARTITION BY team ORDER BY age, name), sum(age) OVER (ORDER BY name
                   ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), lag(name) OVER (ORDER BY name), rank() OVER (ORDER BY age)
            FROM people ORDER BY name
        """

        assert rows(sql) == [
            ["Ada", "2", "36", None, "3"],
            ["Bob", "1", "56", "Ada", "1"],
            ["Cy", "1", "40", "Bob", "1"],
            [None, "2", "20", "Cy", "4"],
        ]

    def test_window_over_groups(self) -> None:
        sql = "SELECT team, count(*), sum(count(*)) OVER () FROM people GROUP BY team ORDER BY team"

        assert rows(sql) == [["a", "2", "4"], ["b", "2", "4"]]

    def test_common_tables_joins_and_subqueries(self) -> None:
        sql = """
            WITH oldest(team, years) AS (SELECT team, max(age) FROM people GROUP BY team)
            SELECT p.name, o.years FROM people AS p JOIN oldest o ON o.team = p.team AND o.years = p.age
            WHERE p.team IN (SELECT team FROM oldest) AND EXISTS (SELECT 1 FROM people q WHERE q.name = p.name)
            ORDER BY 1
        """

        assert rows(sql) == [["Ada", "36"], ["Cy", "20"]]

    def test_left_join_keeps_what_has_no_match(self) -> None:
        sql = "SELECT x.n, p.name FROM (VALUES 20, 99) AS x(n) LEFT JOIN people p ON p.age = x.n ORDER BY 1, 2"

        assert rows(sql) == [["20", "Bob"], ["20", "Cy"], ["99", None]]

    def test_unnest(self) -> None:
        sql = "SELECT name, tag, n FROM people CROSS JOIN UNNEST(tags) WITH ORDINALITY AS t(tag, n) ORDER BY name, n"

        assert rows(sql) == [["Ada", "x", "1"], ["Ada", "y", "2"], [None, "x", "1"], [None, None, "2"]]

    def test_unions(self) -> None:
        assert column("SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 1 ORDER BY a DESC") == ["2", "1", "1"]
        assert column("SELECT team FROM people INTERSECT SELECT 'a'") == ["a"]

    def test_fields_of_a_row(self) -> None:
        assert column("SELECT home.city FROM people WHERE name = 'Ada'") == ["L"]
        assert column("SELECT p.home.city FROM people p WHERE p.home.city IS NOT NULL") == ["L"]

    def test_arrays_and_functions_on_them(self) -> None:
        sql = "SELECT transform(tags, t -> upper(t)), cardinality(tags), contains(tags, 'y') FROM people WHERE age = 36"

        assert rows(sql) == [["[X, Y]", "2", "true"]]

    def test_names_are_the_same_in_any_case(self) -> None:
        assert column('SELECT "NAME" FROM D.People WHERE people.AGE = 36') == ["Ada"]

    def test_columns_have_athenas_names_and_types(self) -> None:
        sql = """
            SELECT age + 1, age, age AS b, count(*), sum(age), avg(age), max(joined), array_agg(name), 1.5, 1e0, true,
                   current_date, max(home) FROM people GROUP BY age
        """
        columns = run(sql, OneTable(), "d", None, threading.Event()).columns

        assert [name for name, _ in columns[:4]] == ["_col0", "age", "b", "_col3"]
        assert columns[9][0] == "_col9"
        assert [in_trino(kind) for _, kind in columns] == [
            *("integer", "integer", "integer", "bigint", "bigint", "double", "timestamp", "array(varchar)"),
            *("decimal(2, 1)", "double", "boolean", "date", "row(city varchar)"),
        ]


class TestMistakes:
    @pytest.mark.parametrize(
        "condition",
        [
            "age = '20'",
            "joined > '2026-01-01'",
            "name < current_date",
            "name IN ('x', 1)",
            "age BETWEEN '1' AND '2'",
            "'2026-01-01' <= date(joined)",
        ],
    )
    def test_text_is_not_compared_with_what_is_not_text(self, condition: str) -> None:
        assert refusal(f"SELECT 1 FROM people WHERE {condition}").startswith("TYPE_MISMATCH: Cannot compare")  # noqa: S608

    @pytest.mark.parametrize("expression", ["name || age", "age || name", "name || joined || name"])
    def test_text_is_not_joined_with_what_is_not_text(self, expression: str) -> None:
        assert "for function concat" in refusal(f"SELECT {expression} FROM people")  # noqa: S608

    @pytest.mark.parametrize(
        ("sql", "words"),
        [
            ("SELECT nme FROM people", "COLUMN_NOT_FOUND: line 1:8: Column 'nme' cannot be resolved"),
            ("SELECT age AS years FROM people WHERE years > 1", "COLUMN_NOT_FOUND: line 1:39: Column 'years'"),
            ("SELECT upper(team) AS u, count(*) FROM people GROUP BY u", "Column 'u' cannot be resolved"),
            ("SELECT name FROM people a CROSS JOIN people b", "Column 'name' cannot be resolved or is ambiguous"),
            ("SELECT x.y.z FROM people", "COLUMN_NOT_FOUND"),
            ("SELECT 1 FROM\n  nobody", "TABLE_NOT_FOUND: line 2:3: Table 'awsdatacatalog.d.nobody' does not exist"),
            ("SELECT 1 FROM other.d.people", "Catalog 'other' does not exist"),
            ("SELECT reduce(tags, '', (a, b) -> a || b, a -> a) FROM people", "NOT_SUPPORTED"),
            ("SELECT 1 FROM read_text('x')", "does not know the table function"),
            ("SELECT nothing_like_it(joined) FROM people", "Function 'nothing_like_it' not registered"),
            ("SELECT sum(name) FROM people", "FUNCTION_NOT_FOUND: Unexpected parameters"),
            ("SELECT name, count(*) FROM people", "EXPRESSION_NOT_AGGREGATE"),
            ("SELECT 1 FROM people WHERE count(*) > 1", "WHERE clause cannot contain aggregates"),
            ("SELECT (SELECT age FROM people)", "SUBQUERY_MULTIPLE_ROWS"),
            ("SELECT CAST('x' AS integer)", "INVALID_FUNCTION_ARGUMENT"),
            ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        ],
    )
    def test_are_named_in_athenas_words(self, sql: str, words: str) -> None:
        assert words in refusal(sql)

    @pytest.mark.parametrize(
        "sql",
        ["SELECT", "SELECT FROM people", "SELECT 1; SELECT 2", "SELECT 'unfinished", "SELECT (1", "DROP TABLE people"],
    )
    def test_of_grammar_are_no_query(self, sql: str) -> None:
        assert refusal(sql).startswith("MALFORMED_QUERY")
