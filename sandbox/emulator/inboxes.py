"""Mail that SNS would send: kept in memory, one inbox a subscribed address and topic."""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

DEFAULT_SUBJECT = "AWS Notification Message"
"""What SNS writes into the subject of a mail whose publisher gave none."""


@dataclass(frozen=True)
class Mail:
    """One mail, received at a real moment in seconds since the Unix epoch."""

    message_id: str
    subject: str
    text: str
    received_at: float

    def as_json(self) -> dict[str, str]:
        """The mail as `GET /_sandbox/inboxes` shows it."""
        moment = datetime.fromtimestamp(self.received_at, UTC).isoformat(timespec="milliseconds")
        return {
            "messageId": self.message_id,
            "subject": self.subject,
            "text": self.text,
            "receivedAt": moment.replace("+00:00", "Z"),
        }


@dataclass
class _Inbox:
    protocol: str
    mails: list[Mail] = field(default_factory=list)
    peak_per_second: int = 0

    def receive(self, mail: Mail) -> None:
        self.mails.append(mail)
        earliest = bisect_left(self.mails, mail.received_at - 1, key=lambda each: each.received_at)
        self.peak_per_second = max(self.peak_per_second, len(self.mails) - earliest)


class Inboxes:
    """Every inbox, in the order of their subscriptions.

    Parameters
    ----------
    now
        The real time in seconds since the Unix epoch.

    Example
    -------
    >>> inboxes = Inboxes(now=lambda: 0.0)
    >>> inboxes.open("arn:aws:sns:us-east-1:000000000000:labels", "a@b.example", "email")
    >>> inboxes.receive("arn:aws:sns:us-east-1:000000000000:labels", "a@b.example", "1", None, "Brick: 99 %")
    >>> inboxes.as_json()["inboxes"][0]["mails"][0]["subject"]
    'AWS Notification Message'
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._inboxes: dict[tuple[str, str], _Inbox] = {}
        self._lock = threading.Lock()

    def open(self, topic_arn: str, endpoint: str, protocol: str) -> None:
        """Give a subscription an inbox; an inbox that is there keeps its mails."""
        with self._lock:
            self._inboxes.setdefault((endpoint, topic_arn), _Inbox(protocol))

    def receive(self, topic_arn: str, endpoint: str, message_id: str, subject: str | None, text: str) -> None:
        """Put one mail into an open inbox."""
        with self._lock:
            mail = Mail(message_id, subject or DEFAULT_SUBJECT, text, self._now())
            self._inboxes[(endpoint, topic_arn)].receive(mail)

    def as_json(self) -> dict[str, Any]:
        """The answer of `GET /_sandbox/inboxes`; `peakPerSecond` is the most mails within one real second."""
        with self._lock:
            return {
                "inboxes": [
                    {
                        "endpoint": endpoint,
                        "topicArn": topic_arn,
                        "protocol": inbox.protocol,
                        "peakPerSecond": inbox.peak_per_second,
                        "mails": [mail.as_json() for mail in inbox.mails],
                    }
                    for (endpoint, topic_arn), inbox in self._inboxes.items()
                ]
            }
