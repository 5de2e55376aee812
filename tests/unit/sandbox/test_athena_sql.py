"""Trino's SQL, where DuckDB would answer otherwise or take what Athena refuses: the engine itself, without a server."""

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sandbox.athena.engine import run
from sandbox.athena.errors import QueryError
from sandbox.athena.objects import File
from sandbox.athena.sql import MalformedQuery
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
        return [[File("bucket", "people/rows.json", len(ROWS), "etag")] for _ in locations]

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
    with pytest.raises((QueryError, MalformedQuery)) as raised:
        rows(sql)
    return str(raised.value)


def kinds(sql: str) -> list[str]:
    return [str(kind) for _, kind in run(sql, OneTable(), "d", None, threading.Event()).columns]


class TestNumbers:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("7 / 2", "3"),
            ("-7 / 2", "-3"),
            ("-7 % 2", "-1"),
            ("7 / 2e0", "3.5"),
            ("1e0 / 0", "Infinity"),
            ("0.1 + 0.2", "0.3"),
            ("1.50 * 2", "3.00"),
            ("CAST(2.5e0 AS integer)", "3"),
            ("CAST(-2.5e0 AS integer)", "-3"),
            ("round(2.5e0)", "3.0"),
            ("round(99.125e0, 2)", "99.13"),
            ("floor(7)", "7"),
            ("greatest(1, NULL)", None),
            ("power(2, 10)", "1024.0"),
            ("sqrt(2e0)", "1.4142135623730951"),
            ("12345678.9e0", "1.23456789E7"),
            ("0.0001e0", "1.0E-4"),
            ("9999999e0", "9999999.0"),
            ("100e0", "100.0"),
            ("mod(10, 3)", "1"),
            ("width_bucket(85e0, 0e0, 100e0, 10)", "9"),
            ("nan()", "NaN"),
        ],
    )
    def test_are_computed_as_by_trino(self, expression: str, expected: str | None) -> None:
        assert value(expression) == expected

    def test_division_by_zero_fails(self) -> None:
        assert refusal("SELECT 1 / 0") == "DIVISION_BY_ZERO: Division by zero"

    def test_division_of_decimals_is_refused_since_it_rounds_on_athena(self) -> None:
        assert "cast one side to double" in refusal("SELECT 100.0 * count(*) / 3 FROM people")
        assert value("CAST(10.0 AS double) / 4") == "2.5"


class TestText:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("'it''s' || '!'", "it's!"),
            ("concat('a', NULL)", None),
            ("substr('abc', 0)", ""),
            ("substr('abc', -2)", "bc"),
            ("substr('abc', -5)", ""),
            ("substring('abcdef' FROM 2 FOR 3)", "bcd"),
            ("trim('\t a \n')", "a"),
            ("split_part('a/b', '/', 2)", "b"),
            ("split_part('a/b', '/', 3)", None),
            ("element_at(split('a/b', '/'), -1)", "b"),
            ("split('a/b', '/')[1]", "a"),
            ("strpos('abc', 'c')", "3"),
            ("position('c' IN 'abc')", "3"),
            ("regexp_extract('ab12', '\\d+')", "12"),
            ("regexp_extract('ab', '\\d+')", None),
            ("regexp_extract('k=v', '(\\w)=(\\w)', 2)", "v"),
            ("regexp_replace('a1b2', '(\\d)', '<$1>')", "a<1>b<2>"),
            ("regexp_like('abc', 'b')", "true"),
            ("lpad('7', 3, '0')", "007"),
            ("length('é😀')", "2"),
            ("upper('é')", "É"),
            ("reverse('abc')", "cba"),
            ("'a%c' LIKE 'a!%c' ESCAPE '!'", "true"),
            ("'abc' LIKE '_b%'", "true"),
            ("json_extract_scalar('{\"a\": {\"b\": 1}}', '$.a.b')", "1"),
            ("json_extract_scalar('{\"a\": {\"b\": 1}}', '$.a')", None),
            ("json_extract_scalar('not json', '$.a')", None),
            ("json_array_length('[1, 2]')", "2"),
        ],
    )
    def test_is_handled_as_by_trino(self, expression: str, expected: str | None) -> None:
        assert value(expression) == expected


class TestTime:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("DATE '2026-01-31' + INTERVAL '1' MONTH", "2026-02-28"),
            ("date_trunc('month', DATE '2026-01-31')", "2026-01-01"),
            ("date_trunc('hour', TIMESTAMP '2026-01-31 10:20:30')", "2026-01-31 10:00:00.000"),
            ("date_diff('day', TIMESTAMP '2026-01-01 23:00:00', TIMESTAMP '2026-01-02 22:00:00')", "0"),
            ("date_diff('day', DATE '2026-01-01', DATE '2026-01-03')", "2"),
            ("date_add('week', -1, DATE '2026-01-08')", "2026-01-01"),
            ("day_of_week(DATE '2026-11-22')", "7"),
            ("extract(YEAR FROM DATE '2026-11-22')", "2026"),
            ("date_format(TIMESTAMP '2026-11-22 05:06:07', '%Y-%m-%d %H:%i:%s')", "2026-11-22 05:06:07"),
            ("format_datetime(TIMESTAMP '2026-11-22 05:06:07', 'yyyy-MM-dd''T''HH:mm')", "2026-11-22T05:06"),
            ("date_parse('22/11/2026', '%d/%m/%Y')", "2026-11-22 00:00:00.000"),
            ("from_unixtime(0)", "1970-01-01 00:00:00.000 UTC"),
            ("from_iso8601_timestamp('2026-11-22T05:00:00+02:00')", "2026-11-22 03:00:00.000 UTC"),
            (
                "TIMESTAMP '2026-11-22 05:00:00' AT TIME ZONE 'Europe/Berlin'",
                "2026-11-22 06:00:00.000 Europe/Berlin",
            ),
            ("hour(from_unixtime(0) AT TIME ZONE 'Asia/Tokyo')", "9"),
            ("date(TIMESTAMP '2026-11-22 05:00:00')", "2026-11-22"),
            ("date('2026-11-22')", "2026-11-22"),
            ("CAST(TIMESTAMP '2026-11-22 05:00:00' AS varchar)", "2026-11-22 05:00:00.000"),
            ("to_unixtime(TIMESTAMP '1970-01-01 00:00:01.5')", "1.5"),
            ("TIMESTAMP '2026-11-22 05:00:00' > DATE '2026-11-22'", "true"),
        ],
    )
    def test_is_handled_as_by_trino(self, expression: str, expected: str) -> None:
        assert value(expression) == expected

    def test_today_is_a_date_and_now_is_a_moment_in_utc(self) -> None:
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value("current_date")))
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3} UTC", str(value("now()")))


class TestCasts:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("CAST(99.8e0 AS varchar)", "9.98E1"),
            ("CAST(100e0 AS varchar)", "1.0E2"),
            ("CAST(0.05e0 AS varchar)", "5.0E-2"),
            ("CAST(7 AS varchar)", "7"),
            ("CAST(true AS varchar)", "true"),
            ("CAST('abc' AS varchar(2))", "ab"),
            ("CAST(' 7 ' AS integer)", "7"),
            ("TRY_CAST('7.5' AS integer)", None),
            ("TRY_CAST('2026-11-22T05:00:00' AS timestamp)", None),
            ("TRY(CAST(split_part('a', ',', 0) AS integer))", None),
            ("CAST('1' AS boolean)", "true"),
            ("CAST('1.005' AS decimal(5,2))", "1.01"),
        ],
    )
    def test_are_those_of_trino(self, expression: str, expected: str | None) -> None:
        assert value(expression) == expected

    @pytest.mark.parametrize(
        "expression",
        ["CAST('7.5' AS integer)", "CAST('2026-11-22T05:00:00' AS timestamp)", "CAST('22.11.2026' AS date)"],
    )
    def test_of_text_that_does_not_fit_fail(self, expression: str) -> None:
        assert "Cannot cast" in refusal(f"SELECT {expression}")

    def test_between_kinds_that_have_nothing_in_common_are_refused(self) -> None:
        assert refusal("SELECT CAST(5 AS date)") == "TYPE_MISMATCH: Cannot cast integer to date"


class TestTypes:
    """DuckDB would turn text into whatever it is compared with."""

    @pytest.mark.parametrize(
        ("condition", "words"),
        [
            ("age = '20'", "Cannot apply operator: integer = varchar"),
            ("joined > '2026-01-01'", "Cannot apply operator: timestamp(3) > varchar"),
            ("name < current_date", "Cannot apply operator: varchar < date"),
            ("name IN (1, 2)", "Cannot apply operator: varchar = integer"),
            ("age", "WHERE clause must evaluate to a boolean"),
            ("age AND true", "Logical expression term must evaluate to a boolean"),
            ("name || age = 'x'", "Unexpected parameters (varchar, integer) for function concat"),
            ("age LIKE 'x'", "Left and right side of LIKE"),
        ],
    )
    def test_are_never_mixed_without_a_cast(self, condition: str, words: str) -> None:
        assert words in refusal(f"SELECT 1 FROM people WHERE {condition}")  # noqa: S608

    @pytest.mark.parametrize(
        "expression",
        ["lower(age)", "sum(name)", "year(name)", "coalesce(age, 'x')", "CASE WHEN true THEN 1 ELSE 'a' END", "-name"],
    )
    def test_of_arguments_are_checked(self, expression: str) -> None:
        assert re.match("FUNCTION_NOT_FOUND|TYPE_MISMATCH", refusal(f"SELECT {expression} FROM people"))  # noqa: S608

    def test_of_results_are_those_of_trino(self) -> None:
        sql = "SELECT count(*), sum(age), avg(age), max(joined), array_agg(name), 1, 1.5, 1e0, true FROM people"

        assert kinds(sql) == [
            *("bigint", "bigint", "double", "timestamp(3)", "array(varchar)", "integer"),
            *("decimal(2,1)", "double", "boolean"),
        ]


class TestQueries:
    def test_group_having_and_order_by_a_name_of_the_result(self) -> None:
        sql = "SELECT team, count(*) AS people FROM people GROUP BY team HAVING count(age) > 1 ORDER BY people DESC"

        assert rows(sql) == [["a", "2"]]

    def test_group_by_place(self) -> None:
        assert rows("SELECT upper(team), count(*) FROM people GROUP BY 1 ORDER BY 1") == [["A", "2"], ["B", "2"]]

    def test_group_by_a_name_of_the_result_is_refused(self) -> None:
        assert "Column 'u' cannot be resolved" in refusal("SELECT upper(team) AS u, count(*) FROM people GROUP BY u")

    def test_a_name_of_the_result_is_unknown_in_where(self) -> None:
        assert "COLUMN_NOT_FOUND" in refusal("SELECT age AS years FROM people WHERE years > 1")

    def test_an_aggregation_in_where_is_refused(self) -> None:
        for sql in ("SELECT 1 FROM people WHERE count(*) > 1", "SELECT (SELECT 1 FROM people WHERE count(*) > 1)"):
            assert "WHERE clause cannot contain aggregations" in refusal(sql)

    def test_a_column_that_is_not_grouped_is_refused(self) -> None:
        assert "must be an aggregate expression or appear in GROUP BY" in refusal("SELECT name, count(*) FROM people")

    def test_nulls_come_last_either_way(self) -> None:
        assert column("SELECT age FROM people ORDER BY age") == ["20", "20", "36", None]
        assert column("SELECT age FROM people ORDER BY age DESC") == ["36", "20", "20", None]
        assert column("SELECT age FROM people ORDER BY age NULLS FIRST")[0] is None

    def test_aggregates_with_distinct_filter_and_order(self) -> None:
        sql = """
            SELECT count(DISTINCT age), count(*) FILTER (WHERE age > 20), count_if(age = 20),
                   array_join(array_agg(DISTINCT team ORDER BY team DESC), ','), max_by(name, age),
                   approx_distinct(team), sum(age) FILTER (WHERE team = 'a'),
                   listagg(team, '-') WITHIN GROUP (ORDER BY name)
            FROM people
        """

        assert rows(sql) == [["2", "1", "2", "b,a", "Ada", "2", "56", "a-a-b-b"]]

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
            ORDER BY (SELECT count(*) FROM people r WHERE r.age = p.age), 1
        """

        assert rows(sql) == [["Ada", "36"], ["Cy", "20"]]

    def test_left_join_keeps_what_has_no_match(self) -> None:
        sql = "SELECT x.n, p.name FROM (VALUES 20, 99) AS x(n) LEFT JOIN people p ON p.age = x.n ORDER BY 1, 2"

        assert rows(sql) == [["20", "Bob"], ["20", "Cy"], ["99", None]]

    def test_unnest(self) -> None:
        sql = "SELECT name, tag, n FROM people CROSS JOIN UNNEST(tags) WITH ORDINALITY AS t(tag, n) ORDER BY name, n"

        assert rows(sql) == [["Ada", "x", "1"], ["Ada", "y", "2"], [None, "x", "1"], [None, None, "2"]]

    def test_unions_and_their_columns(self) -> None:
        assert column("SELECT 1 AS a UNION ALL SELECT 2.5e0 UNION ALL SELECT 1 ORDER BY a DESC") == [
            "2.5",
            "1.0",
            "1.0",
        ]
        assert column("SELECT team FROM people INTERSECT SELECT 'a'") == ["a"]
        assert "incompatible types" in refusal("SELECT 1 UNION SELECT 'a'")

    def test_fields_of_a_row(self) -> None:
        assert column("SELECT home.city FROM people WHERE name = 'Ada'") == ["L"]
        assert column("SELECT p.home.city FROM people p WHERE p.home.city IS NOT NULL") == ["L"]

    def test_arrays_and_functions_on_them(self) -> None:
        sql = "SELECT transform(tags, t -> upper(t)), cardinality(tags), contains(tags, 'y') FROM people WHERE age = 36"

        assert rows(sql) == [["[X, Y]", "2", "true"]]

    def test_names_are_the_same_in_any_case(self) -> None:
        assert column('SELECT "NAME" FROM D.People WHERE people.AGE = 36') == ["Ada"]

    def test_columns_without_a_name_get_one(self) -> None:
        answer = run("SELECT age + 1, age, age AS b FROM people", OneTable(), "d", None, threading.Event())

        assert [name for name, _ in answer.columns] == ["_col0", "age", "b"]

    @pytest.mark.parametrize(
        ("sql", "words"),
        [
            ("SELECT nme FROM people", "COLUMN_NOT_FOUND: line 1:8: Column 'nme' cannot be resolved"),
            ("SELECT 1 FROM\n  nobody", "TABLE_NOT_FOUND: line 2:3: Table 'awsdatacatalog.d.nobody' does not exist"),
            ("SELECT name FROM people a CROSS JOIN people b", "AMBIGUOUS_NAME"),
            ("SELECT strftime(joined, '%Y') FROM people", "Function 'strftime' not registered"),
            ("SELECT 1 FROM people ORDER BY 2", "ORDER BY position 2 is not in select list"),
            ("SELECT (SELECT age FROM people)", "SUBQUERY_MULTIPLE_ROWS"),
            ("SELECT x.y.z FROM people", "COLUMN_NOT_FOUND"),
        ],
    )
    def test_mistakes_are_named_in_athenas_words(self, sql: str, words: str) -> None:
        assert words in refusal(sql)


class TestGrammar:
    """The parser's other dialects take more than Trino does."""

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT",
            "SELECT 1 FROM people LIMIT 1 OFFSET 1",
            "SELECT age::varchar FROM people",
            "SELECT 1 == 1",
            "SELECT current_date - INTERVAL 1 DAY",
            "SELECT home.left FROM people",
            "SELECT name, FROM people",
            "SELECT 1; SELECT 2",
            "SELECT `name` FROM people",
            "SELECT 'unfinished",
            "DROP TABLE people",
        ],
    )
    def test_what_trino_cannot_read_is_no_query(self, sql: str) -> None:
        with pytest.raises(MalformedQuery):
            rows(sql)

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT name FROM people QUALIFY row_number() OVER (ORDER BY age) = 1",
            "SELECT DISTINCT ON (team) name FROM people",
            "SELECT name FROM people WHERE name ILIKE 'a%'",
            "SELECT team, count(*) FROM people GROUP BY ALL",
            "SELECT * EXCLUDE (age) FROM people",
            "SELECT name FROM people TABLESAMPLE BERNOULLI (10)",
            "SELECT p.name FROM people p JOIN people q USING (name)",
            "SELECT team, count(*) FROM people GROUP BY ROLLUP (team)",
        ],
    )
    def test_what_is_not_translated_fails_and_is_never_answered(self, sql: str) -> None:
        assert re.match("NOT_SUPPORTED|COLUMN_NOT_FOUND|line ", refusal(sql))
