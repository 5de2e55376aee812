"""All components: thresholds by label, analytics with QuickSight, alarms, and a guarded destroy."""

import pulumi

from custom_labels_batch import Analytics, AnalyticsArgs, BatchInference, DestroyGuard, Monitoring, Notification

config = pulumi.Config()
project_arn = config.require("projectArn")
emails: list[str] = config.get_object("emails") or []
principal = config.get("quickSightPrincipalArn")
# What is told of, and from which confidence on; labels below 70 count because they are here.
labels: dict[str, float] = config.get_object("labels") or {"crack": 55, "scratch": 80}
tags: dict[str, pulumi.Input[str]] = {"owner": "vision-team", "stack": pulumi.get_stack()}


def there(found: pulumi.Output[str | None]) -> pulumi.Output[str]:
    """An output that only the trigger `schedule` has, which is the default."""
    return found.apply(lambda value: value or "")


batch = BatchInference(
    "batch",
    {
        "project_arn": project_arn,
        "schedule": "cron(0 6,18 ? * * *)",
        "schedule_timezone": "Europe/Berlin",
        "max_inference_units": 4,
        "max_run_minutes": 600,
        "label_thresholds": labels,
        "summary_emails": emails,
        "tags": tags,
    },
)
notification = Notification(
    "notification",
    {
        "predictions_topic_arn": batch.predictions_topic_arn,
        "labels_of_interest": labels,
        "notification_emails": emails,
        "tags": tags,
    },
)
rows: AnalyticsArgs = {
    "predictions_topic_arn": batch.predictions_topic_arn,
    "tags": tags,
}
if principal:
    rows["quick_sight_principal_arn"] = principal
analytics = Analytics("analytics", rows)
monitoring = Monitoring(
    "monitoring",
    {
        "image_queue_url": batch.image_queue_url,
        "image_dead_letter_queue_url": batch.image_dead_letter_queue_url,
        "analyze_function_name": batch.analyze_function_name,
        "notification_dead_letter_queue_url": notification.dead_letter_queue_url,
        "notify_function_name": notification.notify_function_name,
        "analytics_dead_letter_queue_url": analytics.dead_letter_queue_url,
        "record_function_name": analytics.record_function_name,
        "state_machine_arn": there(batch.state_machine_arn),
        "release_state_machine_arn": there(batch.release_state_machine_arn),
        "schedule_arn": there(batch.schedule_arn),
        "rescue_dead_letter_queue_url": there(batch.rescue_dead_letter_queue_url),
        "project_arn": project_arn,
        "max_run_minutes": 600,
        # Two pauses of the schedule, and what a run takes to reach an image.
        "longest_wait_minutes": 1530,
        "alarm_emails": emails,
        "tags": tags,
    },
)
# Nothing of these is destroyed while a run holds the model.
DestroyGuard(
    "destroy-guard",
    {"runs_table_name": there(batch.runs_table_name)},
    pulumi.ResourceOptions(depends_on=[batch, notification, analytics, monitoring]),
)

# Under these names `clb` finds what it works on.
pulumi.export("projectArn", project_arn)
pulumi.export("sourceBucketName", batch.source_bucket_name)
pulumi.export("finalBucketName", batch.final_bucket_name)
pulumi.export("imageQueueUrl", batch.image_queue_url)
pulumi.export("imageDeadLetterQueueUrl", batch.image_dead_letter_queue_url)
pulumi.export("predictionsTopicArn", batch.predictions_topic_arn)
pulumi.export("analyzeFunctionName", batch.analyze_function_name)
pulumi.export("eventSourceMappingUuid", batch.event_source_mapping_uuid)
pulumi.export("stateMachineArn", batch.state_machine_arn)
pulumi.export("releaseStateMachineArn", batch.release_state_machine_arn)
pulumi.export("scheduleArn", batch.schedule_arn)
pulumi.export("runsTableName", batch.runs_table_name)
pulumi.export("rescueDeadLetterQueueUrl", batch.rescue_dead_letter_queue_url)
pulumi.export("notificationTopicArn", notification.notification_topic_arn)
pulumi.export("notificationQueueUrl", notification.queue_url)
pulumi.export("notificationDeadLetterQueueUrl", notification.dead_letter_queue_url)
pulumi.export("analyticsBucketName", analytics.analytics_bucket_name)
pulumi.export("analyticsQueueUrl", analytics.queue_url)
pulumi.export("analyticsDeadLetterQueueUrl", analytics.dead_letter_queue_url)
pulumi.export("athenaDatabase", analytics.athena_database)
pulumi.export("athenaTable", analytics.athena_table)
pulumi.export("athenaWorkgroup", analytics.athena_workgroup)
pulumi.export("dashboardUrl", analytics.dashboard_url)
pulumi.export("operationsTopicArn", monitoring.operations_topic_arn)
pulumi.export("operationsDashboardUrl", monitoring.operations_dashboard_url)
