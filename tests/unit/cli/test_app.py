"""What all commands have in common."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from cli.aws_errors import told
from tests.unit.cli.aws_stack import AwsStack
from tests.unit.cli.conftest import Cli

COMMANDS = ("upload", "run", "status", "stop", "redrive", "doctor", "destroy")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_has_examples_and_exit_codes(cli: Cli, command: str) -> None:
    said = cli(command, "--help")
    assert said.code == 0
    assert f"clb {command}" in said.words.partition("Examples")[2]
    assert "Exit codes: 0 " in said.words


@pytest.mark.parametrize("command", COMMANDS)
def test_the_document_has_a_section_on_it(command: str) -> None:
    document = (Path(__file__).parents[3] / "docs" / "operate.md").read_text(encoding="utf-8")
    assert f"\n## {command}\n" in document


def test_missing_credentials_are_one_line_with_what_to_do(
    aws: AwsStack, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    said = cli("run", "--outputs", aws.file())
    assert said.code == 1
    assert said.err == (
        "error: Unable to locate credentials; sign in (aws sso login, or aws configure), or choose a profile with "
        "AWS_PROFILE\n"
    )


@pytest.mark.parametrize(
    ("code", "next_step"),
    [
        ("ExpiredTokenException", "sign in"),
        ("AccessDeniedException", "whoever gives you rights"),
        ("ResourceInUseException", "try again in a minute"),
        ("QueueDoesNotExist", "was the stack destroyed"),
    ],
)
def test_what_aws_refuses_says_what_to_do(code: str, next_step: str) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "No."}}, "AnOperation")
    assert told(error).startswith(f"AnOperation: {code}: No.; {next_step}")


def test_a_sandbox_that_is_down_is_one_line_with_what_to_do(aws: AwsStack, cli: Cli) -> None:
    aws.outputs["endpointUrl"] = "http://127.0.0.1:9"
    said = cli("status", "--outputs", aws.file())
    assert said.code == 2
    assert said.err.startswith("error: no sandbox answers at http://127.0.0.1:9 (")
    assert said.err.endswith("; start it with `make sandbox`\n")
