"""Images in a bucket, labelled in batches: the model runs only while there are some."""

import pulumi

from custom_labels_batch import BatchInference

project_arn = pulumi.Config().require("projectArn")

batch = BatchInference("batch", {"project_arn": project_arn})

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
