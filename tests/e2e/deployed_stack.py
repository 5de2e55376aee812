"""A deployed stack, and what a test does with it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox.deployer.cloud import Cloud
from sandbox.endpoint import newest_version
from sandbox.fates import Image, fates
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings
from sandbox.uploads import Upload


@dataclass
class Stack:
    """A deployed stack, and what a test does with it."""

    server: ServerProcess
    cloud: Cloud
    outputs: Mapping[str, Any]
    settings: SandboxSettings
    uploaded: dict[str, Upload] = field(default_factory=dict)

    def upload(self, *uploads: Upload) -> None:
        for upload in uploads:
            answer = self.cloud.s3.put_object(Bucket=self.outputs["sourceBucketName"], Key=upload.key, Body=upload.body)
            self.uploaded[answer["VersionId"]] = upload

    def start_run(self) -> str:
        started = self.cloud.stepfunctions.start_execution(stateMachineArn=self.outputs["stateMachineArn"])
        return started["executionArn"]

    def execution(self, arn: str) -> dict[str, Any]:
        return dict(self.cloud.stepfunctions.describe_execution(executionArn=arn))

    def finish(self, arn: str) -> dict[str, Any]:
        self.wait_for(lambda: self.execution(arn)["status"] != "RUNNING", "the execution to end")
        return self.execution(arn)

    def run(self) -> dict[str, Any]:
        return self.finish(self.start_run())

    def fates(self) -> list[Image]:
        return fates(self.cloud, self.outputs, self.uploaded)

    def model(self) -> dict[str, Any]:
        return newest_version(self.settings)

    def model_status(self) -> str:
        return str(self.model()["status"])

    def mapping_state(self) -> str:
        return self.cloud.lambda_.get_event_source_mapping(UUID=self.outputs["eventSourceMappingUuid"])["State"]

    def items(self, kind: str) -> list[dict[str, Any]]:
        answer = self.cloud.dynamodb.query(
            TableName=self.outputs["runsTableName"],
            KeyConditionExpression="kind = :kind",
            ExpressionAttributeValues={":kind": {"S": kind}},
            ConsistentRead=True,
        )
        return list(answer["Items"])

    def function_log(self) -> str:
        function = self.cloud.lambda_.get_function_configuration(FunctionName=self.outputs["analyzeFunctionName"])
        events = self.cloud.logs.filter_log_events(logGroupName=function["LoggingConfig"]["LogGroup"])["events"]
        return "\n".join(event["message"] for event in events)

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.server.check()
            if time.monotonic() > deadline:
                pytest.fail(f"Waited {seconds:.0f} s in vain for {what}")
            time.sleep(0.1)
