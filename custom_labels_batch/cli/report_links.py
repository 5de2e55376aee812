"""Links that open an image of the final bucket, for as long as they may."""

from datetime import datetime, timedelta

from custom_labels_batch.cli.stack import Stack


class Links:
    """Signs links.

    Parameters
    ----------
    hours
        At most 168, which is the most that S3 takes.

    Attributes
    ----------
    until
        When the last one ends.
    """

    def __init__(self, stack: Stack, hours: int, now: datetime) -> None:
        # Signature 4, by the region's own endpoint: older ones are refused in newer regions.
        self._s3 = stack.client("s3", signature_version="s3v4")
        self._seconds = hours * 3600
        self._end = _end_of_credentials(stack)
        self._is_temporary = getattr(stack.credentials, "token", None) is not None
        self.until = now + timedelta(hours=hours)
        if self._end:
            self.until = min(self.until, self._end)

    def __str__(self) -> str:
        unknown = ", or until the temporary credentials end that signed them" if self._is_unsure else ""
        return f"Links open their image until {self.until:%Y-%m-%d %H:%M} UTC{unknown}"

    @property
    def _is_unsure(self) -> bool:
        return self._is_temporary and self._end is None

    def to(self, bucket: str, key: str) -> str:
        """A link to an object."""
        link: str = self._s3.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=self._seconds
        )
        return link


def _end_of_credentials(stack: Stack) -> datetime | None:
    """When temporary credentials end, if anybody knows: those of the environment do not tell."""
    credentials = stack.credentials
    if credentials is None:
        return None
    credentials.get_frozen_credentials()  # renews what is about to end
    # botocore has no other way to ask.
    end: datetime | None = getattr(credentials, "_expiry_time", None)
    return end
