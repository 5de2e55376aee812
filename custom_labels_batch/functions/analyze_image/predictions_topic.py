"""The predictions topic: one message an image."""

from typing import TYPE_CHECKING

from ..shared.prediction import Prediction, message_attributes

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient


class PredictionsTopic:
    def __init__(self, sns: "SNSClient", arn: str) -> None:
        self._sns = sns
        self._arn = arn

    def publish(self, prediction: Prediction) -> None:
        self._sns.publish(
            TopicArn=self._arn, Message=prediction.to_json(), MessageAttributes=message_attributes(prediction)
        )
