"""Subscription filter policies of SNS: which ones it takes, and what in a message they look at.

The rules are those of "Amazon SNS subscription filter policies" and "Filter policy constraints" in the SNS
developer guide.
"""

import ipaddress
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

ATTRIBUTES, BODY = "MessageAttributes", "MessageBody"
"""The two scopes of a filter policy."""

_LARGEST_POLICY = 262_144
_MOST_KEYS = 5
_MOST_COMBINATIONS = 150
_LARGEST_NUMBER = 1e9
_TEXT_OPERATORS = {"prefix", "suffix", "equals-ignore-case", "wildcard"}
_LOWER_BOUNDS, _UPPER_BOUNDS = {">", ">="}, {"<", "<="}


def problem(text: str, scope: str) -> str | None:
    """What SNS says about a filter policy it does not take, or None.

    Example
    -------
    >>> problem('{"label": ["brick"], "confidence": [{"numeric": [">=", 90]}]}', ATTRIBUTES)
    >>> problem('{"label": "brick"}', ATTRIBUTES)
    'FilterPolicy: "label" must be an object or an array'
    """
    if len(text.encode()) > _LARGEST_POLICY:
        return "FilterPolicy: Filter policy is too large"
    try:
        policy = json.loads(text)
    except ValueError:
        return "FilterPolicy: failed to parse JSON."
    if not isinstance(policy, dict):
        return "FilterPolicy: Filter policy must be an object"
    if len(policy) > _MOST_KEYS:
        return f"FilterPolicy: Filter policy can not have more than {_MOST_KEYS} keys"
    try:
        combinations = _combinations(policy, scope, depth=1)
    except ValueError as error:
        return str(error)
    return "FilterPolicy: Filter policy is too complex" if combinations > _MOST_COMBINATIONS else None


def attribute_values(attribute: Mapping[str, Any]) -> list[Any]:
    """The values of a message attribute that a policy is held against, each in its own type.

    A number matches numbers only and a string strings only; binary attributes are not looked at.
    """
    kind = attribute.get("DataType", "").partition(".")[0]
    text = attribute.get("StringValue", "")
    if attribute.get("DataType") == "String.Array":
        return [value for value in json.loads(text) if value is not None]
    if kind == "Number":
        return [float(text)]
    return [text] if kind == "String" else []


def number(value: Any) -> float | None:
    """A value as a number, if it is one: "90" is a string."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def bodies(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A message body with each array of objects replaced by one of its objects, in every combination.

    A policy matches when it matches one of them: all its conditions then hold for the same objects.

    Example
    -------
    >>> list(bodies({"labels": [{"name": "brick"}, {"name": "grass"}]}))
    [{'labels': {'name': 'brick'}}, {'labels': {'name': 'grass'}}]
    """
    choices = [[(key, each) for each in _choices(value)] for key, value in body.items()]
    return (dict(chosen) for chosen in itertools.product(*choices))


def _choices(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(bodies(value))
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [choice for item in value for choice in _choices(item)]
    return [value]


def _combinations(policy: dict[str, Any], scope: str, depth: int) -> int:
    """How many combinations of values a policy holds; a ValueError says what is wrong with it."""
    if depth > 1 and scope == ATTRIBUTES:
        raise ValueError("Filter policy scope MessageAttributes does not support nested filter policy")
    found = 1
    for key, rules in policy.items():
        if key == "$or" and isinstance(rules, list) and len(rules) > 1 and all(isinstance(r, dict) for r in rules):
            found *= sum(_combinations(member, scope, depth) for member in rules)
        elif isinstance(rules, dict):
            found *= _combinations(rules, scope, depth + 1)
        elif isinstance(rules, list):
            for rule in rules:
                _check_rule(rule)
            found *= len(rules) * depth
        else:
            raise ValueError(f'FilterPolicy: "{key}" must be an object or an array')
        if rules == []:
            raise ValueError("FilterPolicy: Empty arrays are not allowed")
    return found


def _check_rule(rule: Any) -> None:
    if isinstance(rule, dict):
        _check_operator(rule)
    elif number(rule) is not None:
        _check_number(rule)
    elif not (rule is None or isinstance(rule, (str, bool))):
        raise ValueError("FilterPolicy: Match value must be String, number, true, false, or null")


def _check_operator(rule: dict[str, Any]) -> None:
    if len(rule) != 1:
        raise ValueError("FilterPolicy: Only one key allowed in match expression")
    operator, operand = next(iter(rule.items()))
    if operator in _TEXT_OPERATORS:
        _require(isinstance(operand, str), f"{operator} match pattern must be a string")
    elif operator == "exists":
        _require(isinstance(operand, bool), "exists match pattern must be either true or false.")
    elif operator == "cidr":
        _check_cidr(operand)
    elif operator == "numeric":
        _check_numeric(operand)
    elif operator == "anything-but":
        _check_anything_but(operand)
    else:
        raise ValueError(f"FilterPolicy: Unrecognized match type {operator}")


def _check_anything_but(operand: Any) -> None:
    if isinstance(operand, dict):
        _require(operand.keys() <= _TEXT_OPERATORS, "Unsupported anything-but pattern")
        _check_operator(operand)
        return
    values = operand if isinstance(operand, list) else [operand]
    allowed = values and all(isinstance(value, str) or number(value) is not None for value in values)
    _require(bool(allowed), "anything-but takes strings or numbers")


def _check_numeric(operand: Any) -> None:
    _require(isinstance(operand, list) and len(operand) in {2, 4}, "Value of numeric must be an array of one or two")
    operators, numbers = operand[::2], operand[1::2]
    for value in numbers:
        _require(number(value) is not None, "Value of numeric must be a number")
        _check_number(value)
    if len(operators) == 1:
        _require(operators[0] in {"=", *_LOWER_BOUNDS, *_UPPER_BOUNDS}, f"Unrecognized numeric range {operators[0]}")
        return
    ordered = operators[0] in _LOWER_BOUNDS and operators[1] in _UPPER_BOUNDS
    _require(ordered, "A numeric range begins with > or >= and ends with < or <=")
    _require(numbers[0] < numbers[1], "Bottom must be less than top")


def _check_number(value: float) -> None:
    _require(abs(value) <= _LARGEST_NUMBER, "Numeric values are between -1.0E9 and 1.0E9")


def _check_cidr(operand: Any) -> None:
    try:
        ipaddress.ip_network(operand, strict=False)
    except ValueError:
        raise ValueError("FilterPolicy: Malformed CIDR") from None


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(f"FilterPolicy: {otherwise}")
