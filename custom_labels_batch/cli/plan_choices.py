"""What `plan` lets one choose from; apart, since its help must not wait for NumPy."""

from enum import StrEnum

DEFAULT_SCHEDULES = (
    "rate(15 minutes)",
    "rate(1 hour)",
    "cron(0 8-18 ? * MON-FRI *)",
    "rate(4 hours)",
    "rate(1 day)",
)
"""Side by side when none is asked for; the third looks in working hours only."""


class Shape(StrEnum):
    """How a day's images are spread."""

    EVENLY = "evenly"
    OFFICE_HOURS = "office-hours"
    NIGHTLY = "nightly"
