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
    pulumi.export(
        name,
        {
            "sourceBucketName": batch.source_bucket_name,
            "finalBucketName": batch.final_bucket_name,
            "stateMachineArn": batch.state_machine_arn,
            "notificationTopicArn": notification.notification_topic_arn,
            "athenaDatabase": analytics.athena_database,
        },
    )
