"""A stack found by the tags that the program gives everything, where there is neither Pulumi nor a file of outputs.

Tags say what belongs to the stack. What is what, AWS's own links say, and never a name, which settings may choose:
a function has its handler, its environment and its mapping, a mapping its queue, a queue its dead-letter queue.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from custom_labels_batch.cli.aws_errors import is_gone
from custom_labels_batch.cli.errors import InputError
from custom_labels_batch.cli.runs import settings_in
from custom_labels_batch.cli.stack import Stack

_TYPES = ["athena:workgroup", "events:rule", "lambda:function", "scheduler:schedule-group", "sns", "sqs", "states"]
_HOW = "name the stack's outputs with --outputs FILE, or ask Pulumi with --stack NAME"


@dataclass(frozen=True)
class Tagged:
    """A resource.

    Attributes
    ----------
    component
        Of the program, from its tag.
    """

    arn: str
    component: str

    @property
    def service(self) -> str:
        return self.arn.split(":")[2]

    @property
    def name(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition(":")[2].rpartition("/")[2]


class TaggedStack:
    """Finds outputs.

    Parameters
    ----------
    place
        A stack with nothing but a region, to ask AWS by.
    """

    def __init__(self, place: Stack, project: str, stack: str) -> None:
        self._place, self._project, self._stack = place, project, stack

    def outputs(self) -> dict[str, Any]:
        """Those that commands need, as the program exports them.

        Raises
        ------
        InputError
            Nothing has the tags, or it cannot be told what is what.
        """
        self._found = self._tagged()
        functions = self._functions()
        analyze = self._one("function that labels images", functions.get("analyze_image", []))
        notify = self._one("function that tells people", functions.get("notify_labels", []))
        record = self._one("function that records predictions", functions.get("record_predictions", []))
        known = analyze["Environment"]["Variables"]
        self._predictions_topic = known["PREDICTIONS_TOPIC_ARN"]
        found = {
            "region": self._place.region,
            "projectArn": known["PROJECT_ARN"],
            "modelVersion": known["MODEL_VERSION"] or None,
            "sourceBucketName": known["SOURCE_BUCKET_NAME"],
            "imagePrefix": self._image_prefix(),
            "finalBucketName": known["FINAL_BUCKET_NAME"],
            "predictionsTopicArn": self._predictions_topic,
            "analyzeFunctionName": analyze["FunctionName"],
            "notifyFunctionName": notify["FunctionName"],
            "recordFunctionName": record["FunctionName"],
            "notificationTopicArn": notify["Environment"]["Variables"]["NOTIFICATION_TOPIC_ARN"],
            "analyticsBucketName": record["Environment"]["Variables"]["ANALYTICS_BUCKET_NAME"],
            "operationsTopicArn": self._operations_topic(),
            **self._queues("image", analyze),
            **self._queues("notification", notify),
            **self._queues("analytics", record),
            **self._athena(),
        }
        return {**found, **(self._scheduled(known["RUNS_TABLE_NAME"]) if known["RUNS_TABLE_NAME"] else {})}

    def _tagged(self) -> list[Tagged]:
        pages = (
            self._place.client("resourcegroupstaggingapi")
            .get_paginator("get_resources")
            .paginate(TagFilters=[{"Key": "Project", "Values": [self._project]}], ResourceTypeFilters=_TYPES)
        )
        stacks: dict[str, list[Tagged]] = {}
        for page in pages:
            for item in page["ResourceTagMappingList"]:
                tags = {tag["Key"]: tag["Value"] for tag in item["Tags"]}
                resource = Tagged(item["ResourceARN"], tags.get("Component", ""))
                stacks.setdefault(tags.get("Stack", ""), []).append(resource)
        if self._stack not in stacks:
            others = ", ".join(sorted(filter(None, stacks))) or "none"
            raise InputError(
                f"nothing in {self._place.region} has the tags Project={self._project} and Stack={self._stack}; stacks "
                f"of that project there: {others}; are the region (AWS_REGION) and the account (AWS_PROFILE) right?"
            )
        return stacks[self._stack]

    def _of(self, service: str, component: str | None = None) -> list[Tagged]:
        return [r for r in self._found if r.service == service and component in (None, r.component)]

    def _one(self, what: str, found: Iterable[Any]) -> Any:
        candidates = list(found)
        if len(candidates) == 1:
            return candidates[0]
        raise InputError(
            f"{len(candidates) or 'no'} {what} with the tags Project={self._project} and Stack={self._stack} in "
            f"{self._place.region}, and there should be one; {_HOW}"
        )

    def _functions(self) -> dict[str, list[dict[str, Any]]]:
        """Package of the repository -> functions that run it."""
        found: dict[str, list[dict[str, Any]]] = {}
        for resource in self._of("lambda"):
            with _unless_it_is_gone():
                answer = self._place.lambda_.get_function_configuration(FunctionName=resource.name)
                found.setdefault(answer["Handler"].split(".")[1], []).append(dict(answer))
        return found

    def _queues(self, what: str, function: dict[str, Any]) -> dict[str, str]:
        mapping = self._one(
            f"mapping of {function['FunctionName']}",
            self._place.lambda_.list_event_source_mappings(FunctionName=function["FunctionName"])[
                "EventSourceMappings"
            ],
        )
        url = self._queue_url(mapping["EventSourceArn"])
        asked = self._place.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
        dead_letters = json.loads(asked["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"]
        found = {f"{what}QueueUrl": url, f"{what}DeadLetterQueueUrl": self._queue_url(dead_letters)}
        return {**found, "eventSourceMappingUuid": mapping["UUID"]} if what == "image" else found

    def _queue_url(self, arn: str) -> str:
        account, name = arn.split(":")[4:6]
        return self._place.sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]

    def _image_prefix(self) -> str | None:
        """The prefix that the rules of uploads match."""
        patterns = [pattern for pattern in self._patterns() if pattern.get("source") == ["aws.s3"]]
        keys = [key for pattern in patterns for key in pattern["detail"]["object"]["key"]]
        prefixes = {_prefix(key["wildcard"]) for key in keys if "wildcard" in key}
        return self._one("prefix of images", prefixes) if prefixes else None

    def _patterns(self) -> Iterator[dict[str, Any]]:
        events = self._place.client("events")
        for rule in self._of("events", "BatchInference"):
            with _unless_it_is_gone():
                yield json.loads(events.describe_rule(Name=rule.name).get("EventPattern", "{}"))

    def _operations_topic(self) -> str | None:
        topics = self._of("sns", "Monitoring")
        return self._one("operations topic", topics).arn if topics else None

    def _run_summary_topic(self) -> str | None:
        """The one of the component's two topics that analyze-image does not publish to."""
        topics = [topic for topic in self._of("sns", "BatchInference") if topic.arn != self._predictions_topic]
        return self._one("topic of run summaries", topics).arn if topics else None

    def _athena(self) -> dict[str, str]:
        athena, glue = self._place.client("athena"), self._place.client("glue")
        workgroup = self._one("workgroup", self._of("athena")).name
        query = self._one("first saved query", athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"][:1])
        database = athena.get_named_query(NamedQueryId=query)["NamedQuery"]["Database"]
        tables = glue.get_tables(DatabaseName=database)["TableList"]
        views = [table["Name"] for table in tables if table.get("TableType") == "VIRTUAL_VIEW"]
        return {"athenaWorkgroup": workgroup, "athenaDatabase": database, "athenaTable": self._one("view", views)}

    def _scheduled(self, runs_table: str) -> dict[str, str | None]:
        """What there is with `trigger: schedule`."""
        machine = self._one("workflow that runs the model", self._workflows())
        return {
            "runsTableName": runs_table,
            "stateMachineArn": machine[0],
            "releaseStateMachineArn": machine[1]["releaseStateMachineArn"],
            "scheduleArn": self._one("schedule of runs", self._schedules(machine[0])),
            "rescueDeadLetterQueueUrl": self._rescue(),
            "runSummaryTopicArn": self._run_summary_topic(),
        }

    def _workflows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for machine in self._of("states"):
            with _unless_it_is_gone():
                found = self._place.stepfunctions.describe_state_machine(stateMachineArn=machine.arn)
                if settings := settings_in(found["definition"]):
                    yield machine.arn, settings

    def _schedules(self, machine_arn: str) -> Iterator[str]:
        pages = self._place.scheduler.get_paginator("list_schedules")
        for group in self._of("scheduler"):
            for page in pages.paginate(GroupName=group.name):
                yield from (found["Arn"] for found in page["Schedules"] if found["Target"]["Arn"] == machine_arn)

    def _rescue(self) -> str | None:
        """The dead-letter queue of the rule that rescues failed runs."""
        events = self._place.client("events")
        for rule in self._of("events", "BatchInference"):
            for target in events.list_targets_by_rule(Rule=rule.name)["Targets"]:
                if ":stateMachine:" in target["Arn"] and "DeadLetterConfig" in target:
                    return self._queue_url(target["DeadLetterConfig"]["Arn"])
        return None


@contextmanager
def _unless_it_is_gone() -> Iterator[None]:
    """Leave out what is deleted already: its tags are remembered for a while."""
    try:
        yield
    except ClientError as error:
        if not is_gone(error):
            raise


def _prefix(wildcard: str) -> str:
    """What is in front of the last star, as it was before it was escaped (components.uploads)."""
    return wildcard.rpartition("*")[0].replace("\\*", "*").replace("\\\\", "\\")
