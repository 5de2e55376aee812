"""The QuickSight component deployed to the sandbox: validated, made nowhere, and refused with any property broken."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from custom_labels_batch.components.predictions_table import VIEW_COLUMNS, VIEW_NAME
from custom_labels_batch.components.quicksight import QuickSightDashboard
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.deployer import Deployer, destroy_recorded
from sandbox.deployer.model import Created, Properties, Registration
from sandbox.deployer.preview import PreviewCreator
from sandbox.deployer.registry import validated_types
from sandbox.deployer.state import StateFile
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Program, Result, run_program

pytestmark = pytest.mark.xdist_group("sandbox_deployer")

DATA_SOURCE = "aws:quicksight/dataSource:DataSource"
DATA_SET = "aws:quicksight/dataSet:DataSet"
REFRESH_SCHEDULE = "aws:quicksight/refreshSchedule:RefreshSchedule"
CLOUD_CONTROL = "aws:cloudcontrol/resource:Resource"

ACCOUNT = "000000000000"
PRINCIPAL = f"arn:aws:quicksight:us-east-1:{ACCOUNT}:user/default/jane"

Change = Callable[[Properties], object]


class _Creator:
    """The deployer, with Glue and Athena taken as made, and one registered resource changed on its way."""

    def __init__(self, cloud: Cloud, state: StateFile, changes: dict[str, Change]) -> None:
        self._cloud, self._changes = cloud, changes
        self._deployer = Deployer(cloud, {}, state)
        self._preview = PreviewCreator(ACCOUNT, "us-east-1", {})

    def create(self, resource: Registration) -> Created:
        if change := self._changes.get(resource.type):
            change(resource.inputs)
        if not resource.type.startswith(("aws:glue/", "aws:athena/")):
            return self._deployer.create(resource)
        made = self._preview.create(resource)
        resource.id, resource.outputs = made.id, made.outputs
        self._cloud.registered[resource.urn] = resource
        return made

    def read(self, resource: Registration) -> Created:
        return self._deployer.read(resource)

    def invoke(self, token: str, arguments: Properties) -> Properties:
        return self._deployer.invoke(token, arguments)


Deployment = Callable[..., Result]


@pytest.fixture
def deployed(cloud: Cloud, state: StateFile) -> Iterator[Deployment]:
    """Deploy a program, with changes to what it registers by type; everything is removed afterwards."""

    def run(program: Program, **changes: Change) -> Result:
        creator = _Creator(cloud, state, {BY_NAME[name]: change for name, change in changes.items()})
        return run_program(program, project="project", stack="test", config={}, creator=creator, timeout=60)

    yield run
    destroy_recorded(cloud, state)


BY_NAME = {
    "data_source": DATA_SOURCE,
    "data_set": DATA_SET,
    "refresh": REFRESH_SCHEDULE,
    "dashboard": CLOUD_CONTROL,
    "role": "aws:iam/role:Role",
    "role_policy": "aws:iam/rolePolicy:RolePolicy",
    "view": "aws:glue/catalogTable:CatalogTable",
}


def program() -> None:
    """The component on a view and a workgroup."""
    workgroup = aws.athena.Workgroup("roofs", name="roofs")
    view = aws.glue.CatalogTable(
        "view",
        name=VIEW_NAME,
        database_name="roofs",
        storage_descriptor={"columns": [{"name": column.name, "type": column.type} for column in VIEW_COLUMNS]},
    )
    made = QuickSightDashboard(
        "roofs",
        {
            "principal_arn": PRINCIPAL,
            "analytics_bucket_name": "roofs-rows",
            "database_name": "roofs",
            "view_name": view.name,
            "view_columns": {column.name: column.type for column in VIEW_COLUMNS},
            "workgroup_name": workgroup.name,
        },
    )
    pulumi.export("dashboardUrl", made.dashboard_url)


class TestTheComponent:
    def test_it_is_taken(self, deployed: Deployment) -> None:
        result = deployed(program)

        assert result.outputs["dashboardUrl"] == (
            "https://us-east-1.quicksight.aws.amazon.com/sn/dashboards/roofs-roofs-rows"
        )

    def test_its_ids_are_those_of_the_provider(self, deployed: Deployment) -> None:
        result = deployed(program)

        ids = {name: resource.id for name, type_ in BY_NAME.items() for resource in result.of_type(type_)}
        assert ids["data_source"] == f"{ACCOUNT}/roofs-roofs-rows"
        assert ids["data_set"] == f"{ACCOUNT},roofs-roofs-rows"
        assert ids["refresh"] == f"{ACCOUNT},roofs-roofs-rows,refresh"
        assert ids["dashboard"] == f"{ACCOUNT}|roofs-roofs-rows"

    def test_cloud_control_reads_back_the_arn(self, deployed: Deployment) -> None:
        (dashboard,) = deployed(program).of_type(CLOUD_CONTROL)

        assert json.loads(dashboard.outputs["properties"])["Arn"] == (
            f"arn:aws:quicksight:us-east-1:{ACCOUNT}:dashboard/roofs-roofs-rows"
        )

    def test_what_was_only_validated_can_be_told(self) -> None:
        assert validated_types() == {DATA_SOURCE, DATA_SET, REFRESH_SCHEDULE, CLOUD_CONTROL}


def nested(properties: Any, path: str, value: Any) -> None:
    """Set a property by its path, such as `schedule.scheduleFrequency.interval` or `columns.0.type`."""
    *parents, last = path.split(".")
    for key in parents:
        properties = properties[int(key) if key.isdigit() else key]
    properties[last] = value


def with_state(path: str, value: Any) -> Change:
    """A change inside a Cloud Control resource's desired state."""

    def change(inputs: Properties) -> None:
        state = json.loads(inputs["desiredState"])
        nested(state, path, value)
        inputs["desiredState"] = json.dumps(state)

    return change


class TestABrokenProperty:
    @pytest.mark.parametrize(
        ("resource", "path", "value", "complaint"),
        [
            ("data_source", "type", "ATHENS", r"CreateDataSource: Type is 'ATHENS'; allowed: "),
            ("data_source", "parameters.athena.workGroup", "w" * 129, r"AthenaParameters\.WorkGroup has 129 char"),
            ("data_source", "parameters.athena.workgroup", "x", r"unknown input 'parameters\.athena\.workgroup'"),
            ("data_source", "permissions.0.principal", "p" * 257, r"Permissions\[0\]\.Principal has 257 characters"),
            ("data_source", "sslProperties", {"disableSsl": True}, r"does nothing with input sslProperties"),
            ("data_set", "importMode", "FAST", r"CreateDataSet: ImportMode is 'FAST'"),
            ("data_set", "physicalTableMaps.0.customSql.columns.2.type", "FLOAT", r"Columns\[2\]\.Type is 'FLOAT'"),
            ("data_set", "physicalTableMaps.0.customSql.columns.2.name", "sure", r"its query selects"),
            ("data_set", "physicalTableMaps.0.customSql.sqlQuery", "SELEKT", r"not Athena SQL"),
            (
                "data_set",
                "physicalTableMaps.0.customSql.dataSourceArn",
                "arn:x",
                r"data source arn:x is not made before",
            ),
            ("refresh", "schedule.refreshType", "FULL", r"CreateRefreshSchedule: Schedule\.RefreshType is 'FULL'"),
            ("refresh", "schedule.scheduleFrequency.interval", "MINUTE15", r"MINUTE15 is for an INCREMENTAL_REFRESH"),
            ("refresh", "schedule.scheduleFrequency.interval", "DAILY", r"interval DAILY needs a timeOfTheDay"),
            ("refresh", "dataSetId", "other", r"data set other is not a SPICE data set"),
            ("dashboard", "typeName", "AWS::QuickSight::Theme", r"validates AWS::QuickSight::Dashboard only"),
        ],
    )
    def test_is_named(self, deployed: Deployment, resource: str, path: str, value: Any, complaint: str) -> None:
        def change(inputs: Properties) -> None:
            nested(inputs, path, value)

        with pytest.raises(SandboxError, match=complaint):
            deployed(program, **{resource: change})

    @pytest.mark.parametrize(
        ("path", "value", "complaint"),
        [
            ("Naem", "x", r"Naem: Additional properties are not allowed"),
            ("DashboardId", "a.b", r"DashboardId: 'a\.b' does not match"),
            ("Permissions.0.Actions", [], r"Permissions\.0\.Actions: "),
            (
                "DashboardPublishOptions.ExportToCSVOption.AvailabilityStatus",
                "OFF",
                r"AvailabilityStatus: 'OFF' is not",
            ),
            (
                "Definition.Sheets.0.ContentType",
                "STATIC",
                r"Definition\.Sheets\.0\.ContentType: 'STATIC' is not one of",
            ),
            (
                "Definition.Sheets.0.Visuals.3.PieChartVisual.ChartConfiguration.DonutOptions.ArcOptions.ArcThickness",
                "THIN",
                r"ArcOptions\.ArcThickness: 'THIN' is not one of",
            ),
            (
                "Definition.FilterGroups.0.Filters.0.RelativeDatesFilter.Column.ColumnName",
                "label",
                r"column 'label' is STRING; a RelativeDatesFilter needs DATETIME",
            ),
            (
                "Definition.DataSetIdentifierDeclarations.0.DataSetArn",
                "arn:aws:quicksight:us-east-1:000000000000:dataset/other",
                r"dataset/other, which is not made before the dashboard",
            ),
        ],
    )
    def test_of_the_dashboard_is_named(self, deployed: Deployment, path: str, value: Any, complaint: str) -> None:
        with pytest.raises(SandboxError, match=complaint):
            deployed(program, dashboard=with_state(path, value))


class TestWhatMustBeThereBefore:
    def test_a_role_quicksight_may_assume(self, deployed: Deployment) -> None:
        def change(inputs: Properties) -> None:
            inputs["assumeRolePolicy"] = inputs["assumeRolePolicy"].replace("quicksight.", "athena.")

        with pytest.raises(
            SandboxError, match=r"cannot be assumed by quicksight\.amazonaws\.com for arn:.*datasource/"
        ):
            deployed(program, role=change)

    def test_a_role_that_may_query(self, deployed: Deployment) -> None:
        def change(inputs: Properties) -> None:
            inputs["policy"] = inputs["policy"].replace("athena:StartQueryExecution", "athena:GetNamedQuery")

        with pytest.raises(SandboxError, match=r"the data source needs role .* to allow athena:StartQueryExecution on"):
            deployed(program, role_policy=change)

    def test_the_column_of_the_view(self, deployed: Deployment) -> None:
        def change(inputs: Properties) -> None:
            del inputs["storageDescriptor"]["columns"][1]

        with pytest.raises(SandboxError, match=rf"table roofs\.{VIEW_NAME} has no column label"):
            deployed(program, view=change)

    def test_the_view(self, deployed: Deployment) -> None:
        def change(inputs: Properties) -> None:
            inputs["name"] = "other"

        def named_by_value(inputs: Properties) -> None:
            sql = inputs["physicalTableMaps"][0]["customSql"]
            sql["sqlQuery"] = sql["sqlQuery"].replace('"other"', f'"{VIEW_NAME}"')

        with pytest.raises(SandboxError, match=rf"table roofs\.{VIEW_NAME} is not made before the data set"):
            deployed(program, view=change, data_set=named_by_value)

    def test_the_workgroup(self, deployed: Deployment) -> None:
        def change(inputs: Properties) -> None:
            inputs["parameters"]["athena"]["workGroup"] = "primary"

        with pytest.raises(SandboxError, match="workgroup primary is not made before the data source"):
            deployed(program, data_source=change)
