"""Endpoints that are to be subscribed to a topic, checked as SNS would."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel
from pydantic.networks import EmailStr

from custom_labels_batch.components.inputs import InputError

Protocol = Literal["email", "email-json", "http", "https", "sms", "sqs", "lambda", "application", "firehose"]
PROTOCOLS = get_args(Protocol)

ATTRIBUTES = ("labels", "highestConfidence")
"""Message attributes that a filter policy can ask for."""

_ARN = r"arn:aws[a-z-]*:{}:[a-z0-9-]+:[0-9]{{12}}:{}"
# Amazon SNS API reference, Subscribe. A standard topic sends to no FIFO queue.
_ENDPOINTS = {
    "http": (re.compile(r"http://[^\s/]+.*"), "a URL that begins with http://"),
    "https": (re.compile(r"https://[^\s/]+.*"), "a URL that begins with https://"),
    "sms": (re.compile(r"\+[1-9][0-9]{6,14}"), "a telephone number such as +4915112345678"),
    "sqs": (re.compile(_ARN.format("sqs", r"[A-Za-z0-9_-]+")), "the ARN of a queue that is not FIFO"),
    "lambda": (re.compile(_ARN.format("lambda", r"function:[A-Za-z0-9_:$-]+")), "the ARN of a function"),
    "application": (re.compile(_ARN.format("sns", r"endpoint/.+")), "the ARN of a mobile app's endpoint"),
    "firehose": (re.compile(_ARN.format("firehose", r"deliverystream/.+")), "the ARN of a delivery stream"),
}
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+")


class Subscription(BaseModel):
    """One endpoint, with what it wants to hear.

    Attributes
    ----------
    endpoint
        Mail addresses in lower case: they are the same in any.
    filter_policy
        SNS filter policy on the message attributes; None for everything.
    subscription_role_arn
        Lets SNS write to a delivery stream; for firehose only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    protocol: Protocol
    endpoint: str
    filter_policy: dict[str, Any] | None = None
    subscription_role_arn: str | None = None

    @field_validator("filter_policy")
    @classmethod
    def _can_match(cls, policy: dict[str, Any] | None) -> dict[str, Any] | None:
        """A policy on an attribute that no message has would be silence."""
        for name, wanted in (policy or {}).items():
            if name not in (*ATTRIBUTES, "$or"):
                raise ValueError(f"{name!r} is no attribute of a message; there are {' and '.join(ATTRIBUTES)}")
            if not isinstance(wanted, list) or not wanted:
                raise ValueError(f"what {name!r} may be is not a list of one or more")
        return policy

    @model_validator(mode="before")
    @classmethod
    def _plain_address(cls, given: Any) -> Any:
        if isinstance(given, dict) and str(given.get("protocol")).startswith("email") and "endpoint" in given:
            return {**given, "endpoint": _mail_address(given["endpoint"])}
        return given

    @model_validator(mode="after")
    def _right_endpoint(self) -> "Subscription":
        if self.protocol in _ENDPOINTS:
            pattern, what = _ENDPOINTS[self.protocol]
            if not pattern.fullmatch(self.endpoint):
                raise ValueError(f"the endpoint {self.endpoint!r} of protocol {self.protocol} is not {what}")
        if (self.protocol == "firehose") != bool(_ROLE_ARN.fullmatch(self.subscription_role_arn or "")):
            raise ValueError("a role to subscribe with is needed, by its ARN, for firehose, and for no other protocol")
        return self


def _mail_address(text: Any) -> str:
    try:
        return TypeAdapter(EmailStr).validate_python(text).lower()
    except ValidationError as error:
        raise ValueError(f"the endpoint {text!r}: {error.errors()[0]['msg']}") from None


def checked_subscription(given: Mapping[str, Any], name: str | None = None) -> Subscription:
    """A subscription as a component takes it, in an input of this name.

    Raises
    ------
    InputError
        SNS would not take it; says why.
    """
    try:
        return Subscription.model_validate(given)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}".removeprefix(": ") for problem in error.errors()
        )
        raise InputError(f"SNS would not take the subscription {dict(given)!r}: {problems}", name) from None


def distinct(subscriptions: Iterable[Subscription]) -> list[Subscription]:
    """Subscriptions of which no two are of one endpoint.

    Raises
    ------
    InputError
        Naming an endpoint that is there twice.
    """
    found: dict[tuple[str, str], Subscription] = {}
    for subscription in subscriptions:
        address = (subscription.protocol, subscription.endpoint)
        if address in found:
            raise InputError(f"the {subscription.protocol} endpoint {subscription.endpoint!r} is there twice")
        found[address] = subscription
    return list(found.values())


def checked_emails(addresses: Iterable[str], name: str) -> list[Subscription]:
    """Addresses, of the input of this name, as subscriptions.

    Raises
    ------
    InputError
        SNS would not take one, or one is there twice.
    """
    return distinct(checked_subscription({"protocol": "email", "endpoint": address}, name) for address in addresses)


def subscription_hash(subscription: Subscription) -> str:
    """What a subscription is named by, so that others may come and go before it in the list."""
    return hashlib.sha256(f"{subscription.protocol}\n{subscription.endpoint}".encode()).hexdigest()[:12]
