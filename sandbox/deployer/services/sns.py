"""SNS topics, their policies and subscriptions."""

import json

from sandbox.deployer.arguments import Request
from sandbox.deployer.cloud import Cloud, tag_list
from sandbox.deployer.model import Created, Registration
from sandbox.deployer.permissions import require_allowed, require_trust
from sandbox.deployer.registry import creates, deletes, updates
from sandbox.deployer.services.lambda_ import require_function_access
from sandbox.deployer.services.sqs import attribute_text, require_queue_access
from sandbox.errors import SandboxError

_TOPIC = "aws:sns/topic:Topic"
_TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
_SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"

_SERVICE = "sns.amazonaws.com"

# From "Prerequisites for subscribing Firehose delivery streams to Amazon SNS topics" in the SNS developer guide.
_STREAM_ACTIONS = (
    "firehose:DescribeDeliveryStream",
    "firehose:ListDeliveryStreams",
    "firehose:ListTagsForDeliveryStream",
    "firehose:PutRecord",
    "firehose:PutRecordBatch",
)

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
_UNLESS_GIVEN = {"FilterPolicy": "{}", "FilterPolicyScope": "MessageAttributes", "RawMessageDelivery": "false"}


@creates(_TOPIC, replaced_by=["fifoTopic"])
def create_topic(cloud: Cloud, args: Request) -> Created:
    """Make a topic."""
    attributes = {name: attribute_text(value) for name, value in args.renamed(_TOPIC_ATTRIBUTES).items()}
    arn = cloud.sns.create_topic(Name=args["name"], Attributes=attributes, Tags=tag_list(args.plain("tagsAll")))[
        "TopicArn"
    ]
    return Created(arn, {"arn": arn, "owner": cloud.account_id})


@updates(_TOPIC)
def update_topic(cloud: Cloud, args: Request, made: Created) -> None:
    """Change a topic's attributes, one a call; one that is given no longer is emptied."""
    given = args.renamed(_TOPIC_ATTRIBUTES)
    for name in (attribute for key, attribute in _TOPIC_ATTRIBUTES.items() if key in args.changed):
        value = attribute_text(given.get(name, ""))
        cloud.sns.set_topic_attributes(TopicArn=made.id, AttributeName=name, AttributeValue=value)


@deletes(_TOPIC)
def delete_topic(cloud: Cloud, made: Created) -> None:
    """Remove a topic and its subscriptions."""
    cloud.sns.delete_topic(TopicArn=made.id)


@creates(_TOPIC_POLICY, replaced_by=["arn"], overwrites=True)
def create_topic_policy(cloud: Cloud, args: Request) -> Created:
    """Set a topic's policy."""
    cloud.sns.set_topic_attributes(TopicArn=args["arn"], AttributeName="Policy", AttributeValue=args["policy"])
    return Created(args["arn"], {"owner": cloud.account_id})


@deletes(_TOPIC_POLICY)
def delete_topic_policy(cloud: Cloud, made: Created) -> None:
    """Leave the policy to go with its topic: SNS has no call to remove one."""


@creates(_SUBSCRIPTION, replaced_by=["endpoint", "protocol", "topic"])
def create_subscription(cloud: Cloud, args: Request) -> Created:
    """Subscribe an endpoint that the topic can reach to it."""
    args.skip("confirmationTimeoutInMinutes", "endpointAutoConfirms")
    given = args.renamed(_SUBSCRIPTION_ATTRIBUTES)
    _check_reachable(cloud, args.resource, given)
    arn = cloud.sns.subscribe(
        TopicArn=args["topic"],
        Protocol=args["protocol"],
        Endpoint=args["endpoint"],
        Attributes={name: attribute_text(value) for name, value in given.items()},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Created(arn, {"arn": arn, "ownerId": cloud.account_id})


@updates(_SUBSCRIPTION)
def update_subscription(cloud: Cloud, args: Request, made: Created) -> None:
    """Change a subscription's attributes, one a call; one that is given no longer goes back to what it is by itself."""
    args.skip("confirmationTimeoutInMinutes", "endpointAutoConfirms")
    given = args.renamed(_SUBSCRIPTION_ATTRIBUTES)
    _check_reachable(cloud, args.resource, given)
    for name in (attribute for key, attribute in _SUBSCRIPTION_ATTRIBUTES.items() if key in args.changed):
        value = attribute_text(given.get(name, _UNLESS_GIVEN.get(name, "")))
        cloud.sns.set_subscription_attributes(SubscriptionArn=made.id, AttributeName=name, AttributeValue=value)


@deletes(_SUBSCRIPTION)
def delete_subscription(cloud: Cloud, made: Created) -> None:
    """Unsubscribe."""
    cloud.sns.unsubscribe(SubscriptionArn=made.id)


def _check_reachable(cloud: Cloud, resource: Registration, attributes: dict[str, object]) -> None:
    """Refuse what AWS takes and then drops: SNS finds a missing permission only when it delivers."""
    topic, protocol, endpoint = (resource.properties[key] for key in ("topic", "protocol", "endpoint"))
    if protocol == "sqs":
        require_queue_access(cloud, resource, endpoint, _SERVICE, topic)
    elif protocol == "lambda":
        require_function_access(cloud, resource, endpoint, _SERVICE, topic)
    elif protocol == "firehose":
        role = str(attributes.get("SubscriptionRoleArn", ""))
        if not role:
            raise SandboxError("a subscription of a delivery stream needs a subscriptionRoleArn")
        require_trust(cloud, role, _SERVICE, topic)
        require_allowed(cloud, resource, role, _STREAM_ACTIONS, endpoint, "the subscription")
    if attributes.get("RedrivePolicy"):
        dead_letters = json.loads(str(attributes["RedrivePolicy"]))["deadLetterTargetArn"]
        require_queue_access(cloud, resource, dead_letters, _SERVICE, topic)
