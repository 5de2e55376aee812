"""A finished QuickSight dashboard on the predictions, for one QuickSight user or group."""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam
from custom_labels_batch.components.inputs import in_apply
from custom_labels_batch.components.naming import with_tags
from custom_labels_batch.components.quicksight_definition import definition
from custom_labels_batch.components.quicksight_principal import checked_principal_arn, principal_in
from custom_labels_batch.components.quicksight_query import data_set_columns, data_set_query

REFRESH = "HOURLY"
"""How often SPICE reads all rows again. The rows behind the view may change (a newer prediction of an old image), so
an incremental refresh, which looks back a fixed time, would keep stale ones."""

USE_DATA_SOURCE = [
    "quicksight:DescribeDataSource",
    "quicksight:DescribeDataSourcePermissions",
    "quicksight:PassDataSource",
]
OWN_DATA_SET = [
    "quicksight:CancelIngestion",
    "quicksight:CreateIngestion",
    "quicksight:CreateRefreshSchedule",
    "quicksight:DeleteDataSet",
    "quicksight:DeleteDataSetRefreshProperties",
    "quicksight:DeleteRefreshSchedule",
    "quicksight:DescribeDataSet",
    "quicksight:DescribeDataSetPermissions",
    "quicksight:DescribeDataSetRefreshProperties",
    "quicksight:DescribeIngestion",
    "quicksight:DescribeRefreshSchedule",
    "quicksight:ListIngestions",
    "quicksight:ListRefreshSchedules",
    "quicksight:PassDataSet",
    "quicksight:PutDataSetRefreshProperties",
    "quicksight:UpdateDataSet",
    "quicksight:UpdateDataSetPermissions",
    "quicksight:UpdateRefreshSchedule",
]
OWN_DASHBOARD = [
    "quicksight:DeleteDashboard",
    "quicksight:DescribeDashboard",
    "quicksight:DescribeDashboardPermissions",
    "quicksight:ListDashboardVersions",
    "quicksight:QueryDashboard",
    "quicksight:UpdateDashboard",
    "quicksight:UpdateDashboardLinks",
    "quicksight:UpdateDashboardPermissions",
    "quicksight:UpdateDashboardPublishedVersion",
]
"""QuickSight takes a user's or an owner's actions as a whole set only (QuickSight developer guide, "...operations";
hashicorp/terraform-provider-aws issue 33907 on the 18 of a data set's owner). The principal owns what people work
with: it may share, refresh and copy; the data source, whose role reads the data, it may only use."""


class QuickSightDashboardArgs(TypedDict):
    """Inputs of QuickSightDashboard."""

    principal_arn: str
    """ARN of the QuickSight user or group that the dashboard is for, in QuickSight's identity region."""
    analytics_bucket_name: pulumi.Input[str]
    """Bucket with the rows below `predictions/` and the query results below `athena-results/`."""
    database_name: pulumi.Input[str]
    """Glue database of the view."""
    view_name: pulumi.Input[str]
    """View with a row for each label of each image, and one for an image without labels."""
    view_columns: dict[str, str]
    """Column -> Glue type, as the view has them."""
    workgroup_name: pulumi.Input[str]
    """Athena workgroup that queries run in, with its results in the bucket."""
    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags for every resource that takes tags. Cloud Control takes those of the dashboard from here only."""


class QuickSightDashboard(pulumi.ComponentResource):
    """Athena data source with a role of its own, SPICE data set, hourly refresh, and dashboard.

    QuickSight's ids belong to the whole account and are not auto-named. Here they are the component's name and the
    analytics bucket's, which no other bucket in the world has.
    """

    dashboard_id: pulumi.Output[str]
    """Id of the dashboard."""
    dashboard_url: pulumi.Output[str]
    """Where people open the dashboard."""

    def __init__(self, name: str, args: QuickSightDashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        checked_principal_arn(args["principal_arn"])
        columns = data_set_columns(args["view_columns"])
        tags = {"Component": "QuickSightDashboard", **args.get("tags", {})}
        super().__init__("custom-labels-batch:index:QuickSightDashboard", name, None, with_tags(opts, tags))
        self._component_name, self._args, self._tags = name, args, tags
        self._child = pulumi.ResourceOptions(parent=self)
        options = pulumi.InvokeOptions(parent=self)
        self._partition = aws.get_partition_output(opts=options).partition
        self._region = aws.get_region_output(opts=options).region
        self._account = aws.get_caller_identity_output(opts=options).account_id
        self._principal = self._account.apply(lambda account: in_apply(principal_in, args["principal_arn"], account))
        self._id = pulumi.Output.from_input(args["analytics_bucket_name"]).apply(lambda bucket: asset_id(name, bucket))

        source = self._data_source()
        data_set = self._data_set(source, columns)
        self._refresh(data_set)
        dashboard = self._dashboard(data_set)

        # From the dashboard, so that nobody has the address before there is one.
        self.dashboard_id = pulumi.Output.all(self._id, dashboard.id).apply(lambda known: str(known[0]))
        self.dashboard_url = pulumi.Output.all(self._partition, self._region, self.dashboard_id).apply(
            lambda known: dashboard_url(*known)
        )
        self.register_outputs({"dashboardId": self.dashboard_id, "dashboardUrl": self.dashboard_url})

    def _data_source(self) -> aws.quicksight.DataSource:
        role, policy = iam.role(
            self._component_name,
            # QuickSight names its account to IAM, and no source ARN (pulumi-aws and terraform-provider-aws,
            # `aws_quicksight_data_source`: the example and the acceptance test of a data source's role).
            iam.assume_role("quicksight", account_id=self._account),
            self._data_source_statements(),
            self._child,
        )
        return aws.quicksight.DataSource(
            self._component_name,
            data_source_id=self._id,
            name=self._title("Athena"),
            type="ATHENA",
            parameters={"athena": {"work_group": self._args["workgroup_name"], "role_arn": role.arn}},
            permissions=[{"principal": self._principal, "actions": USE_DATA_SOURCE}],
            # QuickSight tries the connection when it makes the data source; its id is given, so the old one goes first.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy], delete_before_replace=True),
        )

    def _data_source_statements(self) -> list[iam.Statement]:
        """What AWS's own dashboards allow their data source (Cloud Intelligence Dashboards, `cid-cfn.yml`), narrowed.

        athena:ListDataCatalogs names no resource (Service Authorization Reference, Amazon Athena); it shows names of
        catalogs only.
        """
        athena, glue = self._arn("athena"), self._arn("glue")
        bucket = pulumi.Output.format("arn:{0}:s3:::{1}", self._partition, self._args["analytics_bucket_name"])
        results = bucket.apply(lambda arn: f"{arn}/athena-results/*")
        database, workgroup = self._args["database_name"], self._args["workgroup_name"]
        catalog = [pulumi.Output.concat(glue, ":catalog"), pulumi.Output.concat(glue, ":database/", database)]
        # Athena may look at this database too (its user guide, on access to databases in the Glue catalog).
        default = pulumi.Output.concat(glue, ":database/default")
        return [
            iam.allow(["athena:ListDataCatalogs"], "*"),
            iam.allow(
                [
                    "athena:GetQueryExecution",
                    "athena:GetQueryResults",
                    "athena:GetQueryResultsStream",
                    "athena:GetWorkGroup",
                    "athena:StartQueryExecution",
                    "athena:StopQueryExecution",
                ],
                pulumi.Output.concat(athena, ":workgroup/", workgroup),
            ),
            iam.allow(
                [
                    "athena:GetDataCatalog",
                    "athena:GetDatabase",
                    "athena:GetTableMetadata",
                    "athena:ListDatabases",
                    "athena:ListTableMetadata",
                ],
                pulumi.Output.concat(athena, ":datacatalog/AwsDataCatalog"),
            ),
            iam.allow(["glue:GetDatabase", "glue:GetDatabases"], [*catalog, default]),
            iam.allow(
                ["glue:GetPartition", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"],
                [*catalog, pulumi.Output.concat(glue, ":table/", database, "/*")],
            ),
            # Without a prefix condition: Athena looks whether the bucket of its results is there.
            iam.allow(["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], bucket),
            iam.allow(["s3:GetObject"], bucket.apply(lambda arn: f"{arn}/predictions/*")),
            iam.allow(
                ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"], results
            ),
        ]

    def _data_set(self, source: aws.quicksight.DataSource, columns: dict[str, str]) -> aws.quicksight.DataSet:
        query = pulumi.Output.all(
            self._args["database_name"], self._args["view_name"], self._partition, self._region
        ).apply(lambda known: data_set_query(known[0], known[1], columns, known[2], known[3]))
        return aws.quicksight.DataSet(
            self._component_name,
            data_set_id=self._id,
            name=self._title("predictions"),
            import_mode="SPICE",
            physical_table_maps=[
                {
                    "physical_table_map_id": "predictions",
                    "custom_sql": {
                        "data_source_arn": source.arn,
                        "name": "predictions",
                        "sql_query": query,
                        "columns": [{"name": column, "type": type_} for column, type_ in columns.items()],
                    },
                }
            ],
            permissions=[{"principal": self._principal, "actions": OWN_DATA_SET}],
            # Its id is given, so the old one goes first.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _refresh(self, data_set: aws.quicksight.DataSet) -> aws.quicksight.RefreshSchedule:
        return aws.quicksight.RefreshSchedule(
            self._component_name,
            data_set_id=data_set.data_set_id,
            schedule_id="refresh",
            schedule={"refresh_type": "FULL_REFRESH", "schedule_frequency": {"interval": REFRESH}},
            # An update sends the start that QuickSight once chose again, and "Schedules cannot start in the past".
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["schedule"], delete_before_replace=True),
        )

    def _dashboard(self, data_set: aws.quicksight.DataSet) -> aws.cloudcontrol.Resource:
        """Through Cloud Control: pulumi-aws has no definition on its own Dashboard."""
        state: dict[str, Any] = {
            "AwsAccountId": self._account,
            "DashboardId": self._id,
            "Name": self._title("dashboard"),
            "Definition": data_set.arn.apply(definition),
            "Permissions": [{"Principal": self._principal, "Actions": OWN_DASHBOARD}],
            "DashboardPublishOptions": {
                "AdHocFilteringOption": {"AvailabilityStatus": "ENABLED"},
                # A label or a key may begin like a formula, which a spreadsheet that opens a CSV file would run.
                "ExportToCSVOption": {"AvailabilityStatus": "DISABLED"},
                "SheetControlsOption": {"VisibilityState": "EXPANDED"},
            },
            "Tags": [{"Key": key, "Value": value} for key, value in sorted(self._tags.items())],
        }
        return aws.cloudcontrol.Resource(
            self._component_name,
            type_name="AWS::QuickSight::Dashboard",
            desired_state=pulumi.Output.json_dumps(state, sort_keys=True),
            # An update patches what Cloud Control reads back, and it never reads back a definition (write-only).
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["desiredState"], delete_before_replace=True),
        )

    def _arn(self, service: str) -> pulumi.Output[str]:
        return pulumi.Output.format("arn:{0}:{1}:{2}:{3}", self._partition, service, self._region, self._account)

    def _title(self, part: str) -> str:
        return f"Image labels: {part} ({self._component_name})"


def asset_id(name: str, bucket: str) -> str:
    """A QuickSight id, which may have no dots, that a component shares with nothing else in any account.

    A bucket's name may have no underscores, so that of another bucket does not become the same.
    """
    return f"{name}-{bucket.replace('.', '_')}"


def dashboard_url(partition: str, region: str, dashboard_id: str) -> str:
    """Where a dashboard opens ("AWS Regions, websites, IP address ranges, and endpoints" in its user guide)."""
    domain = "amazonaws.cn" if partition == "aws-cn" else "aws.amazon.com"
    return f"https://{region}.quicksight.{domain}/sn/dashboards/{dashboard_id}"
