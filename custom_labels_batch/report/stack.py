"""Images and runs of a report, from what any deployed stack keeps: its documents and its runs table."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from custom_labels_batch.functions.shared.prediction import Prediction
from custom_labels_batch.report.data import BilledPeriod, Box, Image, Label, ModelState, Run, Sample, Status
from custom_labels_batch.report.figures import minutes_between


def image(document: Mapping[str, Any], thumbnail: bytes | None = None, link: str | None = None) -> Image:
    """One image.

    Parameters
    ----------
    document
        The JSON beside an image in the final bucket, or a message of the predictions topic.
    link
        An address that opens the image, e.g. a presigned URL.

    Raises
    ------
    ValueError
        The document is not a prediction.
    """
    prediction = Prediction.model_validate(document)
    return Image(
        key=prediction.image_key,
        status=Status(prediction.status.value),
        labels=tuple(
            Label(
                name=label.name,
                confidence=label.confidence,
                box=Box(**label.bounding_box.model_dump()) if label.bounding_box else None,
            )
            for label in prediction.labels
        ),
        reason=prediction.reason.message if prediction.reason else "",
        uploaded_at=prediction.uploaded_at,
        processed_at=prediction.processed_at,
        size=prediction.size,
        thumbnail=thumbnail,
        image_id=prediction.image_id,
        final_uri=prediction.final_uri,
        link=link,
    )


def _plain(value: Any) -> Any:
    """What a DynamoDB client wraps (`{"N": "5"}`) and what its Table resource gives, as the plain value."""
    return next(iter(value.values())) if isinstance(value, Mapping) and len(value) == 1 else value


def _moment(value: Any) -> Any:
    return datetime.fromtimestamp(float(_plain(value)) / 1000, UTC)


_Text = Annotated[str, BeforeValidator(_plain)]
_Number = Annotated[float, BeforeValidator(_plain)]
_Moment = Annotated[datetime, BeforeValidator(_moment)]


class RunRecord(BaseModel):
    """A record of the runs table (`kind` = run), as `release_model` writes it; times are epoch milliseconds there.

    `modelRunningAt` is 0 when the model was never seen running.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, extra="ignore")

    run_execution_arn: _Text = ""
    outcome: _Text
    cause: _Text = ""
    started_by_run: _Text
    inference_units: _Number
    backlog_at_start: _Number = 0
    processed: _Number
    rejected: _Number
    started_at: _Moment
    model_running_at: _Moment
    model_ran_until: _Moment
    ended_at: _Moment
    billed_inference_unit_minutes: _Number
    model_cost_usd: _Number | None = None
    """At the stack's price; None in records older than it."""


def runs(records: Iterable[Mapping[str, Any]], images: Sequence[Image], time_scale: float = 1.0) -> tuple[Run, ...]:
    """The runs of a stack, oldest first, named by their number.

    Parameters
    ----------
    records
        Items of the runs table with `kind` = run, from a DynamoDB client or Table.
    images
        The report's images: what waited and what was done at each minute is worked out from their times.
    time_scale
        See `Report.time_scale`; the records' times and billed minutes are divided by it.

    Raises
    ------
    ValueError
        A record lacks what `RunRecord` names.
    """
    read = sorted((RunRecord.model_validate(record) for record in records), key=lambda record: record.started_at)
    return tuple(_run(f"Run {number}", record, images, time_scale) for number, record in enumerate(read, 1))


def _run(name: str, record: RunRecord, images: Sequence[Image], time_scale: float) -> Run:
    def minute(moment: datetime) -> float:
        return minutes_between(record.started_at, moment, time_scale)

    duration = max(0.0, minute(record.ended_at))
    running, until = minute(record.model_running_at), minute(record.model_ran_until)
    ran = 0 <= running < until
    backlog, done = _counts(images, minute, duration)
    is_billed = ran and record.billed_inference_unit_minutes > 0
    units = max(1, int(record.inference_units))
    return Run(
        name=name,
        started_at=record.started_at,
        outcome=record.outcome,
        cause=record.cause,
        images=int(record.processed + record.rejected),
        rejected=int(record.rejected),
        billed_minutes=record.billed_inference_unit_minutes / time_scale,
        duration_minutes=duration,
        states=_states(running, until, duration, started=record.started_by_run == "true") if ran else (),
        billed=(BilledPeriod(begin=running, end=until, inference_units=units),) if is_billed else (),
        backlog=backlog,
        done=done,
    )


def _states(running: float, until: float, end: float, *, started: bool) -> tuple[ModelState, ...]:
    """A model that somebody else started ran before and after."""
    if not started:
        return (ModelState(status="RUNNING", begin=0, end=end),)
    return (
        ModelState(status="STARTING", begin=0, end=running),
        ModelState(status="RUNNING", begin=running, end=until),
        ModelState(status="STOPPING", begin=until, end=max(until, end)),
    )


def _counts(images: Sequence[Image], minute: Any, end: float) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """How many images waited, and how many were done, after every upload and result of the run's time."""
    changes: list[tuple[float, int, int]] = []
    for each in images:
        if each.uploaded_at is None or each.processed_at is None or not 0 <= minute(each.processed_at) <= end:
            continue
        changes += [(max(0.0, minute(each.uploaded_at)), 1, 0), (minute(each.processed_at), -1, 1)]
    if not changes:
        return (), ()
    waiting, done = 0, 0
    counts: dict[float, tuple[int, int]] = {0.0: (0, 0)}
    for at, more_waiting, more_done in sorted(changes):
        waiting, done = waiting + more_waiting, done + more_done
        counts[at] = (max(0, waiting), done)
    return (
        tuple(Sample(minute=at, count=count) for at, (count, _) in counts.items()),
        tuple(Sample(minute=at, count=count) for at, (_, count) in counts.items()),
    )
