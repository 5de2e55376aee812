"""Two models in one program, each with a bucket, a schedule, an e-mail and a database of its own."""

import pulumi

from custom_labels_batch import Analytics, BatchInference, Notification

config = pulumi.Config()
# A model has one BatchInference, since two would stop or use each other's.
models = {"surfaces": config.require("projectArn"), "textures": config.require("secondProjectArn")}

for name, project_arn in models.items():
    batch = BatchInference(name, {"project_arn": project_arn})
    notification = Notification(
        f"{name}-notification",
        {
            "predictions_topic_arn": batch.predictions_topic_arn,
            "labels_of_interest": config.get_object("labelsOfInterest") or {"crack": 80},
            "notification_emails": config.get_object("notificationEmails") or [],
        },
    )
    analytics = Analytics(f"{name}-analytics", {"predictions_topic_arn": batch.predictions_topic_arn})
    # Under these names `clb` finds what it works on, a model at a time.
    pulumi.export(
        name,
        {
            "projectArn": project_arn,
            "sourceBucketName": batch.source_bucket_name,
            "finalBucketName": batch.final_bucket_name,
            "imageQueueUrl": batch.image_queue_url,
            "imageDeadLetterQueueUrl": batch.image_dead_letter_queue_url,
            "predictionsTopicArn": batch.predictions_topic_arn,
            "analyzeFunctionName": batch.analyze_function_name,
            "eventSourceMappingUuid": batch.event_source_mapping_uuid,
            "stateMachineArn": batch.state_machine_arn,
            "releaseStateMachineArn": batch.release_state_machine_arn,
            "scheduleArn": batch.schedule_arn,
            "runsTableName": batch.runs_table_name,
            "notificationTopicArn": notification.notification_topic_arn,
            "analyticsBucketName": analytics.analytics_bucket_name,
            "athenaDatabase": analytics.athena_database,
            "athenaTable": analytics.athena_table,
            "athenaWorkgroup": analytics.athena_workgroup,
        },
    )
