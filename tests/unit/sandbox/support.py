"""What the sandbox's tests do with a running sandbox, in short words."""

import io
import json
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import boto3
import pytest

ROOT = Path(__file__).parents[3]
TIME_SCALE = 0.02
PROJECT_ARN = "arn:aws:rekognition:us-east-1:000000000000:project/surfaces/1793491200000"
VERSION_ARN = (
    "arn:aws:rekognition:us-east-1:000000000000:project/surfaces/version/surfaces.2026-11-01T00.00.00/1793491200001"
)


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SANDBOX_", "AWS_"))}
    return {**kept, **variables}


def wait_until(check: Callable[[], Any], seconds: float = 20) -> Any:
    """The first truthy answer of `check`, or a failed test."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := check():
            return answer
        time.sleep(0.03)
    pytest.fail(f"nothing came within {seconds} seconds")


class Sandbox:
    """A running sandbox, and short words for what the tests do with it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._session: Any = boto3.session.Session(region_name="us-east-1")
        self._root_clients: dict[str, Any] = {}

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        """A client of the account's root, or of a role's session."""
        if credentials:
            return self._session.client(service, endpoint_url=self.endpoint, **credentials)
        if service not in self._root_clients:
            self._root_clients[service] = self._session.client(
                service, endpoint_url=self.endpoint, aws_access_key_id="test", aws_secret_access_key="test"
            )
        return self._root_clients[service]

    def role(self, service: str, *statements: tuple[str | list[str], str], conditions: Any = None) -> str:
        """A role that one service may assume, with (action, resource) allowed; its ARN."""
        name, iam = f"role-{uuid4().hex[:8]}", self.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        document = {
            "Version": "2012-10-17",
            "Statement": [{**trust, **({"Condition": conditions} if conditions else {})}],
        }
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
        allowed = [{"Effect": "Allow", "Action": action, "Resource": on} for action, on in statements]
        if allowed:
            policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
            iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=policy)
        return arn

    def session(self, role_arn: str) -> dict[str, str]:
        """Credentials of somebody who has assumed the role."""
        keys = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
        return {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }

    def bucket(self, versioned: bool = False) -> str:
        name, s3 = f"bucket-{uuid4().hex[:8]}", self.client("s3")
        s3.create_bucket(Bucket=name)
        if versioned:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def queue(self, **attributes: str) -> tuple[str, str]:
        """A queue's URL and ARN."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=f"queue-{uuid4().hex[:8]}", Attributes=attributes)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def function(self, role: str, source: str, **more: Any) -> str:
        """A Lambda function whose module is `source`; its name."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as files:
            files.writestr("code.py", source)
        name = f"function-{uuid4().hex[:8]}"
        self.client("lambda").create_function(
            FunctionName=name,
            Role=role,
            Runtime="python3.13",
            Architectures=["arm64"],
            Handler="code.handler",
            Code={"ZipFile": archive.getvalue()},
            **more,
        )
        return name

    def machine(self, states: dict[str, Any], role: str | None = None, **more: Any) -> str:
        """A JSONata state machine whose first state is the first one named; its ARN."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **more}
        arn: str = self.client("stepfunctions").create_state_machine(
            name=f"machine-{uuid4().hex[:8]}",
            definition=json.dumps(definition),
            roleArn=role or self.role("states.amazonaws.com"),
        )["stateMachineArn"]
        return arn

    def start(self, machine: str, workflow_input: Any = None) -> str:
        arn: str = self.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps(workflow_input or {})
        )["executionArn"]
        return arn

    def ended(self, execution: str) -> dict[str, Any]:
        """The description of an execution once it has ended."""
        states = self.client("stepfunctions")

        def look() -> Any:
            found = states.describe_execution(executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return dict(wait_until(look))

    def run(self, states: dict[str, Any], role: str | None = None, **more: Any) -> dict[str, Any]:
        """Create a machine, run it once, and describe how it ended."""
        return self.ended(self.start(self.machine(states, role, **more)))

    def model(self) -> dict[str, Any]:
        with urlopen(f"{self.endpoint}/_sandbox/model") as response:  # noqa: S310 - our own endpoint
            return dict(json.load(response))

    def faults(self, **faults: Any) -> None:
        method = "POST" if faults else "DELETE"
        url, body = f"{self.endpoint}/_sandbox/faults", json.dumps(faults).encode()
        urlopen(Request(url, data=body, method=method)).close()  # noqa: S310 - our own endpoint

    def model_status(self) -> str:
        return str(self.model()["versions"][0]["status"])
