"""Where the end of each run is told: a topic that people and programs subscribe to."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam
from custom_labels_batch.components.email_subscriptions import subscribe
from custom_labels_batch.components.subscriptions import Subscription

SOURCE = "custom-labels-batch"
"""The source of the events on the account's default bus; workflows/release_model.asl.json has it too."""


def run_summaries(
    name: str, emails: Sequence[Subscription], parent: pulumi.Resource
) -> tuple[aws.sns.Topic, aws.sns.TopicPolicy]:
    """A topic for one mail a run. Only IAM principals publish here, so AWS's own key for SNS will do."""
    child = pulumi.ResourceOptions(parent=parent)
    topic = aws.sns.Topic(name, kms_master_key_id="alias/aws/sns", opts=child)
    refuse = {**iam.refuse_unencrypted_transport("sns", topic.arn), "Action": "sns:Publish"}
    policy = aws.sns.TopicPolicy(name, arn=topic.arn, policy=iam.document([refuse]), opts=child)
    subscribe(name, topic, emails, policy, parent)
    return topic, policy


def telling(topic: aws.sns.Topic, metrics_namespace: str, parent: pulumi.Resource) -> list[iam.Statement]:
    """What telling the end of a run takes: a mail, an event on the default bus, and metrics."""
    options = pulumi.InvokeOptions(parent=parent)
    bus = pulumi.Output.format(
        "arn:{0}:events:{1}:{2}:event-bus/default",
        aws.get_partition_output(opts=options).partition,
        aws.get_region_output(opts=options).region,
        aws.get_caller_identity_output(opts=options).account_id,
    )
    return [
        iam.allow(["sns:Publish"], topic.arn),
        # The key has many values, and ForAllValues is content with none.
        iam.allow(
            ["events:PutEvents"],
            bus,
            Condition={"ForAllValues:StringEquals": {"events:source": SOURCE}, "Null": {"events:source": "false"}},
        ),
        # CloudWatch has no ARN for a metric (service authorization reference).
        iam.allow(
            ["cloudwatch:PutMetricData"],
            "*",
            Condition={"StringEquals": {"cloudwatch:namespace": metrics_namespace}},
        ),
    ]
