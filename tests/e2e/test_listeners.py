"""What listens to the predictions topic, on the sandbox: mails and rows of images that were really labelled."""

import csv
import hashlib
import io
import json
import urllib.request
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from custom_labels_batch.report.data import Report
from custom_labels_batch.report.page import write
from custom_labels_batch.report.stack import image as report_image
from sandbox.listeners import backlog, wait_for_listeners
from sandbox.mails import Mail, read_mails
from sandbox.queries import Answer, ask_saved_queries, run_query
from sandbox.uploads import Upload, demo_uploads
from tests.e2e.conftest import Deploy
from tests.e2e.deployed_stack import Stack

pytestmark = pytest.mark.xdist_group("pipeline")

READER = "quality@example.com"
BRICK, GRAVEL = 95.0, 90.0


@pytest.fixture
def stack(deploy_stack: Deploy) -> Stack:
    return deploy_stack(
        minConfidence="1",  # some images then have several labels
        labelsOfInterest=json.dumps({"brick": BRICK, "gravel": GRAVEL}),
        notificationEmails=READER,
        notificationSubscriptions=json.dumps(
            [{"protocol": "email", "endpoint": "grit@example.com", "filterPolicy": {"labels": ["grit"]}}]
        ),
        presignedUrlMinutes="60",
    )


def label(stack: Stack, *uploads: Upload) -> list[dict[str, Any]]:
    """Upload, run, and let the listeners finish; give every image's document."""
    stack.upload(*uploads)
    assert stack.run()["status"] == "SUCCEEDED"
    wait_for_listeners(stack.cloud, stack.outputs)
    return [dict(image.document) for image in stack.fates()]


def announce_again(stack: Stack, documents: list[dict[str, Any]]) -> None:
    """As SNS and SQS may: every message a second time."""
    for document in documents:
        stack.cloud.sns.publish(
            TopicArn=stack.outputs["predictionsTopicArn"],
            Message=json.dumps(document),
            MessageAttributes={"status": {"DataType": "String", "StringValue": document["status"]}},
        )
    wait_for_listeners(stack.cloud, stack.outputs)


def mails(stack: Stack) -> list[Mail]:
    return read_mails(stack.settings, stack.outputs["notificationTopicArn"])


def found(document: dict[str, Any]) -> dict[str, float]:
    return {label["name"]: label["confidence"] for label in document["labels"]}


def is_of_interest(document: dict[str, Any]) -> bool:
    labels = found(document)
    return labels.get("brick", 0) >= BRICK or labels.get("gravel", 0) >= GRAVEL


def ask(stack: Stack, sql: str) -> Answer:
    return run_query(stack.cloud, stack.outputs, sql)


class TestAPipelineWithListeners:
    def test_tells_people_records_rows_and_answers_the_saved_queries(self, stack: Stack) -> None:
        documents = label(stack, *demo_uploads(plain=24))
        announced = len(documents)

        # Mails: every image of interest, and no other; nobody whose filter policy asks for something else.
        arrived = mails(stack)
        assert {mail.to for mail in arrived} == {READER}
        text = "\n".join(mail.text for mail in arrived)
        interesting = [document for document in documents if is_of_interest(document)]
        assert len(interesting) > 5
        for document in documents:
            assert (document["imageKey"] in text) == any(
                document["imageKey"] == other["imageKey"] for other in interesting
            )
        for mail in arrived:
            assert mail.subject.isascii()
            assert len(mail.subject) < 100
        self.assert_a_link_shows_an_image(text)

        # Rows: each image once, though every message is delivered twice.
        announce_again(stack, documents)
        view = stack.outputs["athenaTable"]
        rows = ask(stack, f"SELECT image_id, image, label, confidence, status FROM {view}").rows  # noqa: S608
        wanted = [
            (document["imageId"], document["imageKey"], name, confidence, document["status"])
            for document in documents
            for name, confidence in found(document).items() or [(None, None)]
        ]
        assert sorted(map(str, self.typed(rows))) == sorted(map(str, wanted))
        assert len({row[0] for row in rows}) == announced

        # The sample's own query.
        sample = ask(stack, f"SELECT * FROM {view} LIMIT 10")  # noqa: S608
        assert [column.lower() for column in sample.columns[:3]] == ["image", "label", "confidence"]
        assert len(sample.rows) == 10

        self.assert_saved_queries_answer(stack, documents)
        self.assert_athenas_own_file_says_the_same(stack)
        for queue in ("notificationDeadLetterQueueUrl", "analyticsDeadLetterQueueUrl"):
            assert backlog(stack.cloud, stack.outputs[queue]) == 0

    def assert_a_link_shows_an_image(self, text: str) -> None:
        link = next(word for word in text.split() if word.startswith("http"))
        with urllib.request.urlopen(link, timeout=10) as image:  # noqa: S310
            assert image.read(2) == b"\xff\xd8"

    def typed(self, rows: list[tuple[str | None, ...]]) -> list[tuple[object, ...]]:
        return [
            (image_id, image, name, None if confidence is None else float(confidence), status)
            for image_id, image, name, confidence, status in rows
        ]

    def assert_saved_queries_answer(self, stack: Stack, documents: list[dict[str, Any]]) -> None:
        """Against a count of the documents in the final bucket."""
        answers = {query.name: query.answer for query in ask_saved_queries(stack.cloud, stack.outputs)}
        assert len(answers) == 5
        rejected = Counter(document["imageKey"] for document in documents if document["status"] == "rejected")
        assert Counter(row[0] for row in answers["Rejected images"].rows) == rejected
        by_label = Counter(name for document in documents for name in found(document))
        counted = {row[0]: int(str(row[1])) for row in answers["Labels by count"].rows}
        assert counted == by_label
        per_day: Counter[str | None] = Counter()
        for _, name, images in answers["Labels per day"].rows:
            per_day[name] += int(str(images))
        unlabelled = sum(not found(document) for document in documents) - rejected.total()
        assert per_day == by_label + Counter({"(rejected)": rejected.total(), "(no label)": unlabelled})
        several = Counter(document["imageKey"] for document in documents if len(found(document)) > 1)
        assert several
        assert Counter(row[0] for row in answers["Images with several labels"].rows) == several
        unsure = Counter(
            document["imageKey"] for document in documents if found(document) and min(found(document).values()) < 80
        )
        assert unsure
        assert Counter(row[0] for row in answers["Low confidence to review"].rows) == unsure

    def assert_athenas_own_file_says_the_same(self, stack: Stack) -> None:
        """The CSV a user downloads from the result location."""
        bucket = stack.outputs["analyticsBucketName"]
        answer = ask(stack, f"SELECT image FROM {stack.outputs['athenaTable']} ORDER BY image, label")  # noqa: S608
        objects = stack.cloud.s3.list_objects_v2(Bucket=bucket, Prefix="athena-results/")["Contents"]
        newest = max((found for found in objects if found["Key"].endswith(".csv")), key=lambda o: o["LastModified"])
        text = stack.cloud.s3.get_object(Bucket=bucket, Key=newest["Key"])["Body"].read().decode()
        assert [tuple(row) for row in csv.reader(io.StringIO(text))][1:] == answer.rows


class TestAMalformedMessage:
    def test_ends_in_each_dead_letter_queue_and_blocks_nothing(self, stack: Stack) -> None:
        (picture,) = [upload for upload in demo_uploads(plain=1) if upload.label == "brick"][:1]
        stack.cloud.sns.publish(
            TopicArn=stack.outputs["predictionsTopicArn"],
            Message='{"imageId": "not a prediction"}',
            MessageAttributes={"status": {"DataType": "String", "StringValue": "labelled"}},
        )

        (document,) = label(stack, picture)

        dead = ("notificationDeadLetterQueueUrl", "analyticsDeadLetterQueueUrl")
        for queue in dead:
            stack.wait_for(lambda queue=queue: backlog(stack.cloud, stack.outputs[queue]) == 1, queue)  # type: ignore[misc]
        rows = ask(stack, f"SELECT image_id FROM {stack.outputs['athenaTable']}").rows  # noqa: S608
        assert rows == [(document["imageId"],)]


HOSTILE_KEY = '=1+1/<script>alert(1)</script>, "quoted" \'n\newline 🧱 ' + "k" * 900 + ".png"
HOSTILE_LABELS = [
    '="crack"',
    "<b>dent</b>",
    "a, b",
    "two\nlines",
    "🧱 wall",
    "it's",
    *(f"label {n}" for n in range(44)),
]


def prediction(key: str, labels: dict[str, float]) -> dict[str, Any]:
    """What analyze-image would announce of a model with these labels."""
    return {
        "imageId": hashlib.sha256(key.encode()).hexdigest(),
        "status": "labelled",
        "sourceBucket": "photographs",
        "imageKey": key,
        "sourceUri": f"s3://photographs/{key}",
        "finalUri": f"s3://final/images/{key}",
        "finalVersionId": "v1",
        "versionId": "v1",
        "eTag": "5d41402a",
        "sequencer": "0061",
        "size": 12,
        "projectVersionArn": "arn:aws:rekognition:us-east-1:000000000000:project/p/version/p.1/1793491200001",
        "uploadedAt": datetime.now(UTC).isoformat(),
        "processedAt": datetime.now(UTC).isoformat(),
        "labels": [{"name": name, "confidence": sure, "boundingBox": None} for name, sure in labels.items()],
        "reason": None,
    }


class TestNamesThatBreakNaiveCode:
    def test_are_right_in_the_mail_the_rows_and_the_report(self, deploy_stack: Deploy, tmp_path: Path) -> None:
        exactly = dict.fromkeys(HOSTILE_LABELS, 80.0)
        stack = deploy_stack(labelsOfInterest=json.dumps(exactly), notificationEmails=READER)
        documents = [
            prediction(HOSTILE_KEY, exactly),
            prediction("just below.png", dict.fromkeys(HOSTILE_LABELS, 79.99)),
            prediction("no labels.png", {}),
        ]

        announce_again(stack, documents)

        (mail,) = mails(stack)
        assert mail.subject.isascii()
        assert "\n" not in mail.subject
        assert "<script>alert(1)</script>" in mail.text
        assert [label for label in HOSTILE_LABELS if label.replace("\n", "\\n") not in mail.text] == []
        assert "just below" not in mail.text
        rows = ask(stack, f"SELECT image, label, confidence FROM {stack.outputs['athenaTable']}").rows  # noqa: S608
        wanted: Counter[tuple[str | None, ...]] = Counter({("no labels.png", None, None): 1})
        for document in documents:
            wanted.update((document["imageKey"], name, str(sure)) for name, sure in found(document).items())
        assert Counter(rows) == wanted
        answers = {query.name: query.answer for query in ask_saved_queries(stack.cloud, stack.outputs)}
        several = answers["Images with several labels"]
        assert {(row[0], row[1]) for row in several.rows} == {(HOSTILE_KEY, "50"), ("just below.png", "50")}
        page = tmp_path / "report.html"
        images = tuple(report_image(document) for document in documents)
        write(Report(title="<script>", source="", generated_at=datetime.now(UTC), images=images), page)
        assert "<script>alert" not in page.read_text(encoding="utf-8")
