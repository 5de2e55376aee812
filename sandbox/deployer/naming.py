"""Physical names as Pulumi's AWS provider makes and AWS limits them."""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.errors import SandboxError

RANDOM_HEX_DIGITS = 7
"""Length of the random end of an auto-name, after a hyphen: 8 characters in all."""

PREFIXED_NAME_DIGITS = 26
"""Length of what the provider adds to a `namePrefix` or `bucketPrefix`."""

Suffix = Callable[[str], str]
"""Gives a URN's random end."""


@dataclass(frozen=True)
class Rule:
    """How one resource type is named.

    Pulumi's provider fails when an auto-name passes its own limit, AWS when a name passes its
    own; the smaller of the two stands here.
    """

    longest: int
    pattern: str = r"[a-zA-Z0-9._-]+"
    property: str = "name"
    lower: bool = False
    fifo: bool = False


_RULES = {
    "aws:athena/database:Database": Rule(255, r"[a-z0-9_]+"),
    "aws:athena/namedQuery:NamedQuery": Rule(128, r".+"),
    "aws:athena/workgroup:Workgroup": Rule(128),
    "aws:cloudwatch/dashboard:Dashboard": Rule(255, r"[a-zA-Z0-9_-]+", property="dashboardName"),
    "aws:cloudwatch/eventRule:EventRule": Rule(64),
    "aws:cloudwatch/eventTarget:EventTarget": Rule(64, property="targetId"),
    "aws:cloudwatch/logGroup:LogGroup": Rule(512, r"[a-zA-Z0-9._/#-]+"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Rule(255, r".+"),
    "aws:dynamodb/table:Table": Rule(255),
    "aws:glue/catalogDatabase:CatalogDatabase": Rule(255, r"[a-z0-9_]+"),
    "aws:glue/catalogTable:CatalogTable": Rule(255, r"[a-z0-9_]+"),
    "aws:iam/policy:Policy": Rule(128, r"[\w+=,.@-]+"),
    "aws:iam/role:Role": Rule(64, r"[\w+=,.@-]+"),
    "aws:iam/rolePolicy:RolePolicy": Rule(128, r"[\w+=,.@-]+"),
    "aws:lambda/function:Function": Rule(64, r"[a-zA-Z0-9_-]+"),
    "aws:s3/bucket:Bucket": Rule(63, r"[a-z0-9][a-z0-9.-]+[a-z0-9]", property="bucket", lower=True),
    "aws:scheduler/schedule:Schedule": Rule(64),
    "aws:scheduler/scheduleGroup:ScheduleGroup": Rule(64),
    "aws:sfn/stateMachine:StateMachine": Rule(80, r"[a-zA-Z0-9_-]+"),
    "aws:sns/topic:Topic": Rule(256, r"[a-zA-Z0-9_-]+(\.fifo)?", fifo=True),
    "aws:sqs/queue:Queue": Rule(80, r"[a-zA-Z0-9_-]+(\.fifo)?", fifo=True),
}
"""Types that have a physical name. Sources: pulumi-aws `provider/resources.go` for the property and
its length, each service's API reference for AWS's own length and characters."""


def random_suffix(_urn: str) -> str:
    """End of an auto-name in a deployment: new every time."""
    return secrets.token_hex(4)[:RANDOM_HEX_DIGITS]


def name_properties(type_: str) -> frozenset[str]:
    """The properties that name a type's resources: the name itself and its prefix."""
    rule = _RULES.get(type_)
    return frozenset({rule.property, f"{rule.property}Prefix"}) if rule else frozenset()


def given_names(type_: str, inputs: Mapping[str, Any]) -> dict[str, str]:
    """What a program itself says of a resource's name: nothing, the name, or its prefix."""
    return {key: inputs[key] for key in sorted(name_properties(type_) & inputs.keys())}


def physical_name(
    type_: str,
    logical_name: str,
    urn: str,
    inputs: dict[str, Any],
    suffix: Suffix,
    deployed: Mapping[str, Any] | None = None,
) -> dict[str, str | None]:
    """Work out a resource's physical name.

    Parameters
    ----------
    deployed
        Properties of the deployed resource whose automatic name is kept; none for a new one.

    Returns
    -------
    dict
        The name under the property it has in this type, and None under its prefix' property, which
        is used up; empty for a type that has none.

    Raises
    ------
    SandboxError
        When the name is too long or has characters AWS refuses.
    """
    rule = _RULES.get(type_)
    if rule is None:
        return {}
    given = inputs.get(rule.property) or (deployed or {}).get(rule.property)
    name = given or _automatic_name(rule, logical_name, urn, inputs, suffix)
    if len(name) > rule.longest:
        raise SandboxError(f"name {name!r} has {len(name)} characters; at most {rule.longest} fit.")
    if not re.fullmatch(rule.pattern, name):
        raise SandboxError(f"AWS does not accept the name {name!r} (allowed: {rule.pattern}).")
    return {rule.property: name, f"{rule.property}Prefix": None}


def _automatic_name(rule: Rule, logical_name: str, urn: str, inputs: dict[str, Any], suffix: Suffix) -> str:
    prefix = inputs.get(f"{rule.property}Prefix")
    if prefix:
        # The provider ends a name with a prefix itself, in its own longer way.
        digest = hashlib.sha256(f"{urn} {suffix(urn)}".encode()).hexdigest()
        return f"{prefix}{digest[:PREFIXED_NAME_DIGITS]}"
    name = f"{logical_name}-{suffix(urn)}"
    name = name.lower() if rule.lower else name
    return f"{name}.fifo" if rule.fifo and inputs.get("fifoQueue", inputs.get("fifoTopic")) else name
