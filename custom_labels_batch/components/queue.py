"""A work queue that loses nothing: a dead-letter queue behind it, and a policy bound to its sources."""

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam

DAY_SECONDS = 24 * 60 * 60

MAX_RECEIVE_COUNT = 10
"""Throttling and a model that is not up cost receives too: the dead-letter queue is the last resort."""


class WorkQueue(pulumi.ComponentResource):
    """An SQS queue with its dead-letter queue, encrypted with keys SQS manages.

    Not `alias/aws/sqs`: that key cuts EventBridge, S3 and SNS off. A message keeps its age when it moves, so the
    dead-letter queue retains for longer (14 days) than the queue (10).
    """

    queue: aws.sqs.Queue
    dead_letter_queue: aws.sqs.Queue
    arn: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(
        self, name: str, visibility_timeout_seconds: pulumi.Input[int], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("custom-labels-batch:index:WorkQueue", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.dead_letter_queue = dead_letter_queue(f"{name}-dlq", child)
        self.queue = aws.sqs.Queue(
            name,
            message_retention_seconds=10 * DAY_SECONDS,
            visibility_timeout_seconds=visibility_timeout_seconds,
            sqs_managed_sse_enabled=True,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": self.dead_letter_queue.arn, "maxReceiveCount": MAX_RECEIVE_COUNT}
            ),
            opts=child,
        )
        self.arn, self.url = self.queue.arn, self.queue.url
        aws.sqs.RedriveAllowPolicy(
            f"{name}-dlq",
            queue_url=self.dead_letter_queue.url,
            redrive_allow_policy=self.arn.apply(
                lambda arn: json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn]})
            ),
            opts=child,
        )
        self.register_outputs({"arn": self.arn, "url": self.url})

    def consumer_statement(self) -> iam.Statement:
        """What the role of the function behind it needs."""
        return iam.allow(
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
            self.arn,
        )

    def accept(
        self,
        service: str,
        source_arns: Sequence[pulumi.Input[str]],
        dead_letter_sources: Sequence[pulumi.Input[str]] = (),
    ) -> list[pulumi.Resource]:
        """Let sources of one AWS service send here, and their undeliverable events into the dead-letter queue.

        Parameters
        ----------
        service
            The service's principal without its domain, such as `events`.
        source_arns
            What may send, such as a rule.
        dead_letter_sources
            What else may put its undeliverable events into the dead-letter queue.

        Returns
        -------
        list of pulumi.Resource
            The policies, for whatever may only exist after them.
        """
        child = pulumi.ResourceOptions(parent=self)
        dead_letters = [*source_arns, *dead_letter_sources]
        return [
            accept_from(self._name, self.queue, service, source_arns, child),
            accept_from(f"{self._name}-dlq", self.dead_letter_queue, service, dead_letters, child),
        ]


def dead_letter_queue(name: str, opts: pulumi.ResourceOptions) -> aws.sqs.Queue:
    """A queue for what could not be handled, with the longest retention SQS has."""
    return aws.sqs.Queue(name, message_retention_seconds=14 * DAY_SECONDS, sqs_managed_sse_enabled=True, opts=opts)


def accept_from(
    name: str,
    queue: aws.sqs.Queue,
    service: str,
    source_arns: Sequence[pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> aws.sqs.QueuePolicy:
    """The policy that lets sources of one AWS service send to a queue, and nobody without TLS."""
    statements = [
        iam.allow_service(service, ["sqs:SendMessage"], queue.arn, list(source_arns)),
        iam.refuse_unencrypted_transport("sqs", queue.arn),
    ]
    return aws.sqs.QueuePolicy(name, queue_url=queue.url, policy=iam.document(statements), opts=opts)
