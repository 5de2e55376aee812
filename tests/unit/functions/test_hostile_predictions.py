"""notify-labels and record-predictions under attack: a poisoned prediction fails alone, no mail or row is forged."""

import gzip
import importlib
import io
import json
import logging
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from types import ModuleType
from typing import Any, cast

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.sns.models import sns_backends

from custom_labels_batch.functions.shared.image_version import ImageVersion
from custom_labels_batch.functions.shared.prediction import BoundingBox, Label, Prediction
from tests.unit.functions.events import sqs_record
from tests.unit.functions.execution_environment import forget_the_functions
from tests.unit.functions.hostile import KEYS, mutations, nonsense
from tests.unit.functions.lambda_context import Context
from tests.unit.functions.predictions import NOON, prediction
from tests.unit.functions.world import REGION

TOPIC_ARN = f"arn:aws:sns:{REGION}:123456789012:labels"
BUCKET, ELSEWHERE = "analytics", "elsewhere"
TRIES = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])

CRACK = Label(name="crack", confidence=93.5)
IMAGE = ImageVersion("photographs", "decoy.png", "v", "5d41402a", "0061", 12, NOON)
HEALTHY = prediction(replace(IMAGE, key="healthy.png"), CRACK)
IN_A_BOX = Label(name="crack", confidence=90, bounding_box=BoundingBox(left=0, top=0, width=0.5, height=0.5))
DECOY = prediction(IMAGE, CRACK, IN_A_BOX)


@dataclass
class Attacked:
    """One of the two functions, in one execution environment."""

    module: ModuleType
    log: io.StringIO

    def __call__(self, *bodies: str) -> set[str]:
        """Invoke with messages "0", "1", ...; give the ids of those that come again."""
        self.log.truncate(self.log.seek(0))
        sns_backends["123456789012"][REGION].topics[TOPIC_ARN].sent_notifications.clear()
        records = [sqs_record(body, str(number)) for number, body in enumerate(bodies)]
        answer = self.module.handler({"Records": records}, Context(milliseconds=600_000))
        failed = [item["itemIdentifier"] for item in answer["batchItemFailures"]]
        assert len(failed) == len(set(failed))
        return set(failed)

    def given_back(self) -> list[str]:
        """The id of each message that a line says was given back."""
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return sorted(each for line in lines for each in line.get("message_ids", []))

    def mails(self) -> list[tuple[str, str]]:
        """Subject and text of what was published by this call."""
        sent = sns_backends["123456789012"][REGION].topics[TOPIC_ARN].sent_notifications
        return [(str(each[2]), str(json.loads(each[1])["email"])) for each in sent]


@pytest.fixture
def attacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Attacked]]:
    """Both functions, by name."""
    for name, value in {
        "NOTIFICATION_TOPIC_ARN": TOPIC_ARN,
        "LABELS_OF_INTEREST": '{"crack": 0, "a\\r\\nBcc: x@example.com": 0}',
        "NOTIFICATION_MODE": "digest",
        "PRESIGNED_URL_MINUTES": "60",
        "ANALYTICS_BUCKET_NAME": BUCKET,
    }.items():
        monkeypatch.setenv(name, value)
    forget_the_functions()
    with mock_aws():
        boto3.client("sns", REGION).create_topic(Name="labels")
        for bucket in (BUCKET, ELSEWHERE):
            boto3.client("s3", REGION).create_bucket(Bucket=bucket)
        found: dict[str, Attacked] = {}
        log = io.StringIO()
        observability = importlib.import_module("custom_labels_batch.functions.shared.observability")
        cast(logging.StreamHandler[Any], observability.logger.registered_handler).setStream(log)
        for package in ("notify_labels", "record_predictions"):
            found[package] = Attacked(importlib.import_module(f"custom_labels_batch.functions.{package}.handler"), log)
            queue = importlib.import_module(f"custom_labels_batch.functions.{package}.wiring").queue
            monkeypatch.setattr(queue, "hide_together", lambda _: {})
        recording = importlib.import_module("custom_labels_batch.functions.record_predictions.wiring").recording
        monkeypatch.setattr(recording, "_now", lambda: NOON + timedelta(days=1))
        publisher = importlib.import_module(
            "custom_labels_batch.functions.notify_labels.wiring"
        ).notifications._topic._pacer
        monkeypatch.setattr(publisher, "wait", lambda: None)
        yield found
    forget_the_functions()


@pytest.fixture
def notify(attacks: dict[str, Attacked]) -> Attacked:
    return attacks["notify_labels"]


@pytest.fixture
def record(attacks: dict[str, Attacked]) -> Attacked:
    return attacks["record_predictions"]


def rows() -> list[dict[str, Any]]:
    """Every row in the analytics bucket, which is emptied."""
    s3 = boto3.client("s3", REGION)
    found = []
    for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        assert re.fullmatch(r"predictions/dt=\d{4}-\d\d-\d\d/[0-9a-f]{64}\.json\.gz", item["Key"])
        body = gzip.decompress(s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read())
        assert body.isascii()
        found += [json.loads(line) for line in body.decode().splitlines()]
        s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    return found


def assert_log_is_plain(function: Attacked) -> None:
    """One JSON object a line, in printable ASCII, short enough for a log event."""
    for line in function.log.getvalue().split("\n"):
        assert line.isascii()
        assert not line or (line.isprintable() and json.loads(line))
        assert len(line) < 64 * 1024


def assert_mails_are_plain(mails: list[tuple[str, str]]) -> None:
    """A subject of one printable line; a text without anything that moves, hides or ends what is around it."""
    for subject, text in mails:
        assert re.fullmatch(r"[!-~][ -~]{0,98}", subject)
        harmful = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
        assert not harmful - {"\u200c", "\u200d"}
        assert not re.search(r"^\s*(Bcc|Subject|Content-Type):", text, re.MULTILINE)


class TestAPoisonedPrediction:
    @TRIES
    @given(body=mutations(json.loads(DECOY.to_json())))
    def test_never_keeps_its_neighbour_out_of_the_mail(self, notify: Attacked, body: str) -> None:
        failed = notify(body, HEALTHY.to_json())

        assert failed <= {"0"}
        assert notify.given_back() == sorted(failed)
        assert any("healthy.png" in text for _, text in notify.mails())
        assert_mails_are_plain(notify.mails())
        assert_log_is_plain(notify)

    @TRIES
    @given(body=mutations(json.loads(DECOY.to_json())))
    def test_never_keeps_its_neighbour_out_of_the_table(self, record: Attacked, body: str) -> None:
        failed = record(body, HEALTHY.to_json())

        assert failed <= {"0"}
        assert record.given_back() == sorted(failed)
        assert "healthy.png" in {row["image_key"] for row in rows()}
        assert boto3.client("s3", REGION).list_objects_v2(Bucket=ELSEWHERE)["KeyCount"] == 0
        assert_log_is_plain(record)

    @TRIES
    @given(bodies=st.lists(nonsense(), min_size=1, max_size=9))
    @pytest.mark.parametrize("package", ["notify_labels", "record_predictions"])
    def test_that_is_nonsense_comes_back_alone(
        self, attacks: dict[str, Attacked], package: str, bodies: list[str]
    ) -> None:
        function = attacks[package]

        assert function(*bodies, HEALTHY.to_json()) == set(map(str, range(len(bodies))))
        assert function.given_back() == sorted(map(str, range(len(bodies))))
        assert_log_is_plain(function)

    @pytest.mark.parametrize(
        "wrong", [{}, {"name": "x", "confidence": float("nan")}, {"name": [], "confidence": "1e9"}]
    )
    def test_that_is_wrong_in_ten_thousand_places_is_one_short_line(
        self, attacks: dict[str, Attacked], wrong: dict[str, Any]
    ) -> None:
        body = json.dumps({**json.loads(DECOY.to_json()), "labels": [wrong] * 10_000})

        for function in attacks.values():
            assert function(body, HEALTHY.to_json()) == {"0"}
            assert_log_is_plain(function)
            assert "more" in function.log.getvalue()

    @pytest.mark.parametrize("attributes", [None, [], {"status": 1}, {"status": {"Type": [], "Value": {"a": "\0"}}}])
    def test_is_read_from_its_body_whatever_its_attributes_are(
        self, attacks: dict[str, Attacked], attributes: Any
    ) -> None:
        for function in attacks.values():
            message = sqs_record(HEALTHY.to_json(), "0") | {"messageAttributes": attributes}

            assert function.module.handler({"Records": [message]}, Context(milliseconds=600_000)) == {
                "batchItemFailures": []
            }
        assert rows()


class TestAHostileKeyOrLabel:
    @pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
    def test_forges_no_line_of_a_mail(self, notify: Attacked, keys: list[str]) -> None:
        label = Label(name="a\r\nBcc: x@example.com", confidence=99)
        for key in keys:
            found = prediction(replace(IMAGE, key=key), label, CRACK)

            assert notify(found.to_json()) == set()
            ((subject, text),) = notify.mails()
            assert_mails_are_plain([(subject, text)])
            assert len(text.splitlines()) == len(plain_mail_lines())

    @pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
    def test_is_the_same_in_the_table(self, record: Attacked, keys: list[str]) -> None:
        batch = [prediction(replace(IMAGE, key=key), Label(name=key, confidence=1)) for key in keys]

        assert record(*(found.to_json() for found in batch)) == set()
        assert {(row["image_key"], row["label"]) for row in rows()} == {(key, key) for key in keys}
        assert_log_is_plain(record)

    @pytest.mark.parametrize("name", ["image_id", "project_version_arn", "e_tag", "sequencer", "final_version_id"])
    def test_elsewhere_in_the_document_is_only_text(self, attacks: dict[str, Attacked], name: str) -> None:
        for hostile in ["../../elsewhere/x", "a\r\nBcc: x@example.com", "\0", "k" * 10_000]:
            found = DECOY.model_copy(update={name: hostile}).to_json()

            assert attacks["notify_labels"](found) == set()
            assert_mails_are_plain(attacks["notify_labels"].mails())
            assert attacks["record_predictions"](found) == set()
            assert rows()


def plain_mail_lines() -> list[str]:
    """The lines of the mail about one image with two labels and a link."""
    return [
        "Found in", "", "- label", "- label", "", "Uploaded", "Analyzed", "Model", "Stored at", "", "See it", "https"
    ]  # fmt: skip


class TestTenThousandLabels:
    def test_of_one_image_are_ten_thousand_rows(self, record: Attacked) -> None:
        found = prediction(IMAGE, *(Label(name=f"label {number}", confidence=1) for number in range(10_000)))

        assert record(found.to_json(), HEALTHY.to_json()) == set()
        assert len(rows()) == 10_001

    def test_of_one_image_are_one_line_of_a_mail(self, notify: Attacked) -> None:
        found: Prediction = prediction(IMAGE, *[CRACK] * 10_000)

        assert notify(found.to_json(), HEALTHY.to_json()) == set()
        ((_, text),) = notify.mails()
        assert "10,000 places" in text
        assert len(text) < 2000
