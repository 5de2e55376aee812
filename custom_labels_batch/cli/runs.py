"""Runs, active and past: the workflow, its executions, and the runs table."""

import contextlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.report.stack import RunRecord

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient

_plain = TypeDeserializer().deserialize


class Lock(BaseModel):
    """The lock item of the runs table: the active run, as it goes on.

    Attributes
    ----------
    execution_arn
        Who owns the model: the run, and once the run has ended its release.
    started_at, model_running_at, release_started_at
        Moments; None for what has not happened.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, extra="ignore")

    execution_arn: str
    run_execution_arn: str
    project_arn: str
    project_version_arn: str = ""
    started_by_run: bool
    inference_units: int
    backlog_at_start: int
    processed: int
    rejected: int
    started_at: datetime
    model_running_at: datetime | None = None
    release_started_at: datetime | None = None

    @property
    def done(self) -> int:
        """Images with a result."""
        return self.processed + self.rejected

    @property
    def is_released(self) -> bool:
        """Whether the release has begun."""
        return self.execution_arn != self.run_execution_arn


def read_lock(stack: Stack) -> Lock | None:
    """The active run; None if the model is nobody's."""
    answer = stack.dynamodb.get_item(
        TableName=stack.output("runsTableName"), Key={"kind": {"S": "lock"}, "id": {"S": "model"}}, ConsistentRead=True
    )
    item = answer.get("Item")
    return Lock.model_validate(_python(item)) if item else None


def last_runs(stack: Stack, most: int) -> list[RunRecord]:
    """Records of runs, newest first."""
    answer = stack.dynamodb.query(
        TableName=stack.output("runsTableName"),
        KeyConditionExpression="kind = :kind",
        ExpressionAttributeValues={":kind": {"S": "run"}},
        ScanIndexForward=False,
        ConsistentRead=True,
        Limit=most,
    )
    return [RunRecord.model_validate(_python(item)) for item in answer["Items"]]


def record_of(stack: Stack, run_arn: str) -> RunRecord | None:
    """The record of a run that has just ended; None if it had nothing to do."""
    return next((record for record in last_runs(stack, 20) if record.run_execution_arn == run_arn), None)


def start_or_join(stepfunctions: "SFNClient", state_machine_arn: str) -> tuple[str, bool]:
    """ARN of the run that is active, or else of one that is started, and whether it was started.

    There is one run at a time, and the schedule's own tick may have come first.
    """
    running = active_executions(stepfunctions, state_machine_arn)
    if running:
        return running[-1], False
    return stepfunctions.start_execution(stateMachineArn=state_machine_arn)["executionArn"], True


def active_executions(stepfunctions: "SFNClient", state_machine_arn: str) -> list[str]:
    """ARNs, newest first."""
    answer = stepfunctions.list_executions(stateMachineArn=state_machine_arn, statusFilter="RUNNING")
    return [execution["executionArn"] for execution in answer["executions"]]


def execution_status(stack: Stack, execution_arn: str) -> str:
    """Status of an execution; gone if Step Functions has forgotten it."""
    try:
        return stack.stepfunctions.describe_execution(executionArn=execution_arn)["status"]
    except stack.stepfunctions.exceptions.ExecutionDoesNotExist:
        return "gone"


def mapping_state(stack: Stack) -> str:
    """What the mapping that runs open and close is, as Lambda says it."""
    return stack.lambda_.get_event_source_mapping(UUID=stack.output("eventSourceMappingUuid"))["State"]


def settings_in(definition: str) -> dict[str, Any] | None:
    """What the workflow that runs the model was deployed with, such as `maxInferenceUnits`; None of another workflow.

    Parameters
    ----------
    definition
        As DescribeStateMachine gives it.
    """
    return _settings_within(json.loads(definition))


def _settings_within(node: Any) -> dict[str, Any] | None:
    if isinstance(node, dict):
        if "maxInferenceUnits" in node:
            return node
        node = list(node.values())
    if isinstance(node, list):
        return next((found for child in node if (found := _settings_within(child))), None)
    return None


def end_run(stack: Stack, execution_arn: str) -> None:
    """End an execution, if there still is one; its model stays with its lock until it is released."""
    stepfunctions = stack.stepfunctions
    with contextlib.suppress(stepfunctions.exceptions.ExecutionDoesNotExist):
        stepfunctions.stop_execution(executionArn=execution_arn, error="Stopped", cause="An operator ended the run.")


def minutes_between(begin: datetime, end: datetime) -> float:
    """At least 0: two clocks may differ a little."""
    return max(0.0, (end - begin).total_seconds() / 60)


def run_name(execution_arn: str) -> str:
    return execution_arn.rpartition(":")[2]


def _python(item: Any) -> dict[str, Any]:
    return {name: _plain(value) for name, value in item.items()}
