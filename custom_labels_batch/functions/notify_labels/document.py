"""The notification as JSON, for programs that subscribe."""

import json
from datetime import UTC, datetime
from typing import Any

from .alert import Alert, FoundLabel
from .digest import Part

_OF_THE_PREDICTION = {
    "image_id", "image_key", "source_uri", "final_uri", "final_version_id", "project_version_arn", "uploaded_at",
    "processed_at",
}  # fmt: skip


def document(part: Part) -> str:
    """A part of a digest as JSON in ASCII only: SNS and SQS refuse some characters that an object key may hold.

    `labels` and `highestConfidence` are about this part, as the message attributes of these names are; `imageCount`
    is the whole digest's.
    """
    return json.dumps({**head(part), "images": [entry(alert) for alert in part.alerts]})


def head(part: Part) -> dict[str, Any]:
    """Everything but the images."""
    return {
        "labels": label_names(part),
        "highestConfidence": highest_confidence(part),
        "imageCount": len(part.digest.alerts),
        "part": part.number,
        "parts": part.of,
    }


def entry(alert: Alert) -> dict[str, Any]:
    """One image, under the names its prediction document has.

    `predictionUri` is that document, which holds every place of every label; here it is the surest of each.
    """
    image = alert.prediction
    return {
        **image.model_dump(mode="json", by_alias=True, include=_OF_THE_PREDICTION),
        "predictionUri": f"{image.final_uri}.json",
        "labels": [_label(label) for label in alert.labels],
        "link": alert.link.url if alert.link else None,
        "linkExpiresAt": _iso_8601(alert.link.until) if alert.link else None,
    }


def _label(label: FoundLabel) -> dict[str, Any]:
    return {
        "name": label.name,
        "confidence": label.confidence,
        "threshold": label.threshold,
        "places": label.places,
        "boundingBox": label.bounding_box.model_dump(by_alias=True) if label.bounding_box else None,
    }


def label_names(part: Part) -> list[str]:
    """The labels of interest in the images of a part."""
    return sorted({label.name for alert in part.alerts for label in alert.labels})


def highest_confidence(part: Part) -> float:
    """The confidence of the surest label in a part, 0 to 100."""
    return max(alert.highest_confidence for alert in part.alerts)


def _iso_8601(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"
