"""SNS: messages and subscriptions under AWS's rules, mail with an inbox, and what cannot be delivered in the
subscription's dead-letter queue.
"""

import functools
import json
import logging
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import lambda_svc, sns, sqs

from sandbox.emulator import filter_policies, publish_rules
from sandbox.emulator.inboxes import Inboxes
from sandbox.emulator.patching import SNS_TO_SQS, Function, replace, require
from sandbox.emulator.publish_rules import RefusedError
from sandbox.emulator.subscription_rules import MAIL_PROTOCOLS, attributes_problem, endpoint_problem
from sandbox.settings import ACCOUNT_ID, REGION

_SERVICE = "sns.amazonaws.com"
_MOST_RAW_ATTRIBUTES = 10
"""SQS takes no more attributes; with more, SNS discards a raw message as a client-side error."""

_FANOUT = "topic_arn msg_id message subject message_structure message_attributes message_group_id message_dedup_id"
_TO_LAMBDA = "endpoint envelope topic_arn sub_arn msg_id raw_message message_attributes"

_error = require(sns, "_error")
_parameter = require(sns, "_p")
_topic = require(sns, "_topic_by_arn_any_scope")
_topic_of_subscription = require(sns, "_sub_arn_to_topic")
_subscription = require(sns, "_find_subscription")
_envelope = require(sns, "_build_envelope")
_message_attributes = require(sns, "_parse_message_attributes")
_queue_by_arn = require(sqs, "_queue_by_arn")
_queue_policy_allows = require(sqs, "queue_policy_allows")
_function_record = require(lambda_svc, "_get_func_record_for_ref")
_function_policy = require(lambda_svc, "function_policy_for_arn")
_invocable = require(lambda_svc, "_execution_record_for_config")
_invoke = require(lambda_svc, "invoke_async_with_retry")
_log = logging.getLogger("sandbox.topics")

Parameters = Mapping[str, Any]
Subscription = dict[str, Any]


def install() -> Inboxes:
    """Replace what ministack's SNS takes, matches and drops otherwise than AWS; the inboxes it then fills."""
    inboxes = Inboxes()
    # An empty subject is not the same as none.
    vars(sns).update(parse_qs=functools.partial(require(sns, "parse_qs"), keep_blank_values=True))
    replace(sns, "_publish", "params", _checking_message)
    replace(sns, "_publish_batch", "params", _checking_batch)
    replace(sns, "_parse_batch_entries", "params", _with_binary_attributes)
    replace(sns, "_message_payload_size", "message attrs", lambda _: publish_rules.payload_bytes)
    replace(sns, "_subscribe", "params", lambda original: _checking_subscription(original, inboxes))
    replace(sns, "_set_subscription_attributes", "params", _checking_change)
    replace(sns, "_resolve_message_for_protocol", "message message_structure protocol", lambda _: _variant)
    replace(sns, "_attr_candidate_values", "attr", lambda _: filter_policies.attribute_values)
    replace(sns, "_as_number", "value", lambda _: filter_policies.number)
    replace(sns, "_matches_filter_policy", "sub message_attributes message", _matching_objects_in_arrays)
    replace(sns, "_fanout", _FANOUT, lambda original: _sending_mail(original, inboxes))
    replace(sns, "_deliver_to_sqs", SNS_TO_SQS, _keeping_undelivered)
    replace(sns, "_deliver_to_lambda", _TO_LAMBDA, lambda _: _to_function)
    return inboxes


def _checking_message(original: Function) -> Function:
    def publish(params: Parameters) -> Any:
        structure, subject = _parameter(params, "MessageStructure"), _parameter(params, "Subject", None)
        try:
            publish_rules.check_message(
                _parameter(params, "Message"), subject, structure, _all_named(params, _message_attributes(params))
            )
        except RefusedError as refused:
            return _error(refused.code, str(refused), 400)
        return original(params)

    return publish


def _all_named(params: Parameters, attributes: dict[str, Any]) -> dict[str, Any]:
    """The parser stops at an attribute without a name, which SNS refuses."""
    given = {key.split(".")[2] for key in params if key.startswith("MessageAttributes.entry.")}
    return attributes if len(attributes) == len(given) else {**attributes, "": {}}


def _checking_batch(original: Function) -> Function:
    """One bad entry fails the whole request, as far as AWS's behaviour is known."""

    def publish(params: Parameters) -> Any:
        entries = sns._parse_batch_entries(params)
        try:
            publish_rules.check_batch((e["id"], e["message"], e["message_attributes"]) for e in entries)
            for number, entry in enumerate(entries, 1):
                subject = _parameter(params, f"PublishBatchRequestEntries.member.{number}.Subject", None)
                publish_rules.check_message(
                    entry["message"], subject, entry["message_structure"], entry["message_attributes"]
                )
        except RefusedError as refused:
            return _error(refused.code, str(refused), 400)
        return original(params)

    return publish


def _with_binary_attributes(original: Function) -> Function:
    def parse(params: Parameters) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = original(params)
        for number, entry in enumerate(entries, 1):
            start = f"PublishBatchRequestEntries.member.{number}."
            own = {key.removeprefix(start): value for key, value in params.items() if key.startswith(start)}
            entry["message_attributes"] = _all_named(own, _message_attributes(own))
        return entries

    return parse


def _checking_subscription(original: Function, inboxes: Inboxes) -> Function:
    def subscribe(params: Parameters) -> Any:
        topic_arn, protocol = sns._normalize_arn(_parameter(params, "TopicArn")), _parameter(params, "Protocol")
        endpoint, given = _parameter(params, "Endpoint"), _given_attributes(params)
        problem = endpoint_problem(topic_arn, protocol, endpoint)
        if problem is None:
            reason = attributes_problem(topic_arn, protocol, given) or _difference(topic_arn, protocol, endpoint, given)
            problem = f"Attributes Reason: {reason}" if reason else None
        if problem:
            return _error("InvalidParameter", f"Invalid parameter: {problem}", 400)
        answer = original(params)
        if answer[0] == 200 and protocol in MAIL_PROTOCOLS:
            inboxes.open(topic_arn, endpoint, protocol)
        return answer

    return subscribe


def _given_attributes(params: Parameters) -> dict[str, str]:
    keys = [key for key in params if key.startswith("Attributes.entry.") and key.endswith(".key")]
    return {_parameter(params, key): _parameter(params, f"{key.removesuffix('key')}value") for key in keys}


def _difference(topic_arn: str, protocol: str, endpoint: str, given: dict[str, str]) -> str | None:
    existing = _find(topic_arn, protocol, endpoint)
    if existing is None or all(existing["attributes"].get(name, "") == value for name, value in given.items()):
        return None
    return "Subscription already exists with different attributes"


def _find(topic_arn: str, protocol: str, endpoint: str) -> Subscription | None:
    subscriptions = (_topic(topic_arn) or {"subscriptions": []})["subscriptions"]
    return next((s for s in subscriptions if (s["protocol"], s["endpoint"]) == (protocol, endpoint)), None)


def _checking_change(original: Function) -> Function:
    def change(params: Parameters) -> Any:
        arn = _parameter(params, "SubscriptionArn")
        topic_arn = _topic_of_subscription.get(arn)
        subscription = _subscription(topic_arn, arn) if topic_arn else None
        if subscription is None:
            return original(params)
        kept = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
        attributes = {name: subscription["attributes"].get(name, "") for name in kept}
        attributes[_parameter(params, "AttributeName")] = _parameter(params, "AttributeValue")
        problem = attributes_problem(topic_arn, subscription["protocol"], attributes)
        if problem:
            return _error("InvalidParameter", f"Invalid parameter: {problem}", 400)
        return original(params)

    return change


def _variant(message: str, message_structure: str, protocol: str) -> str:
    """The text for a protocol, of a message that was checked when it was published."""
    if message_structure != "json":
        return message
    texts = publish_rules.variants(message)
    return texts.get(protocol, texts["default"])


def _matching_objects_in_arrays(original: Function) -> Function:
    """A policy on the body looks into the objects of an array, and holds all its conditions against one of them."""

    def matches(subscription: Subscription, message_attributes: dict[str, Any], message: str = "") -> bool:
        scope = subscription["attributes"].get("FilterPolicyScope")
        if scope != filter_policies.BODY or not subscription["attributes"].get("FilterPolicy"):
            return bool(original(subscription, message_attributes, message))
        try:
            body = json.loads(message)
        except ValueError:
            return False
        return isinstance(body, dict) and any(
            original(subscription, message_attributes, json.dumps(each)) for each in filter_policies.bodies(body)
        )

    return matches


def _sending_mail(original: Function, inboxes: Inboxes) -> Function:
    def fan_out(
        topic_arn: str,
        msg_id: str,
        message: str,
        subject: str,
        message_structure: str = "",
        message_attributes: dict[str, Any] | None = None,
        **more: str,
    ) -> None:
        original(topic_arn, msg_id, message, subject, message_structure, message_attributes, **more)
        attributes = message_attributes or {}
        for subscription in (_topic(topic_arn) or {"subscriptions": []})["subscriptions"]:
            protocol, endpoint = subscription["protocol"], subscription["endpoint"]
            text = _variant(message, message_structure, protocol)
            if protocol not in MAIL_PROTOCOLS or not sns._matches_filter_policy(subscription, attributes, text):
                continue
            if protocol == "email-json":
                text = _envelope(topic_arn, msg_id, text, subject, attributes, False)
            inboxes.receive(topic_arn, endpoint, msg_id, subject, text)

    return fan_out


def _keeping_undelivered(original: Function) -> Function:
    """What a queue may not or cannot take goes to the subscription's dead-letter queue."""

    def deliver(
        endpoint: str,
        envelope: str,
        raw: bool,
        raw_message: str,
        message_group_id: str = "",
        message_dedup_id: str = "",
        message_attributes: dict[str, Any] | None = None,
        topic_arn: str = "",
    ) -> None:
        attributes = message_attributes or {}
        reason = _queue_refusal(endpoint, topic_arn)
        if reason is None and raw and len(attributes) > _MOST_RAW_ATTRIBUTES:
            reason = f"a raw message has at most {_MOST_RAW_ATTRIBUTES} attributes"
        target: str | None = endpoint
        if reason:
            subscription = _find(topic_arn, "sqs", endpoint)
            target = _dead_letter_queue(subscription, reason)
        if target:
            original(
                target, envelope, raw, raw_message, message_group_id, message_dedup_id, attributes, topic_arn=topic_arn
            )

    return deliver


def _queue_refusal(queue_arn: str, topic_arn: str) -> str | None:
    if _queue_by_arn(queue_arn) is None:
        return "the queue does not exist"
    if not _queue_policy_allows(queue_arn, _SERVICE, topic_arn, ACCOUNT_ID):
        return f"the queue's policy does not let {_SERVICE} send"
    return None


def _dead_letter_queue(subscription: Subscription | None, reason: str) -> str | None:
    """The ARN of the queue that takes what the subscription's endpoint does not."""
    if subscription is None:
        return None
    _log.warning("%s does not reach %s: %s", subscription["topic_arn"], subscription["endpoint"], reason)
    policy = subscription["attributes"].get("RedrivePolicy")
    return str(json.loads(policy)["deadLetterTargetArn"]) if policy else None


def _to_function(endpoint: str, envelope: str, topic_arn: str, sub_arn: str, *_: Any) -> None:
    """Invoke a function asynchronously, if its policy lets this topic do so."""
    record, config, _ = _function_record(endpoint)
    reason = None
    if record is None:
        reason = "the function does not exist"
    elif not _function_lets_in(endpoint, topic_arn):
        reason = f"the function's policy does not let {_SERVICE} invoke it"
    if reason is None:
        event = {"EventVersion": "1.0", "EventSubscriptionArn": sub_arn, "EventSource": "aws:sns"}
        _invoke(_invocable(record, config), {"Records": [{**event, "Sns": json.loads(envelope)}]})
        return
    dead_letters = _dead_letter_queue(_subscription(topic_arn, sub_arn), reason)
    if dead_letters:
        sns._deliver_to_sqs(dead_letters, envelope, False, envelope, topic_arn=topic_arn)


def _function_lets_in(function_arn: str, topic_arn: str) -> bool:
    context = require(iam_evaluator, "EvalContext")(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=function_arn,
        region=REGION,
        service_context={"aws:sourcearn": topic_arn, "aws:sourceaccount": ACCOUNT_ID},
    )
    policy, _ = _function_policy(function_arn) or ({}, "")
    evaluate = require(iam_evaluator, "evaluate_resource_policy")
    return bool(evaluate(policy, context, service=_SERVICE).decision == "Allow")
