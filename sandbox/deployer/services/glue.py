"""Glue's databases and tables."""

from typing import Any

from sandbox.deployer.arguments import Arguments, Request
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.model import Created
from sandbox.deployer.registry import creates, deletes, updates

_DATABASE = "aws:glue/catalogDatabase:CatalogDatabase"
_TABLE = "aws:glue/catalogTable:CatalogTable"

_COLUMN = {"comment": "Comment", "name": "Name", "parameters": "Parameters", "type": "Type"}
_STORAGE = {
    "additionalLocations": "AdditionalLocations",
    "bucketColumns": "BucketColumns",
    "compressed": "Compressed",
    "inputFormat": "InputFormat",
    "location": "Location",
    "numberOfBuckets": "NumberOfBuckets",
    "outputFormat": "OutputFormat",
    "parameters": "Parameters",
    "storedAsSubDirectories": "StoredAsSubDirectories",
}
_SERDE = {"name": "Name", "parameters": "Parameters", "serializationLibrary": "SerializationLibrary"}
_SKEW = {
    "skewedColumnNames": "SkewedColumnNames",
    "skewedColumnValueLocationMaps": "SkewedColumnValueLocationMaps",
    "skewedColumnValues": "SkewedColumnValues",
}
_TABLE_INPUT = {
    "description": "Description",
    "name": "Name",
    "owner": "Owner",
    "parameters": "Parameters",
    "retention": "Retention",
    "tableType": "TableType",
    "viewExpandedText": "ViewExpandedText",
    "viewOriginalText": "ViewOriginalText",
}


@creates(_DATABASE, replaced_by=["catalogId"])
def create_database(cloud: Cloud, args: Request) -> Created:
    """Make a database; tables in it are given nobody else's rights, which is Lake Formation's affair."""
    catalog, given = args.get("catalogId", cloud.account_id), _database(args)
    tags = args.plain("tagsAll", {})
    cloud.glue.create_database(CatalogId=catalog, DatabaseInput=given, **({"Tags": tags} if tags else {}))  # type: ignore[arg-type]
    arn = f"arn:aws:glue:{cloud.region}:{cloud.account_id}:database/{args['name']}"
    return Created(f"{catalog}:{args['name']}", {"arn": arn, "catalogId": catalog})


@updates(_DATABASE)
def update_database(cloud: Cloud, args: Request, made: Created) -> None:
    """Change a database."""
    catalog, _, name = made.id.partition(":")
    cloud.glue.update_database(CatalogId=catalog, Name=name, DatabaseInput=_database(args))  # type: ignore[arg-type]


def _database(args: Arguments) -> dict[str, Any]:
    given: dict[str, Any] = args.renamed(
        {"description": "Description", "locationUri": "LocationUri", "name": "Name", "parameters": "Parameters"}
    )
    if "createTableDefaultPermissions" in args:
        given["CreateTableDefaultPermissions"] = [
            {
                "Permissions": permission.plain("permissions", []),
                "Principal": permission["principal"].renamed(
                    {"dataLakePrincipalIdentifier": "DataLakePrincipalIdentifier"}
                ),
            }
            for permission in args["createTableDefaultPermissions"]
        ]
    return given


@deletes(_DATABASE)
def delete_database(cloud: Cloud, made: Created) -> None:
    """Remove a database and every table in it."""
    catalog, _, name = made.id.partition(":")
    cloud.glue.delete_database(CatalogId=catalog, Name=name)


@creates(_TABLE, replaced_by=["catalogId", "databaseName", "partitionIndices"])
def create_table(cloud: Cloud, args: Request) -> Created:
    """Make a table or a view."""
    catalog, database, name = args.get("catalogId", cloud.account_id), args["databaseName"], args["name"]
    indexes = [
        {"IndexName": index["indexName"], "Keys": index.plain("keys")} for index in args.get("partitionIndices", [])
    ]
    cloud.glue.create_table(
        CatalogId=catalog,
        DatabaseName=database,
        TableInput=_table(args),  # type: ignore[arg-type]
        **({"PartitionIndexes": indexes} if indexes else {}),  # type: ignore[arg-type]
    )
    arn = f"arn:aws:glue:{cloud.region}:{cloud.account_id}:table/{database}/{name}"
    return Created(f"{catalog}:{database}:{name}", {"arn": arn, "catalogId": catalog})


@updates(_TABLE)
def update_table(cloud: Cloud, args: Request, made: Created) -> None:
    """Change a table or a view."""
    catalog, database, _ = made.id.split(":")
    cloud.glue.update_table(CatalogId=catalog, DatabaseName=database, TableInput=_table(args))  # type: ignore[arg-type]


@deletes(_TABLE)
def delete_table(cloud: Cloud, made: Created) -> None:
    """Remove a table from the catalog; its files stay."""
    catalog, database, name = made.id.split(":")
    cloud.glue.delete_table(CatalogId=catalog, DatabaseName=database, Name=name)


def _table(args: Arguments) -> dict[str, Any]:
    table: dict[str, Any] = args.renamed(_TABLE_INPUT)
    if "partitionKeys" in args:
        table["PartitionKeys"] = [key.renamed(_COLUMN) for key in args["partitionKeys"]]
    if "storageDescriptor" in args:
        table["StorageDescriptor"] = _storage(args["storageDescriptor"])
    return table


def _storage(args: Arguments) -> dict[str, Any]:
    storage: dict[str, Any] = args.renamed(_STORAGE)
    if "columns" in args:
        storage["Columns"] = [column.renamed(_COLUMN) for column in args["columns"]]
    if "serDeInfo" in args:
        storage["SerdeInfo"] = args["serDeInfo"].renamed(_SERDE)
    if "sortColumns" in args:
        order = {"column": "Column", "sortOrder": "SortOrder"}
        storage["SortColumns"] = [column.renamed(order) for column in args["sortColumns"]]
    if "skewedInfo" in args:
        storage["SkewedInfo"] = args["skewedInfo"].renamed(_SKEW)
    return storage
