"""What SNS refuses of a subscription: the rules of Subscribe and SetSubscriptionAttributes."""

import json
import re
from collections.abc import Mapping

from email_validator import EmailNotValidError, validate_email

from sandbox.emulator import filter_policies

MAIL_PROTOCOLS = frozenset({"email", "email-json"})
PROTOCOLS = MAIL_PROTOCOLS | {"http", "https", "sms", "sqs", "application", "lambda", "firehose"}

_RAW_PROTOCOLS = {"http", "https", "sqs", "firehose"}
_ATTRIBUTES = {
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "ReplayPolicy",
    "SubscriptionRoleArn",
}


def endpoint_problem(topic_arn: str, protocol: str, endpoint: str) -> str | None:
    """Why SNS does not take an endpoint, or None. Where it has to be an ARN, the emulator checks it."""
    if protocol not in PROTOCOLS:
        return f"Amazon SNS does not support this protocol string: {protocol}"
    if not endpoint:
        return "Endpoint Reason: no value for required parameter"
    if protocol in MAIL_PROTOCOLS and not _is_address(endpoint):
        return "Email address"
    if protocol in {"http", "https"} and not endpoint.startswith(f"{protocol}://"):
        return "Endpoint must match the specified protocol"
    if protocol == "sms" and not re.fullmatch(r"\+?[1-9][0-9]{1,14}", endpoint):
        return f"Endpoint Reason: Invalid SMS endpoint: {endpoint}"
    if endpoint.endswith(".fifo") and not topic_arn.endswith(".fifo"):
        return "Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
    return None


def attributes_problem(topic_arn: str, protocol: str, attributes: Mapping[str, str]) -> str | None:
    """Why SNS does not take the attributes of a subscription, or None.

    Parameters
    ----------
    attributes
        All that the subscription would have; a filter policy is read in its scope.
    """
    unknown = attributes.keys() - _ATTRIBUTES
    if unknown:
        return f"AttributeName: {min(unknown)}"
    scope = attributes.get("FilterPolicyScope") or filter_policies.ATTRIBUTES
    if scope not in {filter_policies.ATTRIBUTES, filter_policies.BODY}:
        return f"FilterPolicyScope: Invalid value [{scope}]. Please use either MessageBody or MessageAttributes"
    raw = (attributes.get("RawMessageDelivery") or "false").lower()
    if raw not in {"true", "false"}:
        return f"RawMessageDelivery: Invalid value [{raw}]. Must be true or false."
    if raw == "true" and protocol not in _RAW_PROTOCOLS:
        return f"Delivery protocol [{protocol}] does not support raw message delivery."
    if attributes.get("FilterPolicy"):
        found = filter_policies.problem(attributes["FilterPolicy"], scope)
        if found:
            return found
    return _redrive_problem(topic_arn, attributes.get("RedrivePolicy") or "")


def _redrive_problem(topic_arn: str, policy: str) -> str | None:
    """A dead-letter queue is in the topic's own account and region, and of its kind."""
    if not policy:
        return None
    try:
        target = str(json.loads(policy)["deadLetterTargetArn"])
    except (ValueError, KeyError, TypeError):
        return "RedrivePolicy: failed to parse JSON."
    place = ":".join(topic_arn.split(":")[3:5])
    if not re.fullmatch(rf"arn:[a-z-]+:sqs:{re.escape(place)}:[A-Za-z0-9_-]+(\.fifo)?", target):
        return "RedrivePolicy: deadLetterTargetArn is an invalid arn"
    if target.endswith(".fifo") != topic_arn.endswith(".fifo"):
        return "RedrivePolicy: must use a queue of same type as topic"
    return None


def _is_address(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return False
    return True
