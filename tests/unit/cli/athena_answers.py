"""An Athena that answers what a test says, with its results in moto's S3."""

import json
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from custom_labels_batch.cli.results_query import COLUMNS
from tests.unit.cli.aws_stack import AwsStack

_BUCKET = "analytics"


def row(image: str, label: str | None = "crack", confidence: float | None = 91.5, **changes: str | None) -> list[Any]:
    """A row of `results`, in the order of its columns."""
    found = {
        "image": image,
        "status": "labelled",
        "label": label,
        "confidence": None if label is None else str(confidence),
        "model_version": "v2",
        "size": "2048",
        "uploaded_at": "2026-11-22 10:00:00.250",
        "processed_at": "2026-11-22 10:12:00.000",
        "image_uri": f"s3://final/images/{image}",
        "source_bucket": "source",
        "image_id": f"id of {image}",
        **changes,
    }
    return [found.get(column) for column in COLUMNS]


def rejected(image: str, message: str) -> list[Any]:
    return row(image, None, status="rejected", reason_code="TooSmall", reason_message=message)


class AthenaAnswers:
    """A real client, which checks what it is asked, and never sends it.

    Attributes
    ----------
    asked
        Requests of StartQueryExecution.
    stopped
        Ids of StopQueryExecution.
    states
        What GetQueryExecution answers before SUCCEEDED, one after the other; a text is a FAILED query's reason.
    """

    def __init__(self, aws: AwsStack) -> None:
        self._s3 = aws.client("s3")
        self._s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        aws.outputs |= {"athenaDatabase": "db", "athenaTable": "seen", "athenaWorkgroup": "group"}
        self.asked: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.states: list[str | Mapping[str, str]] = []
        self.client = aws.new_client("athena")
        for operation, answer in (
            ("StartQueryExecution", self._start),
            ("GetQueryExecution", self._get),
            ("StopQueryExecution", self._stop),
        ):
            self.client.meta.events.register(f"before-call.athena.{operation}", _answering(answer))

    def answer(self, *rows: Sequence[Any], columns: Sequence[str] = COLUMNS) -> None:
        """What the next query finds, as Athena writes it: everything in quotes, nulls as nothing."""
        text = "".join(",".join(map(_cell, cells)) + "\n" for cells in [columns, *rows])
        number = len(self._s3.list_objects_v2(Bucket=_BUCKET).get("Contents", [])) + 1
        self._s3.put_object(Bucket=_BUCKET, Key=f"athena-results/q{number}.csv", Body=text.encode())

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        return {"QueryExecutionId": f"q{len(self.asked)}"}

    def _get(self, request: dict[str, Any]) -> dict[str, Any]:
        state = self.states.pop(0) if self.states else {"State": "SUCCEEDED"}
        return {
            "QueryExecution": {
                "Status": {"State": state} if isinstance(state, str) else dict(state),
                "Statistics": {"DataScannedInBytes": 20_000_000},
                "ResultConfiguration": {
                    "OutputLocation": f"s3://{_BUCKET}/athena-results/{request['QueryExecutionId']}.csv"
                },
            }
        }

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        self.stopped.append(request["QueryExecutionId"])
        return {}


def _answering(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., Any]:
    def before_call(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(status_code=200), answer(json.loads(params["body"]))

    return before_call


def _cell(value: Any) -> str:
    if value is None:
        return ""
    doubled = str(value).replace('"', '""')
    return f'"{doubled}"'
