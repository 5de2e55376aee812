"""The stack's alarms, as CloudWatch has them now."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from custom_labels_batch.cli.answer import Answer
from custom_labels_batch.cli.aws_errors import is_forbidden
from custom_labels_batch.cli.stack import Stack, StackTime

_SUFFIX = re.compile(r"-[0-9a-f]{7}$")
"""What Pulumi adds to a name."""

_TO_DO = "To do: "
"""Where an alarm's description begins to say what to do."""


class RaisedAlarm(Answer):
    """An alarm in the state ALARM.

    Attributes
    ----------
    since
        See `Stack.now`.
    meaning, to_do
        From its description; what to do is empty where that does not say it.
    """

    name: str
    since: datetime
    meaning: str
    to_do: str


class Alarms(Answer):
    """All that publish to the operations topic.

    Attributes
    ----------
    without_data
        In the state INSUFFICIENT_DATA, as new ones are.
    """

    raised: list[RaisedAlarm]
    ok: int
    without_data: int

    @property
    def total(self) -> int:
        return len(self.raised) + self.ok + self.without_data


def read_alarms(stack: Stack) -> Alarms:
    """Ask CloudWatch.

    Raises
    ------
    ClientError
        Among others, these credentials may not ask.
    """
    found, time = list(_of_stack(stack)), StackTime.of(stack)
    states = [alarm["StateValue"] for alarm in found]
    return Alarms(
        raised=[_raised(alarm, time) for alarm in found if alarm["StateValue"] == "ALARM"],
        ok=states.count("OK"),
        without_data=states.count("INSUFFICIENT_DATA"),
    )


def alarms_if_allowed(stack: Stack) -> Alarms | None:
    """The same; None where nobody may ask, or a stack is older than its alarms: the rest is worth having."""
    if stack.optional("operationsTopicArn") is None:
        return None
    try:
        return read_alarms(stack)
    except ClientError as error:
        if is_forbidden(error):
            return None
        raise


def _of_stack(stack: Stack) -> Iterator[dict[str, Any]]:
    topic = stack.output("operationsTopicArn")
    for page in stack.cloudwatch.get_paginator("describe_alarms").paginate(ActionPrefix=topic):
        for alarm in [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]:
            if topic in alarm.get("AlarmActions", []):  # a sandbox does not filter
                yield alarm


def _raised(alarm: dict[str, Any], time: StackTime) -> RaisedAlarm:
    meaning, found, to_do = alarm.get("AlarmDescription", "").partition(_TO_DO)
    return RaisedAlarm(
        name=_SUFFIX.sub("", alarm["AlarmName"]),
        since=time.at(alarm["StateUpdatedTimestamp"]),
        meaning=meaning.strip(),
        to_do=to_do if found else "",
    )
