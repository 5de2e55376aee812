"""What a stack's numbers may be: ranges and defaults, for settings, components' inputs and options of `clb plan`."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from custom_labels_batch.rules.prices import PRICES

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Range(Generic[Number]):
    """The numbers from `least` to `most`; whole ones, where the default is one."""

    default: Number
    least: Number
    most: Number

    @property
    def ends(self) -> tuple[Number, Number]:
        """The least and the most."""
        return self.least, self.most

    def __str__(self) -> str:
        """What is allowed, in words."""
        if isinstance(self.default, int):
            return f"a whole number from {self.least} to {self.most}"
        return f"a number from {self.least:g} to {self.most:g}"


LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The retention periods CloudWatch Logs has (PutRetentionPolicy, API reference)."""

DEFAULT_LOG_RETENTION_DAYS = 30

MIN_CONFIDENCE = Range(70.0, 0.0, 100.0)

EXECUTIONS_PER_INFERENCE_UNIT = 2
"""Function executions at once for each inference unit; also the least concurrency a mapping can be held to."""

MAX_INFERENCE_UNITS = Range(1, 1, 1000 // EXECUTIONS_PER_INFERENCE_UNIT)
"""1000 is the highest concurrency a mapping can be held to (Lambda API reference, ScalingConfig)."""

TPS_PER_INFERENCE_UNIT = Range(5.0, 0.1, 100.0)

TARGET_DRAIN_MINUTES = Range(60, 1, 1440)

MIN_BATCH_SIZE = Range(1, 1, 1_000_000)

MAX_QUEUE_AGE_MINUTES = Range(1440, 2, 7 * 24 * 60)

MAX_RUN_MINUTES = Range(1440, 5, 30 * 24 * 60)

INFERENCE_UNIT_HOUR_PRICE = Range(PRICES.inference_unit_hour, 0.0, 1000.0)
"""USD. A higher price is a slip."""

RETENTION_DAYS = Range(30, 1, 3650)

RUN_RETENTION_DAYS = Range(400, 1, 3650)

NOTIFICATION_WINDOW_SECONDS = Range(60, 1, 300)
"""300 is the longest that Lambda gathers a batch (Lambda API reference, MaximumBatchingWindowInSeconds)."""

PRESIGNED_URL_MINUTES = Range(0, 0, 7 * 24 * 60)
"""The longest that a Signature Version 4 link can be asked to work (Amazon S3 user guide, presigned URLs)."""

BYTES_SCANNED_CUTOFF = Range(10_000_000_000, 10_485_760, 7_000_000_000_000_000)
"""Of a query: pulumi-aws takes no lower limit for a workgroup, though Athena itself would from 10,000,000; 7 PB is
Athena's own highest limit."""
