"""An SNS topic, and who is subscribed to it."""

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam
from custom_labels_batch.components.subscriptions import Subscription, subscription_hash


def make_topic(
    name: str, opts: pulumi.ResourceOptions, alarm_arns: pulumi.Input[str] | None = None
) -> tuple[aws.sns.Topic, aws.sns.TopicPolicy]:
    """A topic that takes nothing without TLS.

    Where only IAM principals publish, AWS's own key for SNS will do, and asks no rights of them. That key's policy lets
    no alarm publish: a topic for alarms has none.

    Parameters
    ----------
    alarm_arns
        CloudWatch alarms that publish here; a pattern.
    """
    topic = aws.sns.Topic(name, kms_master_key_id=None if alarm_arns is not None else "alias/aws/sns", opts=opts)
    # A topic policy takes only SNS's own resource actions, not sns:*.
    statements = [{**iam.refuse_unencrypted_transport("sns", topic.arn), "Action": "sns:Publish"}]
    if alarm_arns is not None:
        statements.insert(0, iam.allow_service("cloudwatch", ["sns:Publish"], topic.arn, alarm_arns))
    return topic, aws.sns.TopicPolicy(name, arn=topic.arn, policy=iam.document(statements), opts=opts)


def subscribe(
    prefix: str,
    topic: aws.sns.Topic,
    subscriptions: Sequence[Subscription],
    topic_policy: aws.sns.TopicPolicy,
    parent: pulumi.Resource,
) -> None:
    """Subscribe endpoints to a topic; each is named by a hash, so that others may come and go."""
    for subscription in subscriptions:
        name = f"{prefix}-{subscription_hash(subscription)}"
        before: list[pulumi.Resource] = [topic_policy]
        if subscription.protocol == "lambda":
            before.append(_let_topic_invoke(name, subscription.endpoint, topic, parent))
        policy = subscription.filter_policy
        aws.sns.TopicSubscription(
            name,
            topic=topic.arn,
            protocol=subscription.protocol,
            endpoint=subscription.endpoint,
            filter_policy=json.dumps(policy, ensure_ascii=False) if policy else None,
            subscription_role_arn=subscription.subscription_role_arn,
            # SNS has one subscription an endpoint: made before the old one goes, the new one would be the old one.
            opts=pulumi.ResourceOptions(parent=parent, depends_on=before, delete_before_replace=True),
        )


def _let_topic_invoke(
    name: str, function_arn: str, topic: aws.sns.Topic, parent: pulumi.Resource
) -> aws.lambda_.Permission:
    """Let the topic, and no other, invoke a function, or the version or alias that the ARN ends in."""
    parts = function_arn.split(":")
    return aws.lambda_.Permission(
        name,
        action="lambda:InvokeFunction",
        function=":".join(parts[:7]),
        qualifier=parts[7] if len(parts) > 7 else None,
        principal="sns.amazonaws.com",
        source_arn=topic.arn,
        opts=pulumi.ResourceOptions(parent=parent),
    )
