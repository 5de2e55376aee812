"""An endpoint that is subscribed to the notification topic, as the stack's configuration names it."""

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic.networks import EmailStr

Protocol = Literal["email", "email-json", "http", "https", "sms", "sqs", "lambda", "application", "firehose"]

_ARN = r"arn:aws[a-z-]*:{}:[a-z0-9-]+:[0-9]{{12}}:{}"
# Amazon SNS API reference, Subscribe.
ENDPOINTS = {
    "http": (re.compile(r"http://[^\s/]+.*"), "a URL that begins with http://"),
    "https": (re.compile(r"https://[^\s/]+.*"), "a URL that begins with https://"),
    "sms": (re.compile(r"\+[1-9][0-9]{6,14}"), "a telephone number such as +4915112345678"),
    "sqs": (re.compile(_ARN.format("sqs", r"[A-Za-z0-9_.-]+")), "the ARN of a queue"),
    "lambda": (re.compile(_ARN.format("lambda", r"function:[A-Za-z0-9_:$-]+")), "the ARN of a function"),
    "application": (re.compile(_ARN.format("sns", r"endpoint/.+")), "the ARN of a mobile app's endpoint"),
    "firehose": (re.compile(_ARN.format("firehose", r"deliverystream/.+")), "the ARN of a delivery stream"),
}
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+")


class Subscription(BaseModel):
    """One endpoint, with what it wants to hear.

    Attributes
    ----------
    filter_policy
        SNS filter policy on the message attributes `labels` and `highestConfidence`; None for everything.
    subscription_role_arn
        Lets SNS write to a delivery stream; for firehose only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    protocol: Protocol
    endpoint: str
    filter_policy: dict[str, Any] | None = None
    subscription_role_arn: str | None = None

    @property
    def address(self) -> tuple[str, str]:
        """What SNS knows it by; mail addresses are the same in any case."""
        return self.protocol, self.endpoint.lower() if self.protocol.startswith("email") else self.endpoint

    def as_args(self) -> dict[str, Any]:
        """As the Notification component takes it."""
        return self.model_dump(exclude_none=True)

    @model_validator(mode="after")
    def _right_endpoint(self) -> "Subscription":
        if self.protocol.startswith("email"):
            _check_email(self.endpoint)
        else:
            pattern, what = ENDPOINTS[self.protocol]
            if not pattern.fullmatch(self.endpoint):
                raise ValueError(f"the endpoint {self.endpoint!r} of protocol {self.protocol} is not {what}")
        if (self.protocol == "firehose") != bool(ROLE_ARN.fullmatch(self.subscription_role_arn or "")):
            raise ValueError("subscriptionRoleArn is the ARN of a role for protocol firehose, and for no other")
        return self


def _check_email(text: str) -> None:
    try:
        TypeAdapter(EmailStr).validate_python(text)
    except ValidationError as error:
        raise ValueError(f"the endpoint {text!r}: {error.errors()[0]['msg']}") from None
