"""CloudWatch alarms and dashboards."""

from typing import Any

from sandbox.deployer.alarm_rules import check_alarm
from sandbox.deployer.arguments import Arguments, Request
from sandbox.deployer.cloud import Cloud, tag_list
from sandbox.deployer.dashboard_body import check_body
from sandbox.deployer.model import Created, Registration
from sandbox.deployer.permissions import require_service_access
from sandbox.deployer.registry import creates, deletes
from sandbox.errors import SandboxError

_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
_DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
_TOPIC = "aws:sns/topic:Topic"
_TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"

_SERVICE = "cloudwatch.amazonaws.com"

_NAMES = {
    "actionsEnabled": "ActionsEnabled",
    "alarmActions": "AlarmActions",
    "alarmDescription": "AlarmDescription",
    "comparisonOperator": "ComparisonOperator",
    "datapointsToAlarm": "DatapointsToAlarm",
    "evaluationPeriods": "EvaluationPeriods",
    "insufficientDataActions": "InsufficientDataActions",
    "metricName": "MetricName",
    "namespace": "Namespace",
    "okActions": "OKActions",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "treatMissingData": "TreatMissingData",
    "unit": "Unit",
}


@creates(_ALARM, overwrites=True)
def create_alarm(cloud: Cloud, args: Request) -> Created:
    """Make an alarm that CloudWatch would take, and whose topics let it publish.

    The emulator never evaluates one on metric queries: it stays in INSUFFICIENT_DATA.
    """
    name = args["name"]
    request: dict[str, Any] = {"AlarmName": name, **args.renamed(_NAMES), "Tags": tag_list(args.plain("tagsAll"))}
    if "dimensions" in args:
        request["Dimensions"] = _dimensions(args.plain("dimensions"))
    if "metricQueries" in args:
        request["Metrics"] = [_query(query) for query in args["metricQueries"]]
    check_alarm(request)
    arn = f"arn:aws:cloudwatch:{cloud.region}:{cloud.account_id}:alarm:{name}"
    for kind in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        for topic_arn in request.get(kind, []):
            _check_reachable(cloud, args.resource, topic_arn, arn)
    cloud.cloudwatch.put_metric_alarm(**request)
    return Created(name, {"arn": arn})


@deletes(_ALARM)
def delete_alarm(cloud: Cloud, made: Created) -> None:
    """Remove an alarm."""
    cloud.cloudwatch.delete_alarms(AlarmNames=[made.id])


@creates(_DASHBOARD, overwrites=True)
def create_dashboard(cloud: Cloud, args: Request) -> Created:
    """Make a dashboard of a body that CloudWatch would take."""
    name, body = args["dashboardName"], args["dashboardBody"]
    check_body(body)
    cloud.cloudwatch.put_dashboard(DashboardName=name, DashboardBody=body)
    return Created(name, {"dashboardArn": f"arn:aws:cloudwatch::{cloud.account_id}:dashboard/{name}"})


@deletes(_DASHBOARD)
def delete_dashboard(cloud: Cloud, made: Created) -> None:
    """Remove a dashboard."""
    cloud.cloudwatch.delete_dashboards(DashboardNames=[made.id])


def _query(args: Arguments) -> dict[str, Any]:
    names = {"id": "Id", "expression": "Expression", "label": "Label", "period": "Period", "returnData": "ReturnData"}
    query = args.renamed(names)
    if "metric" in args:
        metric = args["metric"]
        measured = metric.renamed({"namespace": "Namespace", "metricName": "MetricName"})
        measured["Dimensions"] = _dimensions(metric.plain("dimensions", {}))
        query["MetricStat"] = {"Metric": measured, **metric.renamed({"period": "Period", "stat": "Stat"})}
    return query


def _dimensions(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def _check_reachable(cloud: Cloud, resource: Registration, topic_arn: str, alarm_arn: str) -> None:
    """Refuse what AWS takes and then drops: CloudWatch finds a missing permission only when it publishes."""
    topics = [topic for topic in cloud.made(_TOPIC) if topic.outputs["arn"] == topic_arn]
    if not topics:
        # Somebody else's, which is theirs to open.
        return
    if topics[0].properties.get("kmsMasterKeyId") == "alias/aws/sns":
        raise SandboxError(f"{topic_arn} is encrypted with alias/aws/sns, whose key policy lets no alarm publish")
    policies = [p for p in cloud.made_before(resource, _TOPIC_POLICY) if p.properties["arn"] == topic_arn]
    document = policies[-1].properties["policy"] if policies else topics[0].properties.get("policy")
    remedy = f"give it a TopicPolicy that does, and let {resource.name} depend on it"
    require_service_access(document, _SERVICE, "sns:Publish", topic_arn, alarm_arn, remedy)
