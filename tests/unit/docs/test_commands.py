"""The AWS CLI's commands in the documents: services, operations and options that there are."""

import re
import shlex
from functools import cache

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

from sandbox.deploy import REPOSITORY

DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
OF_THE_CLI_ITSELF = ("aws s3 ", "aws sso ", "aws configure")
GLOBAL_OPTIONS = {"query", "output", "max-items", "cli-input-json", "region"}


def commands() -> list[str]:
    """Each command of the documents, in code or in a console, on one line."""
    found: list[str] = []
    for document in DOCUMENTS:
        text = re.sub(r" \\\n\s+", " ", document.read_text(encoding="utf-8"))
        text = re.sub(r"'(\{[^']*(?:'\$[^']*'[^']*)*)'", lambda json: json[0].replace("\n", " "), text)
        found += re.findall(r"(?:\$\(|\$ |= ?|`)(aws [a-z0-9-]+ [a-z0-9-]+[^`\n]*)", text)
    return sorted({command for command in found if not command.startswith(OF_THE_CLI_ITSELF)})


@cache
def operations(service: str) -> dict[str, set[str]]:
    """Operation -> its options, as the CLI spells both."""
    name = {"stepfunctions": "stepfunctions", "s3api": "s3"}.get(service, service)
    model = botocore.session.get_session().get_service_model(name)
    return {
        xform_name(operation, "-"): {
            xform_name(member, "-") for member in getattr(model.operation_model(operation).input_shape, "members", {})
        }
        for operation in model.operation_names
    }


def test_there_are_commands() -> None:
    assert len(commands()) > 25


@pytest.mark.parametrize("command", commands())
def test_a_command_is_one_that_the_aws_cli_has(command: str) -> None:
    _, service, operation, *_ = command.split()
    try:
        known = operations(service)
    except UnknownServiceError:
        pytest.fail(f"there is no service {service}")

    assert operation.strip(";:,)'") in known
    given = {option.lstrip("-") for option in re.findall(r"(?<= )--[a-z-]+", command)}
    assert given - GLOBAL_OPTIONS <= known[operation.strip(";:,)'")]


def test_options_of_several_words_are_quoted() -> None:
    for command in commands():
        if command.count("'") % 2 == 0 and "$(" not in command:
            shlex.split(command)
