"""Changing the tags of what is deployed: every AWS service has calls of its own for it."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.deployer.cloud import Cloud, tag_list
from sandbox.deployer.model import Created
from sandbox.deployer.registry import validated_types
from sandbox.errors import SandboxError

Tags = Mapping[str, str]
Retag = Callable[[Cloud, Created, Tags, list[str]], None]


def retag(cloud: Cloud, type_: str, made: Created, tags: Tags) -> None:
    """Give a resource other tags.

    Raises
    ------
    SandboxError
        For a type whose tags cannot be changed here.
    """
    if type_ in validated_types():
        return
    if type_ not in _RETAG:
        raise SandboxError(f"the sandbox cannot change the tags of a deployed {type_}; teach sandbox/deployer/tags.py")
    gone = sorted(made.outputs.get("tagsAll", {}).keys() - tags.keys())
    _RETAG[type_](cloud, made, tags, gone)


def _by_arn(service: str, arn: str, tags_as: str, keys_as: str, form: Callable[[Tags], Any]) -> Retag:
    """TagResource and UntagResource, which name their parameters differently in each service."""

    def change(cloud: Cloud, made: Created, tags: Tags, gone: list[str]) -> None:
        client = cloud.client(service)
        resource = {arn: made.outputs["arn"]}
        if tags:
            client.tag_resource(**resource, **{tags_as: form(tags)})
        if gone:
            client.untag_resource(**resource, **{keys_as: gone})

    return change


def _listed(tags: Tags) -> list[Any]:
    return tag_list(dict(tags))


def _listed_in_lower_case(tags: Tags) -> list[Any]:
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def _of_queue(cloud: Cloud, made: Created, tags: Tags, gone: list[str]) -> None:
    if tags:
        cloud.sqs.tag_queue(QueueUrl=made.id, Tags=dict(tags))
    if gone:
        cloud.sqs.untag_queue(QueueUrl=made.id, TagKeys=gone)


def _of_role(cloud: Cloud, made: Created, tags: Tags, gone: list[str]) -> None:
    if tags:
        cloud.iam.tag_role(RoleName=made.id, Tags=_listed(tags))
    if gone:
        cloud.iam.untag_role(RoleName=made.id, TagKeys=gone)


def _of_policy(cloud: Cloud, made: Created, tags: Tags, gone: list[str]) -> None:
    if tags:
        cloud.iam.tag_policy(PolicyArn=made.id, Tags=_listed(tags))
    if gone:
        cloud.iam.untag_policy(PolicyArn=made.id, TagKeys=gone)


def _of_bucket(cloud: Cloud, made: Created, tags: Tags, _gone: list[str]) -> None:
    if tags:
        cloud.s3.put_bucket_tagging(Bucket=made.id, Tagging={"TagSet": _listed(tags)})
    else:
        cloud.s3.delete_bucket_tagging(Bucket=made.id)


_RETAG: dict[str, Retag] = {
    "aws:athena/workgroup:Workgroup": _by_arn("athena", "ResourceARN", "Tags", "TagKeys", _listed),
    "aws:cloudwatch/eventRule:EventRule": _by_arn("events", "ResourceARN", "Tags", "TagKeys", _listed),
    "aws:cloudwatch/logGroup:LogGroup": _by_arn("logs", "resourceArn", "tags", "tagKeys", dict),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _by_arn("cloudwatch", "ResourceARN", "Tags", "TagKeys", _listed),
    "aws:dynamodb/table:Table": _by_arn("dynamodb", "ResourceArn", "Tags", "TagKeys", _listed),
    "aws:glue/catalogDatabase:CatalogDatabase": _by_arn("glue", "ResourceArn", "TagsToAdd", "TagsToRemove", dict),
    "aws:iam/policy:Policy": _of_policy,
    "aws:iam/role:Role": _of_role,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _by_arn("lambda", "Resource", "Tags", "TagKeys", dict),
    "aws:lambda/function:Function": _by_arn("lambda", "Resource", "Tags", "TagKeys", dict),
    "aws:s3/bucket:Bucket": _of_bucket,
    "aws:scheduler/scheduleGroup:ScheduleGroup": _by_arn("scheduler", "ResourceArn", "Tags", "TagKeys", _listed),
    "aws:sfn/stateMachine:StateMachine": _by_arn(
        "stepfunctions", "resourceArn", "tags", "tagKeys", _listed_in_lower_case
    ),
    "aws:sns/topic:Topic": _by_arn("sns", "ResourceArn", "Tags", "TagKeys", _listed),
    "aws:sqs/queue:Queue": _of_queue,
}
