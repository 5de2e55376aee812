"""Alarms and dashboards: what CloudWatch refuses, or takes and then never does, is refused here."""

import json
from typing import Any

import pulumi_aws as aws
import pytest

from sandbox.deployer.alarm_rules import check_alarm
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.dashboard_body import check_body
from sandbox.errors import SandboxError
from tests.unit.sandbox_deployer.conftest import Deploy
from tests.unit.sandbox_deployer.programs import operations

pytestmark = pytest.mark.xdist_group("sandbox_deployer")


class TestATopic:
    def test_is_told_of_an_alarm(self, deploy: Deploy, cloud: Cloud) -> None:
        deployed = deploy(lambda: operations(aws.sqs.Queue("images")))

        alarm = deployed.named("backlog")
        (found,) = cloud.cloudwatch.describe_alarms(AlarmNames=[alarm.properties["name"]])["MetricAlarms"]
        assert found["AlarmActions"] == alarm.properties["alarmActions"]

    def test_that_does_not_let_alarms_publish_yet_is_refused(self, deploy: Deploy) -> None:
        with pytest.raises(SandboxError, match=r"does not let cloudwatch.amazonaws.com do sns:Publish"):
            deploy(lambda: operations(aws.sqs.Queue("images"), waits_for_policy=False))

    def test_with_a_key_that_lets_no_alarm_publish_is_refused(self, deploy: Deploy) -> None:
        with pytest.raises(SandboxError, match=r"encrypted with alias/aws/sns, whose key policy lets no alarm publish"):
            deploy(lambda: operations(aws.sqs.Queue("images"), kms_master_key_id="alias/aws/sns"))


METRIC: dict[str, Any] = {"Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent"}


def alarm(**more: Any) -> dict[str, Any]:
    usual = {
        "AlarmName": "backlog",
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }
    return {**usual, **more}


def measured(id_: str, period: int = 300, returned: bool = False) -> dict[str, Any]:
    return {"Id": id_, "MetricStat": {"Metric": METRIC, "Period": period, "Stat": "Sum"}, "ReturnData": returned}


def computed(expression: str, **more: Any) -> dict[str, Any]:
    return {"Id": "total", "Expression": expression, "ReturnData": True, **more}


INSIGHTS = 'SELECT MAX(Errors) FROM SCHEMA("AWS/Lambda", FunctionName)'


@pytest.mark.parametrize(
    "request_",
    [
        alarm(**METRIC, Statistic="Sum", Period=300, EvaluationPeriods=288),
        alarm(**METRIC, Statistic="Sum", Period=3600, EvaluationPeriods=168),
        alarm(Metrics=[measured("m1"), measured("m2"), computed("SUM([m1, m2])")]),
        alarm(Metrics=[computed(INSIGHTS, Period=300)], EvaluationPeriods=36),
    ],
)
def test_an_alarm_that_cloudwatch_takes_is_taken(request_: dict[str, Any]) -> None:
    check_alarm(request_)


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (alarm(), "a metric or metric queries, and not both"),
        (alarm(**METRIC, Period=90, Statistic="Sum"), "the period is 90 seconds; allowed: 10, 20, 30, or a multiple"),
        (
            alarm(**METRIC, Period=300, Statistic="Sum", EvaluationPeriods=289),
            "looks back 86700 seconds; allowed: up to",
        ),
        (alarm(**METRIC, Period=300, Statistic="Total"), "Statistic is 'Total'; allowed: SampleCount"),
        (alarm(**METRIC, Period=300, Statistic="Sum", TreatMissingData="good"), "TreatMissingData is 'good'"),
        (alarm(**METRIC, Period=300, Statistic="Sum", AlarmDescription="x" * 1025), "AlarmDescription has 1025"),
        (alarm(Metrics=[measured("m1"), computed("SUM([m1, m2])")]), "names m2, which no metric query is called"),
        (alarm(Metrics=[measured("m1"), measured("m2")]), "exactly one of its metric queries may return data"),
        (alarm(Metrics=[measured("m1"), measured("m2", 60), computed("m1 + m2")]), r"one period, not \[60, 300\]"),
        (alarm(Metrics=[computed(INSIGHTS, Period=300)], EvaluationPeriods=37), "looks back 11100 seconds"),
        (alarm(Metrics=[computed("SUM(SEARCH('{AWS/SQS} x', 'Sum'))", Period=300)]), "cannot be on a SEARCH"),
        (
            alarm(Metrics=[*(measured(f"m{n}") for n in range(11)), computed("m1")]),
            "it is on more than 10 metrics",
        ),
    ],
)
def test_an_alarm_that_cloudwatch_refuses_is_refused(request_: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SandboxError, match=complaint):
        check_alarm(request_)


def graph(**more: Any) -> dict[str, Any]:
    place = {key: more.pop(key, value) for key, value in {"x": 0, "y": 0, "width": 12, "height": 6}.items()}
    properties = {
        "region": "us-east-1",
        "view": "timeSeries",
        "period": 300,
        "metrics": [["AWS/SQS", "NumberOfMessagesSent", "QueueName", "images", {"stat": "Sum"}]],
    }
    return {**place, "type": more.pop("type", "metric"), "properties": {**properties, **more}}


SENT = ["AWS/SQS", "NumberOfMessagesSent", "QueueName", "images", {"id": "sent", "period": 86_400, "visible": False}]


def test_math_on_a_metric_that_is_not_shown_itself_is_taken() -> None:
    number = graph(view="singleValue", start="-P5W", metrics=[SENT, [{"expression": "sent / 60", "label": "hours"}]])

    check_body(json.dumps({"widgets": [number]}))


def test_a_body_of_graphs_side_by_side_is_taken() -> None:
    check_body(json.dumps({"widgets": [graph(), graph(x=12), graph(y=6, width=24)]}))


@pytest.mark.parametrize(
    ("widgets", "complaint"),
    [
        ([graph(x=18)], "widget 0 ends right of the grid's 24 columns"),
        ([graph(), graph(x=11)], "widgets 0 and 1 overlap"),
        ([graph(colour="red")], "colour: Extra inputs are not permitted"),
        ([graph(view="line")], "view: Input should be 'timeSeries'"),
        ([graph(period=90)], "period: Input should be a multiple of 60"),
        ([graph(start="-P5Y")], "start: String should match"),
        ([graph(metrics=[SENT, [{"expression": "sent * price"}]])], "names price, which no metric is called"),
        ([graph(metrics=[SENT, [{"expression": "sent", "id": "sent"}]])], "two of its metrics have one id: sent, sent"),
        ([graph(metrics=[["AWS/SQS", "NumberOfMessagesSent", "QueueName"]])], "pairs of dimension and value"),
        ([graph(metrics=[["AWS/SQS", "Sent", {"stat": "Total"}]])], "String should match pattern"),
        ([graph(type="chart3d")], "does not match any of the expected tags"),
    ],
)
def test_a_body_that_cloudwatch_cannot_draw_is_refused(widgets: list[dict[str, Any]], complaint: str) -> None:
    with pytest.raises(SandboxError, match=complaint):
        check_body(json.dumps({"widgets": widgets}))
