"""A stack on an emulated AWS (moto), with a Rekognition that answers what a test says."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from functools import cached_property
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
from moto.stepfunctions.models import stepfunctions_backends

PROJECT = "arn:aws:rekognition:eu-west-1:123456789012:project/surfaces/1700000000000"
VERSION = "arn:aws:rekognition:eu-west-1:123456789012:project/surfaces/version/v2/1700000000002"
_ROLE = "arn:aws:iam::123456789012:role/any"
_REGION = "eu-west-1"


class AwsStack:
    """What a deployed stack consists of, as far as the command line looks at it.

    Attributes
    ----------
    versions
        What DescribeProjectVersions answers.
    moves
        Requests of StartMessageMoveTask.
    move_states
        What ListMessageMoveTasks answers, one after the other.
    outputs
        The stack's.
    """

    def __init__(self, folder: Path) -> None:
        self._session: Any = boto3.Session(region_name=_REGION)
        self._folder = folder
        self._clients: dict[str, Any] = {}
        self.moves: list[dict[str, Any]] = []
        self.move_states: list[dict[str, Any]] = []
        self.versions: list[dict[str, Any]] = [self.version()]
        queues = {
            name: self._queue(name)
            for kind in ("image", "notification", "analytics")
            for name in (f"{kind}QueueUrl", f"{kind}DeadLetterQueueUrl")
        }
        self.outputs: dict[str, Any] = {
            **queues,
            "projectArn": PROJECT,
            "predictionsTopicArn": f"arn:aws:sns:{_REGION}:123456789012:predictions",
            "stateMachineArn": self._machine("run"),
            "releaseStateMachineArn": self._machine("release"),
            "runsTableName": self._table(),
            "scheduleArn": self._schedule("rate(1 hour)"),
            "analyzeFunctionName": "analyze-image",
            "notifyFunctionName": "notify-labels",
            "recordFunctionName": "record-predictions",
            "eventSourceMappingUuid": self._mapping(queues["imageQueueUrl"]),
            "sourceBucketName": self._bucket("source"),
            "finalBucketName": self._bucket("final"),
            "analyticsBucketName": "analytics",
            "athenaDatabase": "db",
            "athenaTable": "seen",
            "athenaWorkgroup": "group",
            "imagePrefix": "",
        }

    def client(self, service: str) -> Any:
        """One a service: making one takes longer than most of its calls."""
        if service not in self._clients:
            self._clients[service] = self.new_client(service)
        return self._clients[service]

    def new_client(self, service: str) -> Any:
        """For who changes it."""
        return self._session.client(service)

    @cached_property
    def rekognition(self) -> Any:
        """A real client, which checks what it is asked, and never sends it."""
        client = self._session.client("rekognition")
        client.meta.events.register("before-call.rekognition.DescribeProjectVersions", self._describe)
        return client

    @cached_property
    def sqs(self) -> Any:
        """moto's, with message move tasks, which moto lacks."""
        client = self._session.client("sqs")
        client.meta.events.register("before-call.sqs.StartMessageMoveTask", self._move)
        client.meta.events.register("before-call.sqs.ListMessageMoveTasks", self._list_moves)
        return client

    def file(self) -> str:
        """The outputs as `pulumi stack output --json` writes them."""
        path = self._folder / "outputs.json"
        path.write_text(json.dumps(self.outputs))
        return str(path)

    def version(self, status: str = "STOPPED", arn: str = VERSION, units: int | None = None) -> dict[str, Any]:
        found = {"ProjectVersionArn": arn, "Status": status}
        return found if units is None else {**found, "MinInferenceUnits": units}

    def send(self, output: str, messages: int) -> None:
        for _ in range(messages):
            self.client("sqs").send_message(QueueUrl=self.outputs[output], MessageBody="{}")

    def put(self, **attributes: Any) -> None:
        """Write an item of the runs table; numbers and texts are wrapped."""
        wrapped = {k: {"N": str(v)} if isinstance(v, int) else {"S": v} for k, v in attributes.items()}
        self.client("dynamodb").put_item(TableName=self.outputs["runsTableName"], Item=wrapped)

    def lock(self, run: str, minutes_ago: int = 12, **changes: Any) -> None:
        """The lock as a run writes it."""
        self.put(
            **{
                "kind": "lock",
                "id": "model",
                "executionArn": run,
                "runExecutionArn": run,
                "projectArn": PROJECT,
                "projectVersionArn": VERSION,
                "startedByRun": "true",
                "inferenceUnits": 2,
                "backlogAtStart": 100,
                "processed": 39,
                "rejected": 1,
                "startedAt": milliseconds_ago(minutes_ago),
                **changes,
            }
        )

    def unlock(self) -> None:
        key = {"kind": {"S": "lock"}, "id": {"S": "model"}}
        self.client("dynamodb").delete_item(TableName=self.outputs["runsTableName"], Key=key)

    def start(self, machine: str = "stateMachineArn", name: str = "tick-1") -> str:
        """An execution that runs until the test ends it."""
        started = self.client("stepfunctions").start_execution(stateMachineArn=self.outputs[machine], name=name)
        return str(started["executionArn"])

    def executions(self, machine: str = "stateMachineArn") -> list[dict[str, Any]]:
        """Newest first."""
        found = self.client("stepfunctions").list_executions(stateMachineArn=self.outputs[machine])
        return list(found["executions"])

    def end(self, arn: str, status: str = "SUCCEEDED", error: str = "", cause: str = "") -> None:
        """moto's executions end only by StopExecution."""
        execution = stepfunctions_backends["123456789012"][_REGION].describe_execution(arn)
        execution.status, execution.error, execution.cause = status, error or None, cause or None

    def record(self, run: str, minutes_ago: int = 60, **changes: Any) -> None:
        """The record of a run that took a quarter of an hour."""
        started = milliseconds_ago(minutes_ago)
        self.put(
            **{
                "kind": "run",
                "id": f"{datetime.fromtimestamp(started / 1000, UTC).isoformat()}#{run}",
                "runExecutionArn": run,
                "outcome": "DRAINED",
                "cause": "",
                "startedByRun": "true",
                "inferenceUnits": 2,
                "processed": 90,
                "rejected": 10,
                "startedAt": started,
                "modelRunningAt": started + 600_000,
                "modelRanUntil": started + 780_000,
                "endedAt": started + 900_000,
                "billedInferenceUnitMinutes": 6,
                **changes,
            }
        )

    def _queue(self, name: str) -> str:
        return str(self.client("sqs").create_queue(QueueName=name)["QueueUrl"])

    def _machine(self, name: str) -> str:
        definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
        made = self.client("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=_ROLE)
        return str(made["stateMachineArn"])

    def _table(self) -> str:
        self.client("dynamodb").create_table(
            TableName="runs",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "kind", "AttributeType": "S"},
                {"AttributeName": "id", "AttributeType": "S"},
            ],
        )
        return "runs"

    def _schedule(self, expression: str) -> str:
        scheduler = self.client("scheduler")
        scheduler.create_schedule_group(Name="batch")
        target = {"Arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:run", "RoleArn": _ROLE}
        window = {"Mode": "OFF"}
        return str(
            scheduler.create_schedule(
                GroupName="batch",
                Name="batch-run",
                ScheduleExpression=expression,
                FlexibleTimeWindow=window,
                Target=target,
            )["ScheduleArn"]
        )

    def _mapping(self, queue_url: str) -> str:
        """Closed, as it is between runs."""
        role = self.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        function = self.client("lambda").create_function(
            FunctionName="analyze-image",
            Runtime="python3.13",
            Handler="handler.handle",
            Role=role,
            Code={"ZipFile": empty_package()},
        )["FunctionName"]
        queue = self.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
        made = self.client("lambda").create_event_source_mapping(
            EventSourceArn=queue["Attributes"]["QueueArn"], FunctionName=function, Enabled=False
        )
        return str(made["UUID"])

    def _bucket(self, name: str) -> str:
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": _REGION})
        return name

    def _describe(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        names = json.loads(params["body"]).get("VersionNames")
        found = [v for v in self.versions if names is None or v["ProjectVersionArn"].split("/")[3] in names]
        return SimpleNamespace(status_code=200), {"ProjectVersionDescriptions": found}

    def _move(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        self.moves.append(json.loads(params["body"]))
        return SimpleNamespace(status_code=200), {"TaskHandle": "any"}

    def _list_moves(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(status_code=200), {"Results": [self.move_states.pop(0)]}


def empty_package() -> bytes:
    """A function's code, with nothing in it."""
    package = BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("handler.py", "")
    return package.getvalue()


def milliseconds_ago(minutes: int) -> int:
    return int((datetime.now(UTC) - timedelta(minutes=minutes)).timestamp() * 1000)
