"""List prices of AWS in us-east-1, in USD, without free tiers and volume discounts: the one place that holds them.

From AWS's pricing pages as they were known on 2026-11-22. Nothing here was read from aws.amazon.com on that day, which
could not be reached; "confirmed" names what was held against a stored copy of a page, and whose. Check before you
budget: https://aws.amazon.com/<service>/pricing/
"""

from dataclasses import dataclass

REGION = "us-east-1"
MILLION = 1_000_000


@dataclass(frozen=True)
class Prices:
    """One field a price, in USD for one unit of it."""

    inference_unit_hour: float = 4.00
    """An inference unit of a Rekognition Custom Labels model for an hour, billed while the model runs
    (rekognition/pricing, "Custom Labels inference"; confirmed in AWS's own solution guides)."""

    lambda_gb_second: float = 0.0000133334
    """Lambda on arm64: a gigabyte of memory for a second, billed by the millisecond (lambda/pricing; confirmed by
    third parties)."""

    lambda_request: float = 0.20 / MILLION
    """An invocation (lambda/pricing; confirmed by third parties)."""

    state_transition: float = 0.025 / 1000
    """A state that a Standard workflow enters; each retry is one more (step-functions/pricing; confirmed in a stored
    copy of that page)."""

    sqs_request: float = 0.40 / MILLION
    """A request to a standard queue, by anybody, Lambda's poller included, with up to 10 messages and 64 KB
    (sqs/pricing; confirmed by third parties)."""

    sns_publish: float = 0.50 / MILLION
    """A message of up to 64 KB published to a standard topic (sns/pricing; confirmed by third parties)."""

    sns_delivery_to_sqs: float = 0.0
    """A delivery to a queue, which SNS does not charge for (sns/pricing; not confirmed). The queue's request is
    charged as any other."""

    eventbridge_event: float = 1.00 / MILLION
    """A custom event, or an event of S3, which a bucket's owner opts in to (eventbridge/pricing). Custom events are
    confirmed by third parties, which disagree about S3's: this is the dearer reading."""

    scheduler_invocation: float = 1.00 / MILLION
    """A schedule's tick (eventbridge/pricing, "Scheduler"; confirmed by third parties)."""

    s3_put: float = 0.005 / 1000
    """PUT, COPY, POST or LIST, S3 Standard (s3/pricing; confirmed by third parties). DELETE is free."""

    s3_get: float = 0.0004 / 1000
    """GET, HEAD and every other request, S3 Standard (s3/pricing; not confirmed)."""

    dynamodb_write_unit: float = 0.625 / MILLION
    """A write request unit on demand: a write of up to 1 KB (dynamodb/pricing/on-demand; confirmed by third
    parties)."""

    dynamodb_read_unit: float = 0.125 / MILLION
    """A read request unit on demand: a consistent read of up to 4 KB (dynamodb/pricing/on-demand; confirmed by third
    parties)."""

    athena_byte_scanned: float = 5.00 / 1e12
    """A byte that a query scans; 10 MB at least are billed for each (athena/pricing; confirmed by third parties)."""

    s3_gigabyte_month: float = 0.023
    """A gigabyte in S3 Standard for a month, up to 50 TB; versions are objects too (s3/pricing; confirmed by third
    parties)."""

    cloudwatch_alarm_metric: float = 0.10
    """A metric that an alarm is on, for a month (cloudwatch/pricing; confirmed by third parties, which quote the page).
    The first 10 of an account are free."""

    cloudwatch_dashboard: float = 3.00
    """A dashboard for a month (cloudwatch/pricing; confirmed by third parties, which quote the page). The first 3 of an
    account are free, with up to 50 metrics each."""

    cloudwatch_metric: float = 0.30
    """A metric of one's own for a month, by the hours in which it was sent (cloudwatch/pricing; confirmed by third
    parties, which quote the page). The first 10 of an account are free."""

    cloudwatch_request: float = 0.01 / 1000
    """PutMetricData and other requests (cloudwatch/pricing; confirmed by third parties)."""

    log_gigabyte: float = 0.50
    """A gigabyte that CloudWatch Logs takes in (cloudwatch/pricing; confirmed by third parties). The first 5 of an
    account are free."""

    log_gigabyte_month: float = 0.03
    """A gigabyte of compressed logs for a month (cloudwatch/pricing; confirmed by third parties)."""


PRICES = Prices()
