"""The messages that docs/troubleshooting.md quotes, held against the code that says them."""

import ast
import functools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from custom_labels_batch.functions.analyze_image.environment import AnalyzeImageEnvironment
from custom_labels_batch.functions.analyze_image.message import parse_message
from custom_labels_batch.functions.shared.environment import read_environment
from sandbox.deploy import REPOSITORY
from settings import parse
from tests.unit.components.graph import PROJECT_ARN

TEXT = (REPOSITORY / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
OTHERS = ("**AWS**: ", "**Pulumi**: ", "**Python**: ")
ANYTHING = "…"
SOURCES = ("__main__.py", "settings.py", "custom_labels_batch/**/*.py", "sandbox/**/*.py")
_ROW = re.compile(r"^\| `([^`]+)`[^|]* \| (.+?) \| (.+) \|$", re.MULTILINE)


def rows() -> list[tuple[str, str]]:
    """Each message, and what stands beside it."""
    return [(message, why) for message, why, _ in _ROW.findall(TEXT)]


OURS = [message for message, why in rows() if not why.startswith(OTHERS)]
THEIRS = [(message, why) for message, why in rows() if why.startswith(OTHERS)]


def given(**config: Any) -> Callable[[], Any]:
    return lambda: parse({"projectArn": PROJECT_ARN, **config})


PROVOKED: dict[str, Callable[[], Any]] = {
    "there is no such setting.": given(labelOfInterest="crack"),
    "this is the ARN of a project version; set modelVersion to '…'": given(
        projectArn=PROJECT_ARN.replace("surfaces/", "surfaces/version/v1/")
    ),
    "not the ARN of a Rekognition Custom Labels project": given(projectArn="surfaces"),
    "a version of …, but projectArn is of …": given(
        modelVersion=PROJECT_ARN.replace("surfaces/", "others/version/v1/")
    ),
    "neither a rate(…) nor a cron(…) expression of EventBridge Scheduler": given(schedule="rate(1 hours)"),
    "exactly one of day-of-month and day-of-week must be '?'": given(schedule="cron(0 6 * * * *)"),
    "the image queue keeps a message for 10 days, so look at it every 7 days at least": given(schedule="rate(8 days)"),
    "up to … minutes pass between two ticks of …: an image may come just after one": given(
        schedule="rate(1 day)", minBatchSize=10
    ),
    "sourceBucketName is set too; set one of them": given(sourceBucketName="acme", existingSourceBucketName="umbrella"),
    "… names the same bucket; each needs one of its own": given(sourceBucketName="acme", finalBucketName="acme"),
    "not a bucket name S3 accepts": given(sourceBucketName="Acme"),
    "neither a list of labels nor a map from label to threshold": given(labelsOfInterest=7),
    "… in the list is not text; quote a label that looks like a number": given(labelsOfInterest="[1]"),
    "labels and thresholds take … bytes in a function's environment; … fit": given(labelsOfInterest="x" * 3000),
    "… belongs to IAM": given(quickSightPrincipalArn="arn:aws:iam::123456789012:user/ana"),
    "… is not a tag key AWS accepts": given(tags={"aws:owner": "vision"}),
    "Not an Object Created event: …": lambda: parse_message("{}"),
    "… is not set: it must be …": lambda: read_environment(AnalyzeImageEnvironment, {}),
}
"""Message -> what makes the code say it."""


def said(node: ast.AST) -> str | None:
    """A text of the code, with `…` for what is put into it."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(said(value) or ANYTHING for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return (said(left) or ANYTHING) + (said(right) or ANYTHING)
    return None


def causes(states: Any) -> Iterator[str]:
    """The texts of a workflow, which are JSONata: what is between two of its quoted texts is put in."""
    if isinstance(states, dict):
        for value in states.values():
            yield from causes(value)
    elif isinstance(states, list):
        for value in states:
            yield from causes(value)
    elif isinstance(states, str) and "' & " in states:
        yield ANYTHING.join(re.findall(r"'([^']*)'", states))


@functools.cache
def texts() -> str:
    """Every text of the code, one a line."""
    found: list[str] = []
    for path in (path for pattern in SOURCES for path in sorted(REPOSITORY.glob(pattern))):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [text for node in ast.walk(tree) if (text := said(node))]
    for path in sorted((REPOSITORY / "custom_labels_batch" / "workflows").glob("*.json")):
        found += causes(json.loads(path.read_text(encoding="utf-8")))
    found.append(Path(REPOSITORY / "Makefile").read_text(encoding="utf-8"))
    return "\n".join(" ".join(text.split()) for text in found)


def pattern(message: str) -> str:
    parts = [part.strip() for part in message.split(ANYTHING) if part.strip()]
    assert any(len(part) > 5 for part in parts), "too little of it is fixed"
    return r"[^\n]*?".join(map(re.escape, parts))


@pytest.mark.parametrize("message", [message for message in OURS if message not in PROVOKED])
def test_a_message_of_ours_is_one_that_the_code_says(message: str) -> None:
    assert re.search(pattern(message), texts())


@pytest.mark.parametrize("message", PROVOKED)
def test_a_message_that_can_be_provoked_is_what_people_see(message: str) -> None:
    assert message in OURS

    with pytest.raises(ValueError, match=pattern(message)):
        PROVOKED[message]()


@pytest.mark.parametrize(("message", "why"), THEIRS)
def test_a_message_of_others_says_where_they_explain_it(message: str, why: str) -> None:
    assert "](https://" in why, message


def test_no_message_is_there_twice() -> None:
    messages = [message for message, _ in rows()]

    assert len(messages) > 90
    assert [message for message in messages if messages.count(message) > 1] == []


def test_every_error_of_a_workflow_is_explained() -> None:
    found = set()
    for path in (REPOSITORY / "custom_labels_batch" / "workflows").glob("*.json"):
        found |= set(re.findall(r'"Error": "([A-Za-z.]+)"', path.read_text(encoding="utf-8")))

    assert found
    assert [error for error in sorted(found) if f"`{error}`" not in TEXT] == []


def test_every_error_that_it_explains_is_one_of_the_workflows() -> None:
    table = TEXT.partition("### The cause of a run\n")[2].partition("\n### ")[0]
    explained = [errors for row in table.splitlines() for errors in re.findall(r"^\| .+? \| `([A-Za-z.]+)`", row)]
    definitions = "".join(
        path.read_text(encoding="utf-8") for path in (REPOSITORY / "custom_labels_batch" / "workflows").glob("*.json")
    )

    assert len(explained) > 8
    assert [error for error in explained if f'"{error}"' not in definitions] == []


def test_every_reason_to_reject_an_image_is_explained() -> None:
    source = "".join(
        (REPOSITORY / "custom_labels_batch" / "functions" / "analyze_image" / name).read_text(encoding="utf-8")
        for name in ("refusals.py", "image_header.py")
    )
    codes = set(re.findall(r'Reason\(code="(\w+)"', source))

    assert codes
    assert [code for code in sorted(codes) if f"`{code}`" not in TEXT] == []
