"""Each image labelled as it is uploaded, on a model that somebody else starts, pays for and stops."""

import pulumi

from custom_labels_batch import BatchInference

batch = BatchInference(
    "batch",
    {
        "project_arn": pulumi.Config().require("projectArn"),
        "trigger": "upload",
        # As many as the model is started with: they decide how many images are labelled at once.
        "max_inference_units": 2,
    },
)

pulumi.export("sourceBucketName", batch.source_bucket_name)
pulumi.export("finalBucketName", batch.final_bucket_name)
pulumi.export("imageQueueUrl", batch.image_queue_url)
pulumi.export("predictionsTopicArn", batch.predictions_topic_arn)
pulumi.export("eventSourceMappingUuid", batch.event_source_mapping_uuid)
