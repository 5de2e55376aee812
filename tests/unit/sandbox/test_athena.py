"""Athena under AWS's rules, seen from outside through its API: catalog, files, partitions, views and workgroups."""

import csv
import io
import json
import random
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.errors import SandboxError
from tests.unit.sandbox.athena_support import COLUMNS, HIVE, OPENX, Lake, lines
from tests.unit.sandbox.support import Sandbox

pytestmark = pytest.mark.xdist_group("sandbox")

CAT = {"image": "a.jpg", "label": "cat", "confidence": 99.5, "seen": "2026-01-02 05:00:00.000"}
DOG = {"image": "b.jpg", "label": "dog", "confidence": 70, "seen": "2026-01-03 05:00:00"}


@pytest.fixture
def lake(sandbox: Sandbox) -> Lake:
    return Lake(sandbox)


class TestPartitions:
    def test_rows_come_from_the_days_in_the_projected_range(self, lake: Lake) -> None:
        lake.days()
        lake.put_day("2026-01-02", CAT)
        lake.put_day("2026-02-01", DOG)

        assert lake.rows("SELECT image, dt FROM images") == [("a.jpg", "2026-01-02")]

    def test_only_files_of_the_wanted_days_are_read(self, lake: Lake) -> None:
        lake.days()
        lake.put_day("2026-01-02", CAT)
        wanted = lake.put_day("2026-01-03", DOG)

        answer = lake.ask("SELECT image FROM images WHERE dt >= '2026-01-03' AND confidence > 0")

        assert (answer.rows, answer.scanned_bytes) == ([("b.jpg",)], wanted)

    @pytest.mark.parametrize(
        "condition",
        [
            "date(dt) = DATE '2026-01-03'",
            "CAST(dt AS date) > DATE '2026-01-02'",
            "dt LIKE '%-03'",
            "substr(dt, 9) = '03'",
        ],
    )
    def test_a_condition_on_a_function_of_the_day_is_enough(self, lake: Lake, condition: str) -> None:
        lake.days()
        lake.put_day("2026-01-02", CAT)
        wanted = lake.put_day("2026-01-03", DOG)

        assert lake.ask(f"SELECT * FROM images WHERE {condition}").scanned_bytes == wanted  # noqa: S608

    def test_a_condition_that_another_column_could_meet_reads_every_day(self, lake: Lake) -> None:
        lake.days()
        stored = lake.put_day("2026-01-02", CAT) + lake.put_day("2026-01-03", DOG)

        answer = lake.ask("SELECT image FROM images WHERE dt = '2026-01-03' OR label = 'cat' ORDER BY 1")

        assert (answer.rows, answer.scanned_bytes) == ([("a.jpg",), ("b.jpg",)], stored)

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT n FROM (SELECT dt, count(*) AS n FROM images GROUP BY dt) WHERE dt = '2026-01-03'",
            "SELECT n FROM (SELECT DISTINCT dt AS day, 1 AS n FROM images) WHERE day = '2026-01-03'",
            "WITH a AS (SELECT dt, 1 AS n FROM images) "
            "SELECT n FROM a JOIN (VALUES 1) b(m) ON m = n AND dt > '2026-01-02'",
            "SELECT n FROM (SELECT dt, 1 AS n FROM images UNION SELECT dt, 1 FROM images) WHERE dt = '2026-01-04'",
        ],
    )
    def test_a_condition_reaches_the_table_through_what_does_not_change_the_day(self, lake: Lake, sql: str) -> None:
        lake.days()
        lake.put_day("2026-01-02", CAT)
        wanted = lake.put_day("2026-01-03", DOG)

        answer = lake.ask(sql)

        expected = ([], 0) if "2026-01-04" in sql else ([("1",)], wanted)
        assert (answer.rows, answer.scanned_bytes) == expected

    @pytest.mark.parametrize(
        ("sql", "rows"),
        [
            ("SELECT dt FROM (SELECT dt FROM images ORDER BY dt LIMIT 1) WHERE dt = '2026-01-03'", []),
            ("SELECT dt FROM (SELECT max(dt) AS dt FROM images) WHERE dt = '2026-01-02'", []),
            ("SELECT d FROM (VALUES '2026-01-02', 'x') v(d) LEFT JOIN images ON dt = d WHERE dt IS NULL", [("x",)]),
            ("SELECT d FROM images FULL JOIN (VALUES 'x') v(d) ON dt = d WHERE dt IS NULL", [("x",)]),
            (
                "SELECT a.dt FROM images a WHERE NOT EXISTS (SELECT 1 FROM (VALUES 1) v(n) WHERE a.dt = '2026-01-03')",
                [("2026-01-02",)],
            ),
        ],
    )
    def test_no_condition_is_used_before_its_turn(self, lake: Lake, sql: str, rows: list[tuple[str]]) -> None:
        lake.days()
        lake.put_day("2026-01-02", CAT)
        lake.put_day("2026-01-03", DOG)

        assert lake.rows(sql) == rows

    def test_now_ends_a_range_with_today(self, lake: Lake) -> None:
        lake.days({"projection.dt.range": "NOW-1DAYS,NOW"})
        lake.put_day(str(lake.rows("SELECT current_date")[0][0]), CAT)
        lake.put_day(str(lake.rows("SELECT current_date + INTERVAL '1' DAY")[0][0]), DOG)

        assert lake.rows("SELECT image FROM images") == [("a.jpg",)]

    def test_the_location_template_says_where_a_day_is(self, lake: Lake) -> None:
        lake.days({"storage.location.template": f"s3://{lake.bucket}/elsewhere/${{dt}}/"})
        lake.put("elsewhere/2026-01-02/rows.json", lines(CAT))
        lake.put_day("2026-01-02", DOG)

        assert lake.rows("SELECT image FROM images") == [("a.jpg",)]

    def test_a_value_may_be_part_of_a_path(self, lake: Lake) -> None:
        months = {"projection.dt.format": "yyyy/MM", "projection.dt.range": "2026/01,2026/03"}
        lake.days({**months, "storage.location.template": f"s3://{lake.bucket}/by/${{dt}}"})
        lake.put("by/2026/01/rows.json", lines(CAT))
        wanted = lake.put("by/2026/02/rows.json", lines(DOG))

        answer = lake.ask("SELECT image, dt FROM images WHERE dt > '2026/01'")

        assert (answer.rows, answer.scanned_bytes) == ([("b.jpg", "2026/02")], wanted)

    def test_without_projection_a_day_nobody_registered_is_not_there(self, lake: Lake) -> None:
        lake.table(partitions=["dt"])
        lake.put_day("2026-01-02", CAT)

        assert lake.rows("SELECT image FROM images") == []

    def test_without_projection_a_registered_day_is_read_where_it_is(self, lake: Lake) -> None:
        lake.table(partitions=["dt"])
        lake.put("anywhere/rows.json", lines(CAT))
        place = {"Location": f"s3://{lake.bucket}/anywhere"}
        lake.glue.create_partition(
            DatabaseName=lake.database,
            TableName="images",
            PartitionInput={"Values": ["2026-01-02"], "StorageDescriptor": place},
        )

        assert lake.rows("SELECT image, dt FROM images") == [("a.jpg", "2026-01-02")]

    @pytest.mark.parametrize(
        ("properties", "words"),
        [
            ({"projection.dt.type": "day"}, "unknown projection type day"),
            ({"projection.dt.range": "2026-01-01"}, "is not two values"),
            ({"projection.dt.range": "01.01.2026,NOW"}, "does not have the right format"),
            ({"projection.dt.formt": "yyyy"}, "unknown property projection.dt.formt"),
            ({"storage.location.template": "s3://bucket/day/"}, "must contain templates for all partition columns"),
        ],
    )
    def test_wrong_properties_fail_the_query(self, lake: Lake, properties: dict[str, str], words: str) -> None:
        lake.days(properties)

        assert words in lake.failure("SELECT * FROM images")

    def test_a_partition_column_without_projection_fails_the_query(self, lake: Lake) -> None:
        lake.table(parameters={"projection.enabled": "true"}, partitions=["dt"])

        assert "missing projection configuration: ['dt']" in lake.failure("SELECT * FROM images")


class TestFiles:
    def test_columns_have_their_types(self, lake: Lake) -> None:
        kinds = {"a": "bigint", "b": "double", "c": "boolean", "d": "struct<left:double,name:string>", "e": "date"}
        lake.table(kinds)
        row = {"a": 5, "b": 1, "c": True, "d": {"left": 0.25, "name": "x"}, "e": "2026-01-02"}
        lake.put("images/rows.json", lines(row))
        execution = lake.execution('SELECT a, b, c, d."left", d, e FROM images')
        result = lake.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]

        types = [column["Type"] for column in result["ResultSetMetadata"]["ColumnInfo"]]
        values = [cell["VarCharValue"] for cell in result["Rows"][1]["Data"]]
        assert types == ["bigint", "double", "boolean", "double", "row", "date"]
        assert values == ["5", "1.0", "true", "0.25", "{left=0.25, name=x}", "2026-01-02"]

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("2026-01-02 05:00:00", "2026-01-02 05:00:00.000"),
            ("2026-01-02 05:00:00.123456", "2026-01-02 05:00:00.123"),
            ("2026-01-02T05:00:00Z", None),
            ("2026-01-02T05:00:00.000", None),
            ("yesterday", None),
        ],
    )
    @pytest.mark.parametrize("library", [OPENX, HIVE])
    def test_a_timestamp_is_read_in_one_format_only(
        self, lake: Lake, library: str, written: str, read: str | None
    ) -> None:
        lake.table(serde={"SerializationLibrary": library})
        lake.put("images/rows.json", lines({"seen": written}))

        assert lake.rows("SELECT seen FROM images") == [(read,)]

    def test_keys_match_columns_in_any_case_and_others_are_ignored(self, lake: Lake) -> None:
        lake.table()
        lake.put("images/rows.json", lines({"Image": "A", "extra": 1}))

        assert lake.rows("SELECT image, label FROM images") == [("A", None)]

    def test_names_in_hiding_and_empty_objects_are_not_read(self, lake: Lake) -> None:
        lake.table()
        for key in ("images/_temporary/rows.json", "images/.rows.json"):
            lake.put(key, b"not even JSON")
        lake.put("images/empty.json", b"")

        assert lake.rows("SELECT * FROM images") == []

    def test_a_neighbour_with_a_longer_name_is_not_read(self, lake: Lake) -> None:
        lake.table()
        lake.put("images_of_others/rows.json", lines(CAT))

        assert lake.rows("SELECT * FROM images") == []

    def test_only_the_suffix_says_that_a_file_is_compressed(self, lake: Lake) -> None:
        lake.table()
        lake.s3.put_object(Bucket=lake.bucket, Key="images/rows.json.gz", Body=lines(CAT))

        assert "HIVE_CURSOR_ERROR" in lake.failure("SELECT * FROM images")

    def test_a_malformed_line_ends_the_query(self, lake: Lake) -> None:
        lake.table()
        lake.put("images/rows.json", lines(CAT) + b'{"image": \n')

        assert "HIVE_BAD_DATA" in lake.failure("SELECT * FROM images")

    def test_a_malformed_line_is_a_row_of_nulls_if_the_serde_ignores_it(self, lake: Lake) -> None:
        lake.table(serde={"SerializationLibrary": OPENX, "Parameters": {"ignore.malformed.json": "true"}})
        lake.put("images/rows.json", b'{"image": \n' + lines(CAT))

        assert lake.rows("SELECT image FROM images") == [(None,), ("a.jpg",)]

    def test_hives_serde_ignores_nothing(self, lake: Lake) -> None:
        lake.table(serde={"SerializationLibrary": HIVE, "Parameters": {"ignore.malformed.json": "true"}})
        lake.put("images/rows.json", b'{"image": \n')

        assert "HIVE_BAD_DATA" in lake.failure("SELECT * FROM images")

    @pytest.mark.parametrize(("library", "ends"), [(OPENX, False), (HIVE, True)])
    def test_a_number_in_words_is_null_for_one_serde_and_the_end_for_the_other(
        self, lake: Lake, library: str, ends: bool
    ) -> None:
        lake.table(serde={"SerializationLibrary": library})
        lake.put("images/rows.json", lines({"confidence": "high"}))

        if ends:
            assert "HIVE_BAD_DATA" in lake.failure("SELECT * FROM images")
        else:
            assert lake.rows("SELECT confidence FROM images") == [(None,)]

    def test_a_number_in_quotes_is_a_number_for_one_serde_and_the_end_for_the_other(self, lake: Lake) -> None:
        for name, library in (("one", OPENX), ("other", HIVE)):
            lake.table(name=name, serde={"SerializationLibrary": library})
            lake.put(f"{name}/rows.json", lines({"confidence": "5"}))

        assert lake.rows("SELECT confidence FROM one") == [("5.0",)]
        assert "HIVE_BAD_DATA" in lake.failure("SELECT confidence FROM other")

    @pytest.mark.parametrize("library", [OPENX, HIVE])
    def test_a_scalar_where_a_struct_belongs_ends_the_query(self, lake: Lake, library: str) -> None:
        lake.table({"home": "struct<city:string>"}, serde={"SerializationLibrary": library})
        lake.put("images/rows.json", lines({"home": "here"}))

        assert "field value 'here' for field home" in lake.failure("SELECT home.city FROM images")

    def test_a_column_may_have_another_key_in_the_file(self, lake: Lake) -> None:
        lake.table(serde={"SerializationLibrary": OPENX, "Parameters": {"mapping.image": "File"}})
        lake.put("images/rows.json", lines({"file": "a.jpg"}))

        assert lake.rows("SELECT image FROM images") == [("a.jpg",)]

    def test_a_key_twice_in_a_line_ends_the_query(self, lake: Lake) -> None:
        lake.table()
        lake.put("images/rows.json", b'{"image": "a", "IMAGE": "b"}\n')

        assert "Duplicate key" in lake.failure("SELECT * FROM images")

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"serde": {"SerializationLibrary": "com.example.MySerDe"}}, "com.example.MySerDe is not supported"),
            ({"serde": {"Parameters": {}}}, "SerdeInfo is null"),
            ({"InputFormat": None}, "Unable to create input format"),
            ({"Location": None}, "no location in S3"),
        ],
    )
    def test_a_table_that_says_not_how_to_read_it_fails_the_query(
        self, lake: Lake, changes: dict[str, Any], words: str
    ) -> None:
        lake.table(**changes)

        assert words in lake.failure("SELECT * FROM images")

    def test_every_character_survives(self, lake: Lake) -> None:
        awkward = "a\"b,c'd\ne\t\\ <script> =1+1 é 😀 \u2028"
        lake.table()
        lake.put("images/rows.json", lines({"image": awkward}))

        assert lake.rows("SELECT image FROM images") == [(awkward,)]


class TestViews:
    def test_a_view_is_a_table(self, lake: Lake) -> None:
        lake.table()
        lake.put("images/rows.json", lines(CAT, DOG))
        lake.view("SELECT label, confidence FROM images", {"label": "string", "confidence": "double"})

        assert lake.rows("SELECT * FROM seen WHERE confidence > 80") == [("cat", "99.5")]

    def test_a_condition_on_a_view_reaches_the_table_if_windows_are_divided_by_it(self, lake: Lake) -> None:
        lake.days()
        lake.put_day("2026-01-02", CAT)
        wanted = lake.put_day("2026-01-03", DOG)
        numbered = "SELECT image, dt, row_number() OVER (PARTITION BY image, dt ORDER BY seen) AS n FROM images"
        once = f"SELECT image, dt FROM ({numbered}) WHERE n = 1"  # noqa: S608
        lake.view(once, {"image": "string", "dt": "string"})

        answer = lake.ask("SELECT image FROM seen WHERE dt = '2026-01-03'")

        assert (answer.rows, answer.scanned_bytes) == ([("b.jpg",)], wanted)

    def test_a_window_over_all_days_needs_all_days(self, lake: Lake) -> None:
        lake.days()
        stored = lake.put_day("2026-01-02", CAT) + lake.put_day("2026-01-03", {**DOG, "image": "a.jpg"})
        numbered = "SELECT image, dt, row_number() OVER (PARTITION BY image ORDER BY seen) AS n FROM images"
        once = f"SELECT image, dt FROM ({numbered}) WHERE n = 1"  # noqa: S608
        lake.view(once, {"image": "string", "dt": "string"})

        answer = lake.ask("SELECT image FROM seen WHERE dt = '2026-01-03'")

        assert (answer.rows, answer.scanned_bytes) == ([], stored)

    @pytest.mark.parametrize(
        ("columns", "declared"),
        [
            ({"label": "string", "confidence": "string"}, {"label": "varchar", "confidence": "double"}),
            ({"label": "string"}, {"label": "varchar", "confidence": "double"}),
            ({"confidence": "double", "label": "string"}, {"label": "varchar", "confidence": "double"}),
        ],
    )
    def test_a_view_is_stale_when_the_catalog_disagrees_with_it(
        self, lake: Lake, columns: dict[str, str], declared: dict[str, str]
    ) -> None:
        lake.table()
        lake.view("SELECT label, confidence FROM images", columns, declared)

        assert "VIEW_IS_STALE" in lake.failure("SELECT * FROM seen")

    @pytest.mark.parametrize(
        ("sql", "words"),
        [
            ("SELECT confidence, label FROM images", "(confidence double, label varchar)"),
            ("SELECT label, label AS confidence FROM images", "(label varchar, confidence varchar)"),
            ("SELECT label FROM images", "columns in its query (label varchar)"),
        ],
    )
    def test_a_view_is_stale_when_its_query_gives_other_columns(self, lake: Lake, sql: str, words: str) -> None:
        lake.table()
        lake.view(sql, {"label": "string", "confidence": "double"})
        reason = lake.failure("SELECT * FROM seen")

        assert f"View 'awsdatacatalog.{lake.database}.seen' is stale or in invalid state" in reason
        assert words in reason

    def test_a_view_without_a_serde_block_is_stale(self, lake: Lake) -> None:
        lake.table()
        columns = [{"Name": "label", "Type": "string"}]
        lake.view("SELECT label FROM images", {"label": "string"}, StorageDescriptor={"Columns": columns})

        assert "SerdeInfo is null" in lake.failure("SELECT * FROM seen")

    def test_a_view_whose_text_is_not_in_base64_is_stale(self, lake: Lake) -> None:
        lake.view("SELECT 1 AS a", {"a": "int"}, ViewOriginalText="SELECT 1 AS a")

        assert "VIEW_IS_STALE" in lake.failure("SELECT * FROM seen")

    def test_a_view_of_a_lost_table_says_so(self, lake: Lake) -> None:
        lake.view("SELECT label FROM lost", {"label": "string"})

        assert "INVALID_VIEW" in lake.failure("SELECT * FROM seen")


class TestResults:
    def test_pages_hold_a_thousand_rows_and_the_header_is_one(self, lake: Lake) -> None:
        forty = ",".join(f"({n})" for n in range(40))
        numbers = f"SELECT a.n * 40 + b.n AS n FROM (VALUES {forty}) a(n) CROSS JOIN (VALUES {forty}) b(n) ORDER BY 1"  # noqa: S608
        execution = lake.execution(numbers)
        first = lake.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
        second = lake.athena.get_query_results(
            QueryExecutionId=execution["QueryExecutionId"], NextToken=first["NextToken"]
        )

        assert len(first["ResultSet"]["Rows"]) == 1000
        assert first["ResultSet"]["Rows"][0] == {"Data": [{"VarCharValue": "n"}]}
        assert second["ResultSet"]["Rows"][0] == {"Data": [{"VarCharValue": "999"}]}
        assert "NextToken" not in second

    def test_a_null_is_absent(self, lake: Lake) -> None:
        execution = lake.execution("SELECT CAST(NULL AS varchar) AS a, '' AS b")
        rows = lake.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]["Rows"]

        assert rows[1] == {"Data": [{}, {"VarCharValue": ""}]}

    def test_the_answer_is_a_file_too(self, lake: Lake) -> None:
        execution = lake.execution("SELECT 'a\"b,\n' AS x, CAST(NULL AS varchar) AS y, 1.5e0 AS z")
        location = execution["ResultConfiguration"]["OutputLocation"]
        text = lake.s3.get_object(Bucket=lake.bucket, Key=location.split("/", 3)[3])["Body"].read().decode()

        assert location == f"s3://{lake.bucket}/results/{execution['QueryExecutionId']}.csv"
        assert text.endswith(',,"1.5"\n')
        assert list(csv.reader(io.StringIO(text))) == [["x", "y", "z"], ['a"b,\n', "", "1.5"]]

    def test_a_failed_query_has_no_results(self, lake: Lake) -> None:
        execution = lake.execution("SELECT 1 / 0")

        assert execution["Status"]["AthenaError"]["ErrorMessage"] == "DIVISION_BY_ZERO: Division by zero"
        with pytest.raises(ClientError, match="Final query state: FAILED"):
            lake.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])

    def test_bytes_scanned_are_those_of_the_files_as_stored(self, lake: Lake) -> None:
        lake.table()
        stored = lake.put("images/a.json.gz", lines(CAT)) + lake.put("images/b.json", lines(DOG))

        assert lake.ask("SELECT label FROM images").scanned_bytes == stored


class TestParameters:
    """Execution parameters, as Athena's user guide describes them ("Use parameterized queries")."""

    @pytest.mark.parametrize(
        ("condition", "values"),
        [
            ("image = ? AND confidence >= ?", ["'a.jpg'", "99.5"]),
            ("seen < ?", ["CAST('2026-01-03 00:00:00.000' AS timestamp)"]),
            ("label <> '?' AND label IN (?, ?)", ["'cat'", "'it''s -- a ? cat'"]),
        ],
    )
    def test_values_take_the_places_of_question_marks(self, lake: Lake, condition: str, values: list[str]) -> None:
        lake.table()
        lake.put("images/rows.json", lines(CAT, DOG))
        sql = f"SELECT image FROM images WHERE {condition}"  # noqa: S608

        execution = lake.execution(sql, ExecutionParameters=values)

        rows = lake.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]["Rows"]
        assert [row["Data"][0]["VarCharValue"] for row in rows] == ["image", "a.jpg"]
        assert (execution["Query"], execution["ExecutionParameters"]) == (sql, values)

    def test_a_value_for_a_day_leaves_out_the_files_of_others(self, lake: Lake) -> None:
        lake.days()
        lake.put_day("2026-01-02", CAT)
        wanted = lake.put_day("2026-01-03", DOG)

        execution = lake.execution("SELECT image FROM images WHERE dt >= ?", ExecutionParameters=["'2026-01-03'"])

        assert execution["Statistics"]["DataScannedInBytes"] == wanted

    @pytest.mark.parametrize(
        ("condition", "values", "words"),
        [
            ("image = ?", ["cat"], "no constant"),
            ("image = ?", ["'cat' OR 1 = 1"], "no constant"),
            ("image = ?", ["(SELECT 'cat')"], "no constant"),
            ("image = ?", ["'cat'; SELECT 1"], "no constant"),
            ("image = ?", ["'it's'"], "no constant"),
            ("image = ?", ["'a'", "'b'"], "expected 1 but found 2"),
            ("image = ? AND label = ?", ["'a'"], "expected 2 but found 1"),
            ("image = ?", [], "expected 1 but found 0"),
            ("image = '?'", ["'a'"], "expected 0 but found 1"),
            ("image = ?", ["'" + 1023 * "a" + "'"], "1 to 1024 characters"),
        ],
    )
    def test_what_is_no_value_for_a_question_mark_is_refused(
        self, lake: Lake, condition: str, values: list[str], words: str
    ) -> None:
        lake.table()
        parameters = {"ExecutionParameters": values} if values else {}

        with pytest.raises(ClientError, match=words):
            lake.execution(f"SELECT image FROM images WHERE {condition}", **parameters)  # noqa: S608

    def test_a_question_mark_outside_of_a_condition_is_refused(self, lake: Lake) -> None:
        lake.table()

        with pytest.raises(ClientError, match="outside of a WHERE clause"):
            lake.execution("SELECT image, ? FROM images", ExecutionParameters=["1"])


class TestWorkgroups:
    def test_an_enforced_workgroup_ignores_the_clients_location(self, lake: Lake) -> None:
        other = {"OutputLocation": f"s3://{lake.bucket}/other/"}
        location = lake.execution("SELECT 1", ResultConfiguration=other)["ResultConfiguration"]["OutputLocation"]

        assert location.startswith(f"s3://{lake.bucket}/results/")

    def test_a_workgroup_that_is_not_enforced_does_not(self, lake: Lake) -> None:
        name = lake.make_workgroup(EnforceWorkGroupConfiguration=False)
        other = {"OutputLocation": f"s3://{lake.bucket}/other"}
        execution = lake.execution("SELECT 1", WorkGroup=name, ResultConfiguration=other)

        assert execution["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{lake.bucket}/other/")

    def test_a_query_without_a_result_location_is_not_started(self, lake: Lake) -> None:
        name = lake.make_workgroup(location=None)

        with pytest.raises(SandboxError, match="No output location provided"):
            lake.ask("SELECT 1", name)

    def test_a_query_whose_result_bucket_is_not_there_is_not_started(self, lake: Lake) -> None:
        name = lake.make_workgroup(EnforceWorkGroupConfiguration=False)

        with pytest.raises(ClientError, match="Unable to verify/create output bucket nowhere"):
            lake.execution("SELECT 1", WorkGroup=name, ResultConfiguration={"OutputLocation": "s3://nowhere/"})

    def test_an_unknown_workgroup_is_refused(self, lake: Lake) -> None:
        with pytest.raises(SandboxError, match="WorkGroup nobody is not found"):
            lake.ask("SELECT 1", "nobody")

    def test_a_disabled_workgroup_is_refused(self, lake: Lake) -> None:
        lake.athena.update_work_group(WorkGroup=lake.workgroup, State="DISABLED")

        with pytest.raises(SandboxError, match="is disabled"):
            lake.ask("SELECT 1")

    def test_a_cutoff_under_ten_megabytes_is_refused(self, lake: Lake) -> None:
        # boto3 would refuse it itself.
        athena = boto3.client(
            "athena",
            "us-east-1",
            endpoint_url=lake.sandbox.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(parameter_validation=False),
        )
        configuration: Any = {"BytesScannedCutoffPerQuery": 9_999_999}

        with pytest.raises(ClientError, match="at least 10000000"):
            athena.create_work_group(Name="small", Configuration=configuration)

    def test_a_query_that_would_scan_more_than_the_cutoff_is_cancelled(self, lake: Lake) -> None:
        lake.table()
        name = lake.make_workgroup(BytesScannedCutoffPerQuery=10_000_000)
        lake.put("images/a.json", lines({"image": random.Random(1).randbytes(5_000_001).hex()}))  # noqa: S311
        status = lake.execution("SELECT count(*) FROM images", WorkGroup=name)["Status"]

        assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Bytes scanned limit was exceeded")
        assert lake.rows("SELECT count(*) FROM images") == [("1",)]

    def test_a_workgroup_that_was_used_goes_only_with_its_history(self, lake: Lake) -> None:
        lake.ask("SELECT 1")

        with pytest.raises(ClientError, match="is not empty"):
            lake.athena.delete_work_group(WorkGroup=lake.workgroup)

        lake.athena.delete_work_group(WorkGroup=lake.workgroup, RecursiveDeleteOption=True)
        with pytest.raises(SandboxError, match="is not found"):
            lake.ask("SELECT 1")

    def test_the_same_request_twice_is_one_query(self, lake: Lake) -> None:
        request = {
            "QueryString": "SELECT 1",
            "WorkGroup": lake.workgroup,
            "ClientRequestToken": "t" * 32 + lake.database,
        }
        first, second = (lake.athena.start_query_execution(**request)["QueryExecutionId"] for _ in range(2))

        assert first == second

    def test_a_text_that_is_no_query_is_not_started(self, lake: Lake) -> None:
        with pytest.raises(SandboxError, match="line 1:8"):
            lake.ask("SELECT FROM images")


class TestRights:
    """Athena acts with the rights of whoever asks."""

    RIGHTS = ("athena:*", "glue:GetDatabase", "glue:GetTable", "s3:ListBucket", "s3:GetObject", "s3:PutObject")

    def status(self, lake: Lake, *rights: str) -> dict[str, Any]:
        lake.table()
        lake.put("images/rows.json", lines(CAT))
        role = lake.sandbox.role("lambda.amazonaws.com", (list(rights), "*"))
        athena = lake.sandbox.client("athena", lake.sandbox.session(role))
        status: dict[str, Any] = lake.execution("SELECT label FROM images", athena)["Status"]
        return status

    def test_with_all_of_them_a_query_succeeds(self, lake: Lake) -> None:
        assert self.status(lake, *self.RIGHTS, "s3:GetBucketLocation")["State"] == "SUCCEEDED"

    @pytest.mark.parametrize("missing", ["glue:GetDatabase", "glue:GetTable", "s3:ListBucket", "s3:GetObject"])
    def test_without_one_to_read_it_fails_and_says_which(self, lake: Lake, missing: str) -> None:
        rights = [right for right in self.RIGHTS if right != missing]
        status = self.status(lake, *rights, "s3:GetBucketLocation")

        assert status["State"] == "FAILED"
        assert missing in status["StateChangeReason"]

    @pytest.mark.parametrize("missing", ["s3:PutObject", "s3:GetBucketLocation"])
    def test_without_one_to_write_the_result_it_is_not_started(self, lake: Lake, missing: str) -> None:
        rights = [right for right in [*self.RIGHTS, "s3:GetBucketLocation"] if right != missing]

        with pytest.raises(ClientError, match="Unable to verify/create output bucket"):
            self.status(lake, *rights)

    def test_without_the_workgroup_it_is_refused(self, lake: Lake) -> None:
        rights = [right for right in self.RIGHTS if not right.startswith("athena")]

        with pytest.raises(ClientError, match="athena:StartQueryExecution"):
            self.status(lake, *rights, "athena:GetQueryExecution")

    def test_an_execution_belongs_to_its_workgroup(self, lake: Lake) -> None:
        number = lake.execution("SELECT 1")["QueryExecutionId"]
        arn = "arn:aws:athena:us-east-1:000000000000:workgroup/"

        def look(workgroup: str) -> Any:
            role = lake.sandbox.role("lambda.amazonaws.com", ("athena:GetQueryExecution", f"{arn}{workgroup}"))
            athena = lake.sandbox.client("athena", lake.sandbox.session(role))
            return athena.get_query_execution(QueryExecutionId=number)

        assert look(lake.workgroup)["QueryExecution"]["QueryExecutionId"] == number
        with pytest.raises(ClientError, match="AccessDenied"):
            look("others")


class TestSavedQueries:
    def test_a_saved_query_needs_its_workgroup(self, lake: Lake) -> None:
        request = {"Name": "n", "Database": lake.database, "QueryString": "SELECT 1"}

        with pytest.raises(ClientError, match="is not found"):
            lake.athena.create_named_query(**request, WorkGroup="nobody")

        number = lake.athena.create_named_query(**request, WorkGroup=lake.workgroup)["NamedQueryId"]
        assert lake.athena.get_named_query(NamedQueryId=number)["NamedQuery"]["QueryString"] == "SELECT 1"


def test_columns_are_described(lake: Lake) -> None:
    lake.table()
    columns = lake.athena.get_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName=lake.database, TableName="images"
    )["TableMetadata"]["Columns"]

    assert json.dumps(columns) == json.dumps([{"Name": name, "Type": kind} for name, kind in COLUMNS.items()])
