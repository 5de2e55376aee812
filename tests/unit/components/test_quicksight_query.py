"""The data set's query, run: rows come through, and each link leads to its image whatever its key is."""

import functools
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import duckdb
import pytest
import sqlglot
from hypothesis import example, given
from hypothesis import strategies as st
from sqlglot import exp

from custom_labels_batch.components.predictions_table import VIEW_COLUMNS
from custom_labels_batch.components.quicksight_query import LINK, data_set_columns, data_set_query

VIEW = {column.name: column.type for column in VIEW_COLUMNS}
COLUMNS = data_set_columns(VIEW)


def query(partition: str = "aws", region: str = "eu-west-1", database: str = "roofs") -> str:
    return data_set_query(database, "predictions", COLUMNS, partition, region)


def athena_url_encode(text: str) -> str:
    """Athena's url_encode, which is Java's URLEncoder (Trino documentation, "URL functions"); DuckDB's differs."""
    return quote_plus(text, safe="*-._").replace("~", "%7E")


@functools.cache
def athena() -> tuple[duckdb.DuckDBPyConnection, str]:
    """An engine with an empty view, and the query in its SQL."""
    connection = duckdb.connect()
    connection.create_function("athena_url_encode", athena_url_encode)
    types = {"string": "VARCHAR", "int": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE", "timestamp": "TIMESTAMP"}
    columns = ", ".join(f'"{name}" {types[type_]}' for name, type_ in VIEW.items())
    connection.execute(f"CREATE SCHEMA roofs; CREATE TABLE roofs.predictions ({columns})")
    sql = sqlglot.transpile(query(), read="athena", write="duckdb")[0]
    return connection, sql.replace("URL_ENCODE(", "ATHENA_URL_ENCODE(")


def selected(image_uri: str, **values: Any) -> dict[str, Any]:
    """What the query makes of one row of the view."""
    row = {"image_uri": image_uri, **values}
    connection, sql = athena()
    connection.execute("DELETE FROM roofs.predictions")
    connection.execute(
        f"INSERT INTO roofs.predictions ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608
        list(row.values()),
    )
    answer = connection.execute(sql)
    names = [column[0] for column in answer.description or []]
    return dict(zip(names, answer.fetchone() or (), strict=True))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=50))
@example("a b+c&d=e?f#g%20h")
@example("line-1/ü/🧱 wall.jpg")
@example("//")
@example("'; DROP TABLE x; --")
def test_a_link_names_bucket_and_key(key: str) -> None:
    link = urlsplit(selected(f"s3://acme.final/images/{key}")[LINK])

    assert link.netloc == "eu-west-1.console.aws.amazon.com"
    assert link.path == "/s3/object/acme.final"
    # As strict as the strictest reader: a plus sign is not taken for a space.
    assert "+" not in link.query
    assert parse_qs(link.query) == {"region": ["eu-west-1"], "prefix": [f"images/{key}"]}


def test_rows_come_through_as_they_are() -> None:
    row = selected("s3://final/images/a.jpg", image="a.jpg", label='=1+1 "quoted"', confidence=99.5)

    assert (row["image"], row["label"], row["confidence"], row["status"]) == ("a.jpg", '=1+1 "quoted"', 99.5, None)


def test_it_selects_the_data_sets_columns_from_the_views() -> None:
    parsed = sqlglot.parse_one(query(), dialect="athena")

    assert isinstance(parsed, exp.Select)
    assert parsed.named_selects == list(COLUMNS)
    assert {column.name for column in parsed.find_all(exp.Column)} == set(VIEW)


def test_names_cannot_leave_their_quotes() -> None:
    parsed = sqlglot.parse_one(query(database='a"; DROP TABLE x'), dialect="athena")

    assert [table.db for table in parsed.find_all(exp.Table)] == ['a"; DROP TABLE x']


def test_a_column_quicksight_has_no_type_for_is_left_out() -> None:
    assert "box" not in data_set_columns({**VIEW, "box": "struct<left:double>"})


@pytest.mark.parametrize(
    ("partition", "host"),
    [("aws-cn", "cn-north-1.console.amazonaws.cn"), ("aws-us-gov", "cn-north-1.console.amazonaws-us-gov.com")],
)
def test_the_console_is_the_partitions(partition: str, host: str) -> None:
    assert f"'https://{host}/s3/object/'" in query(partition, "cn-north-1")


def test_a_partition_whose_console_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="partition 'aws-iso'; unset quickSightPrincipalArn"):
        query("aws-iso")
