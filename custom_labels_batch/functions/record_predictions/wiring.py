"""Makes the parts of record-predictions from its environment: once, when Lambda imports the function."""

import os

import boto3
from botocore.config import Config

from ..shared.environment import read_environment
from ..shared.predictions_batch import HIDING
from ..shared.work_queue import WorkQueue
from .analytics_bucket import AnalyticsBucket
from .environment import RecordPredictionsEnvironment
from .recording import Recording

environment = read_environment(RecordPredictionsEnvironment, os.environ)

_config = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})

s3 = boto3.client("s3", config=_config)
queue = WorkQueue(boto3.client("sqs", config=HIDING))
recording = Recording(AnalyticsBucket(s3, environment.analytics_bucket_name))
