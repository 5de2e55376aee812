"""The identifiers AWS gives resources, by type, as far as they follow from the name."""

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

_Properties = dict[str, Any]


def identifiers(type_: str, properties: _Properties, region: str, account: str) -> _Properties:
    """Outputs that follow from a resource's name: its id, ARN, URL, and others of that kind.

    `id` is what pulumi-aws uses as the resource's id. Types that are not listed give nothing.
    """
    give = _IDENTIFIERS.get(type_)
    return give(properties, region, account) if give else {}


def _bucket(p: _Properties, region: str, _account: str) -> _Properties:
    name = p["bucket"]
    return {
        "id": name,
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
    }


def _of_bucket(p: _Properties, _region: str, _account: str) -> _Properties:
    return {"id": p["bucket"]}


def _queue(p: _Properties, region: str, account: str) -> _Properties:
    url = f"https://sqs.{region}.amazonaws.com/{account}/{p['name']}"
    return {"id": url, "url": url, "arn": f"arn:aws:sqs:{region}:{account}:{p['name']}"}


def _queue_policy(p: _Properties, _region: str, _account: str) -> _Properties:
    return {"id": p["queueUrl"]}


def _topic(p: _Properties, region: str, account: str) -> _Properties:
    arn = f"arn:aws:sns:{region}:{account}:{p['name']}"
    return {"id": arn, "arn": arn, "owner": account}


def _topic_policy(p: _Properties, _region: str, account: str) -> _Properties:
    return {"id": p["arn"], "owner": account}


def _subscription(p: _Properties, _region: str, account: str) -> _Properties:
    arn = f"{p['topic']}:{_uuid(p['endpoint'])}"
    return {"id": arn, "arn": arn, "ownerId": account}


def _rule(p: _Properties, region: str, account: str) -> _Properties:
    bus = p.get("eventBusName", "default")
    path = p["name"] if bus == "default" else f"{bus}/{p['name']}"
    return {"id": path, "arn": f"arn:aws:events:{region}:{account}:rule/{path}", "eventBusName": bus}


def _rule_target(p: _Properties, _region: str, _account: str) -> _Properties:
    return {"id": f"{p['rule']}-{p['targetId']}", "eventBusName": p.get("eventBusName", "default")}


def _alarm(p: _Properties, region: str, account: str) -> _Properties:
    return {"id": p["name"], "arn": f"arn:aws:cloudwatch:{region}:{account}:alarm:{p['name']}"}


def _dashboard(p: _Properties, _region: str, account: str) -> _Properties:
    name = p["dashboardName"]
    return {"id": name, "dashboardArn": f"arn:aws:cloudwatch::{account}:dashboard/{name}"}


def _log_group(p: _Properties, region: str, account: str) -> _Properties:
    return {"id": p["name"], "arn": f"arn:aws:logs:{region}:{account}:log-group:{p['name']}"}


def _role(p: _Properties, _region: str, account: str) -> _Properties:
    path = p.get("path", "/")
    return {
        "id": p["name"],
        "arn": f"arn:aws:iam::{account}:role{path}{p['name']}",
        "uniqueId": "AROAEXAMPLE" + p["name"].upper()[:10],
        "path": path,
    }


def _role_policy(p: _Properties, _region: str, _account: str) -> _Properties:
    return {"id": f"{p['role']}:{p['name']}"}


def _policy(p: _Properties, _region: str, account: str) -> _Properties:
    path = p.get("path", "/")
    arn = f"arn:aws:iam::{account}:policy{path}{p['name']}"
    return {"id": arn, "arn": arn, "path": path}


def _attachment(p: _Properties, _region: str, _account: str) -> _Properties:
    return {"id": f"{p['role']}/{p['policyArn']}"}


def _function(p: _Properties, region: str, account: str) -> _Properties:
    arn = f"arn:aws:lambda:{region}:{account}:function:{p['name']}"
    invoke = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"
    return {
        "id": p["name"],
        "arn": arn,
        "invokeArn": invoke,
        "qualifiedArn": f"{arn}:$LATEST",
        "qualifiedInvokeArn": invoke.replace(arn, f"{arn}:$LATEST"),
        "version": "$LATEST",
    }


def _invocation(p: _Properties, _region: str, _account: str) -> _Properties:
    given = hashlib.md5(p["input"].encode(), usedforsecurity=False).hexdigest()
    return {"id": f"{p['functionName']}_$LATEST_{given}"}


def _mapping(p: _Properties, region: str, account: str) -> _Properties:
    id_ = _uuid(p["functionName"])
    return {"id": id_, "uuid": id_, "arn": f"arn:aws:lambda:{region}:{account}:event-source-mapping:{id_}"}


def _table(p: _Properties, region: str, account: str) -> _Properties:
    return {"id": p["name"], "arn": f"arn:aws:dynamodb:{region}:{account}:table/{p['name']}"}


def _state_machine(p: _Properties, region: str, account: str) -> _Properties:
    arn = f"arn:aws:states:{region}:{account}:stateMachine:{p['name']}"
    return {"id": arn, "arn": arn, "status": "ACTIVE"}


def _schedule(p: _Properties, region: str, account: str) -> _Properties:
    path = f"{p.get('groupName', 'default')}/{p['name']}"
    return {"id": path, "arn": f"arn:aws:scheduler:{region}:{account}:schedule/{path}"}


def _schedule_group(p: _Properties, region: str, account: str) -> _Properties:
    arn = f"arn:aws:scheduler:{region}:{account}:schedule-group/{p['name']}"
    return {"id": p["name"], "arn": arn, "state": "ACTIVE"}


def _quicksight_data_source(p: _Properties, region: str, account: str) -> _Properties:
    arn = f"arn:aws:quicksight:{region}:{account}:datasource/{p['dataSourceId']}"
    return {"id": f"{account}/{p['dataSourceId']}", "arn": arn, "awsAccountId": account}


def _quicksight_data_set(p: _Properties, region: str, account: str) -> _Properties:
    arn = f"arn:aws:quicksight:{region}:{account}:dataset/{p['dataSetId']}"
    return {"id": f"{account},{p['dataSetId']}", "arn": arn, "awsAccountId": account}


def _quicksight_refresh_schedule(p: _Properties, region: str, account: str) -> _Properties:
    arn = f"arn:aws:quicksight:{region}:{account}:dataset/{p['dataSetId']}/refresh-schedule/{p['scheduleId']}"
    return {"id": f"{account},{p['dataSetId']},{p['scheduleId']}", "arn": arn, "awsAccountId": account}


def _database(p: _Properties, region: str, account: str) -> _Properties:
    catalog = p.get("catalogId", account)
    arn = f"arn:aws:glue:{region}:{account}:database/{p['name']}"
    return {"id": f"{catalog}:{p['name']}", "arn": arn, "catalogId": catalog}


def _catalog_table(p: _Properties, region: str, account: str) -> _Properties:
    catalog = p.get("catalogId", account)
    arn = f"arn:aws:glue:{region}:{account}:table/{p['databaseName']}/{p['name']}"
    return {"id": f"{catalog}:{p['databaseName']}:{p['name']}", "arn": arn, "catalogId": catalog}


def _workgroup(p: _Properties, region: str, account: str) -> _Properties:
    return {"id": p["name"], "arn": f"arn:aws:athena:{region}:{account}:workgroup/{p['name']}"}


def _named_query(p: _Properties, _region: str, _account: str) -> _Properties:
    return {"id": _uuid(f"{p.get('workgroup', 'primary')}/{p['name']}")}


def _uuid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


_IDENTIFIERS: dict[str, Callable[[_Properties, str, str], _Properties]] = {
    "aws:athena/namedQuery:NamedQuery": _named_query,
    "aws:athena/workgroup:Workgroup": _workgroup,
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:cloudwatch/eventRule:EventRule": _rule,
    "aws:cloudwatch/eventTarget:EventTarget": _rule_target,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:dynamodb/table:Table": _table,
    "aws:glue/catalogDatabase:CatalogDatabase": _database,
    "aws:glue/catalogTable:CatalogTable": _catalog_table,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _attachment,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _mapping,
    "aws:lambda/invocation:Invocation": _invocation,
    "aws:lambda/function:Function": _function,
    "aws:quicksight/dataSet:DataSet": _quicksight_data_set,
    "aws:quicksight/dataSource:DataSource": _quicksight_data_source,
    "aws:quicksight/refreshSchedule:RefreshSchedule": _quicksight_refresh_schedule,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket,
    "aws:s3/bucketNotification:BucketNotification": _of_bucket,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket,
    "aws:s3/bucketPolicy:BucketPolicy": _of_bucket,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_bucket,
    "aws:s3/bucketVersioning:BucketVersioning": _of_bucket,
    "aws:scheduler/schedule:Schedule": _schedule,
    "aws:scheduler/scheduleGroup:ScheduleGroup": _schedule_group,
    "aws:sfn/stateMachine:StateMachine": _state_machine,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _queue_policy,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _queue_policy,
}
