"""What SNS refuses of a message: the rules of Publish and PublishBatch, as the SNS API reference gives them."""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

LARGEST_PAYLOAD = 262_144
"""Bytes of a message with its attributes, and of all messages of a batch together."""

# The reference has said ASCII that begins with a letter, number or punctuation mark, and says UTF-8 now. Up to 100
# characters are known to pass where it says "less than 100".
_SUBJECT = re.compile(r"[!-~][ -~]{0,99}")
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ATTRIBUTE_NAME = re.compile(r"(?!\.)(?!.*\.\.)(?!(?i:aws\.|amazon\.))[A-Za-z0-9_.-]{1,256}(?<!\.)")
_DATA_TYPE = re.compile(r"(String|Number|Binary)(\..+)?")

Attributes = Mapping[str, Mapping[str, Any]]
"""Message attributes by name: DataType, and StringValue or BinaryValue (base64)."""


class RefusedError(Exception):
    """What SNS answers instead of taking a message: an error code and its text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_message(message: str, subject: str | None, structure: str, attributes: Attributes) -> None:
    """Check one message.

    Parameters
    ----------
    subject
        None when the publisher gave none; an empty one is refused.
    structure
        MessageStructure, empty when not given.

    Raises
    ------
    RefusedError
        With SNS's code and text.
    """
    if subject is not None and not _SUBJECT.fullmatch(subject):
        raise _invalid("Subject")
    if not message:
        raise _invalid("Empty message")
    for name, attribute in attributes.items():
        _check_attribute(name, attribute)
    if payload_bytes(message, attributes) > LARGEST_PAYLOAD:
        raise _invalid("Message too long")
    if structure:
        _check_structure(message, structure)


def check_batch(entries: Iterable[tuple[str, str, Attributes]]) -> None:
    """Check what the entries (id, message, attributes) of a batch are together.

    Raises
    ------
    RefusedError
        With SNS's code and text.
    """
    total = 0
    for entry_id, message, attributes in entries:
        if not _ENTRY_ID.fullmatch(entry_id):
            raise RefusedError(
                "InvalidBatchEntryId", "The Id of a batch entry in a batch request doesn't abide by the rule"
            )
        total += payload_bytes(message, attributes)
    if total > LARGEST_PAYLOAD:
        raise RefusedError("BatchRequestTooLong", "The length of all the messages put together is more than the limit.")


def payload_bytes(message: str, attributes: Attributes) -> int:
    """Bytes SNS counts: the message, and each attribute's name, type and value. The subject is not counted."""
    total = len(message.encode())
    for name, attribute in attributes.items():
        value = attribute.get("StringValue") or ""
        total += len(name.encode()) + len(attribute.get("DataType", "").encode()) + len(value.encode())
        total += len(_decoded(attribute.get("BinaryValue") or "") or b"")
    return total


def variants(message: str) -> dict[str, str]:
    """The texts of a message with MessageStructure=json by protocol; what is not a string is ignored.

    Raises
    ------
    ValueError
        The message is not a JSON object, or has a key twice.
    """
    parsed = json.loads(message, object_pairs_hook=_once_each)
    if not isinstance(parsed, dict):
        raise ValueError("not an object")
    return {protocol: text for protocol, text in parsed.items() if isinstance(text, str)}


def _check_structure(message: str, structure: str) -> None:
    if structure != "json":
        raise _invalid("MessageStructure")
    try:
        found = variants(message)
    except ValueError:
        raise _invalid("Message Structure - JSON message body failed to parse") from None
    if "default" not in found:
        raise _invalid("Message Structure - No default entry in JSON message body")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _check_attribute(name: str, attribute: Mapping[str, Any]) -> None:
    if not _ATTRIBUTE_NAME.fullmatch(name):
        raise _bad_attribute(f"The message attribute name '{name}' is not allowed: see Amazon SNS message attributes.")
    data_type = attribute.get("DataType", "")
    kind = _DATA_TYPE.fullmatch(data_type)
    if kind is None:
        raise _bad_attribute(
            f"The message attribute '{name}' has an invalid message attribute type, "
            "the set of supported type prefixes is Binary, Number, and String."
        )
    value = attribute.get("BinaryValue" if kind[1] == "Binary" else "StringValue")
    if not value:
        raise _bad_attribute(
            f"The message attribute '{name}' must contain non-empty message attribute value "
            f"for message attribute type '{data_type}'."
        )
    if kind[1] == "Number" and not _is_number(value):
        raise _bad_attribute(f"Could not cast message attribute '{name}' value to number.")
    if data_type == "String.Array" and not _is_plain_array(value):
        raise _bad_attribute(f"The message attribute '{name}' is not a JSON array of strings, numbers, booleans, null.")
    if kind[1] == "Binary" and _decoded(value) is None:
        raise _bad_attribute(f"The message attribute '{name}' is not base64.")


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and text.strip() == text and "_" not in text
    except ValueError:
        return False


def _is_plain_array(text: str) -> bool:
    try:
        values = json.loads(text)
    except ValueError:
        return False
    return isinstance(values, list) and not any(isinstance(value, (list, dict)) for value in values)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def _invalid(what: str) -> RefusedError:
    return RefusedError("InvalidParameter", f"Invalid parameter: {what}")


def _bad_attribute(text: str) -> RefusedError:
    return RefusedError("ParameterValueInvalid", text)
