"""What a played workload comes to: minutes, ratios, messages and dollars."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from benchmarks.play import Played
from benchmarks.workloads import TPS
from custom_labels_batch.rules.prices import PRICES, Prices

PARTS = ("model", "Lambda", "Step Functions", "SQS and SNS", "S3", "DynamoDB", "EventBridge")
"""What a workload pays for; logs and storage are left out."""

_FREE = {"s3:DeleteObject", "s3:DeleteObjectVersion"}
_S3_WRITES = {"s3:PutObject", "s3:ListBucket", "s3:ListBucketVersions"}


@dataclass(frozen=True)
class Measurement:
    """One workload under one policy; times are simulated.

    Attributes
    ----------
    planned_images
        Before the workload was scaled down to fit the time there was; the same as `images` if it was not.
    arrivals
        Minutes since the start, and images that arrived then.
    runs
        How often the model was started.
    billed_minutes, limit_minutes
        Inference-unit minutes: of the model's ledger, and images / TPS.
    throughput
        Calls from the first to the last of each run, as a share of what its units take in that time. None where the
        model ran out of images in between.
    throttled_share
        Calls that Rekognition refused, of all calls that reached it.
    median_minutes, p95_minutes, worst_minutes
        From the upload of an image to its labels in the final bucket.
    last_result_minute
        Since the workload's start.
    lambda_gb_seconds
        As long as this laptop takes, divided by the time scale: more than on AWS.
    state_transitions
        Of every state machine of the stack.
    messages
        Requests to SQS and SNS.
    dollars
        List price of each part.
    """

    workload: str
    policy: str
    is_baseline: bool
    images: int
    planned_images: int
    arrivals: tuple[tuple[float, int], ...]
    units: int
    time_scale: float
    runs: int
    billed_minutes: float
    limit_minutes: float
    throughput: float | None
    throttled_share: float
    median_minutes: float
    p95_minutes: float
    worst_minutes: float
    last_result_minute: float
    lambda_gb_seconds: float
    state_transitions: int
    messages: int
    dollars: dict[str, float]
    real_seconds: float

    @property
    def times_limit(self) -> float:
        return self.billed_minutes / self.limit_minutes

    @property
    def dollars_an_image(self) -> float:
        return sum(self.dollars.values()) / self.images


def measure(played: Played) -> Measurement:
    """Work everything out."""
    workload, usage, model = played.workload, played.usage, played.model
    ages = np.array([played.written[key] - uploaded for key, uploaded in played.uploaded.items()])
    calls = model["calls"]
    return Measurement(
        workload=workload.name,
        policy=played.policy.name,
        is_baseline=played.policy.is_baseline,
        images=workload.images,
        planned_images=workload.planned or workload.images,
        arrivals=tuple((arrival.minute, arrival.images) for arrival in workload.arrivals),
        units=max(session["inferenceUnits"] for session in model["sessions"]),
        time_scale=played.time_scale,
        runs=len(model["sessions"]),
        billed_minutes=model["billedInferenceUnitMinutes"],
        limit_minutes=workload.limit_minutes,
        throughput=throughput(model["sessions"]) if workload.measures_throughput else None,
        throttled_share=calls["throttled"] / (calls["ok"] + calls["throttled"]),
        median_minutes=float(np.median(ages)),
        p95_minutes=float(np.percentile(ages, 95)),
        worst_minutes=float(ages.max()),
        last_result_minute=max(played.written.values()),
        lambda_gb_seconds=sum(each["gbSeconds"] for each in usage["functions"].values()),
        state_transitions=sum(usage["stateTransitions"].values()),
        messages=_sqs_requests(usage) + usage["requests"].get("sns:Publish", 0),
        dollars=dollars(model["billedInferenceUnitMinutes"], usage, played.ticks),
        real_seconds=played.real_seconds,
    )


def throughput(sessions: Iterable[Mapping[str, Any]]) -> float | None:
    """Calls between the first and the last, as a share of units x TPS x time; None for fewer than two."""
    called, could = 0, 0.0
    for session in sessions:
        if session["calls"] > 1:
            first, last = (datetime.fromisoformat(session[name]) for name in ("firstCallAt", "lastCallAt"))
            called += session["calls"] - 1
            could += (last - first).total_seconds() * session["inferenceUnits"] * TPS
    return called / could if could else None


def dollars(
    billed_minutes: float, usage: Mapping[str, Any], ticks: int = 0, prices: Prices = PRICES
) -> dict[str, float]:
    """List price of each part. `ticks` are runs that the bench started in place of a schedule."""
    functions = usage["functions"].values()
    requests: Mapping[str, int] = usage["requests"]
    s3 = {action: n for action, n in requests.items() if action.startswith("s3:") and action not in _FREE}
    writes = sum(n for action, n in s3.items() if action in _S3_WRITES)
    database = {action: n for action, n in requests.items() if action.startswith("dynamodb:")}
    reads = sum(n for action, n in database.items() if action in {"dynamodb:GetItem", "dynamodb:Query"})
    parts = (
        billed_minutes / 60 * prices.inference_unit_hour,
        sum(each["gbSeconds"] for each in functions) * prices.lambda_gb_second
        + sum(each["invocations"] for each in functions) * prices.lambda_request,
        sum(usage["stateTransitions"].values()) * prices.state_transition,
        _sqs_requests(usage) * prices.sqs_request
        + requests.get("sns:Publish", 0) * prices.sns_publish
        + usage["snsDeliveriesToSqs"] * prices.sns_delivery_to_sqs,
        writes * prices.s3_put + (sum(s3.values()) - writes) * prices.s3_get,
        (sum(database.values()) - reads) * prices.dynamodb_write_unit + reads * prices.dynamodb_read_unit,
        usage["events"].get("aws.s3", 0) * prices.eventbridge_event
        + (usage["scheduleTicks"] + ticks) * prices.scheduler_invocation,
    )
    return dict(zip(PARTS, parts, strict=True))


def _sqs_requests(usage: Mapping[str, Any]) -> int:
    asked = sum(number for action, number in usage["requests"].items() if action.startswith("sqs:"))
    return int(asked + sum(usage["queueRequests"].values()))
