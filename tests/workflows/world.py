"""Everything the two workflows touch, simulated, and the words the tests use for it."""

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.model import Shape
from botocore.validate import ParamValidator
from ministack.services import stepfunctions

from custom_labels_batch.components.workflow import render
from custom_labels_batch.rules.drain_target import drain_seconds
from sandbox.emulator.integrations import Integrations
from sandbox.emulator.workflows import _with_clock
from sandbox.model import ModelVersion
from sandbox.rekognition import Project, Rekognition
from sandbox.settings import SandboxSettings
from tests.workflows.executions import PREFIX, Execution, StepFunctions
from tests.workflows.services import MAPPING_UUID, QUEUE_URL, EventSourceMapping, ImageQueue, refuse
from tests.workflows.timeline import Timeline, VirtualClock

Json = dict[str, Any]

BATCH, RELEASE = "batch_inference", "release_model"
LOCK = {"kind": {"S": "lock"}, "id": {"S": "model"}}
VERSION = "surfaces.2026-11-01T00.00.00"
FUNCTION_TIMEOUT_SECONDS = 60
SUMMARY_TOPIC_ARN = "arn:aws:sns:us-east-1:000000000000:run-summaries"
THROTTLED = {
    "cloudwatch": "Throttling",
    "events": "ThrottlingException",
    "sns": "Throttled",
    "dynamodb": "ProvisionedThroughputExceededException",
    "lambda": "TooManyRequestsException",
    "rekognition": "ThrottlingException",
    "sagemaker": "ThrottlingException",
    "sqs": "RequestThrottled",
    "stepfunctions": "ThrottlingException",
}


@dataclass
class Settings:
    """The settings of the stack that the workflows are rendered with."""

    model_version: str = ""
    max_inference_units: int = 1
    tps_per_inference_unit: float = 5
    target_drain_minutes: int = 60
    max_run_minutes: int = 1440
    min_batch_size: int = 1
    max_queue_age_minutes: int = 1440
    schedule_pause_minutes: int = 60
    model_start_minutes: float = 2
    inference_unit_hour_price: float = 4.0
    timeout_seconds: int | None = None
    """The run's own time limit, if not the component's."""


@dataclass
class Fault:
    """Calls that go wrong.

    Attributes
    ----------
    code
        Error code AWS answers with; `throttled` for the one of each service, `lost` for a call that takes
        effect but whose answer never arrives.
    api, state, machine
        Which calls: the API's action, the state it is made from, the workflow. Empty means any.
    times, after
        How many of these calls fail, once some have passed.
    each_visit
        Whether `times` is counted anew whenever a state is entered.
    struck
        How many calls it has hit.
    """

    code: str
    api: str = ""
    state: str = ""
    machine: str = ""
    times: float = math.inf
    after: int = 0
    each_visit: bool = False
    struck: int = 0
    _seen: Counter[object] = field(default_factory=Counter)

    def strikes(self, api: str, execution: Execution) -> bool:
        """Whether it hits this call; counts it."""
        about = ((self.api, api), (self.machine, execution.machine), (self.state, execution.states[-1]))
        if any(wanted not in ("", actual) for wanted, actual in about):
            return False
        visit = (execution.arn, len(execution.states)) if self.each_visit else None
        self._seen[visit] += 1
        hit = self.after < self._seen[visit] <= self.after + self.times
        self.struck += hit
        return hit


class World(Integrations):
    """One AWS account in simulated time. Use it through `the_world`."""

    def __init__(self, settings: Settings, versions: tuple[str, ...] = (VERSION,)) -> None:
        self.timeline = Timeline()
        self.clock = VirtualClock(self.timeline)
        self._sandbox = SandboxSettings(
            tps_per_unit=settings.tps_per_inference_unit, model_start_minutes=settings.model_start_minutes
        )
        super().__init__(self._sandbox, self.clock)
        self.settings = settings
        self.project = Project(self._sandbox, self.clock, versions)
        self._rekognition = Rekognition([self.project], None, None)  # type: ignore[arg-type]  # nothing is detected here
        self.stops_while_starting = False
        """Whether Rekognition lets a STARTING model be stopped."""
        self.queue = ImageQueue(
            self.timeline, settings.tps_per_inference_unit, lambda: self.project.versions, self._count_processed
        )
        self.mapping = self.queue.mapping = EventSourceMapping(self.timeline, self.queue.flow)
        self.table_name = f"runs-{uuid4().hex[:8]}"
        self._dynamodb = _dynamodb()
        self._make_table()
        self.definitions = self._definitions()
        self.step_functions = StepFunctions(self.timeline, self.clock, self, self.definitions)
        self.faults: list[Fault] = []
        self.refused_entries = 0
        """How many entries of each PutEvents EventBridge does not take, in an answer that is no error."""
        self.calls: list[tuple[str, Json]] = []
        """Every call that was answered: the action and its request."""

    # What people and tests do

    @property
    def project_arn(self) -> str:
        """What the stack's setting projectArn says."""
        return self.project.arn

    @property
    def model(self) -> ModelVersion:
        """The oldest version: the only one, unless a test asked for more."""
        return self.project.versions[0]

    def upload(self, images: int) -> None:
        """Put images into the queue."""
        self.queue.flow()
        self.queue.waiting += images

    def at(self, seconds: float, action: Any) -> None:
        """Do something later."""
        self.timeline.after(seconds, action)

    def person_starts_model(self, units: int = 1) -> None:
        """Somebody starts the model by hand."""
        self.model.start(units)

    def model_starts_within(self, minutes: float) -> None:
        """Let later starts take another time."""
        self.model._settings = self.model._settings.model_copy(update={"model_start_minutes": minutes})

    def start_run(self) -> Execution:
        """The schedule starts a run."""
        return self.step_functions.start(BATCH)

    def start_release(self, workflow_input: Json | None = None) -> Execution:
        """The rule, the guard or a person starts a release."""
        return self.step_functions.start(RELEASE, json.dumps(workflow_input or {}))

    def finish(self, *executions: Execution) -> Execution:
        """Let time pass until these have ended; the last one."""
        while any(execution.running for execution in executions):
            if not self.timeline.step():
                raise AssertionError("nothing is left to happen, and an execution still runs")
        return executions[-1]

    def run(self) -> Execution:
        """A run from its start to its end."""
        return self.finish(self.start_run())

    def finish_all(self) -> None:
        """Let every execution end, also those that others start."""
        while running := [execution for execution in self.step_functions.executions.values() if execution.running]:
            self.finish(*running)

    def release(self) -> Execution:
        """A release from its start to its end, as the rule and the guard start it."""
        return self.finish(self.start_release())

    def wait_for(self, execution: Execution, state: str) -> None:
        """Let time pass until an execution has entered a state."""
        while state not in execution.states and execution.running:
            self.timeline.step()
        assert state in execution.states, f"{execution.name} ended without {state}"

    def abort(self, execution: Execution) -> None:
        """Somebody stops an execution."""
        self.step_functions.end(execution, "ABORTED")

    def hold(self, execution: Execution) -> None:
        """Keep an execution from its next call until it is let go."""
        self.step_functions.held.add(execution.arn)

    def let_go(self, execution: Execution) -> None:
        """Let a held execution go on."""
        self.step_functions.held.remove(execution.arn)

    # What there is to see

    @property
    def lock(self) -> Json | None:
        """The lock, if somebody holds it."""
        self.queue.count()
        found: Json | None = self._dynamodb.get_item(TableName=self.table_name, Key=LOCK).get("Item")
        return found

    @property
    def records(self) -> list[Json]:
        """The record of every run, as plain values."""
        found = self._dynamodb.query(
            TableName=self.table_name,
            KeyConditionExpression="kind = :run",
            ExpressionAttributeValues={":run": {"S": "run"}},
        )["Items"]
        return [{name: _plain(value) for name, value in item.items()} for item in found]

    @property
    def record(self) -> Json:
        """The record of the only run there was."""
        (only,) = self.records
        return only

    @property
    def billed_minutes(self) -> float:
        """Inference-unit minutes on the model's own ledger."""
        return sum(version.billed_minutes() for version in self.project.versions)

    def called(self, api: str) -> list[Json]:
        """The requests of every answered call of an action."""
        return [request for action, request in self.calls if action == api]

    @property
    def told(self) -> list[Json]:
        """What every event said, in their order."""
        return [json.loads(entry["Detail"]) for request in self.called("PutEvents") for entry in request["Entries"]]

    @property
    def mails(self) -> list[Json]:
        """Every message to the topic of summaries."""
        return self.called("Publish")

    def measured(self, metric: str) -> list[float]:
        """The values of one metric of the workflows' own."""
        data = [datum for request in self.called("PutMetricData") for datum in request["MetricData"]]
        return [datum["Value"] for datum in data if datum["MetricName"] == metric]

    def put_lock(self, holder: str, **more: Json) -> None:
        """A lock that somebody left behind."""
        item = {
            **LOCK,
            "executionArn": {"S": holder},
            "runExecutionArn": {"S": holder},
            "runName": {"S": "left-behind"},
            "startedAt": {"N": str(int(self.timeline.now * 1000))},
            "projectArn": {"S": self.project_arn},
            "startedByRun": {"S": "false"},
            "inferenceUnits": {"N": "1"},
            "backlogAtStart": {"N": "0"},
            "processed": {"N": "0"},
            "rejected": {"N": "0"},
            **more,
        }
        self._dynamodb.put_item(TableName=self.table_name, Item=item)

    def drop_lock(self) -> None:
        """Take the lock away, as nobody should."""
        self._dynamodb.delete_item(TableName=self.table_name, Key=LOCK)

    def assert_released(self) -> None:
        """What must hold once a run has ended and been released: nothing runs on, nothing is held."""
        self.timeline.pass_time(120)  # a change of the mapping, a model that is STOPPING
        assert self.model_started_by_stack not in {"STARTING", "RUNNING"}
        assert self.mapping.state == "Disabled"
        assert self.lock is None

    @property
    def model_started_by_stack(self) -> str:
        """The status of the version a run started last; empty when none did."""
        started = self.called("StartProjectVersion")
        return self.project.version(started[-1]["ProjectVersionArn"]).status if started else ""

    # What the workflows reach

    def new_client(self, role_arn: str, boto_name: str) -> Any:  # noqa: ARG002
        return _Client(self, boto_name)

    def answer(self, boto_name: str, operation: str, request: Json) -> Json:
        """One call of an AWS API by a workflow."""
        _validate(boto_name, operation, request)
        execution = self.step_functions.calling
        assert execution is not None
        fault = next((each for each in self.faults if each.strikes(operation, execution)), None)
        if fault and fault.code != "lost":
            code = THROTTLED[boto_name] if fault.code == "throttled" else fault.code
            raise refuse(operation, code, "as the test wanted")
        answered = self._answer(boto_name, operation, request)
        self.calls.append((operation, request))
        if fault:
            raise ReadTimeoutError(endpoint_url="the answer was lost")
        return answered

    def _answer(self, boto_name: str, operation: str, request: Json) -> Json:
        if boto_name == "dynamodb":
            self.queue.count()
            answered: Json = self._dynamodb._make_api_call(operation, request)
            return answered
        if boto_name in {"rekognition", "sagemaker"}:
            return self._ask_model(operation, request)
        actions: dict[str, Callable[[Json], Json]] = {
            "GetQueueAttributes": self.queue.get_attributes,
            "GetEventSourceMapping": self.mapping.get,
            "UpdateEventSourceMapping": self.mapping.update,
            "StartExecution": self.step_functions.start_execution,
            "DescribeExecution": self.step_functions.describe_execution,
            "PutMetricData": lambda _request: {},
            "PutEvents": lambda _request: {"FailedEntryCount": self.refused_entries, "Entries": [{"EventId": "1"}]},
            "Publish": lambda _request: {"MessageId": "1"},
        }
        return actions[operation](request)

    def state_changes(self, workflow: str) -> Json:  # noqa: ARG002
        """What another detector changes in a workflow."""
        return {}

    def _ask_model(self, operation: str, request: Json) -> Json:
        self.queue.flow()
        if operation == "StopProjectVersion" and self.stops_while_starting:
            version = self.project.version(request["ProjectVersionArn"])
            if version.status == "STARTING":
                version.stop()
                return {"Status": "STOPPING"}
        headers = {"x-amz-target": f"RekognitionService.{operation}"}
        coroutine = self._rekognition.handle(headers, json.dumps(request).encode())
        try:
            coroutine.send(None)
        except StopIteration as finished:
            status, _, body = finished.value
        document: Json = json.loads(body)
        if status != 200:
            raise refuse(operation, document["Code"], document["Message"])
        return document

    def _count_processed(self, images: int) -> None:
        """What the function does after a batch."""
        with suppress(self._dynamodb.exceptions.ConditionalCheckFailedException):
            self._dynamodb.update_item(
                TableName=self.table_name,
                Key=LOCK,
                UpdateExpression="ADD #processed :images",
                ConditionExpression="attribute_exists(executionArn)",
                ExpressionAttributeNames={"#processed": "processed"},
                ExpressionAttributeValues={":images": {"N": str(images)}},
            )

    def _make_table(self) -> None:
        keys = ("kind", "HASH"), ("id", "RANGE")
        self._dynamodb.create_table(
            TableName=self.table_name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        )

    def _definitions(self) -> Json:
        chosen = self.settings
        shared = {
            "ImageQueueUrl": QUEUE_URL,
            "EventSourceMappingUuid": MAPPING_UUID,
            "RunsTableName": self.table_name,
        }
        batch = {
            "ProjectArn": self.project_arn,
            "ReleaseStateMachineArn": f"{PREFIX}:stateMachine:{RELEASE}",
            "ModelVersion": chosen.model_version,
            "MaxInferenceUnits": chosen.max_inference_units,
            "TpsPerInferenceUnit": chosen.tps_per_inference_unit,
            "ExecutionsPerInferenceUnit": 2,
            "TargetDrainSeconds": drain_seconds(chosen.target_drain_minutes),
            "MaxRunSeconds": chosen.max_run_minutes * 60,
            "MinBatchSize": chosen.min_batch_size,
            "MaxQueueAgeSeconds": chosen.max_queue_age_minutes * 60,
            "SchedulePauseSeconds": chosen.schedule_pause_minutes * 60,
        }
        release = {
            "ProjectArn": self.project_arn,
            "RunSummaryTopicArn": SUMMARY_TOPIC_ARN,
            "MetricsNamespace": "CustomLabelsBatch",
            "InferenceUnitHourPrice": chosen.inference_unit_hour_price,
            "FunctionTimeoutSeconds": FUNCTION_TIMEOUT_SECONDS,
            "RunRetentionSeconds": 400 * 24 * 60 * 60,
        }
        release_limit = 3 * 60 * 60
        limit = chosen.timeout_seconds or chosen.max_run_minutes * 60 + 60 * 60 + 2 * release_limit
        return {
            BATCH: {"TimeoutSeconds": limit, **render(BATCH, {**shared, **batch}, self.state_changes(BATCH))},
            RELEASE: {
                "TimeoutSeconds": release_limit,
                **render(RELEASE, {**shared, **release}, self.state_changes(RELEASE)),
            },
        }


class _Client:
    """Stands where the sandbox's integrations have a boto3 client."""

    def __init__(self, world: World, boto_name: str) -> None:
        self._world, self._boto_name = world, boto_name

    def _make_api_call(self, operation: str, request: Json) -> Json:
        return self._world.answer(self._boto_name, operation, request)


@contextmanager
def the_world(settings: Settings | None = None, versions: tuple[str, ...] = (VERSION,)) -> Iterator[World]:
    """A world for one test; at its end, no workflow may have made a mistake that only a wrong one makes."""
    random.seed(0)  # the jitter of retries
    world = World(settings or Settings(), versions)
    with_clock = _with_clock(stepfunctions._register_sfn_jsonata_functions, world.clock)
    with patch.object(stepfunctions, "_register_sfn_jsonata_functions", with_clock):
        try:
            yield world
        finally:
            world.timeline.close()
    assert not world.step_functions.crashes, world.step_functions.crashes
    assert not world.step_functions.mistakes, world.step_functions.mistakes


@cache
def _dynamodb() -> Any:
    # Retries off: what a workflow retries is the workflow's affair.
    return boto3.client("dynamodb", "us-east-1", config=Config(retries={"total_max_attempts": 1}))


@cache
def _input_shape(boto_name: str, operation: str) -> Shape:
    shape = botocore.session.get_session().get_service_model(boto_name).operation_model(operation).input_shape
    assert shape is not None
    return shape


def _validate(boto_name: str, operation: str, request: Json) -> None:
    """Refuse what AWS would refuse about the values; names and types are checked by the integration."""
    report = ParamValidator().validate(request, _input_shape(boto_name, operation))
    if report.has_errors():
        raise ClientError({"Error": {"Code": "ValidationException", "Message": report.generate_report()}}, operation)


def _plain(value: Json) -> Any:
    ((kind, inner),) = value.items()
    return float(inner) if kind == "N" else inner
