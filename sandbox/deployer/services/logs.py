"""CloudWatch log groups."""

from typing import Any

from sandbox.deployer.arguments import Request
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.model import Created, Registration
from sandbox.deployer.registry import creates, deletes, updates

_LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


@creates(_LOG_GROUP, replaced_by=["logGroupClass"])
def create_log_group(cloud: Cloud, args: Request) -> Created:
    """Make a log group; its ARN comes without the `:*` the service itself adds, as from the provider."""
    args.skip("skipDestroy")
    name = args["name"]
    given: dict[str, Any] = args.renamed({"kmsKeyId": "kmsKeyId", "logGroupClass": "logGroupClass"})
    if args.plain("tagsAll"):
        given["tags"] = args.plain("tagsAll")
    cloud.logs.create_log_group(logGroupName=name, **given)
    if args.get("retentionInDays"):
        cloud.logs.put_retention_policy(logGroupName=name, retentionInDays=args["retentionInDays"])
    return Created(name, {"arn": f"arn:aws:logs:{cloud.region}:{cloud.account_id}:log-group:{name}"})


@updates(_LOG_GROUP)
def update_log_group(cloud: Cloud, args: Request, made: Created) -> None:
    """Change how long events are kept."""
    args.skip("skipDestroy")
    if "retentionInDays" not in args.changed:
        return
    if args.get("retentionInDays"):
        cloud.logs.put_retention_policy(logGroupName=made.id, retentionInDays=args["retentionInDays"])
    else:
        cloud.logs.delete_retention_policy(logGroupName=made.id)


@deletes(_LOG_GROUP)
def delete_log_group(cloud: Cloud, made: Created) -> None:
    """Remove a log group and its events."""
    cloud.logs.delete_log_group(logGroupName=made.id)


def log_group_is_made(cloud: Cloud, resource: Registration, name: str) -> bool:
    """Whether a log group is surely there before a resource: made earlier by dependency, or by someone else."""
    mine = [group.id for group in cloud.made(_LOG_GROUP)]
    if name in mine:
        return name in [group.id for group in cloud.made_before(resource, _LOG_GROUP)]
    found = cloud.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return name in [group["logGroupName"] for group in found]
