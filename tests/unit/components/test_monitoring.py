"""Monitoring: what is watched, who is told, and what the dashboard shows."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from custom_labels_batch.components.alarms import (
    DAY_MINUTES,
    MOST_PINNED_MINUTES,
    MOST_UNPINNED_MINUTES,
    MOST_WAIT_MINUTES,
)
from custom_labels_batch.components.monitoring import Monitoring, MonitoringArgs, console_url, longest_wait_minutes
from custom_labels_batch.components.naming import MAX_NAME_LENGTH
from custom_labels_batch.components.queue import DAY_SECONDS
from sandbox.deployer.dashboard_body import check_body
from sandbox.deployer.model import Properties, Registration
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Result, record_program
from tests.unit.components.graph import (
    ACCOUNT,
    FUNCTION,
    PROJECT_ARN,
    QUEUE,
    SCHEDULE,
    STATE_MACHINE,
    TOPIC,
    cloud_resources,
    precedes,
    record_stack,
    statements,
)

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
URL = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/"

ALWAYS = {
    "image-dead-letter",
    "notification-dead-letter",
    "analytics-dead-letter",
    "oldest-image",
    "analyze-image-error",
    "notify-labels-error",
    "record-predictions-error",
    "throttled-functions",
}
OF_RUNS = {
    "failed-run",
    "failed-release",
    "failed-schedule",
    "rescue-dead-letter",
    "model-in-service",
    "model-without-run",
}


def record(name: str = "monitoring", **args: Any) -> Result:
    """What one Monitoring registers in a program of its own."""
    inputs: MonitoringArgs = {
        "image_queue_url": f"{URL}images",
        "image_dead_letter_queue_url": f"{URL}images-dlq",
        "analyze_function_name": "analyze",
        **args,  # type: ignore[typeddict-item]
    }
    return record_program(lambda: Monitoring(name, inputs))


def alarms(graph: Result) -> dict[str, Properties]:
    """The alarms of a stack, by their names within the component."""
    return {alarm.name.removeprefix("monitoring-"): alarm.properties for alarm in graph.of_type(ALARM)}


def metrics(alarm: Properties) -> list[Properties]:
    """What an alarm is on, single or computed."""
    if "metricName" in alarm:
        return [alarm]
    return [query["metric"] for query in alarm["metricQueries"] if "metric" in query]


def body(graph: Result) -> dict[str, Any]:
    (dashboard,) = graph.of_type(DASHBOARD)
    found: dict[str, Any] = json.loads(dashboard.properties["dashboardBody"])
    return found


def lines(graph: Result) -> Iterator[list[Any]]:
    """Every metric of the dashboard."""
    for widget in body(graph)["widgets"]:
        yield from widget["properties"].get("metrics", [])


def expressions(graph: Result) -> dict[str, str]:
    """The dashboard's math, by its ids; of those that two widgets have, the first's."""
    found: dict[str, str] = {}
    for line in lines(graph):
        if "expression" in line[-1]:
            found.setdefault(line[-1]["id"], line[-1]["expression"])
    return found


def computed(math: dict[str, str], days: Any, billed: Any) -> dict[str, Any]:
    """What CloudWatch makes of the math on cost: its functions on series of one value a day.

    From "Using metric math" in the CloudWatch user guide: EPOCH and DATE are of each value's time, MAX and SUM of one
    series are numbers, IF is of each value.
    """
    months = days.astype("datetime64[M]")
    found = {
        "billed": billed,
        "EPOCH": lambda _series: days.astype("datetime64[s]").astype(float),
        "DATE": lambda _series: (days - months.astype("datetime64[D]")).astype(float) + 1,
        "MAX": np.max,
        "SUM": np.sum,
        "IF": np.where,
        "TIME_SERIES": lambda number: np.full(len(days), number),
    }
    for id_ in ("month", "minutes", "cost"):
        found[id_] = eval(math[id_], {"__builtins__": {}}, found)  # noqa: S307 - the program's own expressions
    return found


def physical(graph: Result, type_: str) -> set[str]:
    return {resource.properties["name"] for resource in graph.of_type(type_)}


class TestWhatIsWatched:
    def test_on_a_schedule_is_the_runs_too(self, scheduled: Result, on_upload: Result) -> None:
        assert set(alarms(scheduled)) == ALWAYS | OF_RUNS
        assert set(alarms(on_upload)) == ALWAYS

    def test_alone_is_the_image_queue_and_its_function(self) -> None:
        assert set(alarms(record())) == {
            "image-dead-letter",
            "oldest-image",
            "analyze-image-error",
            "throttled-functions",
        }

    def test_is_there_in_the_stack(self, graph: Result) -> None:
        arns = {machine.outputs["arn"] for machine in graph.of_type(STATE_MACHINE)}
        groups = {schedule.properties["groupName"] for schedule in graph.of_type(SCHEDULE)}
        known = {
            "QueueName": physical(graph, QUEUE),
            "FunctionName": physical(graph, FUNCTION),
            "StateMachineArn": arns,
            "ScheduleGroup": groups,
            "ProjectName": {"surfaces"},
        }
        for name, alarm in alarms(graph).items():
            for metric in metrics(alarm):
                assert all(value in known[key] for key, value in metric["dimensions"].items()), name

    def test_that_says_nothing_is_well_but_for_the_guard(self, graph: Result) -> None:
        for name, alarm in alarms(graph).items():
            assert alarm["treatMissingData"] == ("missing" if name == "model-without-run" else "notBreaching"), name


class TestADeadLetterQueue:
    @pytest.mark.parametrize("of", ["image", "notification", "analytics", "rescue"])
    def test_alarms_with_its_first_message(self, scheduled: Result, of: str) -> None:
        alarm = alarms(scheduled)[f"{of}-dead-letter"]

        assert (alarm["metricName"], alarm["statistic"]) == ("ApproximateNumberOfMessagesVisible", "Maximum")
        assert (alarm["threshold"], alarm["comparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
        assert "-dlq" in alarm["dimensions"]["QueueName"]


class TestTheOldestImage:
    @pytest.mark.parametrize(
        ("config", "minutes"),
        [
            ({}, 2 * 60 + 30 + 60),
            ({"schedule": "rate(15 minutes)", "targetDrainMinutes": 20}, 2 * 15 + 30 + 20),
            ({"minBatchSize": 200, "maxQueueAgeMinutes": 720}, 720 + 60 + 30 + 60),
            # From Friday's to Monday's look.
            ({"schedule": "cron(0 6 ? * MON-FRI *)"}, 2 * 3 * DAY_MINUTES + 30 + 60),
        ],
    )
    def test_may_wait_for_two_looks_and_a_run(self, config: dict[str, Any], minutes: int) -> None:
        alarm = alarms(record_stack(**config))["oldest-image"]

        assert (alarm["metricName"], alarm["threshold"]) == ("ApproximateAgeOfOldestMessage", minutes * 60)
        assert f"more than {minutes} minutes" in alarm["alarmDescription"]

    def test_alarms_before_the_queue_forgets_it(self) -> None:
        graph = record_stack(schedule="rate(7 days)")
        retention = graph.named("batch-images", QUEUE).properties["messageRetentionSeconds"]

        assert alarms(graph)["oldest-image"]["threshold"] == MOST_WAIT_MINUTES * 60 == retention - DAY_SECONDS

    def test_may_wait_for_an_hour_where_the_model_always_runs(self, on_upload: Result) -> None:
        assert alarms(on_upload)["oldest-image"]["threshold"] == 3600

    def test_may_wait_as_long_as_the_default_schedule_makes_it_where_there_is_a_workflow(self) -> None:
        waiting = longest_wait_minutes("rate(1 hour)", "UTC", 60, 1, 1440)

        graph = record(state_machine_arn=f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:run")
        assert alarms(graph)["oldest-image"]["threshold"] == waiting * 60

    def test_may_wait_for_long_where_the_schedule_does_not_repeat(self) -> None:
        assert longest_wait_minutes("cron(0 0 1 1 ? 2099)", "UTC", 60, 1, 1440) == MOST_WAIT_MINUTES


class TestAFailedRun:
    def test_alarms_unless_somebody_ended_it(self, scheduled: Result) -> None:
        """The stop command ends a run, and a person who did that knows."""
        found = alarms(scheduled)["failed-run"]

        assert {metric["metricName"] for metric in metrics(found)} == {"ExecutionsFailed", "ExecutionsTimedOut"}
        assert self.watched(found) == {scheduled.named("batch-run", STATE_MACHINE).outputs["arn"]}
        assert found["metricQueries"][-1]["expression"] == "SUM([m1, m2])"

    def test_of_the_release_alarms_however_it_failed(self, scheduled: Result) -> None:
        found = alarms(scheduled)["failed-release"]

        assert {metric["metricName"] for metric in metrics(found)} == {
            "ExecutionsFailed",
            "ExecutionsTimedOut",
            "ExecutionsAborted",
        }
        assert self.watched(found) == {scheduled.named("batch-release-model", STATE_MACHINE).outputs["arn"]}
        assert found["metricQueries"][-1]["expression"] == "SUM([m1, m2, m3])"

    def watched(self, alarm: Properties) -> set[str]:
        return {metric["dimensions"]["StateMachineArn"] for metric in metrics(alarm)}

    def test_of_the_release_is_urgent(self, scheduled: Result) -> None:
        urgent = [name for name, found in alarms(scheduled).items() if "URGENT" in found["alarmDescription"]]

        assert urgent == ["failed-release"]


class TestAModelWithoutARun:
    def test_alarms_when_the_guard_has_found_it_three_times(self, scheduled: Result) -> None:
        alarm = alarms(scheduled)["model-without-run"]
        guard = scheduled.named("batch-release-model", SCHEDULE).properties["scheduleExpression"]

        assert (alarm["namespace"], alarm["metricName"]) == ("CustomLabelsBatch", "IdleInferenceUnits")
        # The lowest of a period: one look that found a run is enough.
        assert (alarm["statistic"], alarm["threshold"], alarm["evaluationPeriods"]) == ("Minimum", 1, 3)
        assert guard == f"rate({alarm['period'] // 60} minutes)"
        assert "in service for 45 minutes while no run was active" in alarm["alarmDescription"]

    def test_is_found_by_the_release_of_its_own_stack(self, scheduled: Result) -> None:
        release = scheduled.named("batch-release-model", STATE_MACHINE)

        assert alarms(scheduled)["model-without-run"]["dimensions"] == {"StateMachineArn": release.outputs["arn"]}
        assert "IdleInferenceUnits" in release.properties["definition"]

    def test_is_not_known_of_where_the_guard_does_not_look(self, scheduled: Result) -> None:
        """A new alarm has no value yet, and its state does not change: nobody is told of that."""
        silent = {name: alarm.get("insufficientDataActions") for name, alarm in alarms(scheduled).items()}

        assert [name for name, actions in silent.items() if actions] == ["model-without-run"]


class TestAModelInService:
    def test_of_a_pinned_version_alarms_when_a_run_should_have_ended(self) -> None:
        alarm = alarms(record_stack(modelVersion="v.2", maxRunMinutes=240))["model-in-service"]

        assert alarm["dimensions"] == {"ProjectName": "surfaces", "VersionName": "v.2"}
        assert alarm["evaluationPeriods"] * alarm["period"] == (240 + 60) * 60
        assert "for 5 hours without a pause" in alarm["alarmDescription"]

    def test_of_a_pinned_version_alarms_after_a_day_at_the_latest(self) -> None:
        alarm = alarms(record_stack(modelVersion="v.2", maxRunMinutes=43_200))["model-in-service"]

        assert alarm["evaluationPeriods"] * alarm["period"] == MOST_PINNED_MINUTES * 60
        assert (
            "A run may take longer (maxRunMinutes is 43200); CloudWatch looks back no further."
            in (alarm["alarmDescription"])
        )

    def test_of_any_version_alarms_while_a_query_can_look_back_far_enough(self, scheduled: Result) -> None:
        alarm = alarms(scheduled)["model-in-service"]
        (query,) = alarm["metricQueries"]

        assert query["expression"] == (
            'SELECT MAX(InServiceInferenceUnits) FROM SCHEMA("AWS/Rekognition", ProjectName, VersionName) '
            "WHERE ProjectName = 'surfaces'"
        )
        assert alarm["evaluationPeriods"] * query["period"] == MOST_UNPINNED_MINUTES * 60 < 3 * 60 * 60
        assert "CloudWatch looks back no further unless modelVersion is set." in alarm["alarmDescription"]

    def test_is_told_apart_from_one_that_is_started_again_and_again(self, scheduled: Result) -> None:
        """A model that stops and starts is out of service for minutes: periods must be shorter than that."""
        assert alarms(scheduled)["model-in-service"]["metricQueries"][0]["period"] == 300

    def test_is_no_trouble_where_it_always_runs(self) -> None:
        assert "model-in-service" not in alarms(record(project_arn=PROJECT_ARN))


class TestTheFunctions:
    def test_alarm_after_three_errors_in_a_quarter_of_an_hour(self, graph: Result) -> None:
        for service in ("analyze-image", "notify-labels", "record-predictions"):
            alarm = alarms(graph)[f"{service}-error"]
            assert (alarm["metricName"], alarm["statistic"]) == ("Errors", "Sum")
            assert (alarm["threshold"], alarm["period"], alarm["evaluationPeriods"]) == (3, 900, 1)
            assert service in alarm["dimensions"]["FunctionName"]

    def test_alarm_together_when_throttled(self, graph: Result) -> None:
        alarm = alarms(graph)["throttled-functions"]

        working = {name for name in physical(graph, FUNCTION) if "refuse-destroy" not in name}
        assert {metric["dimensions"]["FunctionName"] for metric in metrics(alarm)} == working
        assert {metric["metricName"] for metric in metrics(alarm)} == {"Throttles"}


def test_a_schedule_alarms_when_it_gives_up(scheduled: Result) -> None:
    alarm = alarms(scheduled)["failed-schedule"]

    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/Scheduler", "InvocationDroppedCount")


class TestADescription:
    def test_says_what_to_do(self, graph: Result) -> None:
        for name, alarm in alarms(graph).items():
            assert " To do: " in alarm["alarmDescription"], name

    def test_knows_that_pulumi_does_not_see_what_somebody_changed(self, graph: Result) -> None:
        for name, alarm in alarms(graph).items():
            assert "pulumi up" not in alarm["alarmDescription"].replace("pulumi up --refresh", ""), name

    def test_fits(self, graph: Result) -> None:
        assert all(len(alarm["alarmDescription"]) <= 1024 for alarm in alarms(graph).values())


class TestWhoIsTold:
    def test_is_everybody_with_an_address(self) -> None:
        graph = record(alarm_emails=["Ops@example.com", "bo@example.com"])

        assert {(s.properties["protocol"], s.properties["endpoint"]) for s in graph.of_type(SUBSCRIPTION)} == {
            ("email", "ops@example.com"),
            ("email", "bo@example.com"),
        }

    def test_stays_told_when_others_come_and_go(self) -> None:
        names = [
            {s.properties["endpoint"]: s.name for s in record(alarm_emails=emails).of_type(SUBSCRIPTION)}
            for emails in (["ana@example.com", "bo@example.com"], ["bo@example.com"])
        ]

        assert names[0]["bo@example.com"] == names[1]["bo@example.com"]

    def test_may_be_nobody(self) -> None:
        graph = record()

        assert graph.of_type(SUBSCRIPTION) == []
        assert graph.of_type(ALARM)

    def test_is_refused_twice(self) -> None:
        with pytest.raises(SandboxError, match=r"the email endpoint 'ana@example\.com' is there twice"):
            record(alarm_emails=["ana@example.com", "Ana@example.com"])

    def test_is_refused_without_an_address(self) -> None:
        with pytest.raises(SandboxError, match=r"SNS would not take the subscription.* the endpoint 'ops'"):
            record(alarm_emails=["ops"])

    def test_hears_of_the_end_of_what_lasts(self, scheduled: Result) -> None:
        lasting = {name for name, alarm in alarms(scheduled).items() if alarm.get("okActions")}

        assert lasting == {
            "image-dead-letter",
            "notification-dead-letter",
            "analytics-dead-letter",
            "rescue-dead-letter",
            "oldest-image",
            "model-in-service",
            "model-without-run",
        }


class TestTheTopic:
    def test_is_told_of_every_alarm(self, graph: Result) -> None:
        topic = graph.named("monitoring-operations", TOPIC).outputs["arn"]

        assert {tuple(alarm["alarmActions"]) for alarm in alarms(graph).values()} == {(topic,)}

    def test_lets_the_alarms_of_this_component_publish_and_no_others(self, graph: Result) -> None:
        (allowed,) = (
            statement
            for resource, statement in statements(graph)
            if resource.name == "monitoring-operations" and statement["Effect"] == "Allow"
        )

        assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert allowed["Condition"] == {
            "ArnEquals": {"aws:SourceArn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:monitoring-*"}
        }
        assert all(alarm.name.startswith("monitoring-") for alarm in graph.of_type(ALARM))

    def test_has_its_policy_before_an_alarm_publishes(self, graph: Result) -> None:
        policy = graph.named("monitoring-operations", TOPIC_POLICY)

        assert all(precedes(graph, policy, alarm) for alarm in graph.of_type(ALARM))


class TestTheDashboard:
    def test_is_one_that_cloudwatch_draws(self, graph: Result) -> None:
        check_body(json.dumps(body(graph)))
        check_body(json.dumps(body(record())))

    def test_shows_every_alarm(self, graph: Result) -> None:
        (widget,) = (w for w in body(graph)["widgets"] if w["type"] == "alarm")

        assert set(widget["properties"]["alarms"]) == {alarm.outputs["arn"] for alarm in graph.of_type(ALARM)}

    def test_shows_what_alarms_are_on(self, graph: Result) -> None:
        shown = {tuple(line[:2]) for line in lines(graph) if isinstance(line[0], str)}
        watched = {
            (metric["namespace"], metric["metricName"]) for alarm in alarms(graph).values() for metric in metrics(alarm)
        }

        assert watched <= shown

    def test_shows_the_units_of_the_pinned_version_or_of_all(self, scheduled: Result) -> None:
        pinned = [line[:6] for line in lines(record_stack(modelVersion="v.2")) if line[0] == "AWS/Rekognition"]
        (any_,) = (text for text in expressions(scheduled).values() if text.startswith("SEARCH"))

        assert pinned == [
            ["AWS/Rekognition", "InServiceInferenceUnits", "ProjectName", "surfaces", "VersionName", "v.2"]
        ]
        assert any_ == (
            'SEARCH(\'{AWS/Rekognition,ProjectName,VersionName} MetricName="InServiceInferenceUnits" '
            "ProjectName=\"surfaces\"', 'Maximum', 300)"
        )

    @pytest.mark.parametrize(
        ("today", "this_month"),
        [("2026-11-22", 22), ("2026-12-01", 1), ("2026-12-31", 31), ("2027-01-01", 1), ("2027-03-01", 1)],
    )
    def test_counts_the_cost_of_the_days_of_this_month(self, scheduled: Result, today: str, this_month: int) -> None:
        days = np.array([np.datetime64(today) - np.timedelta64(ago, "D") for ago in range(35, -1, -1)])
        found = computed(expressions(scheduled), days, billed=np.full(len(days), 30.0))

        assert set(found["minutes"]) == {30.0 * this_month}
        assert found["cost"][-1] == pytest.approx(2.0 * this_month)

    def test_has_the_price_of_the_settings(self) -> None:
        days = np.array([np.datetime64("2026-11-22")])
        found = computed(expressions(record_stack(inferenceUnitHourPrice="6")), days, billed=np.array([10.0]))

        assert found["cost"][-1] == pytest.approx(1.0)

    def test_shows_no_cost_where_no_run_is_watched(self, on_upload: Result) -> None:
        assert not [line for line in lines(on_upload) if "BilledInferenceUnitMinutes" in line]

    def test_looks_back_a_whole_month_for_it(self, scheduled: Result) -> None:
        (widget,) = (
            w["properties"] for w in body(scheduled)["widgets"] if w["properties"].get("view") == "singleValue"
        )

        assert (widget["start"], widget["period"]) == ("-P5W", 86_400)
        assert [line[-1].get("visible", True) for line in widget["metrics"]] == [False, False, True, True]

    def test_stays_within_what_is_free(self, scheduled: Result) -> None:
        """Three dashboards of up to 50 metrics are (CloudWatch pricing)."""
        assert len(list(lines(scheduled))) <= 50

    def test_shows_images_by_all_dimensions_they_are_counted_by(self, scheduled: Result) -> None:
        function = scheduled.named("batch-analyze-image", FUNCTION).properties["name"]
        (processed, _) = (line for line in lines(scheduled) if "ImagesProcessed" in line)

        assert processed[2:6] == ["function_name", function, "service", "analyze-image"]

    def test_links_to_the_runs(self, scheduled: Result) -> None:
        text = next(w["properties"]["markdown"] for w in body(scheduled)["widgets"] if w["type"] == "text")

        assert f"/statemachines/view/{scheduled.outputs['stateMachineArn']})" in text

    def test_has_the_stacks_name(self, scheduled: Result) -> None:
        assert scheduled.outputs["operationsDashboardName"] == "custom-labels-batch-test"
        assert scheduled.outputs["operationsDashboardUrl"] == (
            "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1"
            "#dashboards/dashboard/custom-labels-batch-test"
        )

    @pytest.mark.parametrize(
        ("partition", "host"),
        [
            ("aws", "x.console.aws.amazon.com"),
            ("aws-cn", "x.console.amazonaws.cn"),
            ("aws-us-gov", "x.console.amazonaws-us-gov.com"),
        ],
    )
    def test_is_where_its_partition_has_its_consoles(self, partition: str, host: str) -> None:
        assert console_url(partition, "x", "sqs", "#") == f"https://{host}/sqs/home?region=x#"


class TestInputs:
    def test_of_whole_numbers_may_arrive_as_floats(self) -> None:
        graph = record(longest_wait_minutes=210.0, max_run_minutes=240.0, project_arn=PROJECT_ARN, model_version="v")

        assert alarms(graph)["oldest-image"]["threshold"] == 12_600
        assert isinstance(alarms(graph)["model-in-service"]["evaluationPeriods"], int)

    @pytest.mark.parametrize("minutes", [0, MOST_WAIT_MINUTES + 1])
    def test_of_a_wait_that_no_queue_keeps_are_refused(self, minutes: int) -> None:
        with pytest.raises(SandboxError, match=f"longest_wait_minutes is {minutes}; allowed is a whole number from 1"):
            record(longest_wait_minutes=minutes)

    def test_of_the_longest_name_still_fit(self) -> None:
        graph = record("n" * MAX_NAME_LENGTH, **EVERYTHING)

        assert all(len(resource.name) <= 55 for resource in cloud_resources(graph))


EVERYTHING: dict[str, Any] = {
    "notification_dead_letter_queue_url": f"{URL}notification-dlq",
    "analytics_dead_letter_queue_url": f"{URL}analytics-dlq",
    "notify_function_name": "notify",
    "record_function_name": "record",
    "rescue_dead_letter_queue_url": f"{URL}rescue-dlq",
    "project_arn": PROJECT_ARN,
    "max_run_minutes": 1440,
}


def test_every_alarm_is_named_once(graph: Result) -> None:
    named: list[Registration] = graph.of_type(ALARM)

    assert len({alarm.name for alarm in named}) == len(named)
