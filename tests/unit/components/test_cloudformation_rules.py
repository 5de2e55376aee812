"""The graph as a CloudFormation template, by the rules AWS publishes for its resource types (cfn-lint)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from sandbox.deployer.model import Properties
from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import record_stack

Template = dict[str, Any]

LISTS_OF_TAGS = {
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
    "AWS::Lambda::Function",
}


def pascal(value: Any) -> Any:
    if isinstance(value, list):
        return [pascal(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key[:1].upper() + key[1:]: pascal(item) for key, item in value.items()}


def role(p: Properties) -> Properties:
    return {"AssumeRolePolicyDocument": json.loads(p["assumeRolePolicy"]), "RoleName": p["name"]}


def role_policy(p: Properties) -> Properties:
    return {"PolicyDocument": json.loads(p["policy"]), "PolicyName": p["name"], "Roles": [p["role"]]}


def queue(p: Properties) -> Properties:
    redrive = {"RedrivePolicy": json.loads(p["redrivePolicy"])} if "redrivePolicy" in p else {}
    timeout = {"VisibilityTimeout": p["visibilityTimeoutSeconds"]} if "visibilityTimeoutSeconds" in p else {}
    return {
        "QueueName": p["name"],
        "MessageRetentionPeriod": p["messageRetentionSeconds"],
        "SqsManagedSseEnabled": p["sqsManagedSseEnabled"],
        **redrive,
        **timeout,
    }


def function(p: Properties) -> Properties:
    kept = ("runtime", "architectures", "handler", "timeout", "memorySize", "layers", "role")
    return {
        **pascal({key: p[key] for key in kept}),
        "FunctionName": p["name"],
        "Code": {"ZipFile": "pass"},
        "Environment": {"Variables": p["environment"]["variables"]},
        "LoggingConfig": pascal(p["loggingConfig"]),
    }


def state_machine(p: Properties) -> Properties:
    logging = p["loggingConfiguration"]
    return {
        "StateMachineName": p["name"],
        "RoleArn": p["roleArn"],
        "StateMachineType": p["type"],
        "DefinitionString": p["definition"],
        "LoggingConfiguration": {
            "Level": logging["level"],
            "IncludeExecutionData": logging["includeExecutionData"],
            "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": logging["logDestination"]}}],
        },
    }


def schedule(p: Properties) -> Properties:
    kept = ("groupName", "name", "scheduleExpression", "scheduleExpressionTimezone", "flexibleTimeWindow", "target")
    return dict(pascal({key: p[key] for key in kept}))


def mapping(p: Properties) -> Properties:
    kept = ("batchSize", "enabled", "eventSourceArn", "functionName", "functionResponseTypes", "scalingConfig")
    window = "maximumBatchingWindowInSeconds"
    return dict(pascal({key: p[key] for key in (*kept, window) if key in p}))


def rule(p: Properties) -> Properties:
    return {"Name": p["name"], "Description": p["description"], "EventPattern": json.loads(p["eventPattern"])}


def table(p: Properties) -> Properties:
    return {
        "TableName": p["name"],
        "BillingMode": p["billingMode"],
        "KeySchema": [
            {"AttributeName": p["hashKey"], "KeyType": "HASH"},
            {"AttributeName": p["rangeKey"], "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [{"AttributeName": a["name"], "AttributeType": a["type"]} for a in p["attributes"]],
    }


def subscription(p: Properties) -> Properties:
    kept = ("protocol", "endpoint", "rawMessageDelivery", "subscriptionRoleArn")
    policies = {name: json.loads(p[name]) for name in ("filterPolicy", "redrivePolicy") if name in p}
    return {"TopicArn": p["topic"], **pascal({key: p[key] for key in kept if key in p} | policies)}


def catalog_table(p: Properties) -> Properties:
    storage = p["storageDescriptor"]
    kept = ("name", "tableType", "parameters", "partitionKeys", "viewOriginalText", "viewExpandedText", "description")
    described = {
        **pascal(
            {key: storage[key] for key in ("location", "columns", "inputFormat", "outputFormat") if key in storage}
        ),
        "SerdeInfo": pascal(storage["serDeInfo"]),
    }
    table_input = {**pascal({key: p[key] for key in kept if key in p}), "Parameters": p["parameters"]}
    return {
        "CatalogId": p.get("catalogId", "123456789012"),
        "DatabaseName": p["databaseName"],
        "TableInput": {**table_input, "StorageDescriptor": described},
    }


def alarm(p: Properties) -> Properties:
    kept = ("comparisonOperator", "threshold", "evaluationPeriods", "treatMissingData", "alarmDescription")
    measured = ("namespace", "metricName", "statistic", "period", "alarmActions")
    one = pascal({key: p[key] for key in (*kept, *measured) if key in p})
    if "metricQueries" not in p:
        return {**one, "AlarmName": p["name"], "Dimensions": dimensions(p["dimensions"])}
    return {**one, "AlarmName": p["name"], "Metrics": [query(each) for each in p["metricQueries"]]}


def query(p: Properties) -> Properties:
    found: Properties = pascal({key: value for key, value in p.items() if key != "metric"})
    if "metric" in p:
        of = p["metric"]
        metric = {**pascal({key: of[key] for key in ("namespace", "metricName")})}
        found["MetricStat"] = {
            "Metric": {**metric, "Dimensions": dimensions(of["dimensions"])},
            "Period": of["period"],
            "Stat": of["stat"],
        }
    return found


def dimensions(of: Properties) -> list[Properties]:
    return [{"Name": name, "Value": value} for name, value in of.items()]


def workgroup(p: Properties) -> Properties:
    configuration = p["configuration"]
    result = configuration["resultConfiguration"]
    return {
        "Name": p["name"],
        "RecursiveDeleteOption": p["forceDestroy"],
        "WorkGroupConfiguration": {
            "EnforceWorkGroupConfiguration": configuration["enforceWorkgroupConfiguration"],
            "PublishCloudWatchMetricsEnabled": configuration["publishCloudwatchMetricsEnabled"],
            "BytesScannedCutoffPerQuery": configuration["bytesScannedCutoffPerQuery"],
            "EngineVersion": pascal(configuration["engineVersion"]),
            "ResultConfiguration": pascal(result),
        },
    }


def named_query(p: Properties) -> Properties:
    kept = ("name", "description", "database")
    return {**pascal({key: p[key] for key in kept}), "WorkGroup": p["workgroup"], "QueryString": p["query"]}


RESOURCES: dict[str, tuple[str, Callable[[Properties], Properties]]] = {
    "aws:athena/namedQuery:NamedQuery": ("AWS::Athena::NamedQuery", named_query),
    "aws:athena/workgroup:Workgroup": ("AWS::Athena::WorkGroup", workgroup),
    "aws:cloudwatch/dashboard:Dashboard": (
        "AWS::CloudWatch::Dashboard",
        lambda p: {"DashboardName": p["dashboardName"], "DashboardBody": p["dashboardBody"]},
    ),
    "aws:cloudwatch/eventRule:EventRule": ("AWS::Events::Rule", rule),
    "aws:cloudwatch/logGroup:LogGroup": (
        "AWS::Logs::LogGroup",
        lambda p: {"LogGroupName": p["name"], "RetentionInDays": p["retentionInDays"]},
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("AWS::CloudWatch::Alarm", alarm),
    "aws:dynamodb/table:Table": ("AWS::DynamoDB::Table", table),
    "aws:glue/catalogTable:CatalogTable": ("AWS::Glue::Table", catalog_table),
    "aws:iam/role:Role": ("AWS::IAM::Role", role),
    "aws:iam/rolePolicy:RolePolicy": ("AWS::IAM::Policy", role_policy),
    "aws:lambda/eventSourceMapping:EventSourceMapping": ("AWS::Lambda::EventSourceMapping", mapping),
    "aws:lambda/function:Function": ("AWS::Lambda::Function", function),
    "aws:s3/bucketPolicy:BucketPolicy": (
        "AWS::S3::BucketPolicy",
        lambda p: {"Bucket": p["bucket"], "PolicyDocument": json.loads(p["policy"])},
    ),
    "aws:scheduler/schedule:Schedule": ("AWS::Scheduler::Schedule", schedule),
    "aws:sfn/stateMachine:StateMachine": ("AWS::StepFunctions::StateMachine", state_machine),
    "aws:sns/topicPolicy:TopicPolicy": (
        "AWS::SNS::TopicPolicy",
        lambda p: {"Topics": [p["arn"]], "PolicyDocument": json.loads(p["policy"])},
    ),
    "aws:sns/topicSubscription:TopicSubscription": ("AWS::SNS::Subscription", subscription),
    "aws:sqs/queue:Queue": ("AWS::SQS::Queue", queue),
    "aws:sqs/queuePolicy:QueuePolicy": (
        "AWS::SQS::QueuePolicy",
        lambda p: {"Queues": [p["queueUrl"]], "PolicyDocument": json.loads(p["policy"])},
    ),
}


def template(graph: Result) -> Template:
    resources = {}
    for resource in graph.resources:
        if resource.type in RESOURCES:
            type_, properties = RESOURCES[resource.type]
            name = "".join(part.capitalize() for part in resource.name.split("-")) + type_.replace("::", "")
            resources[name] = {"Type": type_, "Properties": properties(resource.properties)}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def complaints(written: Template) -> list[str]:
    # Informational rules want references where a recorded graph has names.
    config = ManualArgs(regions=["us-east-1"], ignore_checks=["I"])
    return [f"{found.rule.id} {found.message} {found.path}" for found in lint(json.dumps(written), config=config)]


@pytest.mark.parametrize("config", [{"imagePrefix": "photographs/"}, {"trigger": "upload"}], ids=["schedule", "upload"])
def test_cloudformation_would_take_every_resource(config: dict[str, Any]) -> None:
    assert complaints(template(record_stack(**config))) == []


def test_the_rules_are_applied() -> None:
    written = template(record_stack())
    written["Resources"]["BatchRunAWSSchedulerSchedule"]["Properties"]["Target"]["RetryPolicy"] = {
        "MaximumRetryAttempts": 186
    }

    assert any("186 is greater than the maximum of 185" in complaint for complaint in complaints(written))
