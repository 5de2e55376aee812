"""Athena's workgroups and saved queries."""

from typing import Any

from sandbox.deployer.arguments import Arguments, Request
from sandbox.deployer.cloud import Cloud, tag_list
from sandbox.deployer.model import Created
from sandbox.deployer.registry import ANY, creates, deletes, updates

_WORKGROUP = "aws:athena/workgroup:Workgroup"
_QUERY = "aws:athena/namedQuery:NamedQuery"

_CONFIGURATION = {
    "bytesScannedCutoffPerQuery": "BytesScannedCutoffPerQuery",
    "enableMinimumEncryptionConfiguration": "EnableMinimumEncryptionConfiguration",
    "publishCloudwatchMetricsEnabled": "PublishCloudWatchMetricsEnabled",
    "requesterPaysEnabled": "RequesterPaysEnabled",
}
_ENCRYPTION = {"encryptionOption": "EncryptionOption", "kmsKeyArn": "KmsKey"}


@creates(_WORKGROUP)
def create_workgroup(cloud: Cloud, args: Request) -> Created:
    """Make a workgroup, and switch it off if that is asked for."""
    name = args["name"]
    # Said when the workgroup is removed.
    forced = args.get("forceDestroy", False)
    cloud.athena.create_work_group(
        Name=name,
        Configuration=_configuration(args["configuration"] if "configuration" in args else Arguments({})),  # type: ignore[arg-type]
        Description=args.get("description", ""),
        Tags=tag_list(args.plain("tagsAll")),
    )
    if args.get("state", "ENABLED") != "ENABLED":
        cloud.athena.update_work_group(WorkGroup=name, State=args["state"])
    arn = f"arn:aws:athena:{cloud.region}:{cloud.account_id}:workgroup/{name}"
    return Created(name, {"arn": arn, "forceDestroy": forced})


@updates(_WORKGROUP)
def update_workgroup(cloud: Cloud, args: Request, made: Created) -> None:
    """Change a workgroup's configuration."""
    args.skip("forceDestroy")
    configuration = _configuration(args["configuration"] if "configuration" in args else Arguments({}))
    if "ResultConfiguration" in configuration:
        configuration["ResultConfigurationUpdates"] = configuration.pop("ResultConfiguration")
    description, state = args.get("description", ""), args.get("state", "ENABLED")
    if args.changed != {"forceDestroy"}:
        cloud.athena.update_work_group(
            WorkGroup=made.id,
            ConfigurationUpdates=configuration,  # type: ignore[arg-type]
            Description=description,
            State=state,
        )


@deletes(_WORKGROUP)
def delete_workgroup(cloud: Cloud, made: Created) -> None:
    """Remove a workgroup; Athena refuses one with queries or a history, unless its destruction is forced."""
    cloud.athena.delete_work_group(WorkGroup=made.id, RecursiveDeleteOption=bool(made.outputs.get("forceDestroy")))


@creates(_QUERY, replaced_by=[ANY])
def create_query(cloud: Cloud, args: Request) -> Created:
    """Save a query."""
    given: dict[str, Any] = args.renamed({"description": "Description", "workgroup": "WorkGroup"})
    number = cloud.athena.create_named_query(
        Name=args["name"], Database=args["database"], QueryString=args["query"], **given
    )["NamedQueryId"]
    return Created(number, {})


@deletes(_QUERY)
def delete_query(cloud: Cloud, made: Created) -> None:
    """Remove a saved query."""
    cloud.athena.delete_named_query(NamedQueryId=made.id)


def _configuration(args: Arguments) -> dict[str, Any]:
    # pulumi-aws enforces the configuration and publishes metrics unless told otherwise.
    configuration: dict[str, Any] = {
        "EnforceWorkGroupConfiguration": args.get("enforceWorkgroupConfiguration", True),
        "PublishCloudWatchMetricsEnabled": True,
        **args.renamed(_CONFIGURATION),
    }
    if "engineVersion" in args:
        names = {"selectedEngineVersion": "SelectedEngineVersion"}
        configuration["EngineVersion"] = args["engineVersion"].renamed(names)
    if "resultConfiguration" in args:
        configuration["ResultConfiguration"] = _results(args["resultConfiguration"])
    return configuration


def _results(args: Arguments) -> dict[str, Any]:
    results = args.renamed({"expectedBucketOwner": "ExpectedBucketOwner", "outputLocation": "OutputLocation"})
    if "encryptionConfiguration" in args:
        results["EncryptionConfiguration"] = args["encryptionConfiguration"].renamed(_ENCRYPTION)
    if "aclConfiguration" in args:
        results["AclConfiguration"] = args["aclConfiguration"].renamed({"s3AclOption": "S3AclOption"})
    return results
