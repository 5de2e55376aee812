"""`clb status`."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from custom_labels_batch.cli.alarms import Alarms
from custom_labels_batch.cli.schedule import next_tick
from custom_labels_batch.cli.stack import Stack, StackTime
from tests.unit.cli.aws_stack import VERSION, AwsStack
from tests.unit.cli.conftest import Cli

RUN = "arn:aws:states:eu-west-1:123456789012:execution:run:tick-1"
NOW = datetime(2026, 11, 22, 10, 20, tzinfo=UTC)


def test_queues_and_dead_letters_are_counted(aws: AwsStack, cli: Cli) -> None:
    aws.send("imageQueueUrl", 3)
    aws.send("analyticsDeadLetterQueueUrl", 2)
    queues = json.loads(cli("status", "--outputs", aws.file(), "--json").out)["queues"]
    assert [(q["name"], q["waiting"], q["deadLetters"]) for q in queues] == [
        ("images", 3, 0),
        ("notifications", 0, 0),
        ("analytics", 0, 2),
    ]


def test_the_oldest_message_is_as_old_as_cloudwatch_says(aws: AwsStack, cli: Cli) -> None:
    aws.send("imageQueueUrl", 1)
    aws.client("cloudwatch").put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": "imageQueueUrl"}],
                "Timestamp": datetime.now(UTC) - timedelta(minutes=3),
                "Value": 5400,
            }
        ],
    )
    images, notifications, _ = json.loads(cli("status", "--outputs", aws.file(), "--json").out)["queues"]
    assert images["oldestMinutes"] == 90
    assert notifications["oldestMinutes"] is None


def test_without_a_run_it_names_the_version_the_next_one_would_start(aws: AwsStack, cli: Cli) -> None:
    aws.versions = [aws.version("TRAINING_FAILED", VERSION.replace("v2", "v3")), aws.version("STOPPED")]
    said = cli("status", "--outputs", aws.file())
    assert "model v2 STOPPED active run none" in said.words


def test_a_pinned_version_is_the_one_it_names(aws: AwsStack, cli: Cli) -> None:
    aws.versions = [aws.version(), aws.version("TRAINING_COMPLETED", VERSION.replace("v2", "v1"))]
    aws.outputs["modelVersion"] = "v1"
    assert "model v1 TRAINING_COMPLETED" in cli("status", "--outputs", aws.file()).words


def test_every_version_that_costs_money_is_named_with_its_units(aws: AwsStack, cli: Cli) -> None:
    aws.versions = [aws.version("RUNNING", units=2), aws.version("STARTING", VERSION.replace("v2", "v1"), units=1)]
    words = cli("status", "--outputs", aws.file()).words
    assert "model v2 RUNNING, 2 inference units" in words
    assert "model v1 STARTING, 1 inference unit " in words


def test_the_active_run_tells_how_far_it_is(aws: AwsStack, cli: Cli) -> None:
    aws.lock(RUN)
    words = cli("status", "--outputs", aws.file()).words
    assert "active run tick-1, for 12 min; 40 images done, 100 waited when it began" in words


def test_a_run_that_is_being_released_says_so(aws: AwsStack, cli: Cli) -> None:
    aws.lock(RUN, executionArn=RUN.replace(":run:", ":release:"))
    assert "its model is being released" in cli("status", "--outputs", aws.file()).words


def test_the_last_runs_are_told_newest_first_with_what_went_wrong(aws: AwsStack, cli: Cli) -> None:
    aws.record(RUN, minutes_ago=300)
    aws.record(RUN.replace("-1", "-2"), outcome="FAILED", cause="ModelStopped: v2 went to STOPPED")
    said = cli("status", "--outputs", aws.file())
    rows = [line.split()[2:] for line in said.out.splitlines() if "15 min" in line]
    assert rows == [
        ["FAILED", "15", "min", "90", "10", "2", "6.0"],
        ["DRAINED", "15", "min", "90", "10", "2", "6.0"],
    ]
    assert "The last one: ModelStopped: v2 went to STOPPED" in said.words


def test_the_cause_of_a_failed_run_is_told_whole_however_long_it_is(aws: AwsStack, cli: Cli) -> None:
    cause = (
        "Rekognition.LimitExceededException: " + "the account's inference units do not suffice, " * 9 + "ask for more."
    )
    aws.record(RUN, outcome="FAILED", cause=cause)
    said = cli("status", "--outputs", aws.file())
    assert f"The last one: {cause}" in said.words
    assert max(map(len, said.out.splitlines())) <= 80


def test_the_next_run_is_told_from_the_schedule(aws: AwsStack, cli: Cli) -> None:
    said = cli("status", "--outputs", aws.file())
    assert "in 60 min, by rate(1 hour)" in said.words


def test_a_schedule_that_is_switched_off_says_so(aws: AwsStack, cli: Cli) -> None:
    scheduler = aws.client("scheduler")
    found = scheduler.get_schedule(GroupName="batch", Name="batch-run")
    kept = {name: found[name] for name in ("GroupName", "Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**kept, State="DISABLED")
    assert "the schedule is switched off" in cli("status", "--outputs", aws.file()).words


def alarm(aws: AwsStack, name: str, state: str, topic: str = "operations") -> None:
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        AlarmDescription="Images could not be labelled. To do: look at a message.",
        AlarmActions=[f"arn:aws:sns:eu-west-1:123456789012:{topic}"],
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Statistic="Maximum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")


@pytest.fixture
def watched(aws: AwsStack) -> AwsStack:
    aws.outputs["operationsTopicArn"] = "arn:aws:sns:eu-west-1:123456789012:operations"
    alarm(aws, "monitoring-failed-run-0123abc", "OK")
    alarm(aws, "monitoring-oldest-image-0123abc", "INSUFFICIENT_DATA")
    alarm(aws, "somebody-elses", "ALARM", topic="other")
    return aws


def test_alarms_that_are_raised_are_told_with_what_to_do(watched: AwsStack, cli: Cli) -> None:
    alarm(watched, "monitoring-image-dead-letter-0123abc", "ALARM")
    words = cli("status", "--outputs", watched.file()).words
    assert "alarms 1 of 3 raised, 1 without data yet monitoring-image-dead-letter, 2" in words
    assert ": look at a message." in words
    assert "somebody-elses" not in words


def test_alarms_that_are_not_raised_are_counted(watched: AwsStack, cli: Cli) -> None:
    assert "alarms none of 2 is raised, 1 without data yet" in cli("status", "--outputs", watched.file()).words


def test_alarms_are_in_the_json(watched: AwsStack, cli: Cli) -> None:
    alarm(watched, "monitoring-image-dead-letter-0123abc", "ALARM")
    found = json.loads(cli("status", "--outputs", watched.file(), "--json").out)["alarms"]
    (raised,) = found["raised"]
    assert (found["ok"], found["withoutData"]) == (1, 1)
    assert raised["meaning"] == "Images could not be labelled."
    assert raised["toDo"] == "look at a message."


def test_alarms_of_a_sandbox_are_told_by_its_clock_as_everything_is(
    watched: AwsStack, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = datetime.now(UTC)
    simulated = real + timedelta(hours=5)
    monkeypatch.setattr(StackTime, "of", lambda _: StackTime(real, simulated, scale=1 / 30))
    alarm(watched, "monitoring-image-dead-letter-0123abc", "ALARM")
    (raised,) = json.loads(cli("status", "--outputs", watched.file(), "--json").out)["alarms"]["raised"]
    assert abs(datetime.fromisoformat(raised["since"]) - simulated) < timedelta(minutes=30)


def test_without_the_right_to_see_alarms_the_rest_is_told(
    watched: AwsStack, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "DescribeAlarms")

    def refuse(_: Stack) -> Alarms:
        raise refusal

    monkeypatch.setattr("custom_labels_batch.cli.alarms.read_alarms", refuse)
    said = cli("status", "--outputs", watched.file(), "--json")
    assert (said.code, json.loads(said.out)["alarms"]) == (0, None)


def test_a_stack_without_a_workflow_has_neither_runs_nor_a_schedule(aws: AwsStack, cli: Cli) -> None:
    for name in ("stateMachineArn", "releaseStateMachineArn", "scheduleArn", "runsTableName"):
        aws.outputs[name] = None
    said = cli("status", "--outputs", aws.file())
    assert said.code == 0
    assert "trigger upload" in said.out
    assert "next run" not in said.out


def test_it_fits_80_columns_and_a_pipe(aws: AwsStack, cli: Cli) -> None:
    aws.send("imageDeadLetterQueueUrl", 1)
    aws.lock("arn:aws:states:eu-west-1:123456789012:execution:run:" + "0123456789" * 8)
    for number in range(9):
        aws.record(f"{RUN}{number}", minutes_ago=60 * number, outcome="MAX_RUN_MINUTES", processed=1_000_000)
    said = cli("status", "--outputs", aws.file())
    assert max(map(len, said.out.splitlines())) <= 80
    assert len(said.out.splitlines()) <= 24
    assert "\x1b" not in said.out


def test_what_aws_refuses_is_one_line_with_what_to_do(aws: AwsStack, cli: Cli) -> None:
    aws.outputs["runsTableName"] = "gone"
    said = cli("status", "--outputs", aws.file())
    assert said.code == 1
    assert said.err.startswith("error: GetItem: ResourceNotFoundException: ")
    assert said.err.endswith("; was the stack destroyed or deployed anew? --stack and --outputs choose another\n")


@pytest.mark.parametrize(
    ("expression", "tick"),
    [
        ("rate(1 hour)", "2026-11-22T11:05+00:00"),
        ("cron(30 11 * * ? *)", "2026-11-22T10:30+00:00"),
        ("cron(0 0 1 1 ? 2099)", None),
    ],
)
def test_the_next_tick_follows_the_schedules_start_or_its_time_zone(expression: str, tick: str | None) -> None:
    found = next_tick(expression, "Europe/Berlin", NOW - timedelta(days=3, minutes=15), NOW)
    assert found == (datetime.fromisoformat(tick) if tick else None)
