"""Events as AWS sends them."""

import json
from collections.abc import Sequence
from typing import Any

from custom_labels_batch.functions.shared.image_version import ImageVersion
from custom_labels_batch.functions.shared.prediction import Prediction

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:images"


def object_created(image: ImageVersion) -> dict[str, Any]:
    """S3's Object Created event on EventBridge (Amazon S3 user guide, "EventBridge event message structure")."""
    created: dict[str, Any] = {
        "key": image.key,
        "size": image.size,
        "etag": image.etag,
        "sequencer": image.sequencer,
    }
    if image.version_id is not None:
        created["version-id"] = image.version_id
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "time": image.uploaded_at.isoformat(),
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{image.bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": image.bucket},
            "object": created,
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "203.0.113.7",
            "reason": "PutObject",
        },
    }


def sqs_record(body: str, message_id: str, receive_count: int = 1, receipt_handle: str = "receipt") -> dict[str, Any]:
    """One message as Lambda's event source mapping hands it over."""
    return {
        "messageId": message_id,
        "receiptHandle": receipt_handle,
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(receive_count),
            "SentTimestamp": "1793491200000",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1793491200001",
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": "us-east-1",
    }


def batch(images: Sequence[ImageVersion], receive_count: int = 1) -> dict[str, Any]:
    """A batch of messages "0", "1", ..., one an image."""
    return {
        "Records": [
            sqs_record(json.dumps(object_created(image)), str(number), receive_count)
            for number, image in enumerate(images)
        ]
    }


def predictions_event(*predictions: Prediction, receive_count: int = 1) -> dict[str, Any]:
    """A batch of messages "0", "1", ... from a queue that the predictions topic delivers to, raw."""
    return {
        "Records": [
            sqs_record(prediction.to_json(), str(number), receive_count)
            for number, prediction in enumerate(predictions)
        ]
    }
