"""Images labelled in batches, and an e-mail about the labels that matter, with links to the images."""

import pulumi

from custom_labels_batch import BatchInference, Notification

config = pulumi.Config()

batch = BatchInference("batch", {"project_arn": config.require("projectArn"), "schedule": "rate(30 minutes)"})
notification = Notification(
    "notification",
    {
        "predictions_topic_arn": batch.predictions_topic_arn,
        "labels_of_interest": config.get_object("labelsOfInterest") or {"crack": 80},
        "notification_emails": config.get_object("notificationEmails") or [],
        "presigned_url_minutes": 60,
        "final_bucket_name": batch.final_bucket_name,
    },
)

pulumi.export("sourceBucketName", batch.source_bucket_name)
pulumi.export("finalBucketName", batch.final_bucket_name)
pulumi.export("stateMachineArn", batch.state_machine_arn)
pulumi.export("notificationTopicArn", notification.notification_topic_arn)
