"""Labels one image a call, and moves it with its labels to the final bucket."""

import json
import os
from typing import Any

import boto3
from botocore.config import Config

# Lenient: with boto3's own five attempts, images throttled for longer would fail and be received again.
rekognition = boto3.client("rekognition", config=Config(retries={"mode": "standard", "total_max_attempts": 10}))
s3 = boto3.client("s3")


def handler(event: dict[str, Any], _: Any) -> None:
    for record in event["Records"]:
        detail = json.loads(record["body"])["detail"]
        label(detail["bucket"]["name"], detail["object"]["key"])


def label(bucket: str, key: str) -> None:
    found = rekognition.detect_custom_labels(
        ProjectVersionArn=os.environ["MODEL_VERSION_ARN"], Image={"S3Object": {"Bucket": bucket, "Name": key}}
    )
    final = os.environ["FINAL_BUCKET_NAME"]
    s3.copy_object(Bucket=final, Key=f"images/{key}", CopySource={"Bucket": bucket, "Key": key})
    s3.put_object(Bucket=final, Key=f"images/{key}.json", Body=json.dumps(found["CustomLabels"]).encode())
    s3.delete_object(Bucket=bucket, Key=key)
