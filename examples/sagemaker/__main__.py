"""The pipeline with a SageMaker endpoint in the place of a Custom Labels model."""

import pulumi
import pulumi_aws as aws
from endpoint import SageMakerEndpoint  # type: ignore[import-not-found]

from custom_labels_batch import BatchInference

ENDPOINT = "surfaces"
MOST_INSTANCES = 2

config = pulumi.Config()
for instances in range(1, MOST_INSTANCES + 1):
    aws.sagemaker.EndpointConfiguration(
        f"{ENDPOINT}-{instances}",
        name=f"{ENDPOINT}-{instances}",
        production_variants=[
            {
                "variant_name": "AllTraffic",
                "model_name": config.require("modelName"),
                "instance_type": "ml.g4dn.xlarge",
                "initial_instance_count": instances,
            }
        ],
    )

account = aws.get_caller_identity_output().account_id
region = aws.get_region_output().region
batch = BatchInference(
    "images",
    {
        "project_arn": pulumi.Output.format("arn:aws:sagemaker:{0}:{1}:endpoint/{2}", region, account, ENDPOINT),
        "max_inference_units": MOST_INSTANCES,
        "tps_per_inference_unit": 10,
        "inference_unit_hour_price": 0.736,
    },
    detector=SageMakerEndpoint(),
)

pulumi.export("sourceBucketName", batch.source_bucket_name)
pulumi.export("finalBucketName", batch.final_bucket_name)
pulumi.export("stateMachineArn", batch.state_machine_arn)
