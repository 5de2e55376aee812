"""Images of a bucket that is there already, and is not this program's to change.

Whoever owns the bucket has switched its EventBridge notifications on.
"""

import pulumi

from custom_labels_batch import BatchInference

config = pulumi.Config()

batch = BatchInference(
    "batch",
    {
        "project_arn": config.require("projectArn"),
        "existing_source_bucket_name": config.require("sourceBucketName"),
        # Nothing else in the bucket is looked at. An image leaves it for the final bucket once it is labelled.
        "image_prefix": "photographs/",
    },
)

pulumi.export("sourceBucketName", batch.source_bucket_name)
pulumi.export("finalBucketName", batch.final_bucket_name)
pulumi.export("stateMachineArn", batch.state_machine_arn)
