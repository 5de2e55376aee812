"""`clb backfill`."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.core.utils import unix_time
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from custom_labels_batch.cli import backfill as command
from custom_labels_batch.cli.backfill_state import BackfillFile
from custom_labels_batch.cli.queues import BATCH, send
from custom_labels_batch.cli.source_objects import SourceObject, pages
from custom_labels_batch.cli.upload_event import UploadEvents, sequencer
from custom_labels_batch.functions.analyze_image.message import parse_message
from custom_labels_batch.functions.shared.image_version import ImageVersion, is_later
from tests.unit.cli.aws_stack import AwsStack
from tests.unit.cli.conftest import Cli, interrupt

ACCOUNT = "123456789012"


class Source:
    """The source bucket, and what is queued of it."""

    def __init__(self, aws: AwsStack) -> None:
        self.aws = aws
        self.s3 = aws.client("s3")
        self.listens(timedelta(hours=1))

    def listens(self, later: timedelta) -> None:
        """The stack's queue was made then; objects are put now."""
        queue = sqs_backends[ACCOUNT]["eu-west-1"].queues["imageQueueUrl"]
        queue.created_timestamp = int(unix_time() + later.total_seconds())

    def version(self) -> None:
        self.s3.put_bucket_versioning(Bucket="source", VersioningConfiguration={"Status": "Enabled"})

    def put(self, *keys: str, body: bytes = b"image", **more: Any) -> None:
        for key in keys:
            self.s3.put_object(Bucket="source", Key=key, Body=body, **more)

    def age(self, key: str, modified_at: datetime) -> None:
        s3_backends[ACCOUNT]["aws"].buckets["source"].keys[key].last_modified = modified_at.replace(tzinfo=None)

    def queued(self) -> list[ImageVersion]:
        """What analyze-image reads, by key."""
        return sorted((parse_message(body) for body in self.bodies()), key=lambda image: image.key)

    def keys(self) -> list[str]:
        return [image.key for image in self.queued()]

    def bodies(self) -> list[str]:
        sqs, url = self.aws.client("sqs"), self.aws.outputs["imageQueueUrl"]
        found: list[str] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in messages]
        return found


@pytest.fixture
def source(aws: AwsStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Source(aws)


@pytest.fixture
def backfill(aws: AwsStack, source: Source, cli: Cli) -> Cli:
    return lambda *arguments: cli("backfill", *arguments, "--outputs", aws.file())


class TestMessages:
    def test_of_a_bucket_with_versions_name_the_version(self, backfill: Cli, source: Source) -> None:
        source.version()
        source.put("line 1/a+b é😀.JPG", body=b"12345")
        there = source.s3.head_object(Bucket="source", Key="line 1/a+b é😀.JPG")
        assert backfill().code == 0
        (image,) = source.queued()
        assert (image.bucket, image.key, image.size) == ("source", "line 1/a+b é😀.JPG", 5)
        assert image.version_id == there["VersionId"]
        assert image.etag == there["ETag"].strip('"')
        assert image.uploaded_at == there["LastModified"]

    def test_of_a_bucket_without_versions_name_the_etag(self, backfill: Cli, source: Source) -> None:
        source.put("a.jpg")
        backfill()
        (image,) = source.queued()
        assert (image.version_id, image.etag) == (None, "78805a221a988e79ef3f42d7c5bfd418")

    def test_have_what_every_event_of_s3_has(self, backfill: Cli, source: Source) -> None:
        source.put("a.jpg")
        backfill()
        (body,) = source.bodies()
        event = json.loads(body)
        assert (event["source"], event["detail-type"], event["version"]) == ("aws.s3", "Object Created", "0")
        assert (event["account"], event["region"]) == (ACCOUNT, "eu-west-1")
        assert event["resources"] == ["arn:aws:s3:::source"]
        assert event["detail"]["object"]["etag"] == "78805a221a988e79ef3f42d7c5bfd418"
        assert "version-id" not in event["detail"]["object"]

    def test_are_the_same_however_often_they_are_made(self, source: Source) -> None:
        source.put("a.jpg")
        events = UploadEvents("source", ACCOUNT, "eu-west-1")
        first, second = (
            [events.event(found) for page in pages(source.s3, "source", "") for found in page.objects] for _ in range(2)
        )
        assert first == second

    def test_hold_keys_that_a_message_could_not(self) -> None:
        key = "\x01\x0b\ufffe" + 250 * "😀" + ".jpg"
        found = SourceObject(key, None, "e", 1, datetime(2026, 11, 22, tzinfo=UTC), is_archived=False)
        body = UploadEvents("source", ACCOUNT, "eu-west-1").event(found)
        assert body.isascii()
        assert body.isprintable()
        assert parse_message(body).key == key

    def test_of_the_longest_keys_fit_into_one_request(self) -> None:
        found = SourceObject(1024 * "\x01", 1024 * "v", 64 * "e", 2**60, datetime.now(UTC), is_archived=False)
        body = UploadEvents(63 * "b", ACCOUNT, "eu-west-1").event(found)
        assert len(body) * BATCH < 256 * 1024

    @given(st.datetimes(datetime(2006, 3, 14), datetime(2100, 1, 1)), st.integers(0, 2**32 - 1))
    def test_order_versions_as_events_do(self, modified_at: datetime, fraction: int) -> None:
        second = modified_at.replace(microsecond=0, tzinfo=UTC)
        own = sequencer(second)

        def of_an_event(moment: datetime) -> str:
            return f"00{int(moment.timestamp()):08X}{fraction:08X}"

        assert not is_later(own, of_an_event(second))
        assert is_later(of_an_event(second + timedelta(seconds=1)), own)
        assert is_later(own, of_an_event(second - timedelta(seconds=1)))


class TestWhatIsQueued:
    def test_is_what_the_rule_announces(self, backfill: Cli, source: Source, aws: AwsStack) -> None:
        aws.outputs["imagePrefix"] = "in/"
        source.put("in/a.jpg", "in/b.PNG", "in/c.Jpeg", "in/notes.txt", "in/jpg", "out/d.jpg")
        assert "3 images" in backfill().words
        assert source.keys() == ["in/a.jpg", "in/b.PNG", "in/c.Jpeg"]

    def test_is_below_a_prefix(self, backfill: Cli, source: Source) -> None:
        source.put("a/1.jpg", "b/1.jpg", "b.jpg")
        backfill("--prefix", "b/")
        assert source.keys() == ["b/1.jpg"]

    def test_is_never_below_another_prefix_than_the_stacks(self, backfill: Cli, aws: AwsStack) -> None:
        aws.outputs["imagePrefix"] = "in/"
        said = backfill("--prefix", "out/")
        assert said.code == 2
        assert "this stack labels only keys that begin with 'in/'" in said.err

    def test_was_there_before_the_stack(self, backfill: Cli, source: Source) -> None:
        source.put("old.jpg", "new.jpg")
        source.listens(timedelta(hours=-1))
        source.age("old.jpg", datetime.now(UTC) - timedelta(hours=2))
        said = backfill()
        assert source.keys() == ["old.jpg"]
        assert "1 modified later. What was modified later announced itself, unless" in said.words

    def test_came_before_s3_began_to_send_events(self, backfill: Cli, source: Source) -> None:
        source.put("early.jpg")
        source.listens(timedelta(minutes=-40))
        source.age("early.jpg", datetime.now(UTC) - timedelta(minutes=35))
        backfill()
        assert source.keys() == ["early.jpg"]

    def test_is_more_than_the_queue_keeps_until_it_is_labelled(
        self, backfill: Cli, source: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source.put("a.jpg", "b.jpg")
        assert "forgets a message" not in backfill("--dry-run").words
        monkeypatch.setattr("custom_labels_batch.cli.backfill._TPS", 1 / 240 / 3600)
        assert "after 10 days: label them with at least 2 inference units" in backfill("--dry-run").words

    def test_is_all_if_asked_for(self, backfill: Cli, source: Source) -> None:
        source.put("old.jpg", "new.jpg")
        source.listens(timedelta(hours=-1))
        source.age("old.jpg", datetime.now(UTC) - timedelta(hours=2))
        source.age("new.jpg", datetime.now(UTC) - timedelta(seconds=5))
        backfill("--all")
        assert source.keys() == ["new.jpg", "old.jpg"]

    def test_is_nothing_that_is_uploaded_meanwhile(self, backfill: Cli, source: Source) -> None:
        source.put("a.jpg", "b.jpg")
        source.age("a.jpg", datetime.now(UTC) - timedelta(seconds=5))
        source.age("b.jpg", datetime.now(UTC) + timedelta(seconds=60))
        assert "1 modified later" in backfill("--all").words
        assert source.keys() == ["a.jpg"]

    def test_was_modified_before_a_time(self, backfill: Cli, source: Source) -> None:
        source.put("a.jpg", "b.jpg")
        source.age("a.jpg", datetime(2024, 5, 1, 11, 59, 59, tzinfo=UTC))
        source.age("b.jpg", datetime(2024, 5, 1, 12, tzinfo=UTC))
        backfill("--until", "2024-05-01T14:00+02:00")
        assert source.keys() == ["a.jpg"]

    def test_is_the_current_version_of_what_is_not_deleted(self, backfill: Cli, source: Source) -> None:
        source.version()
        source.put("a.jpg", "a.jpg", "gone.jpg")
        source.s3.delete_object(Bucket="source", Key="gone.jpg")
        backfill()
        (image,) = source.queued()
        assert image.version_id == source.s3.head_object(Bucket="source", Key="a.jpg")["VersionId"]

    def test_can_be_read(self, backfill: Cli, source: Source) -> None:
        source.put("cold.jpg", StorageClass="DEEP_ARCHIVE")
        source.put("warm.jpg", StorageClass="STANDARD_IA")
        said = backfill()
        assert source.keys() == ["warm.jpg"]
        assert "1 archived (restore them first)" in said.words

    def test_comes_from_every_page_once(self, source: Source) -> None:
        source.version()
        source.put(*(f"{number}.jpg" for number in range(5)), "3.jpg")
        listed = [page.objects for page in pages(_pages_of(2, source), "source", "")]
        assert [found.key for page in listed for found in page] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg"]
        assert len(listed) > 2

    def test_comes_once_though_pages_overlap(self) -> None:
        """As the emulator's do, and as a page may that is asked for again."""
        overlapping: Any = _Lister([["a.jpg", "b.jpg"], ["b.jpg", "c.jpg"]])
        found = [found.key for page in pages(overlapping, "source", "") for found in page.objects]
        assert found == ["a.jpg", "b.jpg", "c.jpg"]

    @pytest.mark.parametrize(
        ("more", "is_archived"),
        [
            ({"StorageClass": "GLACIER"}, True),
            ({"StorageClass": "GLACIER", "RestoreStatus": {"IsRestoreInProgress": True}}, True),
            (
                {
                    "StorageClass": "GLACIER",
                    "RestoreStatus": {"IsRestoreInProgress": False, "RestoreExpiryDate": datetime.now(UTC)},
                },
                False,
            ),
            ({"StorageClass": "GLACIER_IR"}, False),
        ],
    )
    def test_can_be_read_again_once_it_is_restored(self, more: dict[str, Any], is_archived: bool) -> None:
        lister: Any = _Lister([["a.jpg"]], more)
        (found,) = [found for page in pages(lister, "source", "") for found in page.objects]
        assert found.is_archived == is_archived

    def test_begins_after_a_key(self, source: Source) -> None:
        source.put("a.jpg", "b.jpg", "c.jpg")
        listed = pages(source.s3, "source", "", "a.jpg")
        assert [found.key for page in listed for found in page.objects] == ["b.jpg", "c.jpg"]


class _Lister:
    """An S3 with these pages of keys."""

    def __init__(self, listed: list[list[str]], more: dict[str, Any] | None = None) -> None:
        self._left, self._more = list(listed), more or {}

    def list_object_versions(self, **_: Any) -> dict[str, Any]:
        keys = self._left.pop(0)
        about = {"VersionId": "null", "IsLatest": True, "ETag": '"e"', "Size": 1, "LastModified": datetime.now(UTC)}
        return {
            "Versions": [{"Key": key, **about, **self._more} for key in keys],
            "IsTruncated": bool(self._left),
            "NextKeyMarker": keys[-1],
        }


def _pages_of(size: int, source: Source) -> Any:
    client = source.aws.new_client("s3")
    client.meta.events.register(
        "provide-client-params.s3.ListObjectVersions", lambda params, **_: {**params, "MaxKeys": size}
    )
    return client


class TestASecondStart:
    def test_queues_nothing_again(self, backfill: Cli, source: Source) -> None:
        source.put("a.jpg")
        backfill()
        assert source.keys() == ["a.jpg"]
        said = backfill()
        assert (said.code, source.keys()) == (0, [])
        assert "1 image queued, of what was modified before" in said.words
        assert "Nothing is queued again" in said.words

    def test_does_if_it_is_told_to(self, backfill: Cli, source: Source) -> None:
        source.put("a.jpg")
        backfill()
        backfill("--again")
        assert source.keys() == ["a.jpg", "a.jpg"]

    def test_of_other_objects_is_another_backfill(self, backfill: Cli, source: Source) -> None:
        source.put("a/1.jpg", "b/1.jpg")
        backfill("--prefix", "a/")
        assert source.keys() == ["a/1.jpg"]
        backfill("--prefix", "b/")
        assert source.keys() == ["b/1.jpg"]

    def test_on_a_queue_that_was_made_anew_begins_anew(self, backfill: Cli, source: Source) -> None:
        source.put("a.jpg")
        backfill()
        assert source.keys() == ["a.jpg"]
        source.listens(timedelta(hours=2))
        backfill()
        assert source.keys() == ["a.jpg"]

    def test_goes_on_where_ctrl_c_stopped_the_first(
        self, backfill: Cli, source: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source.put(*(f"{number}.jpg" for number in range(6)))
        small = _pages_of(2, source)

        def stopping(*arguments: Any) -> Any:
            for number, page in enumerate(pages(small, *arguments[1:])):
                if number == 2:
                    interrupt()
                yield page

        monkeypatch.setattr(command, "pages", stopping)
        said = backfill()
        assert said.code == 130
        assert "Stopped; the same command goes on where it was." in said.words
        assert source.keys() == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
        monkeypatch.setattr(command, "pages", pages)
        said = backfill()
        assert "Going on after 3.jpg: 4 are queued." in said.words
        assert "Queued 2 images" in said.words
        assert source.keys() == ["4.jpg", "5.jpg"]

    def test_at_the_same_time_is_refused(self, backfill: Cli, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
        source.put("a.jpg")
        codes: list[int] = []

        def meanwhile(*arguments: Any) -> Any:
            codes.append(backfill().code)
            return pages(*arguments)

        monkeypatch.setattr(command, "pages", meanwhile)
        assert backfill().code == 0
        assert (codes, source.keys()) == ([2], ["a.jpg"])

    def test_with_a_damaged_file_says_which_to_delete(self, backfill: Cli, tmp_path: Path) -> None:
        backfill()
        (file,) = (tmp_path / "state").rglob("*.json")
        file.write_text("{")
        said = backfill()
        assert said.code == 2
        assert f"{file} is damaged; delete it" in said.err

    def test_needs_a_folder_that_can_be_written(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
        with pytest.raises(ValueError, match="name another place with XDG_STATE_HOME"), BackfillFile("any").held():
            pytest.fail("held")


class TestADryRun:
    def test_queues_nothing_and_shows_what_it_would(self, backfill: Cli, source: Source) -> None:
        source.put(*(f"{number:02}.jpg" for number in range(12)), "notes.txt")
        said = backfill("--dry-run")
        assert source.bodies() == []
        assert " 00.jpg 01.jpg" in said.words
        assert "and 2 more Counted 12 images (60 bytes) in" in said.words
        assert "1 of another name" in said.words

    def test_says_what_the_model_will_cost(
        self, backfill: Cli, source: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source.put("a.jpg")
        monkeypatch.setattr(command, "_TPS", 1 / 36_000)
        assert "about 10.0 inference-unit hours for them, 40.00 USD" in backfill("--dry-run").words

    def test_leaves_the_real_one_to_be_done(self, backfill: Cli, source: Source) -> None:
        source.put("a.jpg")
        backfill("--dry-run")
        backfill()
        assert source.keys() == ["a.jpg"]


class _Sqs:
    """A queue that takes only some entries of a request, by their numbers."""

    def __init__(self, *failures: set[str], sender_fault: bool = False) -> None:
        self._failures, self._sender_fault = list(failures), sender_fault
        self.taken: list[str] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: ARG002, N803 - boto3's
        fails = self._failures.pop(0) if self._failures else set()
        self.taken += [entry["MessageBody"] for entry in Entries if entry["Id"] not in fails]
        code = {"Code": "InternalError", "SenderFault": self._sender_fault, "Message": "try again"}
        return {"Failed": [{"Id": entry["Id"], **code} for entry in Entries if entry["Id"] in fails]}


class TestSending:
    def test_what_failed_is_sent_again_and_nothing_else(self, meanwhile: Callable[..., None]) -> None:
        sqs: Any = _Sqs({"1", "2"}, {"2"})
        meanwhile(lambda: None, lambda: None)
        send(sqs, "url", ["a", "b", "c"])
        assert sqs.taken == ["a", "b", "c"]

    def test_what_always_fails_ends_with_the_reason(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("time.sleep", lambda _: None)
        sqs: Any = _Sqs(*[{"1"}] * 99)
        with pytest.raises(RuntimeError, match=r"SQS did not take 1 of 2 messages \(InternalError: try again\)"):
            send(sqs, "url", ["a", "b"])

    def test_what_is_our_fault_is_not_sent_again(self) -> None:
        sqs: Any = _Sqs({"0"}, sender_fault=True)
        with pytest.raises(RuntimeError, match="InternalError"):
            send(sqs, "url", ["a"])
        assert sqs.taken == []

    def test_a_failure_is_one_line_and_the_same_command_goes_on(
        self, backfill: Cli, source: Source, aws: AwsStack
    ) -> None:
        source.put("a.jpg")
        aws.sqs.meta.events.register(
            "before-call.sqs.SendMessageBatch",
            lambda **_: (
                SimpleNamespace(status_code=200),
                {"Failed": [{"Id": "0", "Code": "KmsDisabled", "SenderFault": True}]},
            ),
            unique_id="refusing",
        )
        said = backfill()
        assert said.code == 1
        assert "SQS did not take 1 of 1 messages (KmsDisabled); the same command goes on" in said.err
        aws.sqs.meta.events.unregister("before-call.sqs.SendMessageBatch", unique_id="refusing")
        assert backfill().code == 0
        assert source.keys() == ["a.jpg"]


def test_two_ways_to_say_which_objects_are_refused(backfill: Cli) -> None:
    assert backfill("--all", "--until", "2026-01-01").code == 2


def test_a_span_is_refused_since_it_would_be_another_one_tomorrow(backfill: Cli) -> None:
    said = backfill("--until", "2h")
    assert said.code == 2
    assert "span" not in said.err
