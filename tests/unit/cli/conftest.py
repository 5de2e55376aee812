"""The command line against an emulated AWS."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from custom_labels_batch.cli.app import TRACEBACK, main
from custom_labels_batch.cli.stack import Stack
from tests.unit.cli.athena_answers import AthenaAnswers
from tests.unit.cli.aws_stack import AwsStack


@dataclass
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """What it printed, however the lines broke."""
        return " ".join(self.out.split())


Cli = Callable[..., Said]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs a command, as in a pipe that is 80 columns wide."""
    for name in ("COLUMNS", "FORCE_COLOR", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(TRACEBACK, "1")  # what is unexpected is a test's to see

    def run(*arguments: str) -> Said:
        code = main(arguments)
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What happens between two looks, one step each time a command waits."""

    def happens(*steps: Callable[[], Any]) -> None:
        left = list(steps)
        monkeypatch.setattr("time.sleep", lambda _: left.pop(0)())

    return happens


def interrupt() -> None:
    """A step: Ctrl-C."""
    raise KeyboardInterrupt


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStack]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "123456789012")
    with mock_aws(config={"lambda": {"use_docker": False}}):
        made = AwsStack(tmp_path)
        monkeypatch.setattr(Stack, "rekognition", property(lambda _: made.rekognition))
        monkeypatch.setattr(Stack, "sqs", property(lambda _: made.sqs))
        yield made


@pytest.fixture
def athena(aws: AwsStack, monkeypatch: pytest.MonkeyPatch) -> AthenaAnswers:
    made = AthenaAnswers(aws)
    monkeypatch.setattr(Stack, "athena", property(lambda _: made.client))
    return made


@pytest.fixture
def labelling(aws: AwsStack) -> str:
    """A run in the middle of its work."""
    run = aws.start()
    aws.lock(run)
    aws.versions = [aws.version("RUNNING", units=2)]
    aws.client("lambda").update_event_source_mapping(UUID=aws.outputs["eventSourceMappingUuid"], Enabled=True)
    return run


@pytest.fixture
def released(aws: AwsStack) -> Callable[[], None]:
    """A step: release_model has done its work."""

    def done() -> None:
        aws.versions = [aws.version("STOPPED")]
        aws.client("lambda").update_event_source_mapping(UUID=aws.outputs["eventSourceMappingUuid"], Enabled=False)
        aws.unlock()

    return done
