"""The mails that arrived in the sandbox's inboxes."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.endpoint import read_json
from sandbox.settings import SandboxSettings


@dataclass(frozen=True)
class Mail:
    """One mail; `received_at` is real time, not simulated."""

    to: str
    topic_arn: str
    subject: str
    text: str
    received_at: datetime


def read_mails(settings: SandboxSettings, topic_arn: str) -> list[Mail]:
    """Every mail that a topic's subscribers got, in the order they came; raises SandboxError as `read_json` does."""
    mails = [
        Mail(
            inbox["endpoint"],
            inbox["topicArn"],
            mail["subject"],
            mail["text"],
            datetime.fromisoformat(mail["receivedAt"]),
        )
        for inbox in read_json(settings, "inboxes")["inboxes"]
        if inbox["topicArn"] == topic_arn
        for mail in inbox["mails"]
    ]
    return sorted(mails, key=lambda mail: mail.received_at)
