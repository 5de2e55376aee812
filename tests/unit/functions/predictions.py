"""Predictions for the tests of what listens to the predictions topic."""

from datetime import UTC, datetime

from custom_labels_batch.functions.shared.image_version import ImageVersion, s3_uri
from custom_labels_batch.functions.shared.prediction import Label, Prediction, Reason, Status

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
VERSION_ARN = (
    "arn:aws:rekognition:us-east-1:123456789012:project/surfaces/version/surfaces.2026-11-01T00.00.00/1793491200001"
)


def prediction(
    image: ImageVersion, *labels: Label, reason: Reason | None = None, processed_at: datetime = NOON
) -> Prediction:
    """What analyze-image announces about an image: rejected if there is a reason, else labelled."""
    shelf = "rejected" if reason else "images"
    return Prediction(
        image_id=image.image_id,
        status=Status.REJECTED if reason else Status.LABELLED,
        source_bucket=image.bucket,
        image_key=image.key,
        source_uri=image.uri,
        final_uri=s3_uri("final", f"{shelf}/{image.key}"),
        final_version_id="v1",
        version_id=image.version_id,
        e_tag=image.etag,
        sequencer=image.sequencer,
        size=image.size,
        project_version_arn=None if reason else VERSION_ARN,
        uploaded_at=image.uploaded_at,
        processed_at=processed_at,
        labels=labels,
        reason=reason,
    )
