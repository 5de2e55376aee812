"""What a batch of predictions makes known: nothing, one digest, or a notification for each image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..shared.observability import logger
from ..shared.prediction import Prediction
from ..shared.predictions_batch import Delivery, OutOfTimeError, SecondsLeft
from .alert import Alert, find_alert
from .digest import Part, digest_of
from .environment import Mode
from .links import Links
from .message import message_of, parts_of
from .notification_topic import NotificationTopic
from .unseen_labels import UnseenLabels

LONGEST_PUBLISH_SECONDS = 40
"""What must be left of the function's timeout to publish once more, with the client's retries: a function that is
stopped half-way would send again what it has sent."""


@dataclass
class Tally:
    """What a batch has made known."""

    images: int = 0
    messages: int = 0


class Notifications:
    """Tells about the labels of interest in the predictions of one batch after the other.

    Parameters
    ----------
    labels_of_interest
        Label -> threshold, 0 to 100.
    """

    def __init__(
        self,
        topic: NotificationTopic,
        links: Links,
        labels_of_interest: Mapping[str, float],
        mode: Mode,
        unseen_labels: UnseenLabels,
    ) -> None:
        self._topic = topic
        self._links = links
        self._labels_of_interest = labels_of_interest
        self._mode = mode
        self._unseen_labels = unseen_labels

    def send(self, deliveries: Sequence[Delivery], seconds_left: SecondsLeft, tally: Tally) -> Mapping[str, Exception]:
        """Publish what there is to tell about a batch. An image that came twice is told about once.

        Whatever there is to say is put into words before the first of it is published: what goes wrong later brings
        no image back that people have heard about.

        Returns
        -------
        mapping of str to Exception
            Message id -> why it was not told: its image cannot be put into words, or what it is in was not published.
        """
        newest = _newest_by_image(deliveries)
        for complaint in self._unseen_labels.look(newest.values()):
            logger.warning(complaint)
        failures: dict[str, Exception] = {}
        alerts: list[Alert] = []
        for image_id, prediction in newest.items():
            try:
                alerts += self._alerts(prediction)
            except Exception as error:
                failures[image_id] = error
        for part in self._parts(alerts):
            failures |= self._publish(part, seconds_left, tally)
        return {d.message_id: failures[d.prediction.image_id] for d in deliveries if d.prediction.image_id in failures}

    def _alerts(self, prediction: Prediction) -> list[Alert]:
        """What to tell about an image: one alert or none, which is known to have words."""
        found = find_alert(prediction, self._labels_of_interest)
        if not found:
            return []
        alert = self._links.add(found)
        parts_of(digest_of([alert]))  # raises here, for this image alone, rather than for a whole digest
        return [alert]

    def _parts(self, alerts: Sequence[Alert]) -> list[Part]:
        if self._mode is Mode.IMAGE:
            return [part for alert in alerts for part in parts_of(digest_of([alert]))]
        return parts_of(digest_of(alerts)) if alerts else []

    def _publish(self, part: Part, seconds_left: SecondsLeft, tally: Tally) -> dict[str, Exception]:
        """Publish a part; give image id -> what went wrong, for each image in it, if anything did."""
        try:
            if seconds_left() < LONGEST_PUBLISH_SECONDS:
                raise OutOfTimeError("Too little of the function's timeout is left to publish")
            message_id = self._topic.publish(message_of(part))
        except Exception as error:
            return {alert.prediction.image_id: error for alert in part.alerts}
        tally.images += len(part.alerts)
        tally.messages += 1
        logger.info("Published", extra={"sns_message_id": message_id, "images": len(part.alerts)})
        return {}


def _newest_by_image(deliveries: Sequence[Delivery]) -> dict[str, Prediction]:
    """Image id -> what was found last in that image, for each image of a batch."""
    ordered = sorted(deliveries, key=lambda delivery: delivery.prediction.processed_at)
    return {delivery.prediction.image_id: delivery.prediction for delivery in ordered}
