"""The AWS endpoint a deployment goes to, and what this deployment has made there so far."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from botocore.config import Config

from sandbox.api_calls import new_session
from sandbox.deployer.model import Registration, dependency_closure
from sandbox.settings import SandboxSettings

if TYPE_CHECKING:
    from types_boto3_athena import AthenaClient
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_glue import GlueClient
    from types_boto3_iam import IAMClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient
    from types_boto3_stepfunctions import SFNClient

# Emulators take any key; these act as the account's root.
_ROOT_KEY = "test"


class Cloud:
    """Clients for one endpoint, each made once, and the resources made before."""

    def __init__(self, endpoint_url: str, region: str, account_id: str, time_scale: float = 1.0) -> None:
        """Point at an endpoint.

        Parameters
        ----------
        time_scale
            Real seconds for each simulated second of the emulator behind the endpoint.
        """
        self.endpoint_url = endpoint_url
        self.region = region
        self.account_id = account_id
        self.time_scale = time_scale
        self.registered: dict[str, Registration] = {}
        self.session = new_session(_ROOT_KEY, _ROOT_KEY, region=region)

    @classmethod
    def of(cls, settings: SandboxSettings) -> Self:
        """The sandbox that has these settings."""
        return cls(settings.endpoint_url, settings.region, settings.account_id, settings.time_scale)

    def made_before(self, resource: Registration, type_: str) -> list[Registration]:
        """Resources of a type which the engine is sure to have made before this one."""
        closure = dependency_closure(resource, self.registered)
        return [r for urn, r in self.registered.items() if urn in closure and r.type == type_]

    def made(self, type_: str) -> list[Registration]:
        """Resources of a type this deployment has made, in dependency order or by luck."""
        return [resource for resource in self.registered.values() if resource.type == type_]

    def client(self, service: str) -> Any:
        # No retries: an emulator that fails once fails again, and its error should be seen at once.
        config = Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
        )
        return self.session.client(service, endpoint_url=self.endpoint_url, config=config)  # type: ignore[call-overload]

    @functools.cached_property
    def athena(self) -> AthenaClient:
        """Athena."""
        return self.client("athena")  # type: ignore[no-any-return]

    @functools.cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """CloudWatch alarms and dashboards."""
        return self.client("cloudwatch")  # type: ignore[no-any-return]

    @functools.cached_property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB."""
        return self.client("dynamodb")  # type: ignore[no-any-return]

    @functools.cached_property
    def events(self) -> EventBridgeClient:
        """EventBridge rules."""
        return self.client("events")  # type: ignore[no-any-return]

    @functools.cached_property
    def glue(self) -> GlueClient:
        """Glue's Data Catalog."""
        return self.client("glue")  # type: ignore[no-any-return]

    @functools.cached_property
    def iam(self) -> IAMClient:
        """IAM."""
        return self.client("iam")  # type: ignore[no-any-return]

    @functools.cached_property
    def lambda_(self) -> LambdaClient:
        """Lambda."""
        return self.client("lambda")  # type: ignore[no-any-return]

    @functools.cached_property
    def logs(self) -> CloudWatchLogsClient:
        """CloudWatch Logs."""
        return self.client("logs")  # type: ignore[no-any-return]

    @functools.cached_property
    def s3(self) -> S3Client:
        """S3."""
        return self.client("s3")  # type: ignore[no-any-return]

    @functools.cached_property
    def scheduler(self) -> EventBridgeSchedulerClient:
        """EventBridge Scheduler."""
        return self.client("scheduler")  # type: ignore[no-any-return]

    @functools.cached_property
    def sns(self) -> SNSClient:
        """SNS."""
        return self.client("sns")  # type: ignore[no-any-return]

    @functools.cached_property
    def sqs(self) -> SQSClient:
        """SQS."""
        return self.client("sqs")  # type: ignore[no-any-return]

    @functools.cached_property
    def stepfunctions(self) -> SFNClient:
        """Step Functions."""
        return self.client("stepfunctions")  # type: ignore[no-any-return]


def tag_list(tags: dict[str, str]) -> list[Any]:
    """Tags as most AWS APIs want them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def policy_statements(document: str | Mapping[str, Any]) -> list[dict[str, Any]]:
    """The statements of an IAM policy document, which may hold one or a list."""
    parsed = json.loads(document) if isinstance(document, str) else document
    statements = parsed.get("Statement", [])
    return [statements] if isinstance(statements, dict) else list(statements)
