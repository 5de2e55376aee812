"""The stack that a command works on: its outputs, and clients for the place it is in."""

import json
import os
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import urlsplit
from urllib.request import urlopen

import boto3
import typer
from botocore.config import Config

from custom_labels_batch.cli.errors import InputError

if TYPE_CHECKING:
    from types_boto3_athena import AthenaClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_rekognition import RekognitionClient
    from types_boto3_s3 import S3Client
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_sqs import SQSClient
    from types_boto3_stepfunctions import SFNClient

SANDBOX_OUTPUTS = Path("build/sandbox/outputs.json")
"""Where `make sandbox` writes its outputs, in the current directory."""

CONNECTIONS = 64
"""Most requests at once to one service."""

TAGS = "tags:"
"""What a stack's name begins with that is to be found by its tags; Pulumi's have no colon."""

DEFAULT_PROJECT = "custom-labels-batch"
"""The tag Project, which is the name in Pulumi.yaml."""

_MAKING_CLIENTS = RLock()
"""A session makes clients for one thread at a time (Boto3 guide, multithreading)."""

_HOW_TO_CHOOSE = (
    "choose one with --stack NAME (tags:NAME without Pulumi) or --outputs FILE, or start the sandbox with `make "
    "sandbox`"
)
_PANEL = "Which stack"

OutputsOption = Annotated[
    Path | None,
    typer.Option(
        "--outputs",
        metavar="FILE",
        show_default=False,
        rich_help_panel=_PANEL,
        help="Its outputs as JSON: what `pulumi stack output --json` prints, or the sandbox's outputs.json.",
    ),
]
StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        metavar="NAME",
        show_default=False,
        rich_help_panel=_PANEL,
        help="Ask the Pulumi CLI for this stack; tags:NAME finds it by its tags in AWS_REGION, without Pulumi. Without "
        "either: the sandbox that is up, else Pulumi's current stack.",
    ),
]


@dataclass(frozen=True)
class Stack:
    """A deployed stack.

    Attributes
    ----------
    name
        How people call it.
    outputs
        As the program exports them; a sandbox adds `endpointUrl` and `region`.
    file
        They were read from, if they were.
    pulumi_name
        By which the Pulumi CLI was asked for it, if it was.
    """

    name: str
    outputs: Mapping[str, Any]
    file: Path | None = None
    pulumi_name: str | None = None

    def output(self, name: str) -> str:
        """One of the outputs that every stack has.

        Raises
        ------
        InputError
            It is not there.
        """
        value = self.optional(name)
        if value is None:
            raise InputError(
                f"{self.name} has no output {name}: its program exports none (has it the component for it?), "
                "or it was deployed with an older version"
            )
        return value

    def optional(self, name: str) -> str | None:
        """One of the outputs that some stacks lack."""
        return str(self.outputs[name]) if self.outputs.get(name) else None

    @property
    def is_scheduled(self) -> bool:
        """Whether a workflow runs the model (`trigger: schedule`)."""
        return self.optional("stateMachineArn") is not None

    def state_machine(self) -> str:
        """ARN of the workflow that runs the model.

        Raises
        ------
        InputError
            With `trigger: upload` there is none.
        """
        if not self.is_scheduled:
            raise InputError(
                f"{self.name} has no runs: its trigger is upload, so a model that you keep running labels every upload"
                " at once; set trigger to schedule for runs"
            )
        return self.output("stateMachineArn")

    @property
    def endpoint_url(self) -> str | None:
        """Of a sandbox."""
        return self.optional("endpointUrl")

    @property
    def region(self) -> str:
        return self.optional("region") or self.output("predictionsTopicArn").split(":")[3]

    @property
    def account(self) -> str:
        return self.output("predictionsTopicArn").split(":")[4]

    def now(self) -> datetime:
        """What the clock shows that schedules follow and the runs table is written by; a sandbox's is simulated."""
        return datetime.fromisoformat(self._sandbox_model()["now"]) if self.endpoint_url else datetime.now(UTC)

    @cached_property
    def time_scale(self) -> float:
        """Real seconds that a second of that clock takes: 1 on AWS, less on a sandbox."""
        return float(self._sandbox_model()["timeScale"]) if self.endpoint_url else 1.0

    def look_seconds(self, seconds: float) -> float:
        """Real seconds to wait between two looks: fewer on a sandbox, where more happens in each."""
        return min(seconds, max(0.25, 15 * self.time_scale))

    def _sandbox_model(self) -> dict[str, Any]:
        found: dict[str, Any] = _read_sandbox_model(str(self.endpoint_url))
        return found

    @cached_property
    def _session(self) -> boto3.Session:
        # A sandbox takes these, and real ones have no business there.
        key = "test" if self.endpoint_url else None
        return boto3.Session(aws_access_key_id=key, aws_secret_access_key=key, region_name=self.region)

    @property
    def credentials(self) -> Any:
        """What requests are signed with; None if there is nothing."""
        return self._session.get_credentials()

    def client(self, service: str, **more: Any) -> Any:
        """A client for where the stack is.

        Parameters
        ----------
        more
            Of botocore's Config.
        """
        config = Config(
            connect_timeout=10,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": 6},
            s3={"addressing_style": "path"} if self.endpoint_url else {},
            **more,
        )
        with _MAKING_CLIENTS:
            return self._session.client(service, endpoint_url=self.endpoint_url, config=config)  # type: ignore[call-overload]

    @cached_property
    def athena(self) -> "AthenaClient":
        return self.client("athena")  # type: ignore[no-any-return]

    @cached_property
    def cloudwatch(self) -> Any:
        return self.client("cloudwatch")

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return self.client("dynamodb")  # type: ignore[no-any-return]

    @cached_property
    def lambda_(self) -> "LambdaClient":
        return self.client("lambda")  # type: ignore[no-any-return]

    @cached_property
    def rekognition(self) -> "RekognitionClient":
        return self.client("rekognition")  # type: ignore[no-any-return]

    @cached_property
    def s3(self) -> "S3Client":
        return self.client("s3")  # type: ignore[no-any-return]

    @cached_property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        return self.client("scheduler")  # type: ignore[no-any-return]

    @cached_property
    def sqs(self) -> "SQSClient":
        return self.client("sqs")  # type: ignore[no-any-return]

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        return self.client("stepfunctions")  # type: ignore[no-any-return]


@dataclass(frozen=True)
class StackTime:
    """Real times as the stack's clock showed them: the runs table is written by that, objects and alarms are not.

    On AWS both are one. On a sandbox, a clock that was skipped forward shows what was before too late.
    """

    real_now: datetime
    now: datetime
    scale: float

    @classmethod
    def of(cls, stack: Stack) -> Self:
        """Read it."""
        real_now = datetime.now(UTC)
        return cls(real_now, stack.now() if stack.endpoint_url else real_now, stack.time_scale)

    def at(self, moment: datetime) -> datetime:
        """What the stack's clock showed."""
        return self.now - (self.real_now - moment) / self.scale


def configured_region() -> str | None:
    """The operator's region, as the AWS CLI finds it: boto3 alone does not read AWS_REGION."""
    return os.environ.get("AWS_REGION") or boto3.Session().region_name


def find_stack(outputs: Path | None, name: str | None) -> Stack:
    """The stack that the options, the sandbox that is up, or Pulumi's current stack name.

    Raises
    ------
    InputError
        None is found, or not as it should be.
    """
    if outputs and name:
        raise InputError(f"--outputs {outputs} and --stack {name}: only one can be the stack; leave one of them out")
    if outputs:
        found = _read(outputs)
        return Stack(_called(found, f"the stack of {outputs}"), found, file=outputs)
    if name and name.startswith(TAGS):
        return _by_tags(name.removeprefix(TAGS))
    if name is None and (sandbox := _sandbox()):
        return Stack(_called(sandbox, "the sandbox"), sandbox, file=SANDBOX_OUTPUTS)
    return Stack(f"stack {name}" if name else "Pulumi's current stack", _from_pulumi(name), pulumi_name=name)


def _by_tags(name: str) -> Stack:
    from custom_labels_batch.cli.tagged_stack import TaggedStack  # which needs this module

    project, _, stack = name.rpartition("/")
    region = configured_region()
    if not stack or not region:
        missing = "a name, as in --stack tags:prod" if not stack else "a region: set AWS_REGION to the stack's"
        raise InputError(f"--stack {TAGS}{name}: a stack is found by its tags with {missing}")
    place = Stack(f"stack {stack}", {"region": region})
    return Stack(place.name, TaggedStack(place, project or DEFAULT_PROJECT, stack).outputs(), pulumi_name=stack)


def _called(outputs: Mapping[str, Any], otherwise: str) -> str:
    return f"the sandbox at {outputs['endpointUrl']}" if outputs.get("endpointUrl") else otherwise


def _read(file: Path) -> dict[str, Any]:
    try:
        return _parsed(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        raise InputError(
            f"{file} cannot be read ({error.strerror}); write it with `pulumi stack output --json > {file}`"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{file} is not text in UTF-8; write it with `pulumi stack output --json`") from None


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        outputs = json.loads(text)
    except ValueError as error:
        raise InputError(
            f"{source} is not JSON ({error}); `pulumi stack output --json` prints what is needed"
        ) from None
    if not isinstance(outputs, dict) or "imageQueueUrl" not in outputs:
        raise InputError(f"{source} has no imageQueueUrl, so it is not the outputs of such a stack; {_HOW_TO_CHOOSE}")
    return outputs


def _sandbox() -> dict[str, Any] | None:
    """The sandbox of the current directory, if it is up."""
    if not SANDBOX_OUTPUTS.exists():
        return None
    outputs = _read(SANDBOX_OUTPUTS)
    endpoint = urlsplit(outputs.get("endpointUrl", ""))
    try:
        socket.create_connection((endpoint.hostname or "", endpoint.port or 0), timeout=2).close()
    except OSError:
        return None
    return outputs


def _read_sandbox_model(endpoint_url: str) -> dict[str, Any]:
    try:
        with urlopen(f"{endpoint_url}/_sandbox/model", timeout=10) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
    except (OSError, ValueError) as error:
        raise InputError(f"no sandbox answers at {endpoint_url} ({error}); start it with `make sandbox`") from None
    return found


def _from_pulumi(name: str | None) -> dict[str, Any]:
    command = ["stack", "output", "--json", *(["--stack", name] if name else [])]
    return _parsed(ask_pulumi(*command), f"`pulumi {' '.join(command)}`")


def ask_pulumi(*arguments: str) -> str:
    """What the Pulumi CLI prints in the current directory.

    Raises
    ------
    InputError
        It is not installed, or knows no such thing.
    """
    command = ["pulumi", "--non-interactive", *arguments]
    told = "`" + " ".join(command) + "`"
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    except FileNotFoundError:
        raise InputError(f"no stack is known: the Pulumi CLI is not installed here; {_HOW_TO_CHOOSE}") from None
    except subprocess.TimeoutExpired:
        raise InputError(f"{told} did not answer within 2 minutes; {_HOW_TO_CHOOSE}") from None
    if ran.returncode:
        problem = ran.stderr.strip().removeprefix("error: ") or f"exit code {ran.returncode}"
        raise InputError(f"{told} failed ({problem}); {_HOW_TO_CHOOSE}")
    return ran.stdout
