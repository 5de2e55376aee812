"""The stack: its settings, its components, its outputs."""

from typing import Any, cast

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
common: dict[str, Any] = {
    "log_retention_days": chosen.log_retention_days,
    "powertools_layer_arn": chosen.powertools_layer_arn,
    "tags": {"Project": pulumi.get_project(), "Stack": pulumi.get_stack(), **chosen.tags},
}


def given(**inputs: Any) -> dict[str, Any]:
    """A component's inputs may be left out, not None."""
    return {name: value for name, value in {**common, **inputs}.items() if value is not None}


batch = BatchInference(
    "batch",
    cast(
        BatchInferenceArgs,
        given(
            project_arn=chosen.project_arn,
            model_version=chosen.model_version_name,
            trigger=chosen.trigger,
            schedule=chosen.schedule,
            schedule_timezone=chosen.schedule_timezone,
            min_confidence=chosen.min_confidence,
            label_thresholds=chosen.label_thresholds,
            source_bucket_name=chosen.source_bucket_name,
            existing_source_bucket_name=chosen.existing_source_bucket_name,
            final_bucket_name=chosen.final_bucket_name,
            image_prefix=chosen.image_prefix,
            max_inference_units=chosen.max_inference_units,
            tps_per_inference_unit=chosen.tps_per_inference_unit,
            target_drain_minutes=chosen.target_drain_minutes,
            min_batch_size=chosen.min_batch_size,
            max_queue_age_minutes=chosen.max_queue_age_minutes,
            max_run_minutes=chosen.max_run_minutes,
            noncurrent_version_retention_days=chosen.noncurrent_version_retention_days,
            run_retention_days=chosen.run_retention_days,
            summary_emails=chosen.summary_emails,
            inference_unit_hour_price=chosen.inference_unit_hour_price,
            data_buckets=chosen.data_buckets,
            force_destroy=chosen.force_destroy,
        ),
    ),
)
notification = Notification(
    "notification",
    cast(
        NotificationArgs,
        given(
            predictions_topic_arn=batch.predictions_topic_arn,
            labels_of_interest=chosen.labels_of_interest,
            notification_emails=chosen.notification_emails,
            subscriptions=[found.model_dump(exclude_none=True) for found in chosen.notification_subscriptions],
            mode=chosen.notification_mode,
            batching_window_seconds=chosen.notification_batching_window_seconds,
            presigned_url_minutes=chosen.presigned_url_minutes,
            final_bucket_name=batch.final_bucket_name,
        ),
    ),
)
analytics = Analytics(
    "analytics",
    cast(
        AnalyticsArgs,
        given(
            predictions_topic_arn=batch.predictions_topic_arn,
            analytics_bucket_name=chosen.analytics_bucket_name,
            # Glue and Athena take no hyphens.
            database_name=stack_name(pulumi.get_project(), pulumi.get_stack(), separator="_", longest=128),
            prediction_retention_days=chosen.prediction_retention_days,
            query_result_retention_days=chosen.query_result_retention_days,
            noncurrent_version_retention_days=chosen.noncurrent_version_retention_days,
            bytes_scanned_cutoff_per_query=chosen.bytes_scanned_cutoff_per_query,
            quick_sight_principal_arn=chosen.quick_sight_principal_arn,
            data_buckets=chosen.data_buckets,
            force_destroy=chosen.force_destroy,
        ),
    ),
)
scheduled: dict[str, Any] = {
    "state_machine_arn": batch.state_machine_arn,
    "release_state_machine_arn": batch.release_state_machine_arn,
    "schedule_arn": batch.schedule_arn,
    "rescue_dead_letter_queue_url": batch.rescue_dead_letter_queue_url,
    "max_run_minutes": chosen.max_run_minutes,
    "inference_unit_hour_price": chosen.inference_unit_hour_price,
    "longest_wait_minutes": longest_wait_minutes(
        chosen.schedule,
        chosen.schedule_timezone,
        chosen.target_drain_minutes,
        chosen.min_batch_size,
        chosen.max_queue_age_minutes,
    ),
}
monitoring = Monitoring(
    "monitoring",
    cast(
        MonitoringArgs,
        {
            "image_queue_url": batch.image_queue_url,
            "image_dead_letter_queue_url": batch.image_dead_letter_queue_url,
            "analyze_function_name": batch.analyze_function_name,
            "notification_dead_letter_queue_url": notification.dead_letter_queue_url,
            "notify_function_name": notification.notify_function_name,
            "analytics_dead_letter_queue_url": analytics.dead_letter_queue_url,
            "record_function_name": analytics.record_function_name,
            "project_arn": chosen.project_arn,
            **({"model_version": chosen.model_version_name} if chosen.model_version_name else {}),
            **(scheduled if chosen.trigger == "schedule" else {}),
            "alarm_emails": chosen.alarm_emails,
            "dashboard_name": stack_name(pulumi.get_project(), pulumi.get_stack(), separator="-", longest=255),
            "tags": common["tags"],
        },
    ),
)
if chosen.trigger == "schedule":
    # Made last, so that it is deleted first.
    DestroyGuard(
        "destroy-guard",
        cast(DestroyGuardArgs, given(runs_table_name=batch.runs_table_name)),
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
