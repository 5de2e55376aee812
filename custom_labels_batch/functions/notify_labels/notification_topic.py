"""The notification topic, from which people and programs hear about labels."""

from typing import TYPE_CHECKING

from ..shared.pacer import Pacer
from .message import Message

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

MESSAGES_PER_SECOND = 4
"""Of one execution environment. SNS disables an e-mail subscription that gets more than 10, and two environments run
at most."""


class NotificationTopic:
    def __init__(self, sns: "SNSClient", arn: str) -> None:
        self._sns = sns
        self._arn = arn
        self._pacer = Pacer(MESSAGES_PER_SECOND)

    def publish(self, message: Message) -> str:
        """Publish a message when it is its turn; give its id.

        Raises
        ------
        ClientError, HTTPClientError, ConnectionError
            SNS did not take it, after the client's own retries.
        """
        self._pacer.wait()
        answer = self._sns.publish(
            TopicArn=self._arn,
            Subject=message.subject,
            Message=message.structure,
            MessageStructure="json",
            MessageAttributes=message.attributes,
        )
        return answer["MessageId"]
