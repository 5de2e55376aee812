"""DynamoDB tables."""

from typing import Any

from sandbox.deployer.arguments import Arguments, Request
from sandbox.deployer.cloud import Cloud, tag_list
from sandbox.deployer.model import Created
from sandbox.deployer.registry import creates, deletes, updates

_TABLE = "aws:dynamodb/table:Table"


@creates(_TABLE, replaced_by=["hashKey", "rangeKey"])
def create_table(cloud: Cloud, args: Request) -> Created:
    """Make a table, and set its expiry and backups, which are calls of their own."""
    name = args["name"]
    keys = [{"AttributeName": args["hashKey"], "KeyType": "HASH"}]
    if "rangeKey" in args:
        keys.append({"AttributeName": args["rangeKey"], "KeyType": "RANGE"})
    given: dict[str, Any] = args.renamed(
        {"deletionProtectionEnabled": "DeletionProtectionEnabled", "tableClass": "TableClass"}
    )
    if "serverSideEncryption" in args:
        encryption = args["serverSideEncryption"]
        given["SSESpecification"] = encryption.renamed({"enabled": "Enabled", "kmsKeyArn": "KMSMasterKeyId"})
    if args.get("billingMode", "PROVISIONED") == "PROVISIONED":
        given["ProvisionedThroughput"] = {
            "ReadCapacityUnits": args["readCapacity"],
            "WriteCapacityUnits": args["writeCapacity"],
        }
    table = cloud.dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": attribute["name"], "AttributeType": attribute["type"]} for attribute in args["attributes"]
        ],
        KeySchema=keys,  # type: ignore[arg-type]
        BillingMode=args.get("billingMode", "PROVISIONED"),
        Tags=tag_list(args.plain("tagsAll")),
        **given,
    )["TableDescription"]
    cloud.dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    _set_expiry(cloud, name, args)
    _set_backups(cloud, name, args)
    return Created(name, {"arn": table["TableArn"]})


@updates(_TABLE)
def update_table(cloud: Cloud, args: Request, made: Created) -> None:
    """Change a table's expiry, backups and protection."""
    if "ttl" in args.changed:
        _set_expiry(cloud, made.id, args)
    if "pointInTimeRecovery" in args.changed:
        _set_backups(cloud, made.id, args)
    if "deletionProtectionEnabled" in args.changed:
        protected = args.get("deletionProtectionEnabled", False)
        cloud.dynamodb.update_table(TableName=made.id, DeletionProtectionEnabled=protected)


@deletes(_TABLE)
def delete_table(cloud: Cloud, made: Created) -> None:
    """Remove a table; DynamoDB refuses while it is protected."""
    cloud.dynamodb.delete_table(TableName=made.id)


def _set_expiry(cloud: Cloud, name: str, args: Arguments) -> None:
    if "ttl" in args:
        cloud.dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={
                "AttributeName": args["ttl"]["attributeName"],
                "Enabled": args["ttl"].get("enabled", False),
            },
        )


def _set_backups(cloud: Cloud, name: str, args: Arguments) -> None:
    if "pointInTimeRecovery" in args:
        names = {"enabled": "PointInTimeRecoveryEnabled", "recoveryPeriodInDays": "RecoveryPeriodInDays"}
        cloud.dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification=args["pointInTimeRecovery"].renamed(names),
        )
