"""The message of an uploaded object, as EventBridge would have sent it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from custom_labels_batch.cli.source_objects import SourceObject

_SEQUENCER_DIGITS = 18


@dataclass(frozen=True)
class UploadEvents:
    """Writes the events of a bucket.

    Attributes
    ----------
    account
        Of the stack.
    """

    bucket: str
    account: str
    region: str

    def event(self, found: SourceObject) -> str:
        """S3's Object Created event of an object (EventBridge's reference, "Amazon S3 events"), in ASCII.

        Of a version it is always the same text. `reason` says that it was not an upload of now.
        """
        described = {"key": found.key, "size": found.size, "etag": found.etag}
        if found.version_id is not None:
            described["version-id"] = found.version_id
        version = f"s3://{self.bucket}/{found.key}?versionId={found.version_id or found.etag}"
        return json.dumps(
            {
                "version": "0",
                "id": str(uuid5(NAMESPACE_URL, version)),
                "detail-type": "Object Created",
                "source": "aws.s3",
                "account": self.account,
                "time": found.modified_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": self.region,
                "resources": [f"arn:aws:s3:::{self.bucket}"],
                "detail": {
                    "version": "0",
                    "bucket": {"name": self.bucket},
                    "object": {**described, "sequencer": sequencer(found.modified_at)},
                    "requester": self.account,
                    "reason": "Backfill",
                },
            }
        )


def sequencer(modified_at: datetime) -> str:
    """A sequencer no later than the one that S3 gave the object, and later than those of uploads in earlier seconds.

    S3 keeps the real one to itself. Those it sends are 18 hexadecimal digits that begin with the seconds since 1970
    (so they do in its user guide's and others' events; AWS promises only that they compare): with zeros for the rest,
    any later upload of the key compares later, as does this version's own event. Of two uploads within one second, the
    one that S3 has announced itself compares later.

    Example
    -------
    >>> sequencer(datetime(2015, 7, 21, 23, 33, 48, tzinfo=UTC))
    '0055AED6DC00000000'
    """
    return f"00{int(modified_at.timestamp()):08X}".ljust(_SEQUENCER_DIGITS, "0")
