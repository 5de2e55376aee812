"""Requests by botocore's model and desired states by cfn-lint's schema: each rule broken once, by its path."""

from typing import Any

import pytest

from sandbox.deployer.aws_requests import check_request
from sandbox.deployer.resource_schema import check_desired_state
from sandbox.errors import SandboxError

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/quicksight"
DASHBOARD = "AWS::QuickSight::Dashboard"


def data_source(**changed: Any) -> dict[str, Any]:
    return {
        "AwsAccountId": ACCOUNT,
        "DataSourceId": "predictions",
        "Name": "Predictions",
        "Type": "ATHENA",
        "DataSourceParameters": {"AthenaParameters": {"WorkGroup": "analytics", "RoleArn": ROLE}},
        "Permissions": [{"Principal": "jane", "Actions": ["quicksight:DescribeDataSource"]}],
        **changed,
    }


class TestRequests:
    def test_one_that_fits_is_taken(self) -> None:
        check_request("quicksight", "CreateDataSource", data_source())

    @pytest.mark.parametrize(
        ("changed", "complaint"),
        [
            ({"Typ": "ATHENA"}, 'Unknown parameter in input: "Typ"'),
            ({"Name": 7}, "Invalid type for parameter Name"),
            ({"Permissions": [{"Principal": "jane"}]}, r'Missing required parameter in Permissions\[0\]: "Actions"'),
            (
                {"DataSourceParameters": {"AthenaParameters": {"Workgroup": "x"}}},
                "Unknown parameter in DataSourceParameters.AthenaParameters",
            ),
        ],
    )
    def test_names_and_types(self, changed: dict[str, Any], complaint: str) -> None:
        with pytest.raises(SandboxError, match=f"CreateDataSource: .*{complaint}"):
            check_request("quicksight", "CreateDataSource", data_source(**changed))

    @pytest.mark.parametrize(
        ("changed", "complaint"),
        [
            ({"Type": "ATHENAS"}, "Type is 'ATHENAS'; allowed: .*ATHENA"),
            ({"AwsAccountId": "12345678901x"}, r"AwsAccountId is '12345678901x'; it must match \^\[0-9\]\{12\}\$"),
            ({"Name": "n" * 129}, "Name has 129 characters; allowed: 1 to 128"),
            (
                {"Permissions": [{"Principal": "p" * 257, "Actions": ["a"]}]},
                r"Permissions\[0\].Principal has 257 characters; allowed: 1 to 256",
            ),
            (
                {"Permissions": [{"Principal": "p", "Actions": ["a"]}] * 65},
                "Permissions has 65 items; allowed: 1 to 64",
            ),
            (
                {"DataSourceParameters": {"AthenaParameters": {"RoleArn": "role"}}},
                "parameter DataSourceParameters.AthenaParameters.RoleArn, value: 4, valid min length: 20",
            ),
        ],
    )
    def test_what_botocore_leaves_to_aws(self, changed: dict[str, Any], complaint: str) -> None:
        with pytest.raises(SandboxError, match=complaint):
            check_request("quicksight", "CreateDataSource", data_source(**changed))

    def test_values_of_maps(self) -> None:
        sql = {"DataSourceArn": "arn", "Name": "q", "SqlQuery": "SELECT 1", "Columns": [{"Name": "a", "Type": "TEXT"}]}
        request = {
            "AwsAccountId": ACCOUNT,
            "DataSetId": "predictions",
            "Name": "Predictions",
            "ImportMode": "SPICE",
            "PhysicalTableMap": {"t": {"CustomSql": sql}},
        }

        with pytest.raises(SandboxError, match=r"PhysicalTableMap\.t\.CustomSql\.Columns\[0\]\.Type is 'TEXT'"):
            check_request("quicksight", "CreateDataSet", request)

    def test_numbers(self) -> None:
        element = {"ElementId": "e", "ElementType": "VISUAL", "ColumnSpan": 37, "RowSpan": 1}
        grid = {"Configuration": {"GridLayout": {"Elements": [element]}}}
        definition = {"DataSetIdentifierDeclarations": [], "Sheets": [{"SheetId": "s", "Layouts": [grid]}]}
        request = {"AwsAccountId": ACCOUNT, "DashboardId": "d", "Name": "D", "Definition": definition}

        with pytest.raises(SandboxError, match=r"Elements\[0\]\.ColumnSpan has 37; allowed: 1 to 36"):
            check_request("quicksight", "CreateDashboard", request)

    def test_a_pattern_python_cannot_read_is_not_passed_over(self) -> None:
        with pytest.raises(SandboxError, match="the sandbox cannot read AWS's pattern"):
            check_request("quicksight", "CreateSpace", {"AwsAccountId": ACCOUNT, "SpaceId": "s", "Name": "n"})


STATE: dict[str, Any] = {"AwsAccountId": ACCOUNT, "DashboardId": "d", "Name": "D"}


class TestDesiredStates:
    def test_one_that_fits_is_taken(self) -> None:
        check_desired_state(DASHBOARD, STATE, "us-east-1")

    @pytest.mark.parametrize(
        ("changed", "complaint"),
        [
            ({"Nam": "x"}, "Nam: Additional properties are not allowed"),
            ({"Name": None}, "Name: None is not of type 'string'"),
            ({"DashboardId": "a b"}, "DashboardId: 'a b' does not match"),
            ({"Definition": {}}, "Definition: 'DataSetIdentifierDeclarations' is a required property"),
            (
                {"DashboardPublishOptions": {"ExportToCSVOption": {"AvailabilityStatus": "OFF"}}},
                "DashboardPublishOptions.ExportToCSVOption.AvailabilityStatus: 'OFF' is not one of",
            ),
            ({"Arn": "arn:aws:quicksight:us-east-1:123456789012:dashboard/d"}, "Arn: read-only"),
        ],
    )
    def test_a_wrong_property_is_named(self, changed: dict[str, Any], complaint: str) -> None:
        with pytest.raises(SandboxError, match=f"{DASHBOARD}: .*{complaint}"):
            check_desired_state(DASHBOARD, {**STATE, **changed}, "us-east-1")

    def test_a_missing_property_is_named(self) -> None:
        with pytest.raises(SandboxError, match="'Name' is a required property"):
            check_desired_state(DASHBOARD, {"AwsAccountId": ACCOUNT, "DashboardId": "d"}, "us-east-1")

    def test_a_type_there_is_not(self) -> None:
        with pytest.raises(SandboxError, match="CloudFormation has no AWS::QuickSight::Kiosk in us-east-1"):
            check_desired_state("AWS::QuickSight::Kiosk", {}, "us-east-1")
