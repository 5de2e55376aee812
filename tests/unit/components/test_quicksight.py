"""The QuickSight dashboard's resources: whose, on what rights, under which ids, and what a change does to them."""

import json
import re
from pathlib import Path
from typing import Any

import cfnlint
import pulumi
import pytest

from custom_labels_batch.components.predictions_table import VIEW_COLUMNS, VIEW_NAME
from custom_labels_batch.components.quicksight import (
    OWN_DASHBOARD,
    OWN_DATA_SET,
    USE_DATA_SOURCE,
    QuickSightDashboard,
    QuickSightDashboardArgs,
)
from custom_labels_batch.components.quicksight_principal import checked_principal_arn
from sandbox.deployer.model import Registration
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Result, record_program
from tests.unit.components.graph import ACCOUNT, ROLE, ROLE_POLICY, allowed, precedes, role_statements

DATA_SOURCE = "aws:quicksight/dataSource:DataSource"
DATA_SET = "aws:quicksight/dataSet:DataSet"
REFRESH_SCHEDULE = "aws:quicksight/refreshSchedule:RefreshSchedule"
CLOUD_CONTROL = "aws:cloudcontrol/resource:Resource"

PRINCIPAL = f"arn:aws:quicksight:eu-west-1:{ACCOUNT}:user/default/jane"
VIEW = {column.name: column.type for column in VIEW_COLUMNS}
ACTIONS: dict[str, Any] = json.loads(
    (Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json").read_text(encoding="utf-8")
)


def dashboard(name: str = "roofs-quicksight", **changed: Any) -> QuickSightDashboard:
    args: QuickSightDashboardArgs = {
        "principal_arn": PRINCIPAL,
        "analytics_bucket_name": "roofs-rows-1a2b3c4",
        "database_name": "roofs",
        "view_name": VIEW_NAME,
        "view_columns": VIEW,
        "workgroup_name": "roofs",
        **changed,  # type: ignore[typeddict-item]
    }
    return QuickSightDashboard(name, args)


@pytest.fixture(scope="module")
def graph() -> Result:
    return record_program(lambda: dashboard(tags={"owner": "vision-team"}))


def the(graph: Result, type_: str) -> Registration:
    (found,) = graph.of_type(type_)
    return found


def desired_state(graph: Result) -> dict[str, Any]:
    return dict(json.loads(the(graph, CLOUD_CONTROL).properties["desiredState"]))


class TestWhoMayUseIt:
    def test_the_principal_uses_the_data_source_and_owns_the_rest(self, graph: Result) -> None:
        assert the(graph, DATA_SOURCE).properties["permissions"] == [
            {"principal": PRINCIPAL, "actions": USE_DATA_SOURCE}
        ]
        assert the(graph, DATA_SET).properties["permissions"] == [{"principal": PRINCIPAL, "actions": OWN_DATA_SET}]
        assert desired_state(graph)["Permissions"] == [{"Principal": PRINCIPAL, "Actions": OWN_DASHBOARD}]

    @pytest.mark.parametrize("action", USE_DATA_SOURCE + OWN_DATA_SET + OWN_DASHBOARD)
    def test_every_granted_action_exists(self, action: str) -> None:
        exists = action.removeprefix("quicksight:").lower() in ACTIONS["quicksight"]["Actions"]

        # Shared, and not an action of IAM: QuickSight developer guide, UpdateDashboardPermissions.
        assert exists or action == "quicksight:QueryDashboard"

    @pytest.mark.parametrize(
        "arn",
        [
            PRINCIPAL,
            f"arn:aws:quicksight:us-east-1:{ACCOUNT}:group/default/vision-team",
            f"arn:aws:quicksight:us-east-1:{ACCOUNT}:user/default/AuthorRole/jane@example.com",
            f"arn:aws-us-gov:quicksight:us-gov-west-1:{ACCOUNT}:user/team-a/jane",
        ],
    )
    def test_users_and_groups_of_quicksight_are_principals(self, arn: str) -> None:
        assert checked_principal_arn(arn) == arn

    @pytest.mark.parametrize(
        "arn",
        [f"arn:aws:iam::{ACCOUNT}:role/author", f"arn:aws:iam::{ACCOUNT}:user/jane", f"arn:aws:iam::{ACCOUNT}:root"],
    )
    def test_what_belongs_to_iam_is_refused_with_what_is_allowed(self, arn: str) -> None:
        with pytest.raises(SandboxError, match=rf"{arn}' belongs to IAM; aws quicksight list-users"):
            record_program(lambda: dashboard(principal_arn=arn))

    @pytest.mark.parametrize(
        "arn",
        [
            "jane",
            "",
            f"arn:aws:quicksight:us-east-1:{ACCOUNT}:namespace/default",
            f"arn:aws:quicksight:us-east-1:{ACCOUNT}:user/default",
            f"arn:aws:quicksight:us-east-1:{ACCOUNT}:dashboard/roofs",
            f"arn:aws:quicksight::{ACCOUNT}:user/default/jane",
        ],
    )
    def test_anything_else_is_refused(self, arn: str) -> None:
        with pytest.raises(ValueError, match="is not a QuickSight user's or group's"):
            checked_principal_arn(arn)

    def test_a_principal_of_another_account_is_refused(self) -> None:
        arn = PRINCIPAL.replace(ACCOUNT, "210987654321")

        with pytest.raises(SandboxError, match=f"principal {arn} is not of account {ACCOUNT}"):
            record_program(lambda: dashboard(principal_arn=arn))


class TestTheDataSourcesRole:
    def test_quicksight_assumes_it_for_this_account(self, graph: Result) -> None:
        (statement,) = json.loads(the(graph, ROLE).properties["assumeRolePolicy"])["Statement"]

        assert statement == {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "quicksight.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }

    def test_it_queries_in_one_workgroup(self, graph: Result) -> None:
        rights = allowed(graph, "roofs-quicksight")

        for action in ("GetQueryExecution", "GetQueryResults", "GetQueryResultsStream", "StartQueryExecution"):
            assert rights[f"athena:{action}"] == {f"arn:aws:athena:us-east-1:{ACCOUNT}:workgroup/roofs"}

    def test_it_reads_the_catalog_of_one_database(self, graph: Result) -> None:
        rights, glue = allowed(graph, "roofs-quicksight"), f"arn:aws:glue:us-east-1:{ACCOUNT}"
        database = {f"{glue}:catalog", f"{glue}:database/roofs"}

        assert {action: on for action, on in rights.items() if action.startswith("glue:")} == {
            "glue:GetDatabase": database | {f"{glue}:database/default"},
            "glue:GetDatabases": database | {f"{glue}:database/default"},
            "glue:GetPartition": database | {f"{glue}:table/roofs/*"},
            "glue:GetPartitions": database | {f"{glue}:table/roofs/*"},
            "glue:GetTable": database | {f"{glue}:table/roofs/*"},
            "glue:GetTables": database | {f"{glue}:table/roofs/*"},
        }

    def test_it_reads_rows_and_writes_results_only(self, graph: Result) -> None:
        rights = allowed(graph, "roofs-quicksight")
        bucket = "arn:aws:s3:::roofs-rows-1a2b3c4"

        assert rights["s3:GetObject"] == {f"{bucket}/predictions/*", f"{bucket}/athena-results/*"}
        assert rights["s3:PutObject"] == {f"{bucket}/athena-results/*"}
        assert rights["s3:ListBucket"] == rights["s3:GetBucketLocation"] == {bucket}
        assert not {action for action in rights if "Delete" in action}

    def test_its_only_star_is_the_action_that_names_no_resource(self, graph: Result) -> None:
        stars = {action for action, on in allowed(graph, "roofs-quicksight").items() if "*" in on}

        assert stars == {"athena:ListDataCatalogs"}
        assert not ACTIONS["athena"]["Actions"]["listdatacatalogs"].get("Resources")

    def test_every_right_exists_and_is_on_a_kind_of_resource_it_works_on(self, graph: Result) -> None:
        for statement in role_statements(graph, "roofs-quicksight"):
            on = statement["Resource"]
            for arn in [on] if isinstance(on, str) else on:
                for action in statement["Action"]:
                    service, _, name = action.partition(":")
                    kinds = ACTIONS[service]["Actions"][name.lower()].get("Resources", [])
                    forms = [f for kind in kinds for f in ACTIONS[service]["Resources"][kind.lower()]["ARNFormats"]]
                    fits = [form for form in forms if re.fullmatch(re.sub(r"\$\{\w+\}", "[^:]*", form), arn)]
                    assert fits or arn == "*", (action, arn)

    def test_its_rights_are_there_before_quicksight_tries_the_connection(self, graph: Result) -> None:
        assert precedes(graph, the(graph, ROLE_POLICY), the(graph, DATA_SOURCE))


class TestIds:
    def test_they_name_the_component_and_the_bucket(self, graph: Result) -> None:
        id_ = "roofs-quicksight-roofs-rows-1a2b3c4"

        assert the(graph, DATA_SOURCE).properties["dataSourceId"] == id_
        assert the(graph, DATA_SET).properties["dataSetId"] == id_
        assert desired_state(graph)["DashboardId"] == id_

    def test_a_bucket_with_dots_makes_an_id_without(self) -> None:
        graph = record_program(lambda: dashboard(analytics_bucket_name="rows.example.com"))

        assert desired_state(graph)["DashboardId"] == "roofs-quicksight-rows_example_com"

    def test_two_dashboards_on_one_bucket_have_two(self) -> None:
        graph = record_program(lambda: [dashboard("roofs"), dashboard("roads")])

        assert len({source.properties["dataSourceId"] for source in graph.of_type(DATA_SOURCE)}) == 2

    def test_the_dashboard_opens_in_the_stacks_region(self, graph: Result) -> None:
        component = the(graph, "custom-labels-batch:index:QuickSightDashboard")

        assert component.outputs == {
            "dashboardId": "roofs-quicksight-roofs-rows-1a2b3c4",
            "dashboardUrl": (
                "https://us-east-1.quicksight.aws.amazon.com/sn/dashboards/roofs-quicksight-roofs-rows-1a2b3c4"
            ),
        }


class TestTheDataSet:
    def test_it_has_every_column_of_the_view_and_a_link(self, graph: Result) -> None:
        columns = the(graph, DATA_SET).properties["physicalTableMaps"][0]["customSql"]["columns"]

        assert [column["name"] for column in columns] == [*VIEW, "link"]

    def test_it_is_read_again_every_hour(self, graph: Result) -> None:
        schedule = the(graph, REFRESH_SCHEDULE)

        assert the(graph, DATA_SET).properties["importMode"] == "SPICE"
        assert schedule.properties["schedule"] == {
            "refreshType": "FULL_REFRESH",
            "scheduleFrequency": {"interval": "HOURLY"},
        }
        assert schedule.properties["dataSetId"] == the(graph, DATA_SET).properties["dataSetId"]

    def test_a_view_without_a_column_of_the_dashboard_is_refused(self) -> None:
        columns = {**VIEW, "confidence": "string"}
        del columns["status"]

        with pytest.raises(
            SandboxError, match=r"confidence \(DECIMAL; the view has string\), status \(STRING; the view has none\)"
        ):
            record_program(lambda: dashboard(view_columns=columns))


class TestChanges:
    @pytest.mark.parametrize(("type_", "changed"), [(REFRESH_SCHEDULE, "schedule"), (CLOUD_CONTROL, "desiredState")])
    def test_what_cannot_be_updated_is_replaced_under_its_own_id(self, graph: Result, type_: str, changed: str) -> None:
        options = the(graph, type_).options

        assert options.replace_on_changes == (changed,)
        assert options.delete_before_replace is True

    def test_everything_is_below_the_component(self, graph: Result) -> None:
        component = the(graph, "custom-labels-batch:index:QuickSightDashboard")

        assert {resource.parent for resource in graph.resources if resource.custom} == {component.urn}


class TestTags:
    def test_the_dashboard_has_those_of_the_component_and_the_user(self, graph: Result) -> None:
        assert desired_state(graph)["Tags"] == [
            {"Key": "Component", "Value": "QuickSightDashboard"},
            {"Key": "owner", "Value": "vision-team"},
        ]
        assert the(graph, DATA_SET).properties["tags"] == {"Component": "QuickSightDashboard", "owner": "vision-team"}

    def test_a_component_around_it_may_give_its_own_name(self) -> None:
        graph = record_program(lambda: dashboard(tags={"Component": "Analytics"}))

        assert desired_state(graph)["Tags"] == [{"Key": "Component", "Value": "Analytics"}]


def test_the_names_may_be_outputs() -> None:
    graph = record_program(
        lambda: dashboard(
            analytics_bucket_name=pulumi.Output.from_input("rows"), view_name=pulumi.Output.from_input("predictions")
        )
    )

    query = the(graph, DATA_SET).properties["physicalTableMaps"][0]["customSql"]["sqlQuery"]
    assert query.endswith('FROM "roofs"."predictions"')


def test_nobody_can_export_rows_that_a_spreadsheet_would_run(graph: Result) -> None:
    assert desired_state(graph)["DashboardPublishOptions"]["ExportToCSVOption"] == {"AvailabilityStatus": "DISABLED"}
