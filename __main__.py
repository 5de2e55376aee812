"""The stack: its settings, its components, its outputs."""

from typing import Any, TypeVar, cast

import pulumi

import settings
from custom_labels_batch import (
    Analytics,
    AnalyticsArgs,
    BatchInference,
    BatchInferenceArgs,
    DestroyGuard,
    DestroyGuardArgs,
    Monitoring,
    MonitoringArgs,
    Notification,
    NotificationArgs,
)
from custom_labels_batch.components.monitoring import longest_wait_minutes
from custom_labels_batch.components.naming import stack_name

chosen = settings.load()
tags = {"Project": pulumi.get_project(), "Stack": pulumi.get_stack(), **chosen.tags}
runs = chosen.trigger == "schedule"
Inputs = TypeVar("Inputs")


def inputs(of: type[Inputs], **others: Any) -> Inputs:
    """A component's inputs: each the setting of its name, or one of the others; left out where that is None."""
    found = {name: getattr(chosen, name, None) for name in of.__annotations__} | {"tags": tags} | others
    return cast(Inputs, {name: value for name, value in found.items() if value is not None})


batch = BatchInference("batch", inputs(BatchInferenceArgs, model_version=chosen.model_version_name))
notification = Notification(
    "notification",
    inputs(
        NotificationArgs,
        predictions_topic_arn=batch.predictions_topic_arn,
        subscriptions=[found.model_dump(exclude_none=True) for found in chosen.notification_subscriptions],
        mode=chosen.notification_mode,
        batching_window_seconds=chosen.notification_batching_window_seconds,
        final_bucket_name=batch.final_bucket_name,
    ),
)
analytics = Analytics(
    "analytics",
    inputs(
        AnalyticsArgs,
        predictions_topic_arn=batch.predictions_topic_arn,
        # Glue and Athena take no hyphens.
        database_name=stack_name(pulumi.get_project(), pulumi.get_stack(), separator="_", longest=128),
    ),
)
wait = longest_wait_minutes(
    chosen.schedule,
    chosen.schedule_timezone,
    chosen.target_drain_minutes,
    chosen.min_batch_size,
    chosen.max_queue_age_minutes,
)
monitoring = Monitoring(
    "monitoring",
    inputs(
        MonitoringArgs,
        image_queue_url=batch.image_queue_url,
        image_dead_letter_queue_url=batch.image_dead_letter_queue_url,
        analyze_function_name=batch.analyze_function_name,
        notification_dead_letter_queue_url=notification.dead_letter_queue_url,
        notify_function_name=notification.notify_function_name,
        analytics_dead_letter_queue_url=analytics.dead_letter_queue_url,
        record_function_name=analytics.record_function_name,
        model_version=chosen.model_version_name,
        # Without runs there is nothing of theirs to watch.
        state_machine_arn=batch.state_machine_arn if runs else None,
        release_state_machine_arn=batch.release_state_machine_arn if runs else None,
        schedule_arn=batch.schedule_arn if runs else None,
        rescue_dead_letter_queue_url=batch.rescue_dead_letter_queue_url if runs else None,
        max_run_minutes=chosen.max_run_minutes if runs else None,
        inference_unit_hour_price=chosen.inference_unit_hour_price if runs else None,
        longest_wait_minutes=wait if runs else None,
        dashboard_name=stack_name(pulumi.get_project(), pulumi.get_stack(), separator="-", longest=255),
    ),
)
if runs:
    # Made last, so that it is deleted first.
    DestroyGuard(
        "destroy-guard",
        inputs(DestroyGuardArgs, runs_table_name=batch.runs_table_name),
        pulumi.ResourceOptions(depends_on=[batch, notification, analytics, monitoring]),
    )

kept = {
    "source": chosen.keeps_buckets or chosen.existing_source_bucket_name is not None,
    "final": chosen.keeps_buckets,
    "analytics": chosen.keeps_buckets,
}
names = {
    "source": batch.source_bucket_name,
    "final": batch.final_bucket_name,
    "analytics": analytics.analytics_bucket_name,
}
# `pulumi destroy` runs no program, and so can only show what was said before: outputs.
pulumi.export(
    "keptOnDestroy",
    [
        *(pulumi.Output.concat("s3://", names[bucket]) for bucket, is_kept in kept.items() if is_kept),
        chosen.project_arn,
    ],
)
pulumi.export("projectArn", chosen.project_arn)
pulumi.export("modelVersion", chosen.model_version_name)
pulumi.export("imagePrefix", chosen.image_prefix or None)
pulumi.export("sourceBucketName", batch.source_bucket_name)
pulumi.export("finalBucketName", batch.final_bucket_name)
pulumi.export("imageQueueUrl", batch.image_queue_url)
pulumi.export("imageDeadLetterQueueUrl", batch.image_dead_letter_queue_url)
pulumi.export("stateMachineArn", batch.state_machine_arn)
pulumi.export("releaseStateMachineArn", batch.release_state_machine_arn)
pulumi.export("scheduleArn", batch.schedule_arn)
pulumi.export("runsTableName", batch.runs_table_name)
pulumi.export("rescueDeadLetterQueueUrl", batch.rescue_dead_letter_queue_url)
pulumi.export("runSummaryTopicArn", batch.run_summary_topic_arn)
pulumi.export("predictionsTopicArn", batch.predictions_topic_arn)
pulumi.export("analyzeFunctionName", batch.analyze_function_name)
pulumi.export("eventSourceMappingUuid", batch.event_source_mapping_uuid)
pulumi.export("notificationTopicArn", notification.notification_topic_arn)
pulumi.export("notificationQueueUrl", notification.queue_url)
pulumi.export("notificationDeadLetterQueueUrl", notification.dead_letter_queue_url)
pulumi.export("notifyFunctionName", notification.notify_function_name)
pulumi.export("analyticsBucketName", analytics.analytics_bucket_name)
pulumi.export("analyticsQueueUrl", analytics.queue_url)
pulumi.export("analyticsDeadLetterQueueUrl", analytics.dead_letter_queue_url)
pulumi.export("recordFunctionName", analytics.record_function_name)
pulumi.export("athenaDatabase", analytics.athena_database)
pulumi.export("athenaTable", analytics.athena_table)
pulumi.export("athenaWorkgroup", analytics.athena_workgroup)
pulumi.export("dashboardUrl", analytics.dashboard_url)
pulumi.export("operationsTopicArn", monitoring.operations_topic_arn)
pulumi.export("operationsDashboardName", monitoring.operations_dashboard_name)
pulumi.export("operationsDashboardUrl", monitoring.operations_dashboard_url)
