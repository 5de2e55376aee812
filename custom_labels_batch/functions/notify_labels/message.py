"""What is published about a digest: messages that each hold a subject, a text for people and JSON for programs."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import document, mail
from .digest import Digest, Part, pack
from .subject import MAX_LENGTH as MAX_SUBJECT_LENGTH
from .subject import subject

if TYPE_CHECKING:
    from types_boto3_sns.type_defs import MessageAttributeValueTypeDef

MAX_BYTES = 256 * 1024
"""Of the message, its subject and its attributes' names, types and values, in UTF-8 (Amazon SNS API reference,
Publish and MessageAttributeValue)."""

_MOST_PARTS = 99_999

_SLACK = 100
"""Bytes by which the numbers in one part may be longer than in another."""


@dataclass(frozen=True)
class Message:
    """One message to publish.

    Attributes
    ----------
    subject
        Fit for SNS.
    structure
        JSON object of protocol -> text, for `MessageStructure=json`: `email` the text for people; `sms`, and what
        mobile apps show, the subject; `default` the JSON document, which all other protocols take. It is there only
        once, since every copy counts against the size.
    attributes
        `labels` and `highestConfidence`, for filter policies.
    """

    subject: str
    structure: str
    attributes: "dict[str, MessageAttributeValueTypeDef]"

    @property
    def size(self) -> int:
        """What SNS counts, in bytes."""
        texts = [self.subject, self.structure]
        for name, value in self.attributes.items():
            texts += [name, value["DataType"], value["StringValue"]]
        return sum(len(text.encode()) for text in texts)


def message_of(part: Part) -> Message:
    """The message that holds a part of a digest."""
    line = subject(part)
    structure = {"default": document.document(part), "email": mail.text(part), **_one_liners(line)}
    return Message(line, json.dumps(structure, ensure_ascii=False), _attributes(part))


def _one_liners(line: str) -> dict[str, str]:
    """What telephones show; the payloads of mobile apps are their platforms' (Amazon SNS developer guide,
    "Publishing Amazon SNS notifications with platform-specific payloads")."""
    apple = json.dumps({"aps": {"alert": line}})
    google = json.dumps({"fcmV1Message": {"message": {"notification": {"title": "Labels found", "body": line}}}})
    return {"sms": line, "APNS": apple, "APNS_SANDBOX": apple, "GCM": google}


def _attributes(part: Part) -> "dict[str, MessageAttributeValueTypeDef]":
    return {
        "labels": {"DataType": "String.Array", "StringValue": json.dumps(document.label_names(part))},
        "highestConfidence": {"DataType": "Number", "StringValue": f"{document.highest_confidence(part):.4f}"},
    }


def parts_of(digest: Digest) -> list[Part]:
    """A digest in as few parts as SNS takes; one if it fits."""
    whole = Part(digest, 0, len(digest.alerts))
    if message_of(whole).size <= MAX_BYTES:
        return [whole]
    slices = pack(_sizes(whole), MAX_BYTES - _size_without_images(digest))
    return [Part(digest, start, end, number, len(slices)) for number, (start, end) in enumerate(slices, 1)]


def _sizes(whole: Part) -> list[int]:
    """Bytes that each image adds to a message: its lines in the text and its entry in the JSON."""
    return [
        _escaped_size(lines) + _escaped_size(json.dumps(document.entry(alert)) + ", ")
        for lines, alert in zip(mail.entries(whole), whole.alerts, strict=True)
    ]


def _size_without_images(digest: Digest) -> int:
    """Bytes of everything else, for the part that needs most."""
    most = len(digest.alerts)
    part = Part(digest, 0, most, _MOST_PARTS, _MOST_PARTS)
    line = '"' * MAX_SUBJECT_LENGTH  # what grows most when it is escaped
    texts = {
        "default": json.dumps({**document.head(part), "images": []}),
        "email": mail.head(part),
        **_one_liners(line),
    }
    rest = Message(line, json.dumps(texts, ensure_ascii=False), _attributes(part))
    return rest.size + _SLACK


def _escaped_size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode()) - len('""')
