"""The stack: its settings, its components, its outputs."""

from typing import Any, cast

import pulumi

import settings
from components.batch_inference import BatchInference, BatchInferenceArgs

chosen = settings.load()
tags = {"Project": pulumi.get_project(), "Stack": pulumi.get_stack(), **chosen.tags}

inputs: dict[str, Any] = {
    "project_arn": chosen.project_arn,
    "model_version": chosen.model_version_name,
    "trigger": chosen.trigger,
    "schedule": chosen.schedule,
    "schedule_timezone": chosen.schedule_timezone,
    "min_confidence": chosen.min_confidence,
    "label_thresholds": chosen.label_thresholds,
    "source_bucket_name": chosen.source_bucket_name,
    "existing_source_bucket_name": chosen.existing_source_bucket_name,
    "final_bucket_name": chosen.final_bucket_name,
    "image_prefix": chosen.image_prefix,
    "max_inference_units": chosen.max_inference_units,
    "tps_per_inference_unit": chosen.tps_per_inference_unit,
    "target_drain_minutes": chosen.target_drain_minutes,
    "max_run_minutes": chosen.max_run_minutes,
    "log_retention_days": chosen.log_retention_days,
    "noncurrent_version_retention_days": chosen.noncurrent_version_retention_days,
    "run_retention_days": chosen.run_retention_days,
    "force_destroy": chosen.force_destroy,
    "powertools_layer_arn": chosen.powertools_layer_arn,
    "tags": tags,
}
# A component's inputs may be left out, not None.
args = cast(BatchInferenceArgs, {name: value for name, value in inputs.items() if value is not None})
batch = BatchInference("batch", args)

pulumi.export("sourceBucketName", batch.source_bucket_name)
pulumi.export("finalBucketName", batch.final_bucket_name)
pulumi.export("imageQueueUrl", batch.image_queue_url)
pulumi.export("imageDeadLetterQueueUrl", batch.image_dead_letter_queue_url)
pulumi.export("stateMachineArn", batch.state_machine_arn)
pulumi.export("releaseStateMachineArn", batch.release_state_machine_arn)
pulumi.export("scheduleArn", batch.schedule_arn)
pulumi.export("runsTableName", batch.runs_table_name)
pulumi.export("predictionsTopicArn", batch.predictions_topic_arn)
pulumi.export("analyzeFunctionName", batch.analyze_function_name)
pulumi.export("eventSourceMappingUuid", batch.event_source_mapping_uuid)
