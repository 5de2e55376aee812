"""What an operator takes out of a stack, and puts in from a bucket that was there before it: on the sandbox."""

import csv
import io
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from custom_labels_batch.cli.app import main
from custom_labels_batch.cli.queues import depth
from custom_labels_batch.functions.analyze_image.message import parse_message
from custom_labels_batch.functions.shared.image_version import ImageVersion, is_later
from sandbox.deploy import REPOSITORY, deploy
from sandbox.deployer.cloud import Cloud
from sandbox.photographs import photographs
from sandbox.queries import images_recorded
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings
from tests.e2e.conftest import NEVER
from tests.e2e.deployed_stack import Stack

pytestmark = pytest.mark.xdist_group("operate-data")

BUCKET = "acme-photographs"
OLD = ("2019/wall é.jpg", "2019/lawn+1.JPG", "2020/road.png")
OTHERS = ("2019/notes.txt", "thumbs/wall.jpg")
NEW = "2019/new.jpg"
TEXT = "2019/text.png"


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        return " ".join(f"{self.out} {self.err}".split())


Cli = Callable[..., Said]


@pytest.fixture(scope="module")
def stack(
    server: ServerProcess, settings: SandboxSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """One stack for all tests here, on a bucket with images that are older than it; they go on from each other."""
    cloud = Cloud.of(settings)
    cloud.s3.create_bucket(Bucket=BUCKET)
    bodies = [body for _, body in photographs(len(OLD), seed=5)]
    for key, body in zip((*OLD, *OTHERS), [*bodies, b"notes", bodies[0]], strict=True):
        cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    cloud.s3.put_object(Bucket=BUCKET, Key=TEXT, Body=b"no image")
    # Times of objects are whole seconds.
    time.sleep(1.1)
    build = tmp_path_factory.mktemp("deploy")
    config = {"schedule": NEVER, "existingSourceBucketName": BUCKET, "imagePrefix": "20"}
    outputs = deploy(REPOSITORY, "e2e-data", config, settings, build=build)
    cloud.s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(build / "state"))
        patch.setenv("OUTPUTS", str(build / "outputs.json"))
        yield Stack(server, cloud, outputs, settings)


@pytest.fixture
def cli(stack: Stack, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command on the stack."""

    def run(*arguments: str) -> Said:
        code = main([*arguments, "--outputs", os.environ["OUTPUTS"]])
        return Said(code, *capsys.readouterr())

    return run


def photograph(seed: int) -> bytes:
    return next(body for _, body in photographs(1, seed=seed))


def waiting(stack: Stack) -> list[ImageVersion]:
    """What the messages in the image queue are about; they stay there, if nobody looks ten times."""
    url, found = stack.outputs["imageQueueUrl"], []
    while messages := stack.cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += messages
    for message in found:
        stack.cloud.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return sorted((parse_message(message["Body"]) for message in found), key=lambda image: image.key)


def test_images_from_before_the_stack_are_counted_and_queued_once(stack: Stack, cli: Cli) -> None:
    counted = cli("backfill", "--dry-run")
    assert counted.code == 0, counted.words
    assert "Counted 4 images" in counted.words
    assert waiting(stack) == []
    stack.cloud.s3.put_object(Bucket=BUCKET, Key=NEW, Body=photograph(6))
    stack.wait_for(lambda: depth(stack.cloud.sqs, stack.outputs["imageQueueUrl"]).total == 1, "the new image's event")

    said = cli("backfill")

    assert said.code == 0, said.words
    assert "Queued 4 images" in said.words
    assert "1 of another name; 1 modified later" in said.words
    assert [image.key for image in waiting(stack)] == sorted([*OLD, NEW, TEXT])
    assert "Nothing is queued again" in cli("backfill").words
    assert depth(stack.cloud.sqs, stack.outputs["imageQueueUrl"]).total == 5


def test_a_message_of_a_backfill_is_about_the_same_image_as_the_event(stack: Stack, cli: Cli) -> None:
    (of_event,) = [image for image in waiting(stack) if image.key == NEW]

    time.sleep(1.1)
    cli("backfill", "--all", "--prefix", NEW)

    first, second = [image for image in waiting(stack) if image.key == NEW]
    (of_backfill,) = {first, second} - {of_event}
    assert of_backfill.image_id == of_event.image_id
    same = ("bucket", "key", "version_id", "etag", "size")
    assert [getattr(of_backfill, name) for name in same] == [getattr(of_event, name) for name in same]
    assert abs((of_backfill.uploaded_at - of_event.uploaded_at).total_seconds()) <= 1
    assert not is_later(of_backfill.sequencer, of_event.sequencer)


def test_a_later_upload_of_the_same_key_is_later(stack: Stack) -> None:
    key = OLD[0]
    (old,) = [image for image in waiting(stack) if image.key == key]
    before = depth(stack.cloud.sqs, stack.outputs["imageQueueUrl"]).total
    stack.cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=photograph(7))
    stack.wait_for(lambda: depth(stack.cloud.sqs, stack.outputs["imageQueueUrl"]).total > before, "the event")
    (new,) = [image for image in waiting(stack) if image.key == key and image.image_id != old.image_id]
    assert is_later(new.sequencer, old.sequencer)


def test_each_is_labelled_once_whatever_was_queued_twice(stack: Stack, cli: Cli) -> None:
    said = cli("run", "--wait")
    assert said.code == 0, said.words
    # One key was overwritten while it waited: its first version is gone.
    stack.wait_for(lambda: images_recorded(stack.cloud, stack.outputs) == 5, "the rows")
    left = [found["Key"] for found in stack.cloud.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert sorted(left) == sorted(OTHERS)
    said = cli("results", "--json")
    found = [json.loads(line) for line in said.out.splitlines()]
    assert sorted({row["image"] for row in found}) == sorted([*OLD, NEW, TEXT])
    assert len({row["image_id"] for row in found}) == 5


def test_results_are_a_table_with_rejected_images_and_what_the_query_cost(cli: Cli) -> None:
    said = cli("results")
    assert said.code == 0, said.words
    assert "2019/lawn+1.JPG" in said.out
    assert "rejected: " in said.out
    assert "bytes scanned for 0.00005 USD" in said.words


def test_only_rejected_images_have_a_reason(cli: Cli) -> None:
    (row,) = [json.loads(line) for line in cli("results", "--rejected", "--json").out.splitlines()]
    assert (row["image"], row["status"], row["label"]) == (TEXT, "rejected", None)
    assert row["reason_message"]


def test_labels_and_confidence_choose_rows(cli: Cli) -> None:
    every = [json.loads(line) for line in cli("results", "--json").out.splitlines()]
    label = next(row["label"] for row in every if row["label"])
    chosen = cli("results", "--label", label, "--label", "it's", "--min-confidence", "50", "--csv")
    rows = list(csv.DictReader(io.StringIO(chosen.out.removeprefix("\ufeff"), newline="")))
    expected = [row for row in every if row["label"] == label and row["confidence"] >= 50]
    assert [row["image_id"] for row in rows] == [row["image_id"] for row in expected]
    assert "has the label it's" in chosen.words


def test_a_misspelt_label_is_told_with_the_right_one(cli: Cli) -> None:
    every = [json.loads(line) for line in cli("results", "--json").out.splitlines()]
    label = next(row["label"] for row in every if row["label"])
    assert f"did you mean {label} (" in cli("results", "--label", f"{label}s").words


def test_a_period_leaves_out_days_and_times(stack: Stack, cli: Cli) -> None:
    before = cli("results", "--until", "1d", "--since", "2d")
    assert before.code == 0, before.words
    assert "0 rows about images uploaded" in before.words
    assert "; 0 bytes scanned" in before.words
    (newest, *_) = [json.loads(line) for line in cli("results", "--json").out.splitlines()]
    since = cli("results", "--json", "--since", newest["uploaded_at"]).out.splitlines()
    assert {json.loads(line)["uploaded_at"] for line in since} == {newest["uploaded_at"]}


def links(page: str) -> list[str]:
    """Addresses in a report's data, in which no character of HTML is left."""
    return [json.loads(f'"{found}"') for found in re.findall(r'"link":"([^"]+)"', page)]


def test_a_report_shows_images_with_pictures_and_links_and_the_run(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "report.html"

    said = cli("report", "--out", str(file))

    assert said.code == 0, said.words
    assert "5 images uploaded since" in said.words
    assert ", 1 run." in said.words
    assert "Links open their image until" in said.words
    page = file.read_text(encoding="utf-8")
    assert [key for key in (NEW, *OLD[1:], TEXT) if json.dumps(key)[1:-1] not in page] == []
    assert page.count("UklGR") == 4  # a picture of each photograph: RIFF, the beginning of a WebP, in base64
    assert "Times are simulated" in page
    assert "Drained</span> after" in page
    opened = links(page)
    assert len(opened) == 5
    with urlopen(opened[0]) as answer:  # noqa: S310 - the sandbox's
        assert answer.status == 200


def test_a_report_says_what_it_leaves_out(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    said = cli("report", "--out", str(file), "--limit", "2", "--no-pictures", "--link-hours", "0")
    assert said.code == 0, said.words
    assert "Only the newest 2 of 5 images are here, and counted." in said.words
    page = file.read_text(encoding="utf-8")
    assert "Only the newest 2 of 5 images" in page
    assert ("UklGR" in page, links(page)) == (False, [])


def test_a_report_of_a_time_without_images_is_a_page_too(cli: Cli, tmp_path: Path) -> None:
    said = cli("report", "--out", str(tmp_path / "report.html"), "--since", "2d", "--until", "1d")
    assert said.code == 0, said.words
    assert "0 images uploaded since" in said.words
