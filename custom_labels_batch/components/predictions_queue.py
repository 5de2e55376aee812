"""A queue of every prediction, for one function: subscribed to the predictions topic, and handed over in batches."""

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam
from custom_labels_batch.components.function import PythonFunction
from custom_labels_batch.components.queue import WorkQueue

MOST_EXECUTIONS = 2
"""The least concurrency a mapping can be held to (Lambda API reference, ScalingConfig): few calls, full batches."""


class PredictionsQueue(pulumi.ComponentResource):
    """A work queue that a predictions topic sends to, each message's body being one prediction document.

    What the topic cannot deliver ends in the dead-letter queue, as does what the function fails on ten times.
    """

    arn: pulumi.Output[str]
    url: pulumi.Output[str]
    dead_letter_queue_url: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        predictions_topic_arn: pulumi.Input[str],
        function_timeout_seconds: int,
        batching_window_seconds: int,
        filter_policy: Mapping[str, Sequence[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the queue and subscribe it.

        Parameters
        ----------
        function_timeout_seconds, batching_window_seconds
            Of the function behind it; both decide how long a message stays hidden.
        filter_policy
            Message attribute -> values, of the predictions to take; all of them without it.
        """
        super().__init__("custom-labels-batch:index:PredictionsQueue", name, None, opts)
        self._window = batching_window_seconds
        self._queue = WorkQueue(
            name,
            # Lambda's advice for a queue behind a function: six times its timeout, and the batching window.
            visibility_timeout_seconds=6 * function_timeout_seconds + batching_window_seconds,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn, self.url = self._queue.arn, self._queue.url
        self.dead_letter_queue_url = self._queue.dead_letter_queue.url
        policies = self._queue.accept("sns", [predictions_topic_arn])
        aws.sns.TopicSubscription(
            name,
            topic=predictions_topic_arn,
            protocol="sqs",
            endpoint=self.arn,
            raw_message_delivery=True,
            filter_policy=json.dumps(filter_policy) if filter_policy else None,
            redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": self._queue.dead_letter_queue.arn}),
            # Nothing is sent before the queue lets it in.
            opts=pulumi.ResourceOptions(parent=self, depends_on=policies),
        )
        self.register_outputs({"arn": self.arn, "url": self.url})

    def consumer_statement(self) -> iam.Statement:
        """What the function's role needs on the queue."""
        return self._queue.consumer_statement()

    def feed(self, function: PythonFunction, batch_size: int) -> aws.lambda_.EventSourceMapping:
        """Hand the queue's messages to a function that answers which of a batch must come again.

        Parameters
        ----------
        batch_size
            Messages a call, at most; over 10 needs a batching window of at least a second.
        """
        return aws.lambda_.EventSourceMapping(
            self._name,
            event_source_arn=self.arn,
            function_name=function.arn,
            batch_size=batch_size,
            maximum_batching_window_in_seconds=self._window,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": MOST_EXECUTIONS},
            # AWS checks the function role's rights on the queue when it creates a mapping.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[function.policy, self._queue]),
        )
