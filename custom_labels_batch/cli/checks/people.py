"""Whether people hear of it."""

from collections.abc import Iterator

from custom_labels_batch.cli.alarms import read_alarms
from custom_labels_batch.cli.findings import Finding, ok, problem, warning
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.cli.wording import count

_TOPICS = {
    "notificationTopicArn": "labels of interest",
    "operationsTopicArn": "alarms",
    "runSummaryTopicArn": "summaries of runs",
}
_PENDING = "pendingconfirmation"


def subscriptions(stack: Stack) -> Iterator[Finding]:
    """Whether everybody who is to hear has confirmed."""
    for output, what in _TOPICS.items():
        topic = stack.optional(output)
        if topic is None:
            continue
        pages = stack.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        found = [subscription for page in pages for subscription in page["Subscriptions"]]
        pending = [s["Endpoint"] for s in found if s["SubscriptionArn"].lower().replace(" ", "") == _PENDING]
        if pending:
            yield warning(
                "subscriptions",
                f"of {what}, not confirmed: {', '.join(sorted(pending))}",
                "open the link in the mail that AWS sent; after two days, pulumi up --refresh sends another",
            )
        elif found:
            yield ok("subscriptions", f"{count(len(found), 'subscription')} of {what}")
        elif what == "alarms":
            yield warning("subscriptions", "nobody hears of alarms", "set alarmEmails, or subscribe to " + topic)
        else:
            yield ok("subscriptions", f"nobody wants to hear of {what}")


def alarms(stack: Stack) -> Iterator[Finding]:
    """Whether an alarm is raised, or there are none at all."""
    found = read_alarms(stack)
    for alarm in found.raised:
        yield problem("alarms", f"{alarm.name}: {alarm.meaning}", alarm.to_do)
    if not found.total:
        yield warning("alarms", "the stack has no alarms", "pulumi up --refresh makes them anew")
    elif not found.raised:
        yield ok("alarms", f"none of {found.total} is raised")
