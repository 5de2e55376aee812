"""The review of who may do what, of the whole program with every setting on: what nobody has looked at fails here."""

import json
import re
from collections.abc import Iterator

import pytest

from sandbox.deployer.model import Registration
from sandbox.pulumi_runtime import Result
from tests.unit.components import role_reasons
from tests.unit.components.access import (
    BUCKET_POLICY,
    QUEUE_POLICY,
    RESOURCE_POLICIES,
    TOPIC_POLICY,
    conditions,
    guests,
    holders,
    label,
    named,
    policy_of,
    rights,
    rights_of_roles,
)
from tests.unit.components.graph import (
    ACCOUNT,
    BUCKET,
    QUEUE,
    ROLE,
    TABLE,
    TOPIC,
    Statement,
    as_list,
    cloud_resources,
    record_everything,
    statements,
)

OWN_ALARMS = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:monitoring-*"
RULE_TO_QUEUE = "events.amazonaws.com sqs:SendMessage for aws:SourceArn"
TOPIC_TO_QUEUE = "sns.amazonaws.com sqs:SendMessage for aws:SourceArn"

GUESTS = {
    "bucket analytics-rows": [],
    "bucket batch-final": [],
    "bucket batch-source": [],
    "queue analytics-predictions": [f"{TOPIC_TO_QUEUE} batch-predictions"],
    "queue analytics-predictions-dlq": [f"{TOPIC_TO_QUEUE} batch-predictions"],
    "queue batch-images": [f"{RULE_TO_QUEUE} batch-uploads"],
    "queue batch-images-dlq": [f"{RULE_TO_QUEUE} batch-uploads"],
    "queue batch-rescue-dlq": [f"{RULE_TO_QUEUE} batch-rescue"],
    "queue notification-predictions": [f"{TOPIC_TO_QUEUE} batch-predictions"],
    "queue notification-predictions-dlq": [f"{TOPIC_TO_QUEUE} batch-predictions"],
    "topic batch-predictions": [],
    "topic batch-run-summaries": [],
    "topic monitoring-operations": [
        f"cloudwatch.amazonaws.com sns:Publish for aws:SourceArn {OWN_ALARMS}",
    ],
    "topic notification-labels": [],
}
"""Resource -> whom its own policy lets in: who, what for, and on whose behalf alone; roles have their own policies."""

ACCOUNT_ALONE = f"aws:SourceAccount {ACCOUNT}"
TRUST = {
    # Lambda assumes only roles of the function's own account, and sends no source: there is none to ask for.
    "analytics-record-predictions": "lambda.amazonaws.com for anybody",
    "batch-analyze-image": "lambda.amazonaws.com for anybody",
    "destroy-guard-refuse-destroy": "lambda.amazonaws.com for anybody",
    "notification-notify-labels": "lambda.amazonaws.com for anybody",
    "analytics-quicksight": f"quicksight.amazonaws.com for {ACCOUNT_ALONE}",
    # A state machine's ARN is not known before its role, which it is created with.
    "batch-release-model": f"states.amazonaws.com for {ACCOUNT_ALONE}",
    "batch-run": f"states.amazonaws.com for {ACCOUNT_ALONE}",
    # Scheduler says the group, not the schedule.
    "batch-release-model-schedule": f"scheduler.amazonaws.com for {ACCOUNT_ALONE} and aws:SourceArn batch",
    "batch-run-schedule": f"scheduler.amazonaws.com for {ACCOUNT_ALONE} and aws:SourceArn batch",
    "batch-rescue": "events.amazonaws.com for aws:SourceArn batch-rescue",
}
"""Role -> who may assume it, and on whose behalf."""

LOG_DELIVERY = {
    f"logs:{name}"
    for name in (
        "CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries",
        "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups",
    )
}  # fmt: skip
ON_EVERYTHING = {
    "batch-run": LOG_DELIVERY,
    "batch-release-model": LOG_DELIVERY | {"cloudwatch:PutMetricData"},  # of one namespace: test_iam.py
    "analytics-quicksight": {"athena:ListDataCatalogs"},
}
"""Role -> actions that AWS offers no ARN for (Service Authorization Reference), which alone may be on `*`."""

NO_POLICY = {
    "aws:athena/namedQuery:NamedQuery",
    "aws:athena/workgroup:Workgroup",
    "aws:cloudcontrol/resource:Resource",  # the QuickSight dashboard: test_quicksight.py says who sees it
    "aws:cloudwatch/dashboard:Dashboard",
    "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:glue/catalogDatabase:CatalogDatabase",
    "aws:glue/catalogTable:CatalogTable",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:lambda/eventSourceMapping:EventSourceMapping",
    "aws:lambda/invocation:Invocation",
    "aws:lambda/function:Function",  # none has a permission for another service: mappings poll
    "aws:quicksight/dataSet:DataSet",
    "aws:quicksight/dataSource:DataSource",
    "aws:quicksight/refreshSchedule:RefreshSchedule",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketNotification:BucketNotification",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:scheduler/schedule:Schedule",
    "aws:scheduler/scheduleGroup:ScheduleGroup",
    "aws:sfn/stateMachine:StateMachine",
    "aws:sns/topicSubscription:TopicSubscription",
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
}
"""Kinds of resources that need no row in the tables above: they let nobody in by themselves."""


@pytest.fixture(scope="module")
def everything() -> Result:
    return record_everything()


def allowing(graph: Result) -> Iterator[tuple[Registration, Statement]]:
    """Every statement that lets a principal in, of resource and trust policies."""
    for resource, statement in statements(graph):
        if statement["Effect"] == "Allow" and "Principal" in statement:
            yield resource, statement


class TestTheReview:
    def test_covers_every_kind_of_resource(self, everything: Result) -> None:
        reviewed = {*RESOURCE_POLICIES, QUEUE_POLICY, TOPIC_POLICY, BUCKET_POLICY, ROLE, TABLE, *NO_POLICY}

        assert {resource.type for resource in cloud_resources(everything)} <= reviewed

    def test_covers_every_resource_that_has_a_policy(self, everything: Result) -> None:
        guarded = [resource for resource in holders(everything) if resource.type in RESOURCE_POLICIES]

        assert {label(r): guests(everything, policy_of(everything, r)) for r in guarded} == GUESTS

    def test_covers_every_role(self, everything: Result) -> None:
        trusted = {}
        for role in everything.of_type(ROLE):
            (statement,) = json.loads(role.properties["assumeRolePolicy"])["Statement"]
            trusted[role.name] = f"{statement['Principal']['Service']} for {conditions(everything, statement)}"

        assert trusted == TRUST

    def test_covers_every_right_on_everything(self, everything: Result) -> None:
        found: dict[str, set[str]] = {}
        for role, action, resource in rights(everything):
            if resource == "*":
                found.setdefault(role, set()).add(action)

        assert found == ON_EVERYTHING

    def test_has_a_reason_for_every_right_and_no_other(self, everything: Result) -> None:
        assert {role: set(reasons) for role, reasons in role_reasons.WHY.items()} == rights_of_roles(everything)
        assert set(role_reasons.ROLES) == set(role_reasons.WHY)


class TestEveryPolicy:
    def test_lets_only_named_services_in(self, everything: Result) -> None:
        for resource, statement in allowing(everything):
            assert list(statement["Principal"]) == ["Service"], resource.name
            assert "*" not in str(statement["Principal"]), resource.name

    def test_says_on_whose_behalf_a_service_may_act(self, everything: Result) -> None:
        """Else anybody could have the service act here for them: the confused deputy."""
        for resource, statement in allowing(everything):
            if statement["Principal"]["Service"] == "lambda.amazonaws.com":
                continue
            keys = {key for tests in statement["Condition"].values() for key in tests}
            assert keys & {"aws:SourceArn", "aws:SourceAccount"}, resource.name
            assert set(statement["Condition"]) <= {"ArnEquals", "ArnLike", "StringEquals"}, resource.name

    def test_names_sources_of_this_account_only(self, everything: Result) -> None:
        for resource, statement in allowing(everything):
            for tests in statement.get("Condition", {}).values():
                for value in (value for values in tests.values() for value in as_list(values)):
                    assert value == ACCOUNT or value.split(":")[4] == ACCOUNT, resource.name

    def test_allows_no_pattern_of_actions(self, everything: Result) -> None:
        for resource, statement in statements(everything):
            if statement["Effect"] == "Allow":
                assert not [action for action in as_list(statement["Action"]) if "*" in action], resource.name

    def test_of_a_resource_is_about_that_resource(self, everything: Result) -> None:
        for resource in holders(everything):
            for statement in policy_of(everything, resource) if resource.type in RESOURCE_POLICIES else []:
                assert {named(everything, arn).split("/")[0] for arn in as_list(statement["Resource"])} == {
                    resource.name
                }

    @pytest.mark.parametrize("kind", [BUCKET, QUEUE, TOPIC])
    def test_refuses_everybody_without_tls(self, everything: Result, kind: str) -> None:
        actions = {BUCKET: "s3:*", QUEUE: "sqs:*", TOPIC: "sns:Publish"}  # a topic's policy takes no sns:*
        assert everything.of_type(kind)
        for resource in everything.of_type(kind):
            (refusal,) = (s for s in policy_of(everything, resource) if s["Effect"] == "Deny")
            assert (refusal["Principal"], refusal["Action"]) == ("*", actions[kind]), resource.name
            assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, resource.name


class TestWhatIsKept:
    def test_is_encrypted(self, everything: Result) -> None:
        for queue in everything.of_type(QUEUE):
            assert queue.properties["sqsManagedSseEnabled"] is True
        keys = {topic.name: topic.properties.get("kmsMasterKeyId") for topic in everything.of_type(TOPIC)}
        # AWS's own key lets no alarm publish; no image, key or label passes through the operations topic.
        assert keys == {
            "batch-predictions": "alias/aws/sns",
            "batch-run-summaries": "alias/aws/sns",
            "notification-labels": "alias/aws/sns",
            "monitoring-operations": None,
        }

    def test_is_deleted_by_one_role_from_one_bucket(self, everything: Result) -> None:
        deleting = {(role, resource) for role, action, resource in rights(everything) if action.startswith("s3:Delete")}

        assert deleting == {("batch-analyze-image", "batch-source/*")}

    def test_is_opened_to_others_by_no_role(self, everything: Result) -> None:
        opening = re.compile(
            r"(iam|sts|kms|ram|organizations):|\w+:(Add|Put|Set|Create|Attach|Pass)\w*(Polic|Permission|Acl|"
            r"Access|Role|Grant|Attributes)|sns:Subscribe"
        )
        found = {action for _, action, _ in rights(everything) if opening.match(action)}

        assert found == {"logs:PutResourcePolicy"}  # of the log delivery
