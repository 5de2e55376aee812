"""This repository's BatchInference alone, with the stack's own settings: what the bench measures.

Without the listeners (notification, analytics): they bill nothing of the model, the sample has none, and on a laptop
they would take the processor that labelling needs.
"""

from typing import Any, cast

import pulumi

import settings
from custom_labels_batch.components.batch_inference import BatchInference, BatchInferenceArgs

chosen = settings.load()
given: dict[str, Any] = {name: getattr(chosen, name, None) for name in BatchInferenceArgs.__annotations__}
given |= {"model_version": chosen.model_version_name, "force_destroy": True}
batch = BatchInference("batch", cast(BatchInferenceArgs, {k: v for k, v in given.items() if v is not None}))

pulumi.export("sourceBucketName", batch.source_bucket_name)
pulumi.export("finalBucketName", batch.final_bucket_name)
pulumi.export("imageQueueUrl", batch.image_queue_url)
pulumi.export("imageDeadLetterQueueUrl", batch.image_dead_letter_queue_url)
pulumi.export("stateMachineArn", batch.state_machine_arn)
pulumi.export("scheduleArn", batch.schedule_arn)
