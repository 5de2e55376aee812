"""Analytics: what it registers, by the rules of Glue, Athena, S3 and IAM."""

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from pulumi.provider.experimental.analyzer import Analyzer, ComponentDefinition

from custom_labels_batch.components.analytics import Analytics, AnalyticsArgs
from custom_labels_batch.components.naming import MAX_NAME_LENGTH
from custom_labels_batch.components.query_files import QUERIES, read_query
from sandbox.deployer.model import Properties, Registration
from sandbox.deployer.schema import takes_tags
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Result, record_program
from tests.unit.components.athena import NAMED_QUERY, TABLE, TOPIC_ARN, decode_view, record_analytics
from tests.unit.components.graph import (
    ACCOUNT,
    BUCKET,
    EVENT_SOURCE_MAPPING,
    FUNCTION,
    QUEUE,
    allowed,
    cloud_resources,
    precedes,
    record_stack,
    role_statements,
)
from tests.unit.components.test_cloudformation_rules import complaints

DATABASE = "aws:glue/catalogDatabase:CatalogDatabase"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
WORKGROUP = "aws:athena/workgroup:Workgroup"


@pytest.fixture(scope="module")
def graph() -> Result:
    return record_analytics(tags={"owner": "vision-team"})


@pytest.fixture(scope="module")
def schema() -> ComponentDefinition:
    return Analyzer("custom-labels-batch").analyze([Analytics])["component_definitions"]["Analytics"]


@pytest.fixture(scope="module")
def table(graph: Result) -> Properties:
    return graph.named("analytics-rows", TABLE).properties


@pytest.fixture(scope="module")
def view(graph: Result) -> Registration:
    return graph.named("analytics-view", TABLE)


def bucket_name(graph: Result) -> str:
    (bucket,) = graph.of_type(BUCKET)
    return str(bucket.properties["bucket"])


def outputs_of(graph: Result) -> Properties:
    return graph.named("analytics", "custom-labels-batch:index:Analytics").outputs


def as_in_the_api(value: Any) -> Any:
    """Property names as Glue's API spells them."""
    if isinstance(value, list):
        return [as_in_the_api(item) for item in value]
    if not isinstance(value, dict):
        return value
    spelt = {"serDeInfo": "SerdeInfo"}
    return {
        spelt.get(key, key[0].upper() + key[1:]): item if key == "parameters" else as_in_the_api(item)
        for key, item in value.items()
    }


class TestTheTable:
    def test_is_external_and_below_the_predictions(self, graph: Result, table: Properties) -> None:
        assert table["tableType"] == "EXTERNAL_TABLE"
        assert table["parameters"]["EXTERNAL"] == "TRUE"
        assert table["storageDescriptor"]["location"] == f"s3://{bucket_name(graph)}/predictions/"

    def test_is_read_as_lines_of_json_by_the_hive_serde(self, table: Properties) -> None:
        storage = table["storageDescriptor"]

        assert storage["serDeInfo"]["serializationLibrary"] == "org.apache.hive.hcatalog.data.JsonSerDe"
        assert storage["inputFormat"] == "org.apache.hadoop.mapred.TextInputFormat"
        assert storage["outputFormat"] == "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    def test_has_typed_columns(self, table: Properties) -> None:
        types = {column["name"]: column["type"] for column in table["storageDescriptor"]["columns"]}

        assert types == {
            **dict.fromkeys(["image_id", "image_key", "image_uri", "source_bucket", "label"], "string"),
            **dict.fromkeys(["model_version", "status", "reason_code", "reason_message"], "string"),
            **dict.fromkeys(["uploaded_at", "processed_at"], "timestamp"),
            "confidence": "double",
            "bounding_box": "struct<left:double,top:double,width:double,height:double>",
            "label_number": "int",
            "size": "bigint",
        }

    def test_is_partitioned_by_a_column_of_no_row(self, table: Properties) -> None:
        (partition,) = table["partitionKeys"]

        assert (partition["name"], partition["type"]) == ("dt", "string")
        assert "dt" not in {column["name"] for column in table["storageDescriptor"]["columns"]}

    def test_has_its_days_projected(self, graph: Result, table: Properties) -> None:
        assert {name: value for name, value in table["parameters"].items() if "." in name} == {
            "projection.enabled": "true",
            "projection.dt.type": "date",
            "projection.dt.format": "yyyy-MM-dd",
            "projection.dt.range": "2026-01-01,NOW",
            "projection.dt.interval": "1",
            "projection.dt.interval.unit": "DAYS",
            "storage.location.template": f"s3://{bucket_name(graph)}/predictions/dt=${{dt}}/",
        }

    def test_is_a_table_glue_takes(self, graph: Result) -> None:
        shape = botocore.session.get_session().get_service_model("glue").operation_model("CreateTable").input_shape
        assert shape
        for resource in graph.of_type(TABLE):
            table = as_in_the_api({k: v for k, v in resource.properties.items() if k not in ("databaseName", "region")})
            report = ParamValidator().validate({"DatabaseName": "d", "TableInput": table}, shape)
            assert not report.has_errors(), report.generate_report()


class TestTheView:
    def test_is_one_athena_knows_as_its_own(self, view: Registration) -> None:
        assert view.properties["name"] == "rekognition_customlabels_analytics"
        assert view.properties["tableType"] == "VIRTUAL_VIEW"
        assert view.properties["parameters"] == {"presto_view": "true", "comment": "Presto View"}
        assert view.properties["viewExpandedText"] == "/* Presto View */"

    def test_looks_its_table_up_in_its_own_database(self, graph: Result, view: Registration) -> None:
        decoded = decode_view(view)

        assert set(decoded) == {"originalSql", "catalog", "schema", "columns"}
        assert decoded["catalog"] == "awsdatacatalog"
        assert decoded["schema"] == outputs_of(graph)["athenaDatabase"]
        assert decoded["originalSql"].startswith("SELECT")

    def test_has_a_serde_block(self, view: Registration) -> None:
        assert all(view.properties["storageDescriptor"]["serDeInfo"].values())

    def test_comes_after_its_table(self, graph: Result, view: Registration) -> None:
        assert precedes(graph, graph.named("analytics-rows", TABLE), view)


class TestTheWorkgroup:
    def test_decides_where_results_go_and_how_they_are_kept(self, graph: Result) -> None:
        configuration = graph.named("analytics", WORKGROUP).properties["configuration"]

        assert configuration["enforceWorkgroupConfiguration"] is True
        assert configuration["resultConfiguration"] == {
            "outputLocation": f"s3://{bucket_name(graph)}/athena-results/",
            "encryptionConfiguration": {"encryptionOption": "SSE_S3"},
        }

    def test_limits_what_a_query_scans(self) -> None:
        graph = record_analytics(bytes_scanned_cutoff_per_query=10_485_760.0)

        cutoff = graph.named("analytics", WORKGROUP).properties["configuration"]["bytesScannedCutoffPerQuery"]
        assert cutoff == 10_485_760

    def test_refuses_a_limit_athena_would_refuse(self) -> None:
        with pytest.raises(
            SandboxError, match="bytes_scanned_cutoff_per_query is 10485759; allowed is a whole number from 10485760"
        ):
            record_analytics(bytes_scanned_cutoff_per_query=10_485_759)

    def test_publishes_metrics_and_runs_the_engine_the_queries_are_for(self, graph: Result) -> None:
        configuration = graph.named("analytics", WORKGROUP).properties["configuration"]

        assert configuration["publishCloudwatchMetricsEnabled"] is True
        assert configuration["engineVersion"] == {"selectedEngineVersion": "Athena engine version 3"}

    def test_can_be_destroyed_with_its_history(self, graph: Result) -> None:
        assert graph.named("analytics", WORKGROUP).properties["forceDestroy"] is True


class TestSavedQueries:
    def test_are_in_the_workgroup_and_the_views_database(self, graph: Result, view: Registration) -> None:
        queries = graph.of_type(NAMED_QUERY)

        assert len(queries) == len(list(QUERIES.glob("*.sql"))) == 5
        for query in queries:
            assert query.properties["database"] == view.properties["databaseName"]
            assert query.properties["workgroup"] == graph.named("analytics", WORKGROUP).id
            assert precedes(graph, view, query)

    @pytest.mark.parametrize(
        "text", ["SELECT 1", "-- Title\nSELECT 1", "-- Title\n-- More\n", "", "-- A\nSELECT 1\n-- B"]
    )
    def test_are_refused_without_a_title_and_a_description(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "some.sql"
        path.write_text(text, encoding="utf-8")

        with pytest.raises(ValueError, match=r"some\.sql must begin with a comment"):
            read_query(path)

    def test_may_hold_other_comments(self, tmp_path: Path) -> None:
        path = tmp_path / "some.sql"
        path.write_text("-- Title\n-- Which is\n-- about this.\nSELECT 1 -- one\n", encoding="utf-8")

        query = read_query(path)

        assert (query.title, query.description, query.sql) == ("Title", "Which is about this.", "SELECT 1 -- one")


class TestNamesInGlueAndAthena:
    def test_are_plain(self, graph: Result) -> None:
        for type_ in (DATABASE, TABLE):
            for resource in graph.of_type(type_):
                assert re.fullmatch("[a-z0-9_]+", resource.properties["name"])

    def test_follow_the_components_name_or_are_chosen(self) -> None:
        for graph, name in (
            (record_analytics("road-stats"), r"road_stats_[0-9a-f]{7}"),
            (record_analytics(database_name="surfaces_dev"), "surfaces_dev"),
        ):
            (database,), (workgroup,) = graph.of_type(DATABASE), graph.of_type(WORKGROUP)
            assert re.fullmatch(name, database.properties["name"])
            assert workgroup.properties["name"].replace("-", "_") == database.properties["name"]

    @pytest.mark.parametrize("name", ["Surfaces", "my-surfaces", "a b", "é", "a" * 129])
    def test_that_athena_would_not_take_are_refused(self, name: str) -> None:
        with pytest.raises(SandboxError, match=f"database_name is '{name}'; allowed are at most 128 lower-case"):
            record_analytics(database_name=name)

    def test_are_free_before_they_are_used_again(self, graph: Result) -> None:
        for type_ in (DATABASE, TABLE, WORKGROUP, NAMED_QUERY):
            for resource in graph.of_type(type_):
                assert resource.options.delete_before_replace, resource.name


class TestTheBucket:
    @staticmethod
    def expiring(**args: Any) -> dict[str, int]:
        (lifecycle,) = record_analytics(**args).of_type(LIFECYCLE)
        rules = lifecycle.properties["rules"]
        return {rule["filter"]["prefix"]: rule["expiration"]["days"] for rule in rules if "days" in rule["expiration"]}

    def test_keeps_predictions_for_ever_and_results_for_a_month(self) -> None:
        assert self.expiring() == {"athena-results/": 30}

    def test_keeps_both_as_long_as_it_is_told(self) -> None:
        args = {"prediction_retention_days": 400.0, "query_result_retention_days": 7.0}

        assert self.expiring(**args) == {"athena-results/": 7, "predictions/": 400}

    def test_keeps_old_versions_as_long_as_it_is_told(self) -> None:
        (lifecycle,) = record_analytics(noncurrent_version_retention_days=9).of_type(LIFECYCLE)

        assert lifecycle.properties["rules"][0]["noncurrentVersionExpiration"] == {"noncurrentDays": 9}

    def test_gets_the_name_that_was_chosen(self) -> None:
        graph = record_analytics(analytics_bucket_name="acme-rows")

        assert bucket_name(graph) == outputs_of(graph)["analyticsBucketName"] == "acme-rows"

    @pytest.mark.parametrize("force", [True, False])
    def test_is_only_destroyed_with_its_objects_on_demand(self, force: bool) -> None:
        (bucket,) = record_analytics(force_destroy=force).of_type(BUCKET)

        assert bucket.properties["forceDestroy"] is force


class TestTheFunction:
    def test_gets_every_prediction_in_large_batches(self, graph: Result) -> None:
        (mapping,) = graph.of_type(EVENT_SOURCE_MAPPING)
        (subscription,) = graph.of_type(SUBSCRIPTION)

        assert mapping.properties["batchSize"] == 1000
        assert mapping.properties["maximumBatchingWindowInSeconds"] == 60
        assert mapping.properties["scalingConfig"] == {"maximumConcurrency": 2}
        assert mapping.properties["functionResponseTypes"] == ["ReportBatchItemFailures"]
        assert (subscription.properties["topic"], "filterPolicy" in subscription.properties) == (TOPIC_ARN, False)

    def test_may_write_predictions_and_read_its_queue_and_no_more(self, graph: Result) -> None:
        rights = allowed(graph, "analytics-record-predictions")

        queue = graph.named("analytics-predictions", QUEUE).outputs["arn"]
        assert {action: where for action, where in rights.items() if not action.startswith("logs:")} == {
            "s3:PutObject": {f"arn:aws:s3:::{bucket_name(graph)}/predictions/*"},
            "sqs:ReceiveMessage": {queue},
            "sqs:DeleteMessage": {queue},
            "sqs:GetQueueAttributes": {queue},
            "sqs:ChangeMessageVisibility": {queue},
        }
        assert len(role_statements(graph, "analytics-record-predictions")) == 3

    def test_is_told_its_bucket(self, graph: Result) -> None:
        (function,) = graph.of_type(FUNCTION)

        assert function.properties["environment"]["variables"]["ANALYTICS_BUCKET_NAME"] == bucket_name(graph)
        assert function.properties["handler"] == "functions.record_predictions.handler.handler"

    def test_has_time_for_every_retry_of_a_message(self, graph: Result) -> None:
        (function,) = graph.of_type(FUNCTION)
        queue = graph.named("analytics-predictions", QUEUE).properties

        assert queue["visibilityTimeoutSeconds"] >= 6 * function.properties["timeout"] + 60


class TestTheDashboard:
    PRINCIPAL = "arn:aws:quicksight:us-east-1:123456789012:user/default/jane"

    def test_is_not_there_unless_somebody_is_to_see_it(self, graph: Result) -> None:
        assert not [r.label for r in graph.resources if "quicksight" in r.type.lower() or "cloudcontrol" in r.type]
        assert outputs_of(graph).get("dashboardUrl") is outputs_of(graph).get("dashboardId") is None

    def test_is_for_the_view_in_the_workgroup(self) -> None:
        graph = record_analytics(quick_sight_principal_arn=self.PRINCIPAL, database_name="analytics")

        (source,) = graph.of_type("aws:quicksight/dataSource:DataSource")
        (data_set,) = graph.of_type("aws:quicksight/dataSet:DataSet")
        (dashboard,) = graph.of_type("aws:cloudcontrol/resource:Resource")
        query = data_set.properties["physicalTableMaps"][0]["customSql"]["sqlQuery"]
        assert source.properties["parameters"]["athena"]["workGroup"] == "analytics"
        assert 'FROM "analytics"."rekognition_customlabels_analytics"' in query
        assert self.PRINCIPAL in dashboard.properties["desiredState"]
        assert outputs_of(graph)["dashboardUrl"].endswith(outputs_of(graph)["dashboardId"])

    def test_comes_after_what_it_reads(self) -> None:
        graph = record_analytics(quick_sight_principal_arn=self.PRINCIPAL)
        (data_set,) = graph.of_type("aws:quicksight/dataSet:DataSet")

        assert precedes(graph, graph.named("analytics-view", TABLE), data_set)
        assert precedes(graph, graph.named("analytics-rows", TABLE), data_set)


class TestCloudFormation:
    """The graph as a template, by the rules AWS publishes for its resource types (cfn-lint)."""

    @pytest.fixture
    def template(self, graph: Result) -> dict[str, Any]:
        resources: dict[str, Any] = {}
        for query in graph.of_type(NAMED_QUERY):
            p = query.properties
            properties = {"QueryString": p["query"], "Database": p["database"], "WorkGroup": p["workgroup"]}
            properties |= {"Name": p["name"], "Description": p["description"]}
            resources[f"Query{len(resources)}"] = {"Type": "AWS::Athena::NamedQuery", "Properties": properties}
        for table in graph.of_type(TABLE):
            kept = {name: value for name, value in table.properties.items() if name not in ("databaseName", "region")}
            properties = {"DatabaseName": "analytics", "CatalogId": ACCOUNT, "TableInput": as_in_the_api(kept)}
            resources[f"Table{len(resources)}"] = {"Type": "AWS::Glue::Table", "Properties": properties}
        workgroup = graph.named("analytics", WORKGROUP).properties
        configuration = as_in_the_api(workgroup["configuration"])
        for name in ("PublishCloudWatchMetricsEnabled", "EnforceWorkGroupConfiguration"):
            configuration[name] = configuration.pop(name.replace("CloudWatch", "Cloudwatch").replace("Group", "group"))
        properties = {"Name": workgroup["name"], "WorkGroupConfiguration": configuration}
        resources["WorkGroup"] = {"Type": "AWS::Athena::WorkGroup", "Properties": properties}
        database = {
            "CatalogId": ACCOUNT,
            "DatabaseInput": {"Name": graph.named("analytics", DATABASE).properties["name"]},
        }
        resources["Database"] = {"Type": "AWS::Glue::Database", "Properties": database}
        return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}

    def test_would_take_every_resource(self, template: dict[str, Any]) -> None:
        assert len(template["Resources"]) == 9
        assert complaints(template) == []

    def test_would_not_take_others(self, template: dict[str, Any]) -> None:
        template["Resources"]["WorkGroup"]["Properties"]["WorkGroupConfiguration"]["BytesScannedCutoffPerQuery"] = 1

        assert any("BytesScannedCutoffPerQuery" in complaint for complaint in complaints(template))


class TestTheComponent:
    def test_has_a_schema_of_every_input_and_output(self, schema: ComponentDefinition) -> None:
        assert set(schema.inputs_mapping.values()) == set(AnalyticsArgs.__annotations__)
        assert [name for name, definition in schema.inputs.items() if not definition.optional] == [
            "predictionsTopicArn"
        ]
        assert [name for name, found in (schema.inputs | schema.outputs).items() if not found.description] == []

    def test_gives_out_what_the_schema_names(self, graph: Result, schema: ComponentDefinition) -> None:
        with_dashboard = record_analytics(quick_sight_principal_arn=TestTheDashboard.PRINCIPAL)
        outputs = outputs_of(graph)

        assert set(schema.outputs) == set(outputs_of(with_dashboard))
        assert outputs["athenaTable"] == "rekognition_customlabels_analytics"
        assert outputs["athenaWorkgroup"] == graph.named("analytics", WORKGROUP).properties["name"]
        assert outputs["athenaDatabase"] == graph.named("analytics", DATABASE).properties["name"]
        assert outputs["queueUrl"] == graph.named("analytics-predictions", QUEUE).outputs["url"]
        assert outputs["deadLetterQueueUrl"] == graph.named("analytics-predictions-dlq", QUEUE).outputs["url"]

    def test_tags_everything_that_takes_tags(self, graph: Result) -> None:
        tagged = [resource for resource in cloud_resources(graph) if takes_tags(resource.type)]

        assert len(tagged) > 6
        for resource in tagged:
            assert resource.properties["tags"] == {"Component": "Analytics", "owner": "vision-team"}, resource.name

    def test_may_be_there_twice(self) -> None:
        def program() -> None:
            Analytics("roofs", {"predictions_topic_arn": TOPIC_ARN})
            Analytics("roads", {"predictions_topic_arn": TOPIC_ARN})

        graph = record_program(program)

        names = [(r.type, r.properties["name"]) for type_ in (DATABASE, WORKGROUP) for r in graph.of_type(type_)]
        assert len(set(names)) == 4

    def test_has_names_that_fit_even_for_the_longest_component(self) -> None:
        graph = record_analytics("n" * MAX_NAME_LENGTH)

        for resource in cloud_resources(graph):
            assert re.fullmatch(r"[a-z][a-z0-9-]{0,63}", resource.name), resource.name
            if resource.type in (FUNCTION, BUCKET, "aws:iam/role:Role"):
                assert len(resource.properties.get("bucket") or resource.properties["name"]) <= 63

    def test_refuses_a_name_that_would_not_fit(self) -> None:
        with pytest.raises(SandboxError, match="component name 'Stats' is not allowed"):
            record_analytics("Stats")

    def test_registers_policies_iam_takes(self, graph: Result) -> None:
        for resource in cloud_resources(graph):
            for name in ("policy", "assumeRolePolicy"):
                if name in resource.properties:
                    assert json.loads(resource.properties[name])["Version"] == "2012-10-17"


def test_the_stacks_settings_reach_the_component() -> None:
    graph = record_stack(
        analyticsBucketName="acme-rows",
        predictionRetentionDays=400,
        queryResultRetentionDays=7,
        bytesScannedCutoffPerQuery=20_000_000,
        quickSightPrincipalArn="arn:aws:quicksight:us-east-1:123456789012:group/default/quality team",
    )
    rules = graph.named("analytics-rows", LIFECYCLE).properties["rules"]
    configuration = graph.named("analytics", WORKGROUP).properties["configuration"]

    assert graph.outputs["analyticsBucketName"] == "acme-rows"
    assert {r["filter"]["prefix"]: r["expiration"].get("days") for r in rules} == {
        "": None,
        "athena-results/": 7,
        "predictions/": 400,
    }
    assert configuration["bytesScannedCutoffPerQuery"] == 20_000_000
    assert "/dashboards/" in graph.outputs["dashboardUrl"]
    assert graph.outputs["athenaDatabase"] == graph.outputs["athenaWorkgroup"] == "custom_labels_batch_test"
