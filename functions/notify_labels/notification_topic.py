"""The notification topic, from which people and programs hear about labels."""

from typing import TYPE_CHECKING

from functions.notify_labels.message import Message

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient


class NotificationTopic:
    def __init__(self, sns: "SNSClient", arn: str) -> None:
        self._sns = sns
        self._arn = arn

    def publish(self, message: Message) -> str:
        """Publish a message; give its id.

        Raises
        ------
        ClientError, HTTPClientError, ConnectionError
            SNS did not take it, after the client's own retries.
        """
        answer = self._sns.publish(
            TopicArn=self._arn,
            Subject=message.subject,
            Message=message.structure,
            MessageStructure="json",
            MessageAttributes=message.attributes,
        )
        return answer["MessageId"]
