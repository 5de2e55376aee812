"""What runs the model: the workflows on a schedule, or the user, for every upload."""

import json
from typing import Any

import pytest

from custom_labels_batch.components.workflow import in_partition, render
from sandbox.deployer.model import Properties
from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import (
    EVENT_SOURCE_MAPPING,
    FUNCTION,
    LOG_GROUP,
    QUEUE,
    RULE,
    SCHEDULE,
    STATE_MACHINE,
    TABLE,
    TARGET,
    TOPIC,
    precedes,
    record_component,
    record_stack,
)

OUTPUTS = {
    "keptOnDestroy",
    "projectArn",
    "sourceBucketName",
    "finalBucketName",
    "imageQueueUrl",
    "imageDeadLetterQueueUrl",
    "stateMachineArn",
    "releaseStateMachineArn",
    "scheduleArn",
    "runsTableName",
    "rescueDeadLetterQueueUrl",
    "predictionsTopicArn",
    "analyzeFunctionName",
    "eventSourceMappingUuid",
    "notificationTopicArn",
    "notificationQueueUrl",
    "notificationDeadLetterQueueUrl",
    "notifyFunctionName",
    "analyticsBucketName",
    "analyticsQueueUrl",
    "analyticsDeadLetterQueueUrl",
    "recordFunctionName",
    "athenaDatabase",
    "athenaTable",
    "athenaWorkgroup",
    "runSummaryTopicArn",
    "operationsTopicArn",
    "operationsDashboardName",
    "operationsDashboardUrl",
}
YEAR_SECONDS = 366 * 24 * 60 * 60


def mapping(graph: Result) -> Properties:
    return graph.named("batch-images", EVENT_SOURCE_MAPPING).properties


# Both


def test_the_stack_has_the_outputs_others_rely_on(scheduled: Result) -> None:
    assert set(scheduled.outputs) == OUTPUTS
    texts = {name: value for name, value in scheduled.outputs.items() if name != "keptOnDestroy"}
    assert all(isinstance(value, str) and value for value in texts.values())


def test_the_component_itself_gives_the_same_outputs(scheduled: Result) -> None:
    (component,) = (r for r in scheduled.resources if r.type == "custom-labels-batch:index:BatchInference")

    assert component.outputs.items() <= scheduled.outputs.items()


def test_the_mapping_hands_the_function_batches_that_may_fail_in_part(graph: Result) -> None:
    function = graph.named("batch-analyze-image", FUNCTION)
    found = mapping(graph)

    assert found["eventSourceArn"] == graph.named("batch-images", QUEUE).outputs["arn"]
    assert found["functionName"] == function.outputs["arn"]
    assert found["batchSize"] == 10
    assert found["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "maximumBatchingWindowInSeconds" not in found


@pytest.mark.parametrize(("units", "executions"), [(1, 2), (4, 8), (500, 1000)])
def test_what_runs_at_once_follows_the_inference_units(units: int, executions: int) -> None:
    graph = record_stack(maxInferenceUnits=units)

    assert mapping(graph)["scalingConfig"] == {"maximumConcurrency": executions}


def test_a_mapping_is_never_asked_for_more_than_lambda_allows() -> None:
    assert mapping(record_component(max_inference_units=500))["scalingConfig"] == {"maximumConcurrency": 1000}


def test_topics_with_predictions_are_encrypted_with_a_key_that_iam_principals_can_use(graph: Result) -> None:
    for topic in graph.of_type(TOPIC):
        # No alarm can publish with that key, and alarms have no predictions in them.
        encrypted = topic.name != "monitoring-operations"
        assert topic.properties.get("kmsMasterKeyId") == ("alias/aws/sns" if encrypted else None)


# On every upload


def test_on_upload_the_mapping_is_open_and_pulumi_keeps_it_so(on_upload: Result) -> None:
    found = on_upload.named("batch-images", EVENT_SOURCE_MAPPING)

    assert found.properties["enabled"] is True
    assert found.options.ignore_changes == ()


def test_on_upload_there_is_nothing_that_could_start_a_model(on_upload: Result) -> None:
    kinds = {resource.type for resource in on_upload.resources}

    assert not kinds & {SCHEDULE, STATE_MACHINE, TABLE, "aws:scheduler/scheduleGroup:ScheduleGroup"}
    assert [rule.name for rule in on_upload.of_type(RULE)] == ["batch-uploads"]
    assert "StartProjectVersion" not in str(on_upload.resources)


def test_on_upload_the_outputs_of_the_workflow_are_empty(on_upload: Result) -> None:
    empty = {name for name in OUTPUTS if on_upload.outputs.get(name) is None}

    assert empty == {
        "stateMachineArn",
        "releaseStateMachineArn",
        "scheduleArn",
        "runsTableName",
        "rescueDeadLetterQueueUrl",
        "runSummaryTopicArn",
    }


# On a schedule


def test_on_a_schedule_the_mapping_is_closed_and_left_to_the_workflow(scheduled: Result) -> None:
    found = scheduled.named("batch-images", EVENT_SOURCE_MAPPING)

    assert found.properties["enabled"] is False
    assert set(found.options.ignore_changes) == {"enabled", "scalingConfig"}


def test_a_change_of_trigger_updates_the_mapping_instead_of_making_another(
    scheduled: Result, on_upload: Result
) -> None:
    one, other = (graph.named("batch-images", EVENT_SOURCE_MAPPING) for graph in (scheduled, on_upload))

    assert one.urn == other.urn


def test_the_run_is_scheduled_as_the_settings_say() -> None:
    graph = record_stack(schedule="cron(0 6 ? * MON-FRI *)", scheduleTimezone="Europe/Berlin")
    schedule = graph.named("batch-run", SCHEDULE)

    assert schedule.properties["scheduleExpression"] == "cron(0 6 ? * MON-FRI *)"
    assert schedule.properties["scheduleExpressionTimezone"] == "Europe/Berlin"
    assert schedule.properties["target"]["arn"] == graph.outputs["stateMachineArn"]
    assert schedule.outputs["arn"] == graph.outputs["scheduleArn"]


def test_the_guard_has_a_schedule_of_its_own(scheduled: Result) -> None:
    guard = scheduled.named("batch-release-model", SCHEDULE).properties

    assert guard["scheduleExpression"] == "rate(15 minutes)"
    assert guard["target"]["arn"] == scheduled.outputs["releaseStateMachineArn"]


def test_schedules_do_not_repeat_for_long_what_the_next_tick_does_anyway(scheduled: Result) -> None:
    (group,) = scheduled.of_type("aws:scheduler/scheduleGroup:ScheduleGroup")
    for schedule in scheduled.of_type(SCHEDULE):
        retries = schedule.properties["target"]["retryPolicy"]
        assert retries["maximumRetryAttempts"] <= 3
        assert 60 <= retries["maximumEventAgeInSeconds"] <= 15 * 60
        assert schedule.properties["groupName"] == group.properties["name"]
        assert schedule.properties["flexibleTimeWindow"] == {"mode": "OFF"}


def test_a_run_that_could_not_release_its_model_is_released(scheduled: Result) -> None:
    rule, target = scheduled.named("batch-rescue", RULE), scheduled.named("batch-rescue", TARGET)

    assert json.loads(rule.properties["eventPattern"]) == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "stateMachineArn": [scheduled.outputs["stateMachineArn"]],
            "status": ["FAILED", "TIMED_OUT", "ABORTED"],
        },
    }
    assert target.properties["arn"] == scheduled.outputs["releaseStateMachineArn"]
    assert target.properties["roleArn"]
    assert target.properties["deadLetterConfig"]["arn"] == scheduled.named("batch-rescue-dlq", QUEUE).outputs["arn"]


def test_the_rule_tells_the_release_which_run_ended_and_how(scheduled: Result) -> None:
    transformer = scheduled.named("batch-rescue", TARGET).properties["inputTransformer"]

    assert transformer["inputPaths"] == {"arn": "$.detail.executionArn", "status": "$.detail.status"}
    assert transformer["inputTemplate"] == '{"endedExecutionArn": <arn>, "endedStatus": <status>}'


def test_schedules_tell_a_workflow_nothing_it_could_take_for_a_runs_report(scheduled: Result) -> None:
    assert [schedule.properties["target"]["input"] for schedule in scheduled.of_type(SCHEDULE)] == ["{}"] * 2


def test_the_runs_table_is_paid_by_use_forgets_and_can_be_restored(scheduled: Result) -> None:
    (table,) = scheduled.of_type(TABLE)

    assert table.properties["billingMode"] == "PAY_PER_REQUEST"
    assert (table.properties["hashKey"], table.properties["rangeKey"]) == ("kind", "id")
    assert {a["name"]: a["type"] for a in table.properties["attributes"]} == {"kind": "S", "id": "S"}
    assert table.properties["ttl"] == {"attributeName": "expiresAt", "enabled": True}
    assert table.properties["pointInTimeRecovery"] == {"enabled": True}


# The workflows


@pytest.mark.parametrize("name", ["batch-run", "batch-release-model"])
def test_a_state_machine_logs_where_aws_lets_it(scheduled: Result, name: str) -> None:
    machine = scheduled.named(name, STATE_MACHINE)
    logging, group = machine.properties["loggingConfiguration"], scheduled.named(name, LOG_GROUP)

    assert logging["level"] == "ERROR"
    assert logging["logDestination"] == group.outputs["arn"] + ":*"
    assert group.properties["name"].startswith(f"/aws/vendedlogs/states/{name}-")
    assert machine.properties["type"] == "STANDARD"


@pytest.mark.parametrize("minutes", [5, 1440, 43200])
def test_a_run_may_take_its_time_and_the_start_and_the_releases(minutes: int) -> None:
    """Step Functions ends a standard execution after a year; TimeoutSeconds may be 99,999,999 at most."""
    graph = record_stack(maxRunMinutes=minutes)
    definition = json.loads(graph.named("batch-run", STATE_MACHINE).properties["definition"])
    release = json.loads(graph.named("batch-release-model", STATE_MACHINE).properties["definition"])

    start = settings_of(definition)["startTimeoutSeconds"]
    assert definition["TimeoutSeconds"] >= minutes * 60 + start + 2 * release["TimeoutSeconds"]
    assert definition["TimeoutSeconds"] < YEAR_SECONDS < 99_999_999


def test_a_release_is_not_timed_out_while_it_waits_for_the_model_to_stop(scheduled: Result) -> None:
    release = json.loads(scheduled.named("batch-release-model", STATE_MACHINE).properties["definition"])
    settings = settings_of(release)

    assert release["TimeoutSeconds"] > settings["stopTimeoutSeconds"] + settings["functionTimeoutSeconds"] + 20 * 10


def settings_of(definition: dict[str, Any]) -> dict[str, Any]:
    settings = definition["States"]["Read the settings"]["Assign"]["settings"]
    assert isinstance(settings, dict)
    return settings


@pytest.mark.parametrize("name", ["batch-run", "batch-release-model"])
def test_no_token_is_left_in_a_definition(scheduled: Result, name: str) -> None:
    assert "${" not in scheduled.named(name, STATE_MACHINE).properties["definition"]


def test_settings_reach_the_run_as_what_they_are(scheduled: Result) -> None:
    graph = record_stack(maxInferenceUnits=3, tpsPerInferenceUnit=2.5, targetDrainMinutes=30, modelVersion="1.10")
    settings = settings_of(json.loads(graph.named("batch-run", STATE_MACHINE).properties["definition"]))

    assert settings["imageQueueUrl"] == graph.outputs["imageQueueUrl"]
    assert settings["eventSourceMappingUuid"] == graph.outputs["eventSourceMappingUuid"]
    assert settings["runsTableName"] == graph.outputs["runsTableName"]
    assert settings["releaseStateMachineArn"] == graph.outputs["releaseStateMachineArn"]
    assert settings["modelVersion"] == "1.10"
    assert (settings["maxInferenceUnits"], settings["tpsPerInferenceUnit"]) == (3, 2.5)
    assert (settings["targetDrainSeconds"], settings["maxRunSeconds"]) == (1716, 86400)
    assert (settings["minBatchSize"], settings["maxQueueAgeSeconds"]) == (1, 86400)


def test_a_run_knows_the_longest_pause_of_its_schedule_where_images_wait_for_more() -> None:
    graph = record_stack(schedule="rate(3 hours)", minBatchSize=200, maxQueueAgeMinutes=720)
    settings = settings_of(json.loads(graph.named("batch-run", STATE_MACHINE).properties["definition"]))

    assert (settings["minBatchSize"], settings["maxQueueAgeSeconds"]) == (200, 720 * 60)
    assert settings["schedulePauseSeconds"] == 3 * 60 * 60


def test_a_component_refuses_an_age_that_no_schedule_could_keep() -> None:
    with pytest.raises(Exception, match="raise maxQueueAgeMinutes to 120 or more"):
        record_component(min_batch_size=10, max_queue_age_minutes=119)


def test_run_records_are_kept_as_long_as_the_settings_say() -> None:
    graph = record_stack(runRetentionDays=7)
    release = json.loads(graph.named("batch-release-model", STATE_MACHINE).properties["definition"])

    assert settings_of(release)["runRetentionSeconds"] == 7 * 24 * 60 * 60


def test_the_release_exists_before_the_run_that_needs_it(scheduled: Result) -> None:
    assert precedes(
        scheduled,
        scheduled.named("batch-release-model", STATE_MACHINE),
        scheduled.named("batch-run", STATE_MACHINE),
    )


@pytest.mark.parametrize(
    ("values", "problem"),
    [({}, r"without a value: \['EventSourceMappingUuid', "), ({"Colour": "red"}, r"without a token: \['Colour'\]")],
)
def test_a_definition_and_its_values_must_agree(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        render("release_model", values)


def test_a_definition_names_the_integrations_of_its_partition() -> None:
    definition = '{"Resource": "arn:aws:states:::dynamodb:getItem"}'

    assert in_partition(definition, "aws-us-gov") == '{"Resource": "arn:aws-us-gov:states:::dynamodb:getItem"}'
