"""What is done about one image version, in the one order that loses nothing whatever stops it half-way.

Look whether it is done; detect; copy; publish; write the document, which is the mark of completion; delete the
source version, last. Every step may be repeated. A message that comes again after a crash finds the mark and
only deletes, or does not find it and goes through all steps again: published at least once, marked once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto

from ..shared.image_version import ImageVersion, is_later, s3_uri
from ..shared.object_keys import Place, Shelf, place_on, superseded_place
from ..shared.observability import logger
from ..shared.prediction import Label, Prediction, Reason, Status
from .detector import Detector, RefusedError
from .failures import BusyKeyError
from .final_bucket import FinalBucket, MarkInPlace
from .labels import Thresholds
from .predictions_topic import PredictionsTopic
from .source_bucket import GoneError, SourceBucket

_MARK_ATTEMPTS = 10

Marks = Mapping[Shelf, MarkInPlace | None]


class Outcome(Enum):
    LABELLED = auto()
    REJECTED = auto()
    ALREADY_DONE = auto()
    DROPPED = auto()


@dataclass(frozen=True)
class Finding:
    """What was found out about an image: its labels, or the reason why it can never have any."""

    project_version_arn: str | None
    labels: tuple[Label, ...] = ()
    reason: Reason | None = None

    @property
    def status(self) -> Status:
        return Status.REJECTED if self.reason else Status.LABELLED

    @property
    def shelf(self) -> Shelf:
        return Shelf.REJECTED if self.reason else Shelf.IMAGES

    @property
    def outcome(self) -> Outcome:
        return Outcome.REJECTED if self.reason else Outcome.LABELLED


@dataclass(frozen=True)
class Done:
    """The message is finished.

    Attributes
    ----------
    finding
        None unless this delivery is the one that finished the image.
    """

    outcome: Outcome
    finding: Finding | None = None


@dataclass(frozen=True)
class Doubt:
    """The model refused an image in which we see nothing wrong; nothing was done about it yet."""

    image: ImageVersion
    finding: Finding


class Analysis:
    def __init__(
        self,
        source: SourceBucket,
        final: FinalBucket,
        detector: Detector,
        topic: PredictionsTopic,
        thresholds: Thresholds,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._source = source
        self._final = final
        self._detector = detector
        self._topic = topic
        self._thresholds = thresholds
        self._now = now

    def analyze(self, image: ImageVersion) -> Done | Doubt:
        """Finish one image version, or say that only the model's word is against it.

        Raises
        ------
        ModelNotUpError, BusyKeyError
            See their docstrings.
        UnreadableMarkError
            Somebody else's object is where the document belongs.
        ClientError, HTTPClientError, ConnectionError
            From the AWS calls.
        """
        try:
            marks = self._marks(image)
            if self._is_done(image, marks):
                return self._already_done(image)
            finding = self._examine(image)
            return finding if isinstance(finding, Doubt) else self._conclude(image, finding, marks)
        except GoneError as gone:
            return self._drop(image, gone)

    def reject(self, doubt: Doubt) -> Done:
        """Finish an image on the model's word alone; raises as `analyze` does."""
        image = doubt.image
        try:
            marks = self._marks(image)
            if self._is_done(image, marks):
                return self._already_done(image)
            return self._conclude(image, doubt.finding, marks)
        except GoneError as gone:
            return self._drop(image, gone)

    def _marks(self, image: ImageVersion) -> Marks:
        return {shelf: self._final.mark(place_on(shelf, image.key, image.image_id)) for shelf in Shelf}

    def _is_done(self, image: ImageVersion, marks: Marks) -> bool:
        found = [there.mark for there in marks.values() if there]
        if any(mark.image_id == image.image_id for mark in found):
            return True
        if any(is_later(mark.sequencer, image.sequencer) for mark in found):
            return self._final.mark(superseded_place(image.key, image.image_id)) is not None
        return False

    def _examine(self, image: ImageVersion) -> Finding | Doubt:
        try:
            detection = self._detector.detect(image)
        except RefusedError as refusal:
            finding = Finding(refusal.model_arn, reason=refusal.reason)
            return finding if refusal.proven else Doubt(image, finding)
        return Finding(detection.model_arn, labels=self._thresholds.keep(detection.labels))

    def _conclude(self, image: ImageVersion, finding: Finding, marks: Marks) -> Done:
        place = place_on(finding.shelf, image.key, image.image_id)
        there = marks[finding.shelf]
        if _is_overtaken(image, there):
            return self._supersede(image, finding)
        document = self._copy_and_publish(image, finding, place)
        for _ in range(_MARK_ATTEMPTS):
            if self._final.write_mark(place, document, replacing=there):
                self._leave(image, place)
                return self._done(document, finding)
            there = self._final.mark(place)
            if there and there.mark.image_id == image.image_id:
                return self._already_done(image)
            if _is_overtaken(image, there):
                return self._supersede(image, finding)
        raise BusyKeyError(f"{place.document_key} changed {_MARK_ATTEMPTS} times while it was to be written")

    def _supersede(self, image: ImageVersion, finding: Finding) -> Done:
        """Finish a version after a later one of the same key, without touching what that one left."""
        place = superseded_place(image.key, image.image_id)
        document = self._copy_and_publish(image, finding, place)
        written = self._final.write_mark(place, document, replacing=None)
        self._leave(image, place_on(finding.shelf, image.key, image.image_id))
        return self._done(document, finding) if written else Done(Outcome.ALREADY_DONE)

    def _copy_and_publish(self, image: ImageVersion, finding: Finding, place: Place) -> Prediction:
        version_id = self._final.copy_in(image, place)
        document = Prediction(
            image_id=image.image_id,
            status=finding.status,
            source_bucket=image.bucket,
            image_key=image.key,
            source_uri=image.uri,
            final_uri=s3_uri(self._final.name, place.image_key),
            final_version_id=version_id,
            version_id=image.version_id,
            e_tag=image.etag,
            sequencer=image.sequencer,
            size=image.size,
            project_version_arn=finding.project_version_arn,
            uploaded_at=image.uploaded_at,
            processed_at=self._now(),
            labels=finding.labels,
            reason=finding.reason,
        )
        self._topic.publish(document)
        return document

    def _already_done(self, image: ImageVersion) -> Done:
        logger.info("Already done: only the source version is deleted")
        self._leave(image, *self._shelf_places(image))
        return Done(Outcome.ALREADY_DONE)

    def _drop(self, image: ImageVersion, gone: GoneError) -> Done:
        logger.warning("Dropped: the image version is gone", extra={"detail": str(gone)})
        for place in self._shelf_places(image):
            self._final.put_on_top(place)
        return Done(Outcome.DROPPED)

    def _leave(self, image: ImageVersion, *places: Place) -> None:
        for place in places:
            self._final.put_on_top(place)
        self._source.delete(image)

    @staticmethod
    def _shelf_places(image: ImageVersion) -> list[Place]:
        return [place_on(shelf, image.key, image.image_id) for shelf in Shelf]

    @staticmethod
    def _done(document: Prediction, finding: Finding) -> Done:
        logger.info(
            document.status.capitalize(),
            extra={
                "final_uri": document.final_uri,
                "labels": [label.name for label in document.labels],
                "reason": document.reason.message if document.reason else None,
            },
        )
        return Done(finding.outcome, finding)


def _is_overtaken(image: ImageVersion, there: MarkInPlace | None) -> bool:
    return there is not None and is_later(there.mark.sequencer, image.sequencer)
