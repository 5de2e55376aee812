"""People who are subscribed to a topic of this repository's by their e-mail addresses."""

from collections.abc import Iterable, Sequence

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components.subscriptions import Subscription, checked_subscription, distinct, subscription_hash


def checked_emails(addresses: Iterable[str], name: str) -> list[Subscription]:
    """Addresses, of the input of this name, as subscriptions.

    Raises
    ------
    InputError
        SNS would not take one, or one is there twice.
    """
    return distinct(checked_subscription({"protocol": "email", "endpoint": address}, name) for address in addresses)


def subscribe(
    prefix: str,
    topic: aws.sns.Topic,
    emails: Sequence[Subscription],
    topic_policy: aws.sns.TopicPolicy,
    parent: pulumi.Resource,
) -> None:
    """Subscribe them to a topic; each is named by a hash, so that others may come and go."""
    for email in emails:
        aws.sns.TopicSubscription(
            f"{prefix}-{subscription_hash(email)}",
            topic=topic.arn,
            protocol=email.protocol,
            endpoint=email.endpoint,
            # SNS has one subscription an endpoint: made before the old one goes, the new one would be the old one.
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[topic_policy], delete_before_replace=True),
        )
