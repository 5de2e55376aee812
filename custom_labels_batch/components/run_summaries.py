"""Where the end of each run is told: a topic that people and programs subscribe to."""

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam

SOURCE = "custom-labels-batch"
"""The source of the events on the account's default bus; workflows/release_model.asl.json has it too."""


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
