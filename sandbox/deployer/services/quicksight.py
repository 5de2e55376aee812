"""QuickSight data sources, data sets, refresh schedules and dashboards: validated as AWS would, and not made.

The emulator has no QuickSight. Each resource becomes the request that creates it on AWS.
"""

from typing import Any

import sqlglot
from sqlglot import exp

from sandbox.deployer.arguments import Arguments, Request
from sandbox.deployer.aws_requests import check_request
from sandbox.deployer.cloud import Cloud, tag_list
from sandbox.deployer.dashboards import check_references
from sandbox.deployer.model import Created, Registration
from sandbox.deployer.permissions import require_allowed, require_trust
from sandbox.deployer.registry import creates, deletes
from sandbox.errors import SandboxError

_DATA_SOURCE = "aws:quicksight/dataSource:DataSource"
_DATA_SET = "aws:quicksight/dataSet:DataSet"
_REFRESH_SCHEDULE = "aws:quicksight/refreshSchedule:RefreshSchedule"
_TABLE = "aws:glue/catalogTable:CatalogTable"
_WORKGROUP = "aws:athena/workgroup:Workgroup"

_SERVICE = "quicksight.amazonaws.com"
_QUERY_ACTIONS = ("athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults")

_FOR_INCREMENTAL_REFRESH = ("MINUTE15", "MINUTE30")
_AT_A_TIME_OF_DAY = ("DAILY", "WEEKLY", "MONTHLY")


@creates(_DATA_SOURCE, replaced_by=["awsAccountId", "dataSourceId", "type"], validated_only=True)
def create_data_source(cloud: Cloud, args: Request) -> Created:
    """Validate an Athena data source whose role QuickSight may assume, and which may query in its workgroup."""
    account, id_ = args.get("awsAccountId", cloud.account_id), args["dataSourceId"]
    arn = _arn(cloud, account, f"datasource/{id_}")
    request: dict[str, Any] = {
        "AwsAccountId": account,
        "DataSourceId": id_,
        **args.renamed({"name": "Name", "type": "Type"}),
        "DataSourceParameters": {"AthenaParameters": _athena(args["parameters"])},
        **_permissions(args),
        **_tags(args),
    }
    check_request("quicksight", "CreateDataSource", request)
    _check_connection(cloud, args.resource, arn, request["DataSourceParameters"]["AthenaParameters"])
    return Created(f"{account}/{id_}", {"arn": arn, "awsAccountId": account})


@deletes(_DATA_SOURCE)
def delete_data_source(cloud: Cloud, made: Created) -> None:
    """Nothing was made."""


@creates(_DATA_SET, replaced_by=["awsAccountId", "dataSetId"], validated_only=True)
def create_data_set(cloud: Cloud, args: Request) -> Created:
    """Validate a data set of SQL queries that select just its columns, from tables that have them."""
    account, id_ = args.get("awsAccountId", cloud.account_id), args["dataSetId"]
    tables = {table["physicalTableMapId"]: _custom_sql(table) for table in args["physicalTableMaps"]}
    request: dict[str, Any] = {
        "AwsAccountId": account,
        "DataSetId": id_,
        **args.renamed({"name": "Name", "importMode": "ImportMode"}),
        "PhysicalTableMap": tables,
        **_permissions(args),
        **_tags(args),
    }
    check_request("quicksight", "CreateDataSet", request)
    for table in tables.values():
        _check_query(cloud, args.resource, table["CustomSql"])
    return Created(f"{account},{id_}", {"arn": _arn(cloud, account, f"dataset/{id_}"), "awsAccountId": account})


@deletes(_DATA_SET)
def delete_data_set(cloud: Cloud, made: Created) -> None:
    """Nothing was made."""


@creates(_REFRESH_SCHEDULE, replaced_by=["awsAccountId", "dataSetId", "scheduleId"], validated_only=True)
def create_refresh_schedule(cloud: Cloud, args: Request) -> Created:
    """Validate when a SPICE data set is read again."""
    account, data_set, id_ = args.get("awsAccountId", cloud.account_id), args["dataSetId"], args["scheduleId"]
    names = {"interval": "Interval", "timeOfTheDay": "TimeOfTheDay", "timezone": "Timezone"}
    schedule = {
        "ScheduleId": id_,
        "RefreshType": args["schedule"]["refreshType"],
        "ScheduleFrequency": args["schedule"]["scheduleFrequency"].renamed(names),
    }
    request = {"AwsAccountId": account, "DataSetId": data_set, "Schedule": schedule}
    check_request("quicksight", "CreateRefreshSchedule", request)
    _check_refresh(cloud, args.resource, data_set, schedule)
    arn = _arn(cloud, account, f"dataset/{data_set}/refresh-schedule/{id_}")
    return Created(f"{account},{data_set},{id_}", {"arn": arn, "awsAccountId": account})


@deletes(_REFRESH_SCHEDULE)
def delete_refresh_schedule(cloud: Cloud, made: Created) -> None:
    """Nothing was made."""


def check_dashboard(cloud: Cloud, resource: Registration, state: dict[str, Any]) -> str:
    """Check a dashboard's properties as CreateDashboard would, and what its definition refers to.

    Returns
    -------
    str
        The ARN it would have.

    Raises
    ------
    SandboxError
        Naming each wrong property.
    """
    check_request("quicksight", "CreateDashboard", state)
    if "Definition" not in state:
        raise SandboxError("a dashboard needs a Definition here; sources of other kinds are not known")
    data_sets = {
        made.outputs["arn"]: {
            column["name"]: column["type"]
            for table in made.properties["physicalTableMaps"]
            for column in table["customSql"]["columns"]
        }
        for made in cloud.made_before(resource, _DATA_SET)
    }
    check_references(state["Definition"], data_sets)
    return _arn(cloud, state["AwsAccountId"], f"dashboard/{state['DashboardId']}")


def _arn(cloud: Cloud, account: str, path: str) -> str:
    return f"arn:aws:quicksight:{cloud.region}:{account}:{path}"


def _permissions(args: Arguments) -> dict[str, Any]:
    granted = args.get("permissions", [])
    return {"Permissions": [{"Principal": p["principal"], "Actions": p["actions"]} for p in granted]} if granted else {}


def _tags(args: Arguments) -> dict[str, Any]:
    tags = args.plain("tagsAll")
    return {"Tags": tag_list(tags)} if tags else {}


def _athena(parameters: Arguments) -> dict[str, Any]:
    if "athena" not in parameters:
        raise SandboxError("the sandbox knows Athena data sources only; teach sandbox/deployer")
    return dict(parameters["athena"].renamed({"workGroup": "WorkGroup", "roleArn": "RoleArn"}))


def _check_connection(cloud: Cloud, resource: Registration, arn: str, athena: dict[str, Any]) -> None:
    """QuickSight tries the connection when it makes a data source."""
    workgroups = {made.properties["name"] for made in cloud.made_before(resource, _WORKGROUP)}
    if athena["WorkGroup"] not in workgroups:
        raise SandboxError(f"workgroup {athena['WorkGroup']} is not made before the data source")
    require_trust(cloud, athena["RoleArn"], _SERVICE, arn)
    on = f"arn:aws:athena:{cloud.region}:{cloud.account_id}:workgroup/{athena['WorkGroup']}"
    require_allowed(cloud, resource, athena["RoleArn"], _QUERY_ACTIONS, on, "the data source")


def _custom_sql(table: Arguments) -> dict[str, Any]:
    if "customSql" not in table:
        raise SandboxError("the sandbox knows data sets of custom SQL only; teach sandbox/deployer")
    sql = table["customSql"]
    names = {"dataSourceArn": "DataSourceArn", "name": "Name", "sqlQuery": "SqlQuery"}
    columns = [{"Name": column["name"], "Type": column["type"]} for column in sql["columns"]]
    return {"CustomSql": {**sql.renamed(names), "Columns": columns}}


def _check_query(cloud: Cloud, resource: Registration, custom_sql: dict[str, Any]) -> None:
    """A query must select what the data set says, from a data source and a table that are there."""
    sources = {made.outputs["arn"] for made in cloud.made_before(resource, _DATA_SOURCE)}
    if custom_sql["DataSourceArn"] not in sources:
        raise SandboxError(f"data source {custom_sql['DataSourceArn']} is not made before the data set")
    try:
        query = sqlglot.parse_one(custom_sql["SqlQuery"], dialect="athena", into=exp.Select)
    except sqlglot.ParseError as error:
        raise SandboxError(f"the data set's query is not Athena SQL: {error}") from error
    selected, declared = query.named_selects, [column["Name"] for column in custom_sql["Columns"]]
    if selected != declared:
        raise SandboxError(f"the data set has columns {declared}; its query selects {selected}")
    known = {
        (made.properties["databaseName"], made.properties["name"]): _catalog_columns(made)
        for made in cloud.made_before(resource, _TABLE)
    }
    for table in query.find_all(exp.Table):
        if (table.db, table.name) not in known:
            raise SandboxError(f"table {table.db}.{table.name} is not made before the data set that reads it")
        missing = {column.name for column in query.find_all(exp.Column)} - known[table.db, table.name]
        if missing:
            raise SandboxError(f"table {table.db}.{table.name} has no column {', '.join(sorted(missing))}")


def _catalog_columns(table: Registration) -> set[str]:
    columns = [*table.properties["storageDescriptor"]["columns"], *table.properties.get("partitionKeys", [])]
    return {column["name"] for column in columns}


def _check_refresh(cloud: Cloud, resource: Registration, data_set_id: str, schedule: dict[str, Any]) -> None:
    """Rules of CreateRefreshSchedule that its model does not hold (QuickSight API reference, RefreshFrequency)."""
    modes = {
        made.properties["dataSetId"]: made.properties["importMode"] for made in cloud.made_before(resource, _DATA_SET)
    }
    if modes.get(data_set_id) != "SPICE":
        raise SandboxError(f"data set {data_set_id} is not a SPICE data set that is made before its refresh schedule")
    frequency = schedule["ScheduleFrequency"]
    interval = frequency["Interval"]
    if schedule["RefreshType"] == "FULL_REFRESH" and interval in _FOR_INCREMENTAL_REFRESH:
        raise SandboxError(f"interval {interval} is for an INCREMENTAL_REFRESH only")
    if interval in _AT_A_TIME_OF_DAY and "TimeOfTheDay" not in frequency:
        raise SandboxError(f"interval {interval} needs a timeOfTheDay")
