"""Presigned addresses at which an image can be opened without an AWS account, for a while."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from ..shared.object_keys import Shelf
from ..shared.prediction import Prediction
from .alert import Alert, Link

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SIGNING = Config(
    signature_version="s3v4", s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
)
"""How links are signed: for the region's own endpoint, with the bucket in the host name unless it holds dots, which
no certificate covers. Left alone, botocore signs for the global endpoint, and in us-east-1 with Signature Version 2."""

LONGEST_SESSION = timedelta(hours=12)
"""No session of a role lasts longer (AWS STS API reference, AssumeRole). AWS does not say how long those last that
Lambda makes for a function; an execution environment keeps the one it began with."""


def warning(minutes: int) -> str | None:
    """What is wrong with links that should work for so many minutes, if anything."""
    if timedelta(minutes=minutes) <= LONGEST_SESSION:
        return None
    return (
        f"Links are to work for {minutes} minutes, but a link ends with the credentials that signed it, and those of a "
        f"Lambda function last at most {LONGEST_SESSION // timedelta(minutes=1)} minutes"
    )


def now() -> datetime:
    return datetime.now(UTC)


class Links:
    """Signs links to images in the final bucket.

    Parameters
    ----------
    s3
        Signs with the function's credentials; no request is made.
    minutes
        How long a link should work; 0 for no links.
    session_start
        When the function got its credentials.
    """

    def __init__(
        self, s3: "S3Client", minutes: int, session_start: datetime, clock: Callable[[], datetime] = now
    ) -> None:
        self._s3 = s3
        self._minutes = minutes
        self._session_end = session_start + LONGEST_SESSION
        self._clock = clock

    def add(self, alert: Alert) -> Alert:
        """The same alert, with a link to exactly the copy of its image."""
        return replace(alert, link=self._link(alert.prediction))

    def _link(self, image: Prediction) -> Link | None:
        bucket, _, key = image.final_uri.removeprefix("s3://").partition("/")
        # The role may read nothing else: a superseded image has no link.
        if not self._minutes or not key.startswith(f"{Shelf.IMAGES}/"):
            return None
        params: dict[str, Any] = {"Bucket": bucket, "Key": key}
        if image.final_version_id:
            params["VersionId"] = image.final_version_id
        lifetime = timedelta(minutes=self._minutes)
        until = min(self._clock() + lifetime, self._session_end)
        url = self._s3.generate_presigned_url("get_object", Params=params, ExpiresIn=int(lifetime.total_seconds()))
        return Link(url, until)
