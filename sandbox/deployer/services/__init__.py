"""One module a service: how each of its resource types is made and removed with boto3."""

from sandbox.deployer.services import (
    athena,
    cloudcontrol,
    cloudwatch,
    dynamodb,
    eventbridge,
    glue,
    iam,
    lambda_,
    logs,
    quicksight,
    s3,
    scheduler,
    sns,
    sqs,
    stepfunctions,
)

__all__ = [
    "athena",
    "cloudcontrol",
    "cloudwatch",
    "dynamodb",
    "eventbridge",
    "glue",
    "iam",
    "lambda_",
    "logs",
    "quicksight",
    "s3",
    "scheduler",
    "sns",
    "sqs",
    "stepfunctions",
]
