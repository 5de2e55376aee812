"""What a batch of predictions makes known: nothing, one digest, or a notification for each image."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from functions.notify_labels.alert import Alert, find_alert
from functions.notify_labels.digest import Digest, digest_of
from functions.notify_labels.environment import Mode
from functions.notify_labels.links import Links
from functions.notify_labels.message import message_of, parts_of
from functions.notify_labels.notification_topic import NotificationTopic
from functions.notify_labels.unseen_labels import UnseenLabels
from functions.shared.observability import logger
from functions.shared.prediction import Prediction
from functions.shared.predictions_batch import Delivery

LONGEST_PUBLISH_SECONDS = 40
"""What must be left of the function's timeout to publish once more, with the client's retries: a function that is
stopped half-way would send again what it has sent."""


class OutOfTimeError(Exception):
    """The function would be stopped while it publishes."""


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

    def send(
        self, deliveries: Sequence[Delivery], seconds_left: Callable[[], float], tally: Tally
    ) -> Mapping[str, Exception]:
        """Publish what there is to tell about a batch. An image that came twice is told about once.

        Parameters
        ----------
        seconds_left
            Until Lambda stops the function.

        Returns
        -------
        mapping of str to Exception
            Message id -> why it was not told, for the messages of each publication that failed.
        """
        newest = _newest_by_image(deliveries)
        for complaint in self._unseen_labels.look(newest.values()):
            logger.warning(complaint)
        failures: dict[str, Exception] = {}
        for digest in self._digests(newest.values()):
            for part in parts_of(digest):
                try:
                    if seconds_left() < LONGEST_PUBLISH_SECONDS:
                        raise OutOfTimeError("Too little of the function's timeout is left to publish")
                    message_id = self._topic.publish(message_of(part))
                except Exception as error:
                    told = {alert.prediction.image_id for alert in part.alerts}
                    failures |= {d.message_id: error for d in deliveries if d.prediction.image_id in told}
                else:
                    tally.images += len(part.alerts)
                    tally.messages += 1
                    logger.info("Published", extra={"sns_message_id": message_id, "images": len(part.alerts)})
        return failures

    def _digests(self, predictions: Iterable[Prediction]) -> list[Digest]:
        found = (find_alert(prediction, self._labels_of_interest) for prediction in predictions)
        alerts: list[Alert] = [self._links.add(alert) for alert in found if alert]
        if self._mode is Mode.IMAGE:
            return [digest_of([alert]) for alert in alerts]
        return [digest_of(alerts)] if alerts else []


def _newest_by_image(deliveries: Sequence[Delivery]) -> dict[str, Prediction]:
    """Image id -> what was found last in that image, for each image of a batch."""
    ordered = sorted(deliveries, key=lambda delivery: delivery.prediction.processed_at)
    return {delivery.prediction.image_id: delivery.prediction for delivery in ordered}
