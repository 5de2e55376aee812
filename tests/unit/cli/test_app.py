"""What all commands have in common."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from custom_labels_batch.cli.app import TRACEBACK
from custom_labels_batch.cli.aws_errors import told
from custom_labels_batch.cli.stack import Stack
from sandbox.deploy import REPOSITORY
from tests.unit.cli.aws_stack import AwsStack
from tests.unit.cli.conftest import Cli, Said

COMMANDS = ("upload", "backfill", "run", "status", "report", "results", "stop", "redrive", "doctor", "destroy")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_has_examples_and_exit_codes(cli: Cli, command: str) -> None:
    said = cli(command, "--help")
    assert said.code == 0
    assert f"clb {command}" in said.words.partition("Examples")[2]
    assert "Exit codes: 0 " in said.words


def test_the_version_is_that_of_the_package(cli: Cli) -> None:
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cli("--version") == Said(0, f"clb {declared['version']}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_document_has_a_section_on_it(command: str) -> None:
    document = (REPOSITORY / "docs" / "operate.md").read_text(encoding="utf-8")
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


def test_an_unexpected_error_is_one_line_with_how_to_report_it(
    aws: AwsStack, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: Stack) -> None:
        raise KeyError("Attributes")

    monkeypatch.setattr("custom_labels_batch.cli.status.look", breaks)
    monkeypatch.delenv(TRACEBACK)
    said = cli("status", "--outputs", aws.file())
    assert said.code == 1
    assert said.err == (
        "error: unexpected, KeyError: 'Attributes'; report it with what CLB_TRACEBACK=1 shows, set before the command\n"
    )


def test_its_traceback_is_there_for_who_wants_it(aws: AwsStack, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Stack) -> None:
        raise KeyError("Attributes")

    monkeypatch.setattr("custom_labels_batch.cli.status.look", breaks)
    monkeypatch.setenv(TRACEBACK, "1")
    with pytest.raises(KeyError):
        cli("status", "--outputs", aws.file())


class TestCompletion:
    """What Typer's own scripts ask for, in a process as the shell starts it."""

    @pytest.mark.parametrize(
        ("shell", "begins"),
        [("bash", "_clb_completion()"), ("zsh", "#compdef clb"), ("fish", "complete --command clb")],
    )
    def test_has_a_script_for(self, shell: str, begins: str) -> None:
        script = completed(f"source_{shell}")
        assert script.startswith(begins)
        assert "_CLB_COMPLETE=complete_" + shell in script

    def test_is_shown_for_the_shell_that_asks(self, tmp_path: Path) -> None:
        rc = tmp_path / "ask.sh"
        rc.write_text(f"{sys.executable} -m custom_labels_batch --show-completion; exit $?\n")
        ran = subprocess.run(["bash", str(rc)], cwd=REPOSITORY, capture_output=True, text=True, check=True)
        assert ran.stdout.startswith("_clb_completion()")

    def test_finds_a_command_by_its_first_letters(self) -> None:
        assert completed("complete_bash", COMP_WORDS="clb sta", COMP_CWORD="1").split() == ["status"]

    def test_finds_an_option(self) -> None:
        assert completed("complete_bash", COMP_WORDS="clb run --wa", COMP_CWORD="2").split() == ["--wait"]


def completed(instruction: str, **variables: str) -> str:
    """What the command answers a shell."""
    asked = {**os.environ, "_CLB_COMPLETE": instruction, **variables}
    ran = subprocess.run(
        [sys.executable, "-m", "custom_labels_batch"], cwd=REPOSITORY, env=asked, capture_output=True, text=True
    )
    assert ran.stderr == ""
    return ran.stdout.strip()


def test_without_a_command_the_help_alone_is_shown(cli: Cli) -> None:
    said = cli()
    assert said.code == 2
    assert "Commands" in said.words
    assert said.err == ""
