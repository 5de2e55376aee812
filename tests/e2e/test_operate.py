"""The operator's command line on the sandbox, as a person types it."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from custom_labels_batch.cli.app import main
from sandbox.photographs import photographs
from tests.e2e.deployed_stack import Stack
from tests.e2e.test_pipeline import assert_released, billed_minutes

pytestmark = pytest.mark.xdist_group("operate")

Cli = Callable[..., tuple[int, str]]


@pytest.fixture
def cli(stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command on the stack: its exit code, and what it printed with all spaces alike."""

    def run(*arguments: str) -> tuple[int, str]:
        code = main([*arguments, "--outputs", str(tmp_path / "outputs.json")])
        return code, " ".join("".join(capsys.readouterr()).split())

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six photographs and a text."""
    made = tmp_path / "photographs"
    made.mkdir()
    for number, (label, body) in enumerate(photographs(6, seed=3)):
        (made / f"{label} {number}.jpg").write_bytes(body)
    (made / "notes.png").write_text("This is a text.")
    return made


def keys(stack: Stack, output: str) -> list[str]:
    return [
        found["Key"]
        for found in stack.cloud.s3.list_objects_v2(Bucket=stack.outputs[output]).get("Contents", [])
        if not found["Key"].endswith(".json")
    ]


def test_images_are_uploaded_once_labelled_by_a_run_that_is_followed_and_found_in_the_status(
    stack: Stack, cli: Cli, folder: Path
) -> None:
    code, said = cli("upload", str(folder))
    assert (code, len(keys(stack, "sourceBucketName"))) == (0, 6), said
    assert "notes.png: skipped, is neither a PNG nor a JPEG file" in said
    stack.wait_for(lambda: "images 6 0 0" in cli("status")[1], "the messages")

    code, said = cli("run", "--wait")

    assert code == 0, said
    steps = ("waits for the model to start", "RUNNING", "SUCCEEDED", "DRAINED: 6 images labelled, 0 rejected")
    assert [step for step in steps if step not in said] == []
    assert_released(stack)
    assert "there already" in cli("upload", str(folder))[1]
    assert keys(stack, "sourceBucketName") == []
    code, said = cli("status")
    assert code == 0
    assert "STOPPED active run none" in said
    (last,) = json.loads(cli("status", "--json")[1])["lastRuns"]
    assert (last["outcome"], last["processed"]) == ("DRAINED", 6)
    # The workflow sees RUNNING up to 15 seconds late.
    assert last["billedInferenceUnitMinutes"] == pytest.approx(billed_minutes(stack), abs=0.75)
    assert last["billedInferenceUnitMinutes"] < last["minutes"] < 20


def test_a_run_is_stopped_with_its_model_and_what_it_left_waits(stack: Stack, cli: Cli, folder: Path) -> None:
    cli("upload", str(folder))
    stack.wait_for(lambda: "images 6 0 0" in cli("status")[1], "the messages")
    run = stack.start_run()
    stack.wait_for(lambda: stack.model_status() == "STARTING", "the model to start")
    assert "STARTING" in cli("status")[1]

    code, said = cli("stop", "--yes")

    assert code == 0, said
    assert_released(stack)
    assert stack.model_status() == "STOPPED"
    assert stack.execution(run)["status"] == "ABORTED"
    assert Counter(record["outcome"]["S"] for record in stack.items("run")) == {"ABORTED": 1}
    assert len(keys(stack, "sourceBucketName")) == 6
    assert "There is nothing to stop" in cli("stop")[1]


def test_a_dead_letter_is_shown_and_sent_home(stack: Stack, cli: Cli, folder: Path) -> None:
    picture = next(folder.glob("*.jpg"))
    cli("upload", str(picture))
    queue, dead_letters = stack.outputs["imageQueueUrl"], stack.outputs["imageDeadLetterQueueUrl"]
    stack.wait_for(lambda: "images 1 0 0" in cli("status")[1], "the message")
    (message,) = stack.cloud.sqs.receive_message(QueueUrl=queue)["Messages"]
    stack.cloud.sqs.send_message(QueueUrl=dead_letters, MessageBody=message["Body"])
    stack.cloud.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert f"{picture.name}: failed; the log of" in cli("redrive", "--dry-run")[1]

    code, said = cli("redrive")

    assert code == 0, said
    assert "images: 1 message went home." in said
    assert re.search(r"images 1 0 0 [\d.]+ (s|min|h) 0 ", cli("status")[1])


def test_a_run_without_images_is_told_as_such(cli: Cli) -> None:
    code, said = cli("run", "--wait")
    assert code == 0
    assert "There was nothing to do" in said
