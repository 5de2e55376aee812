"""SNS topics, their policies and subscriptions."""

from sandbox.deployer.arguments import Request
from sandbox.deployer.cloud import Cloud, tag_list
from sandbox.deployer.model import Created
from sandbox.deployer.registry import creates, deletes

_TOPIC = "aws:sns/topic:Topic"
_TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
_SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"

_TOPIC_ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "fifoTopic": "FifoTopic",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
_SUBSCRIPTION_ATTRIBUTES = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}


@creates(_TOPIC)
def create_topic(cloud: Cloud, args: Request) -> Created:
    """Make a topic."""
    attributes = {name: _attribute_text(value) for name, value in args.renamed(_TOPIC_ATTRIBUTES).items()}
    arn = cloud.sns.create_topic(Name=args["name"], Attributes=attributes, Tags=tag_list(args.plain("tagsAll")))[
        "TopicArn"
    ]
    return Created(arn, {"arn": arn, "owner": cloud.account_id})


@deletes(_TOPIC)
def delete_topic(cloud: Cloud, made: Created) -> None:
    """Remove a topic and its subscriptions."""
    cloud.sns.delete_topic(TopicArn=made.id)


@creates(_TOPIC_POLICY)
def create_topic_policy(cloud: Cloud, args: Request) -> Created:
    """Set a topic's policy."""
    cloud.sns.set_topic_attributes(TopicArn=args["arn"], AttributeName="Policy", AttributeValue=args["policy"])
    return Created(args["arn"], {"owner": cloud.account_id})


@deletes(_TOPIC_POLICY)
def delete_topic_policy(cloud: Cloud, made: Created) -> None:
    """Leave the policy to go with its topic: SNS has no call to remove one."""


@creates(_SUBSCRIPTION)
def create_subscription(cloud: Cloud, args: Request) -> Created:
    """Subscribe an endpoint to a topic."""
    args.skip("confirmationTimeoutInMinutes", "endpointAutoConfirms")
    given = args.renamed(_SUBSCRIPTION_ATTRIBUTES)
    arn = cloud.sns.subscribe(
        TopicArn=args["topic"],
        Protocol=args["protocol"],
        Endpoint=args["endpoint"],
        Attributes={name: _attribute_text(value) for name, value in given.items()},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Created(arn, {"arn": arn, "ownerId": cloud.account_id})


@deletes(_SUBSCRIPTION)
def delete_subscription(cloud: Cloud, made: Created) -> None:
    """Unsubscribe."""
    cloud.sns.unsubscribe(SubscriptionArn=made.id)


def _attribute_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
