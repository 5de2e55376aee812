"""Tells people and programs about images in which a label of interest was found."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam
from custom_labels_batch.components.function import PythonFunction
from custom_labels_batch.components.inputs import InputError, check_names, log_retention_days, whole_number
from custom_labels_batch.components.naming import check_name, with_tags
from custom_labels_batch.components.predictions_queue import PredictionsQueue
from custom_labels_batch.components.subscriptions import Subscription, checked_subscription, distinct
from custom_labels_batch.components.topic import make_topic, subscribe
from custom_labels_batch.rules import limits

BATCH_SIZES = {"digest": 1000, "image": 10}
"""Messages a function call takes, for each mode: a digest is about as many images as come in its window."""

FUNCTION_TIMEOUT_SECONDS = 120

MAX_SESSION_MINUTES = 12 * 60
"""No session of a role lasts longer (AWS STS API reference, AssumeRole), and a link ends with the session that signed
it. How long the sessions last that Lambda makes for a function, AWS does not say."""


class NotificationSubscription(TypedDict):
    """An endpoint that hears of labels of interest."""

    protocol: str
    """`email`, `email-json`, `http`, `https`, `sms`, `sqs`, `lambda`, `application` or `firehose`."""
    endpoint: str
    """Where to: an address, a URL, a number or an ARN."""
    filter_policy: NotRequired[dict[str, Any]]
    """SNS filter policy on the message attributes `labels` and `highestConfidence`. Default: everything."""
    subscription_role_arn: NotRequired[str]
    """Role with which SNS writes to a delivery stream; for firehose only."""


class NotificationArgs(TypedDict):
    """Inputs of Notification."""

    predictions_topic_arn: pulumi.Input[str]
    """ARN of the topic with one message for each image."""
    labels_of_interest: NotRequired[dict[str, float]]
    """Label -> confidence from which on to tell, 0 to 100. Labels match exactly. Without any, nothing is sent."""
    notification_emails: NotRequired[list[str]]
    """E-mail addresses to tell; each confirms once, by a link AWS sends it."""
    subscriptions: NotRequired[list[NotificationSubscription]]
    """Other endpoints to tell, each of which may want only some."""
    mode: NotRequired[str]
    """`digest` (default): one message a batch of images. `image`: one an image."""
    batching_window_seconds: NotRequired[int]
    """Seconds a digest waits for more images, 1 to 300. Default: 60."""
    presigned_url_minutes: NotRequired[int]
    """Minutes a message's link shows its image to anybody who has the link, up to 10080; 0 (default) for no link."""
    final_bucket_name: NotRequired[pulumi.Input[str]]
    """Name of the bucket that images end in; needed for links."""
    log_retention_days: NotRequired[int]
    """Days logs are kept, one of the periods that CloudWatch Logs has. Default: 30."""
    powertools_layer_arn: NotRequired[pulumi.Input[str]]
    """ARN of a version of the Powertools for AWS Lambda (Python) layer. Default: AWS's public one, which only the
    commercial partition has."""
    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags for every resource that takes tags."""


class Notification(pulumi.ComponentResource):
    """A queue of predictions, the function that looks for labels of interest, and the topic it tells them on."""

    notification_topic_arn: pulumi.Output[str]
    """ARN of the topic that people and programs are subscribed to."""
    queue_url: pulumi.Output[str]
    """URL of the queue of predictions that wait to be looked at."""
    dead_letter_queue_url: pulumi.Output[str]
    """URL of the queue of predictions that could not be told about."""
    notify_function_name: pulumi.Output[str]
    """Name of the function that looks for labels of interest."""

    def __init__(self, name: str, args: NotificationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_name(name)
        check_names(args, NotificationArgs)
        self._labels = {label: float(threshold) for label, threshold in args.get("labels_of_interest", {}).items()}
        _check_labels(self._labels)
        self._mode = args.get("mode", "digest")
        _check_mode(self._mode)
        window = whole_number(args, "batching_window_seconds", limits.NOTIFICATION_WINDOW_SECONDS)
        self._link_minutes = whole_number(args, "presigned_url_minutes", limits.PRESIGNED_URL_MINUTES)
        _check_links(self._link_minutes, "final_bucket_name" in args)
        subscriptions = wanted_subscriptions(args.get("notification_emails", []), args.get("subscriptions", []))
        super().__init__(
            "custom-labels-batch:index:Notification",
            name,
            None,
            with_tags(opts, {**args.get("tags", {}), "Component": "Notification"}),
        )
        self._component_name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._warn(bool(subscriptions))

        self._topic, topic_policy = make_topic(f"{name}-labels", self._child)
        subscribe(name, self._topic, subscriptions, topic_policy, parent=self)
        queue = PredictionsQueue(
            f"{name}-predictions",
            args["predictions_topic_arn"],
            function_timeout_seconds=FUNCTION_TIMEOUT_SECONDS,
            batching_window_seconds=window if self._mode == "digest" else 0,
            # Rejected images have no labels.
            filter_policy={"status": ["labelled"]},
            opts=self._child,
        )
        function = self._notify_labels(queue)
        queue.feed(function, BATCH_SIZES[self._mode])

        self.notification_topic_arn = self._topic.arn
        self.queue_url, self.dead_letter_queue_url = queue.url, queue.dead_letter_queue_url
        self.notify_function_name = function.name
        self.register_outputs(
            {
                "notificationTopicArn": self.notification_topic_arn,
                "queueUrl": self.queue_url,
                "deadLetterQueueUrl": self.dead_letter_queue_url,
                "notifyFunctionName": self.notify_function_name,
            }
        )

    def _warn(self, is_subscribed: bool) -> None:
        if is_subscribed and not self._labels:
            pulumi.log.warn("There are no labels of interest: nothing will be sent to anybody", self)
        if problem := link_warning(self._link_minutes):
            pulumi.log.warn(problem, self)

    def _notify_labels(self, queue: PredictionsQueue) -> PythonFunction:
        return PythonFunction(
            f"{self._component_name}-notify-labels",
            package="notify_labels",
            environment={
                "NOTIFICATION_TOPIC_ARN": self._topic.arn,
                "LABELS_OF_INTEREST": json.dumps(self._labels, sort_keys=True, ensure_ascii=False),
                "NOTIFICATION_MODE": self._mode,
                "PRESIGNED_URL_MINUTES": str(self._link_minutes),
            },
            statements=self._notify_labels_statements(queue),
            timeout_seconds=FUNCTION_TIMEOUT_SECONDS,
            memory_megabytes=512,
            log_retention_days=log_retention_days(self._args),
            powertools_layer_arn=self._args.get("powertools_layer_arn"),
            opts=self._child,
        )

    def _notify_labels_statements(self, queue: PredictionsQueue) -> list[iam.Statement]:
        statements = [queue.consumer_statement(), iam.allow(["sns:Publish"], self._topic.arn)]
        if self._link_minutes:
            partition = aws.get_partition_output(opts=pulumi.InvokeOptions(parent=self)).partition
            images = pulumi.Output.format("arn:{0}:s3:::{1}/images/*", partition, self._args["final_bucket_name"])
            # A link may do what its signer may do.
            statements.append(iam.allow(["s3:GetObject", "s3:GetObjectVersion"], images))
        return statements


def wanted_subscriptions(
    emails: Sequence[str], subscriptions: Sequence[NotificationSubscription]
) -> list[Subscription]:
    """All subscriptions, e-mail addresses first.

    Raises
    ------
    InputError
        An endpoint is there twice, or SNS would not take a subscription.
    """
    to_emails = [
        checked_subscription({"protocol": "email", "endpoint": email}, "notification_emails") for email in emails
    ]
    return distinct([*to_emails, *(checked_subscription(given, "subscriptions") for given in subscriptions)])


def link_warning(minutes: int) -> str | None:
    """What is wrong with links that should work for so many minutes, if anything."""
    if minutes <= MAX_SESSION_MINUTES:
        return None
    return (
        f"Links are to work for {minutes} minutes, but a link ends with the credentials that signed it, and those of a "
        f"Lambda function last at most {MAX_SESSION_MINUTES} minutes"
    )


def _check_labels(labels: Mapping[str, float]) -> None:
    for label, threshold in labels.items():
        if not 0 <= threshold <= 100:
            raise InputError(
                f"The threshold of {label!r} is {threshold}; allowed is a number from 0 to 100, such as 80",
                "labels_of_interest",
            )


def _check_mode(mode: str) -> None:
    if mode not in BATCH_SIZES:
        raise InputError(f"mode is {mode!r}; allowed is one of {', '.join(BATCH_SIZES)}, such as 'digest'", "mode")


def _check_links(minutes: int, has_bucket: bool) -> None:
    if minutes and not has_bucket:
        problem = "presigned_url_minutes needs final_bucket_name, the bucket whose images links show"
        raise InputError(problem, "final_bucket_name")
