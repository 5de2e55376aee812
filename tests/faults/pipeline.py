"""A deployed stack that a fault case breaks: what a case does with it, in short words, and in skipped time."""

import json
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest

from sandbox.endpoint import read_json
from sandbox.photographs import photographs
from sandbox.uploads import Upload
from tests.e2e.deployed_stack import Stack

_MOST_REAL_SECONDS = 120
_MOST_HOURS = 24
"""Simulated, for anything a case waits for."""

_LISTENERS = ("notificationQueueUrl", "analyticsQueueUrl")
_STOPPED = ("TRAINING_COMPLETED", "STOPPED", "FAILED")

Document = dict[str, Any]


def _cannot_be_updated(**_config: str) -> None:
    raise NotImplementedError("this stack was not deployed by make_pipeline")


@dataclass
class Pipeline(Stack):
    """A stack whose simulated time is skipped wherever it waits, so that hours take seconds.

    Attributes
    ----------
    uploaded
        Version id -> what was uploaded, of this case.
    announced
        Image id -> how often it was announced on the predictions topic, as far as `hear` has heard.
    announced_as
        Image id -> the status it was announced with last.
    persons_model
        Whether a person runs the model, so that it has to be left running.
    verdicts
        What the case has shown so far, for the table: "held", "healed".
    """

    announced: Counter[str] = field(default_factory=Counter)
    announced_as: dict[str, str] = field(default_factory=dict)
    persons_model: bool = False
    verdicts: list[str] = field(default_factory=list)
    listener: str = ""
    update: Callable[..., None] = _cannot_be_updated
    """Deploy the stack again, with other settings or from another folder: `pulumi up`."""
    _billed_before: float = 0.0
    _numbers: int = 0

    # What a case does

    def upload_pictures(self, count: int) -> list[Upload]:
        """Upload so many photographs, each under a key of its own; wait until their messages are there."""
        uploads = [Upload(f"line/{label}-{number}.jpg", body, label) for number, (label, body) in self._pictures(count)]
        self.upload_now(*uploads)
        return uploads

    def upload_now(self, *uploads: Upload) -> None:
        """Upload, and wait until a message for each is in the queue."""
        before = len(self.messages("imageQueueUrl"))
        self.upload(*uploads)
        self.wait_for(lambda: len(self.messages("imageQueueUrl")) >= before + len(uploads), "the messages")

    def break_calls(self, *rules: Document, **model: Any) -> None:
        """Let calls go wrong by these rules, and the model by these faults; they take the place of any before."""
        self._ask("POST", "faults", {"calls": list(rules), **model})

    def lift(self) -> None:
        """Let nothing go wrong any more."""
        self._ask("DELETE", "faults")

    def happened(self) -> int:
        """How often the rules in force have happened so far: a case whose fault never happened proves nothing."""
        return sum(rule["happened"] for rule in read_json(self.settings, "faults")["calls"])

    def start_release(self) -> str:
        """Start `release_model` by hand; the execution's ARN."""
        machine = self.outputs["releaseStateMachineArn"]
        return self.cloud.stepfunctions.start_execution(stateMachineArn=machine)["executionArn"]

    def start_model(self) -> None:
        """Start the model as a person would, who wants it to run on."""
        self.persons_model = True
        arn = self.model()["projectVersionArn"]
        self.cloud.client("rekognition").start_project_version(ProjectVersionArn=arn, MinInferenceUnits=1)
        self.wait_for(lambda: self.model_status() == "RUNNING", "the model to run")

    def stop_model(self) -> None:
        """Stop the model as a person would."""
        self.cloud.client("rekognition").stop_project_version(ProjectVersionArn=self.model()["projectVersionArn"])

    def until_model(self, status: str) -> None:
        """Wait until the model has a status."""
        self.wait_for(lambda: self.model_status() == status, f"the model to be {status}")

    def redrive(self) -> None:
        """Send the images' dead letters home, as the command line's `redrive` does."""
        sqs = self.cloud.sqs
        home, dead = (
            sqs.get_queue_attributes(QueueUrl=self.outputs[name], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            for name in ("imageQueueUrl", "imageDeadLetterQueueUrl")
        )
        sqs.start_message_move_task(SourceArn=dead, DestinationArn=home)
        self.wait_for(lambda: not self.messages("imageDeadLetterQueueUrl"), "the dead letters to go home")

    def skip_hours(self, hours: float) -> None:
        """Let so much simulated time pass."""
        until = self.now() + timedelta(hours=hours)
        while self.now() < until:
            self._skip(until)

    # What is there

    def now(self) -> datetime:
        """Simulated."""
        return datetime.fromisoformat(read_json(self.settings, "model")["now"])

    def billed_minutes(self) -> float:
        """Inference-unit minutes since the case began, by Rekognition's ledger."""
        return float(read_json(self.settings, "model")["billedInferenceUnitMinutes"]) - self._billed_before

    def messages(self, output: str) -> list[str]:
        """The bodies of all messages of a queue, hidden ones too; looking changes nothing.

        Parameters
        ----------
        output
            The stack output that is the queue's URL.
        """
        query = urllib.parse.urlencode({"QueueUrl": self.outputs[output]})
        found = self._get(f"/_ministack/sqs/messages?{query}")["messages"]
        queues = [queue for regions in found.values() for queues in regions.values() for queue in queues.values()]
        return [message["Body"] for queue in queues for message in queue]

    def running_executions(self) -> list[str]:
        """ARNs of all runs and releases that go on."""
        machines = (self.outputs["stateMachineArn"], self.outputs["releaseStateMachineArn"])
        answers = [
            self.cloud.stepfunctions.list_executions(stateMachineArn=machine, statusFilter="RUNNING")
            for machine in machines
        ]
        return [execution["executionArn"] for answer in answers for execution in answer["executions"]]

    def outcomes(self) -> list[str]:
        """How the runs that are on record ended, oldest first."""
        return [record["outcome"]["S"] for record in self.items("run")]

    def versions(self, output: str) -> Iterator[tuple[str, str]]:
        """Key and version id of everything in a bucket, but for delete markers."""
        for page in self.cloud.s3.get_paginator("list_object_versions").paginate(Bucket=self.outputs[output]):
            yield from ((version["Key"], version["VersionId"]) for version in page.get("Versions", []))

    def hear(self) -> None:
        """Take what was announced since from the queue that the case listens with."""
        sqs = self.cloud.sqs
        while messages := sqs.receive_message(QueueUrl=self.listener, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                prediction = json.loads(message["Body"])
                self.announced[prediction["imageId"]] += 1
                self.announced_as[prediction["imageId"]] = prediction["status"]
                sqs.delete_message(QueueUrl=self.listener, ReceiptHandle=message["ReceiptHandle"])

    # Waiting

    def wait_for(
        self, condition: Callable[[], bool], what: str, seconds: float = _MOST_REAL_SECONDS, hours: float = _MOST_HOURS
    ) -> None:
        """Skip from one thing that is due to the next until a condition holds, or fail.

        Parameters
        ----------
        seconds, hours
            Real seconds and simulated hours, after which it is given up.
        """
        deadline, until = time.monotonic() + seconds, self.now() + timedelta(hours=hours)
        while not condition():
            self.server.check()
            if time.monotonic() > deadline or self.now() >= until:
                pytest.fail(f"Waited in vain for {what}, {hours} simulated hours or {seconds} seconds")
            self._skip(until)

    def settle(self) -> None:
        """Wait until no run and no release goes on, and the lock is gone: the guard's tick included."""
        self.wait_for(lambda: not self.running_executions() and not self.items("lock"), "every run to end")

    def settle_listeners(self) -> None:
        """Wait until no prediction waits for the listeners."""
        self.wait_for(lambda: not any(self.messages(name) for name in _LISTENERS), "the listeners")

    @contextmanager
    def skipping(self) -> Iterator[None]:
        """Let no simulated time be waited for inside, whoever waits there."""
        over = Event()

        def skip() -> None:
            while not over.is_set():
                self._ask("POST", "clock/skip", {"until": None})

        skipper = Thread(target=skip, daemon=True)
        skipper.start()
        try:
            yield
        finally:
            over.set()
            skipper.join()

    # Between cases

    def begin(self) -> None:
        """Put everything back to where a new case begins."""
        self.lift()
        for execution in self.running_executions():
            self.cloud.stepfunctions.stop_execution(executionArn=execution)
        if self.items("lock"):
            self.start_release()
        self.settle()
        self.wait_for(lambda: self.model_status() in (*_STOPPED, "RUNNING"), "the model to settle")
        if self.model_status() == "RUNNING":
            self.stop_model()
            self.wait_for(lambda: self.model_status() in _STOPPED, "the model to stop")
        self._close_mapping()
        for output in [name for name in self.outputs if name.endswith("QueueUrl")]:
            self.cloud.sqs.purge_queue(QueueUrl=self.outputs[output])
        self._listen()
        for output in ("sourceBucketName", "finalBucketName", "analyticsBucketName"):
            for key, version in list(self.versions(output)):
                self.cloud.s3.delete_object(Bucket=self.outputs[output], Key=key, VersionId=version)
        self._forget_runs()
        self.uploaded.clear()
        self.announced.clear()
        self.announced_as.clear()
        self.verdicts.clear()
        self.persons_model = False
        self._billed_before = 0.0
        self._billed_before = self.billed_minutes()

    def _close_mapping(self) -> None:
        self.wait_for(lambda: self.mapping_state() in ("Enabled", "Disabled"), "the mapping to settle")
        if self.mapping_state() == "Enabled":
            uuid = self.outputs["eventSourceMappingUuid"]
            self.cloud.lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
            self.wait_for(lambda: self.mapping_state() == "Disabled", "the mapping to close")

    def _listen(self) -> None:
        """Subscribe a queue of our own to the predictions topic, as another team would."""
        sqs, topic = self.cloud.sqs, self.outputs["predictionsTopicArn"]
        if self.listener:
            sqs.purge_queue(QueueUrl=self.listener)
            return
        self.listener = sqs.create_queue(QueueName=f"listener-{self.outputs['runsTableName']}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.listener, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        sqs.set_queue_attributes(QueueUrl=self.listener, Attributes={"Policy": json.dumps(policy)})
        self.cloud.sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )

    def _forget_runs(self) -> None:
        table = self.outputs["runsTableName"]
        for item in self.cloud.dynamodb.scan(TableName=table)["Items"]:
            self.cloud.dynamodb.delete_item(TableName=table, Key={"kind": item["kind"], "id": item["id"]})

    def _pictures(self, count: int) -> Iterator[tuple[int, tuple[str, bytes]]]:
        self._numbers += count
        return enumerate(photographs(count, seed=self._numbers), self._numbers)

    def _skip(self, until: datetime) -> None:
        self._ask("POST", "clock/skip", {"until": until.isoformat()})

    def _ask(self, method: str, name: str, document: Any = None) -> None:
        url, body = f"{self.settings.endpoint_url}/_sandbox/{name}", json.dumps(document).encode()
        request = urllib.request.Request(url, data=body, method=method)  # noqa: S310 - our own endpoint
        try:
            urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            pytest.fail(f"{method} {name}: {error.read().decode()}")

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.settings.endpoint_url}{path}", timeout=30) as answer:  # noqa: S310
            return json.load(answer)
