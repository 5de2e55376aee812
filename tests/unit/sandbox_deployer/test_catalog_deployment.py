"""Glue's and Athena's resources, made in a real emulator and removed again."""

from typing import Any

import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError

from sandbox.deployer.cloud import Cloud
from sandbox.deployer.deployer import destroy_recorded
from sandbox.deployer.state import StateFile
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Result
from tests.unit.sandbox_deployer.conftest import Deploy
from tests.unit.sandbox_deployer.programs import catalog

pytestmark = pytest.mark.xdist_group("sandbox_deployer")


@pytest.fixture
def deployed(deploy: Deploy, cloud: Cloud, state: StateFile) -> Any:
    yield deploy(lambda: catalog(aws.s3.Bucket("rows"), "leaves") and None)
    destroy_recorded(cloud, state)


class TestMaking:
    def test_a_table_has_what_the_program_asked_for(self, deployed: Result, cloud: Cloud) -> None:
        table = cloud.glue.get_table(DatabaseName="leaves", Name="rows")["Table"]
        bucket = deployed.named("rows", "aws:s3/bucket:Bucket").id

        assert table["TableType"] == "EXTERNAL_TABLE"
        assert table["Parameters"] == {"classification": "json", "projection.enabled": "false"}
        assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string", "Comment": "The day"}]
        assert table["StorageDescriptor"] == {
            "Location": f"s3://{bucket}/rows/",
            "Columns": [
                {"Name": "label", "Type": "string", "Comment": "What it shows", "Parameters": {"a": "b"}},
                {"Name": "confidence", "Type": "double"},
            ],
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "Compressed": True,
            "NumberOfBuckets": -1,
            "BucketColumns": ["label"],
            "SortColumns": [{"Column": "label", "SortOrder": 1}],
            "Parameters": {"c": "d"},
            "StoredAsSubDirectories": False,
            "SkewedInfo": {
                "SkewedColumnNames": ["label"],
                "SkewedColumnValues": ["x"],
                "SkewedColumnValueLocationMaps": {"x": "y"},
            },
            "SerdeInfo": {
                "Name": "json",
                "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
                "Parameters": {"ignore.malformed.json": "true"},
            },
        }

    def test_a_workgroup_has_what_the_program_asked_for(self, deployed: Result, cloud: Cloud) -> None:
        workgroup = cloud.athena.get_work_group(WorkGroup="leaves")["WorkGroup"]
        bucket = deployed.named("rows", "aws:s3/bucket:Bucket").id
        configuration = workgroup["Configuration"]

        assert (workgroup["State"], workgroup["Description"]) == ("ENABLED", "Questions about rows")
        assert configuration["EnforceWorkGroupConfiguration"] is True
        assert configuration["BytesScannedCutoffPerQuery"] == 10_485_760
        assert configuration["ResultConfiguration"] == {
            "OutputLocation": f"s3://{bucket}/results/",
            "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
            "ExpectedBucketOwner": "000000000000",
            "AclConfiguration": {"S3AclOption": "BUCKET_OWNER_FULL_CONTROL"},
        }

    def test_a_saved_query_is_in_its_workgroup(self, deployed: Result, cloud: Cloud) -> None:
        (number,) = cloud.athena.list_named_queries(WorkGroup="leaves")["NamedQueryIds"]
        query = cloud.athena.get_named_query(NamedQueryId=number)["NamedQuery"]

        assert number == deployed.named("catalog-count", "aws:athena/namedQuery:NamedQuery").id
        assert (query["Name"], query["Database"]) == ("How many", "leaves")
        assert query["QueryString"] == "SELECT count(*) FROM rows"

    def test_ids_are_those_of_the_provider(self, deployed: Result) -> None:
        ids = {resource.name: resource.id for resource in deployed.resources}

        assert ids["catalog-database"] == "000000000000:leaves"
        assert ids["catalog-rows"] == "000000000000:leaves:rows"
        assert ids["catalog-workgroup"] == "leaves"
        assert deployed.outputs["tableArn"] == "arn:aws:glue:us-east-1:000000000000:table/leaves/rows"


class TestRemoving:
    def test_everything_goes(self, deploy: Deploy, cloud: Cloud, state: StateFile) -> None:
        deploy(lambda: catalog(aws.s3.Bucket("rows"), "gone") and None)

        destroy_recorded(cloud, state)

        with pytest.raises(ClientError, match="EntityNotFoundException"):
            cloud.glue.get_database(Name="gone")
        with pytest.raises(ClientError, match="not found"):
            cloud.athena.get_work_group(WorkGroup="gone")
        assert cloud.athena.list_named_queries(WorkGroup="gone")["NamedQueryIds"] == []


class TestRefusing:
    @pytest.mark.parametrize("name", ["has-hyphens", "HasCapitals", "has space"])
    def test_a_name_that_athena_cannot_take(self, deploy: Deploy, name: str) -> None:
        with pytest.raises(SandboxError, match="does not accept the name"):
            deploy(lambda: aws.glue.CatalogDatabase("database", name=name) and None)

    def test_an_auto_name_since_it_has_a_hyphen(self, deploy: Deploy) -> None:
        with pytest.raises(SandboxError, match="does not accept the name 'database-"):
            deploy(lambda: aws.glue.CatalogDatabase("database") and None)

    def test_a_misspelled_key_of_the_serde(self, deploy: Deploy) -> None:
        storage: Any = {"ser_de_info": {"serialisation_library": "org.openx.data.jsonserde.JsonSerDe"}}

        with pytest.raises(SandboxError, match=r"serDeInfo\.serialisation_library"):
            deploy(lambda: aws.glue.CatalogTable("t", name="t", database_name="d", storage_descriptor=storage) and None)

    def test_a_key_that_nothing_is_done_with(self, deploy: Deploy) -> None:
        def program() -> None:
            database = aws.glue.CatalogDatabase("linked_database", name="linked_database")
            target: Any = {"catalog_id": "000000000000", "database_name": "other", "name": "other"}
            aws.glue.CatalogTable("linked", name="linked", database_name=database.name, target_table=target)

        with pytest.raises(SandboxError, match="does nothing with input targetTable"):
            deploy(program)

    def test_a_table_without_its_database(self, deploy: Deploy) -> None:
        with pytest.raises(SandboxError, match="nowhere not found"):
            deploy(lambda: aws.glue.CatalogTable("lost", name="lost", database_name="nowhere") and None)
