"""A backfill's message and S3's own event of one object version, both as they come."""

import json

import pytest

from custom_labels_batch.cli.source_objects import pages
from custom_labels_batch.cli.upload_event import UploadEvents
from custom_labels_batch.functions.analyze_image.message import parse_message
from custom_labels_batch.functions.shared.image_version import ImageVersion, is_later
from sandbox.settings import ACCOUNT_ID, REGION
from tests.unit.sandbox.support import Sandbox, wait_until

pytestmark = pytest.mark.xdist_group("sandbox")

KEY = "line 1/a+b é😀 =1.JPG"


class Announced:
    """A bucket whose events go to a queue."""

    def __init__(self, sandbox: Sandbox, *, versioned: bool) -> None:
        self.name, self.s3, self._sqs = sandbox.bucket(versioned), sandbox.client("s3"), sandbox.client("sqs")
        self._url, arn = sandbox.queue()
        principal = {"Service": "events.amazonaws.com"}
        allowed = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        self.s3.put_bucket_notification_configuration(
            Bucket=self.name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        events, pattern = sandbox.client("events"), {"source": ["aws.s3"], "detail": {"bucket": {"name": [self.name]}}}
        events.put_rule(Name=self.name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=self.name, Targets=[{"Id": "queue", "Arn": arn}])

    def event_of(self, body: bytes) -> ImageVersion:
        """Put the object, and wait for what S3 says of it."""
        self.s3.put_object(Bucket=self.name, Key=KEY, Body=body)
        (message,) = wait_until(lambda: self._sqs.receive_message(QueueUrl=self._url).get("Messages"))
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return parse_message(message["Body"])

    def backfilled(self) -> ImageVersion:
        """What a backfill says of the object."""
        (found,) = [found for page in pages(self.s3, self.name, "") for found in page.objects]
        return parse_message(UploadEvents(self.name, ACCOUNT_ID, REGION).event(found))


@pytest.mark.parametrize("versioned", [True, False])
class TestOneObject:
    def test_is_one_image_to_both(self, sandbox: Sandbox, versioned: bool) -> None:
        bucket = Announced(sandbox, versioned=versioned)
        of_event, of_backfill = bucket.event_of(b"first"), bucket.backfilled()
        assert of_backfill.image_id == of_event.image_id
        same = ("bucket", "key", "version_id", "etag", "size")
        assert [getattr(of_backfill, name) for name in same] == [getattr(of_event, name) for name in same]
        assert (of_event.version_id is not None) == versioned
        assert not is_later(of_backfill.sequencer, of_event.sequencer)

    def test_is_earlier_than_its_next_upload(self, sandbox: Sandbox, versioned: bool) -> None:
        bucket = Announced(sandbox, versioned=versioned)
        bucket.event_of(b"first")
        first = bucket.backfilled()
        second = bucket.event_of(b"second")
        assert second.image_id != first.image_id
        assert is_later(second.sequencer, first.sequencer)
