"""Alarms that say what is wrong and what to do, the topic they are told on, and a dashboard."""

import math
from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import alarms, operations_dashboard
from custom_labels_batch.components.alarms import MOST_WAIT_MINUTES, Alarm
from custom_labels_batch.components.inputs import check_names, number, whole_number
from custom_labels_batch.components.naming import check_name, with_tags
from custom_labels_batch.components.subscriptions import checked_emails
from custom_labels_batch.components.topic import make_topic, subscribe
from custom_labels_batch.rules import limits
from custom_labels_batch.rules.limits import Range
from custom_labels_batch.rules.schedule_expression import checked_schedule, longest_pause

MODEL_START_MINUTES = 30
"""What a run is allowed for starting the model, before its first image."""

HOURLY_WAIT_MINUTES = 2 * 60 + MODEL_START_MINUTES + 60
"""What `longest_wait_minutes` answers for the defaults of BatchInference."""

CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
"""Partition -> where its consoles are, if not at console.aws.amazon.com."""


class MonitoringArgs(TypedDict):
    """Inputs of Monitoring. What is left out is not watched."""

    image_queue_url: pulumi.Input[str]
    """URL of the queue of images that wait."""
    image_dead_letter_queue_url: pulumi.Input[str]
    """URL of the queue of images that could not be labelled."""
    analyze_function_name: pulumi.Input[str]
    """Name of the function that labels images."""
    notification_dead_letter_queue_url: NotRequired[pulumi.Input[str]]
    """URL of the queue of predictions that could not be told about."""
    analytics_dead_letter_queue_url: NotRequired[pulumi.Input[str]]
    """URL of the queue of predictions that could not be recorded."""
    notify_function_name: NotRequired[pulumi.Input[str]]
    """Name of the function that looks for labels of interest."""
    record_function_name: NotRequired[pulumi.Input[str]]
    """Name of the function that records predictions."""
    state_machine_arn: NotRequired[pulumi.Input[str]]
    """ARN of the workflow that runs the model."""
    release_state_machine_arn: NotRequired[pulumi.Input[str]]
    """ARN of the workflow that stops the model, and counts what runs have cost and what runs without one."""
    schedule_arn: NotRequired[pulumi.Input[str]]
    """ARN of a schedule; all schedules of its group are watched."""
    rescue_dead_letter_queue_url: NotRequired[pulumi.Input[str]]
    """URL of the queue of failed runs for which the workflow that stops the model could not be started."""
    project_arn: NotRequired[pulumi.Input[str]]
    """ARN of the Rekognition Custom Labels project whose model is watched."""
    model_version: NotRequired[str]
    """Name of the pinned project version. Without it, all versions of the project are watched, less far back."""
    max_run_minutes: NotRequired[int]
    """Minutes after which a run ends, as BatchInference has it. Without it, a model may always be in service."""
    longest_wait_minutes: NotRequired[int]
    """Most minutes an image should wait, up to 12960 (9 days). Default: 210 with `state_machine_arn`, for the
    schedule that BatchInference has by default; without it 60, for a model that always runs."""
    inference_unit_hour_price: NotRequired[float]
    """USD that an inference unit costs an hour, for the dashboard. Default: 4."""
    alarm_emails: NotRequired[list[str]]
    """E-mail addresses that hear of alarms; each confirms once, by a link AWS sends it."""
    dashboard_name: NotRequired[str]
    """Name of the dashboard, the only one of it in the account: letters, digits, hyphens and underscores. Default: that
    of the operations topic, which Pulumi makes, so that stacks of one account share none."""
    tags: NotRequired[dict[str, pulumi.Input[str]]]
    """Tags for every resource that takes tags."""


class Monitoring(pulumi.ComponentResource):
    """An operations topic, the CloudWatch alarms that publish to it, and a CloudWatch dashboard."""

    operations_topic_arn: pulumi.Output[str]
    """ARN of the topic that alarms are published to; subscribe to it."""
    operations_dashboard_name: pulumi.Output[str]
    """Name of the dashboard."""
    operations_dashboard_url: pulumi.Output[str]
    """URL at which people open the dashboard."""

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_name(name)
        check_names(args, MonitoringArgs)
        wait = HOURLY_WAIT_MINUTES if "state_machine_arn" in args else 60
        self._longest_wait = whole_number(args, "longest_wait_minutes", Range(wait, 1, MOST_WAIT_MINUTES))
        emails = checked_emails(args.get("alarm_emails", []), "alarm_emails")
        self._price = number(args, "inference_unit_hour_price", limits.INFERENCE_UNIT_HOUR_PRICE)
        super().__init__(
            "custom-labels-batch:index:Monitoring",
            name,
            None,
            with_tags(opts, {**args.get("tags", {}), "Component": "Monitoring"}),
        )
        self._component_name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        options = pulumi.InvokeOptions(parent=self)
        self._region = aws.get_region_output(opts=options).region
        self._partition = aws.get_partition_output(opts=options).partition
        self._account = aws.get_caller_identity_output(opts=options).account_id

        # No image data passes here, so it does without a key.
        topic, topic_policy = make_topic(
            f"{name}-operations",
            self._child,
            alarm_arns=pulumi.Output.format(
                "arn:{0}:cloudwatch:{1}:{2}:alarm:{3}-*", self._partition, self._region, self._account, name
            ),
        )
        subscribe(name, topic, emails, topic_policy, parent=self)
        # An alarm that could not publish would say nothing.
        after = pulumi.ResourceOptions(parent=self, depends_on=[topic_policy])
        made = [alarms.create(name, alarm, topic.arn, after) for alarm in self._alarms()]
        dashboard = self._dashboard(made, topic.name)

        self.operations_topic_arn = topic.arn
        self.operations_dashboard_name = dashboard.dashboard_name
        self.operations_dashboard_url = self._console(
            "cloudwatch", pulumi.Output.concat("#dashboards/dashboard/", dashboard.dashboard_name)
        )
        self.register_outputs(
            {
                "operationsTopicArn": self.operations_topic_arn,
                "operationsDashboardName": self.operations_dashboard_name,
                "operationsDashboardUrl": self.operations_dashboard_url,
            }
        )

    # What is watched

    def _functions(self) -> dict[str, pulumi.Input[str]]:
        args = self._args
        found = {"analyze-image": args["analyze_function_name"]}
        if "notify_function_name" in args:
            found["notify-labels"] = args["notify_function_name"]
        if "record_function_name" in args:
            found["record-predictions"] = args["record_function_name"]
        return found

    def _dead_letter_queues(self) -> dict[str, tuple[pulumi.Input[str], str]]:
        """What each is of -> its URL, and what a message in it means."""
        args = self._args
        found = {"image": (args["image_dead_letter_queue_url"], alarms.IMAGE_DEAD_LETTERS)}
        if "notification_dead_letter_queue_url" in args:
            found["notification"] = (args["notification_dead_letter_queue_url"], alarms.NOTIFICATION_DEAD_LETTERS)
        if "analytics_dead_letter_queue_url" in args:
            found["analytics"] = (args["analytics_dead_letter_queue_url"], alarms.ANALYTICS_DEAD_LETTERS)
        if "rescue_dead_letter_queue_url" in args:
            found["rescue"] = (args["rescue_dead_letter_queue_url"], alarms.RESCUE_DEAD_LETTERS)
        return found

    def _alarms(self) -> list[Alarm]:
        args, functions = self._args, self._functions()
        found = [alarms.dead_letters(of, *queue) for of, queue in self._dead_letter_queues().items()]
        found.append(alarms.oldest_image(args["image_queue_url"], self._longest_wait))
        found += [alarms.function_errors(service, function) for service, function in functions.items()]
        found.append(alarms.throttled_functions(list(functions.values())))
        return [*found, *self._alarms_of_runs()]

    def _alarms_of_runs(self) -> list[Alarm]:
        args = self._args
        found = []
        if "state_machine_arn" in args:
            found.append(alarms.failed_run(args["state_machine_arn"]))
        if "release_state_machine_arn" in args:
            found.append(alarms.failed_release(args["release_state_machine_arn"]))
            found.append(alarms.model_without_run(args["release_state_machine_arn"]))
        if "schedule_arn" in args:
            found.append(alarms.failed_schedule(args["schedule_arn"]))
        if "project_arn" in args and "max_run_minutes" in args:
            version, most = args.get("model_version"), whole_number(args, "max_run_minutes", limits.MAX_RUN_MINUTES)
            found.append(alarms.model_in_service(args["project_arn"], version, most))
        return found

    # The dashboard

    def _dashboard(
        self, made: Sequence[aws.cloudwatch.MetricAlarm], automatic_name: pulumi.Output[str]
    ) -> aws.cloudwatch.Dashboard:
        args = self._args
        project = pulumi.Output.from_input(args["project_arn"]) if "project_arn" in args else None
        watched = operations_dashboard.Watched(
            region=self._region,
            image_queue_url=args["image_queue_url"],
            dead_letter_queue_urls={of: url for of, (url, _) in self._dead_letter_queues().items()},
            function_names=self._functions(),
            project_name=project.apply(lambda arn: arn.split("/")[1]) if project else None,
            model_version=args.get("model_version"),
            state_machine_arn=args.get("state_machine_arn"),
            release_state_machine_arn=args.get("release_state_machine_arn"),
            schedule_arn=args.get("schedule_arn"),
            inference_unit_hour_price=self._price,
            alarm_arns=[alarm.arn for alarm in made],
        )
        return aws.cloudwatch.Dashboard(
            self._component_name,
            dashboard_name=args.get("dashboard_name") or automatic_name,
            dashboard_body=operations_dashboard.body(watched, self._introduction()),
            opts=self._child,
        )

    def _introduction(self) -> pulumi.Output[str]:
        """What the dashboard is about, and where to look further."""
        links: list[pulumi.Input[str]] = [
            self._link("Alarms, each with what to do", "cloudwatch", "#alarmsV2:"),
            self._link("Queues", "sqs/v3", "#/queues"),
        ]
        for title, arn in (
            ("Runs", self._args.get("state_machine_arn")),
            ("Releases of the model", self._args.get("release_state_machine_arn")),
        ):
            if arn is not None:
                links.append(self._link(title, "states", pulumi.Output.concat("#/statemachines/view/", arn)))
        for service, function in self._functions().items():
            links.append(self._link(service, "lambda", pulumi.Output.concat("#/functions/", function)))
        return pulumi.Output.format(
            "## Custom Labels batch\nImages wait in a queue until a run starts the model. Graphs of the queue and "
            "the model are gauges; of images, counts in five minutes.\n\n{0}",
            pulumi.Output.all(*links).apply(lambda found: " · ".join(found)),
        )

    def _link(self, title: str, service: str, fragment: pulumi.Input[str]) -> pulumi.Output[str]:
        return pulumi.Output.format("[{0}]({1})", title, self._console(service, fragment))

    def _console(self, service: str, fragment: pulumi.Input[str]) -> pulumi.Output[str]:
        return pulumi.Output.all(self._partition, self._region, fragment).apply(
            lambda found: console_url(found[0], found[1], service, found[2])
        )


def console_url(partition: str, region: str, service: str, fragment: str) -> str:
    """Where a page of a service's console is."""
    host = CONSOLES.get(partition, "console.aws.amazon.com")
    return f"https://{region}.{host}/{service}/home?region={region}{fragment}"


def longest_wait_minutes(
    schedule: str, timezone: str, target_drain_minutes: int, min_batch_size: int, max_queue_age_minutes: int
) -> int:
    """Minutes that runs may leave an image in the queue: two pauses of the schedule, and what a run takes to reach it.

    Where fewer than `min_batch_size` images wait for more, `max_queue_age_minutes` and a pause instead of two. A
    schedule that does not repeat has no pause: as long as an image can wait.
    """
    try:
        pause = longest_pause(checked_schedule(schedule), timezone) / 60
    except ValueError:
        return MOST_WAIT_MINUTES
    waiting = 2 * pause if min_batch_size <= 1 else max_queue_age_minutes + pause
    return min(MOST_WAIT_MINUTES, math.ceil(waiting) + MODEL_START_MINUTES + target_drain_minutes)
