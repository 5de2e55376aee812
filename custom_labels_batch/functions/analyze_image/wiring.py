"""Makes the parts of analyze-image from its environment: once, when Lambda imports the function."""

import os

import boto3
from botocore.config import Config

from ..shared.environment import read_environment
from ..shared.pacer import Pacer
from ..shared.work_queue import WorkQueue
from .analysis import Analysis
from .detector import Parts
from .environment import AnalyzeImageEnvironment, Trigger
from .final_bucket import FinalBucket
from .labels import Thresholds
from .model import make_detector
from .predictions_topic import PredictionsTopic
from .runs_table import RunsTable
from .source_bucket import SourceBucket

environment = read_environment(AnalyzeImageEnvironment, os.environ)

_config = Config(
    connect_timeout=3,
    read_timeout=10,
    max_pool_connections=environment.detect_threads + 2,
    retries={"mode": "standard", "total_max_attempts": 4},
)
_s3 = boto3.client("s3", config=_config)
_source = SourceBucket(_s3)
_pacer = Pacer(environment.detect_calls_per_second)

runs_table = (
    RunsTable(boto3.client("dynamodb", config=_config), environment.runs_table_name)
    if environment.trigger is Trigger.SCHEDULE
    else None
)
_thresholds = Thresholds(environment.min_confidence, environment.label_thresholds)
_detector = make_detector(Parts(_config, _pacer, _source, runs_table, _thresholds.lowest))
queue = WorkQueue(boto3.client("sqs", config=_config))
analysis = Analysis(
    _source,
    FinalBucket(_s3, environment.final_bucket_name),
    _detector,
    PredictionsTopic(boto3.client("sns", config=_config), environment.predictions_topic_arn),
    _thresholds,
)
