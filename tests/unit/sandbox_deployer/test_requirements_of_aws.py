"""What AWS refuses at creation, or takes and then never does, is refused here with what to do."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from sandbox.deployer.cloud import Cloud
from sandbox.errors import SandboxError
from tests.unit.sandbox_deployer.conftest import Deploy
from tests.unit.sandbox_deployer.programs import (
    document,
    function_and_mapping,
    service_role,
    state_machine,
    subscribed_queue,
)

pytestmark = pytest.mark.xdist_group("sandbox_deployer")


def test_a_mapping_that_does_not_wait_for_the_roles_policy_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        function_and_mapping(aws.sqs.Queue("images", visibility_timeout_seconds=360), mapping_waits_for_policy=False)

    with pytest.raises(SandboxError, match=r"EventSourceMapping.* needs role .* to allow sqs:ReceiveMessage"):
        deploy(program)


def test_a_mapping_on_a_queue_that_hides_messages_too_briefly_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        function_and_mapping(aws.sqs.Queue("images", visibility_timeout_seconds=30))

    with pytest.raises(SandboxError, match=r"visibility timeout 30 s is less than the function's timeout 60 s"):
        deploy(program)


def test_a_state_machine_that_may_not_log_is_refused(deploy: Deploy) -> None:
    with pytest.raises(SandboxError, match=r"logging needs role .* to allow logs:UpdateLogDelivery on"):
        deploy(lambda: state_machine(log_actions=_all_but("logs:UpdateLogDelivery")))


def test_a_function_that_does_not_wait_for_its_log_group_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        group = aws.cloudwatch.LogGroup("analyze", name="/sandbox/analyze", retention_in_days=30)
        role = service_role("analyze", "lambda.amazonaws.com")
        policy = aws.iam.RolePolicy("logging", role=role.name, policy=document("Allow", "logs:*", "*"))
        # The name by value: Pulumi sees no dependency.
        _function(role, "/sandbox/analyze", depends_on=[policy])
        pulumi.export("group", group.arn)

    with pytest.raises(SandboxError, match=r"log group /sandbox/analyze is not made before the function"):
        deploy(program)


def test_a_function_whose_role_another_service_assumes_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        _function(service_role("analyze", "states.amazonaws.com"))

    with pytest.raises(SandboxError, match=r"cannot be assumed by lambda\.amazonaws\.com"):
        deploy(program)


def test_a_layer_that_is_no_layer_version_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        _function(
            service_role("analyze", "lambda.amazonaws.com"),
            layers=["arn:aws:lambda:us-east-1:017000801446:layer:Powertools"],
        )

    with pytest.raises(SandboxError, match=r"is not the ARN of a layer version"):
        deploy(program)


def test_a_schedule_whose_role_trusts_the_schedule_and_not_its_group_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        schedule_arn = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/hourly"
        _schedule(service_role("schedule", "scheduler.amazonaws.com", source_arn=schedule_arn))

    with pytest.raises(SandboxError, match=r"cannot be assumed by scheduler.*schedule-group/default"):
        deploy(program)


def test_a_schedule_whose_role_may_not_start_its_target_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        _schedule(service_role("schedule", "scheduler.amazonaws.com"))

    with pytest.raises(SandboxError, match=r"the schedule needs role .* to allow states:StartExecution"):
        deploy(program)


def test_a_rule_whose_queue_lets_no_event_in_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        rule = aws.cloudwatch.EventRule("uploads", event_pattern='{"source": ["aws.s3"]}')
        aws.cloudwatch.EventTarget("uploads", rule=rule.name, arn=aws.sqs.Queue("images").arn)

    with pytest.raises(SandboxError, match=r"does not let events.amazonaws.com do sqs:SendMessage"):
        deploy(program)


def test_a_rule_whose_queue_lets_only_another_rule_in_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        queue = aws.sqs.Queue("images")
        rule = aws.cloudwatch.EventRule("uploads", event_pattern='{"source": ["aws.s3"]}')
        policy = aws.sqs.QueuePolicy(
            "images",
            queue_url=queue.url,
            policy=document(
                "Allow",
                "sqs:SendMessage",
                queue.arn,
                Principal={"Service": "events.amazonaws.com"},
                Condition={"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:000000000000:rule/other"}},
            ),
        )
        aws.cloudwatch.EventTarget(
            "uploads", rule=rule.name, arn=queue.arn, opts=pulumi.ResourceOptions(depends_on=[policy])
        )

    with pytest.raises(SandboxError, match=r"does not let events.amazonaws.com do sqs:SendMessage"):
        deploy(program)


def test_a_rule_that_starts_a_state_machine_without_a_role_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        rule = aws.cloudwatch.EventRule("failed", event_pattern='{"source": ["aws.states"]}')
        machine = "arn:aws:states:us-east-1:000000000000:stateMachine:release"
        aws.cloudwatch.EventTarget("failed", rule=rule.name, arn=machine)

    with pytest.raises(SandboxError, match=r"starts a state machine needs a roleArn"):
        deploy(program)


@pytest.mark.parametrize(("waits_for", "closed"), [(("lost",), "queue"), (("queue",), "lost")])
def test_a_subscription_that_does_not_wait_for_its_queues_policies_is_refused(
    deploy: Deploy, waits_for: tuple[str, ...], closed: str
) -> None:
    def program() -> None:
        subscribed_queue(aws.sns.Topic("predictions"), waits_for)

    with pytest.raises(SandboxError, match=rf"{closed}-\w+ does not let sns.amazonaws.com do sqs:Send"):
        deploy(program)


def test_a_subscription_of_a_queue_that_lets_only_another_topic_in_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        queue, topic = aws.sqs.Queue("queue"), aws.sns.Topic("predictions")
        other = {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:000000000000:other"}}
        sns = {"Service": "sns.amazonaws.com"}
        rights = document("Allow", "sqs:SendMessage", queue.arn, Principal=sns, Condition=other)
        policy = aws.sqs.QueuePolicy("queue", queue_url=queue.url, policy=rights)
        after = pulumi.ResourceOptions(depends_on=[policy])
        aws.sns.TopicSubscription("queue", topic=topic.arn, protocol="sqs", endpoint=queue.arn, opts=after)

    with pytest.raises(SandboxError, match=r"does not let sns.amazonaws.com do sqs:SendMessage"):
        deploy(program)


def test_a_queue_of_somebody_elses_can_be_subscribed(deploy: Deploy, cloud: Cloud) -> None:
    url = cloud.sqs.create_queue(QueueName="somebody-elses")["QueueUrl"]
    arn = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def program() -> None:
        topic = aws.sns.Topic("predictions")
        aws.sns.TopicSubscription("queue", topic=topic.arn, protocol="sqs", endpoint=arn)

    assert deploy(program).named("queue").id


@pytest.mark.parametrize("permitted", ["nothing", "another topic", "without waiting"])
def test_a_subscription_of_a_function_that_does_not_let_the_topic_in_is_refused(deploy: Deploy, permitted: str) -> None:
    def program() -> None:
        topic = aws.sns.Topic("predictions")
        function = _function(service_role("analyze", "lambda.amazonaws.com"))
        before = []
        if permitted != "nothing":
            permission = aws.lambda_.Permission(
                "topic",
                action="lambda:InvokeFunction",
                function=function.name,
                principal="sns.amazonaws.com",
                source_arn=pulumi.Output.concat(topic.arn, "-other" if permitted == "another topic" else ""),
            )
            before = [permission] if permitted == "another topic" else []
        after = pulumi.ResourceOptions(depends_on=before)
        aws.sns.TopicSubscription("call", topic=topic.arn, protocol="lambda", endpoint=function.arn, opts=after)

    with pytest.raises(SandboxError, match=r"does not let sns.amazonaws.com do lambda:InvokeFunction"):
        deploy(program)


def test_a_subscription_of_a_delivery_stream_needs_a_role(deploy: Deploy) -> None:
    stream = "arn:aws:firehose:us-east-1:000000000000:deliverystream/labels"

    def program() -> None:
        topic = aws.sns.Topic("predictions")
        aws.sns.TopicSubscription("stream", topic=topic.arn, protocol="firehose", endpoint=stream)

    with pytest.raises(SandboxError, match=r"delivery stream needs a subscriptionRoleArn"):
        deploy(program)


def test_the_role_of_a_delivery_streams_subscription_must_write_to_it(deploy: Deploy) -> None:
    stream = "arn:aws:firehose:us-east-1:000000000000:deliverystream/labels"

    def program() -> None:
        role, topic = service_role("stream", "sns.amazonaws.com"), aws.sns.Topic("predictions")
        aws.sns.TopicSubscription(
            "stream", topic=topic.arn, protocol="firehose", endpoint=stream, subscription_role_arn=role.arn
        )

    with pytest.raises(SandboxError, match=r"the subscription needs role .* to allow .*firehose:PutRecord,"):
        deploy(program)


@pytest.mark.parametrize("policy", ["not json", json.dumps({"Statement": [{}]}), "{}"])
def test_a_malformed_policy_document_is_refused(deploy: Deploy, policy: str) -> None:
    with pytest.raises(SandboxError, match=r"policy document"):
        deploy(lambda: aws.iam.Role("role", assume_role_policy=policy))


def _function(
    role: aws.iam.Role, log_group: str | None = None, depends_on: Any = (), **more: Any
) -> aws.lambda_.Function:
    return aws.lambda_.Function(
        "analyze",
        role=role.arn,
        runtime="python3.13",
        handler="handler.handler",
        code=pulumi.AssetArchive({"handler.py": pulumi.StringAsset("")}),
        logging_config={"log_format": "JSON", "log_group": log_group} if log_group else None,
        opts=pulumi.ResourceOptions(depends_on=list(depends_on)),
        **more,
    )


def _schedule(role: aws.iam.Role) -> None:
    aws.scheduler.Schedule(
        "hourly",
        schedule_expression="rate(1 hour)",
        flexible_time_window={"mode": "OFF"},
        target={"arn": "arn:aws:states:us-east-1:000000000000:stateMachine:run", "role_arn": role.arn},
    )


def _all_but(action: str) -> tuple[str, ...]:
    from sandbox.asl_definition import LOG_DELIVERY_ACTIONS

    return tuple(a for a in LOG_DELIVERY_ACTIONS if a != action)
