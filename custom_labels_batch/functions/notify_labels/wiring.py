"""Makes the parts of notify-labels from its environment: once, when Lambda imports the function."""

import os

import boto3
from botocore.config import Config

from ..shared.environment import read_environment
from ..shared.observability import logger
from ..shared.predictions_batch import HIDING
from ..shared.work_queue import WorkQueue
from .environment import NotifyLabelsEnvironment
from .links import SIGNING, Links, now, warning
from .notification_topic import NotificationTopic
from .notifications import Notifications
from .unseen_labels import UnseenLabels

_environment = read_environment(NotifyLabelsEnvironment, os.environ)

_config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 4})
queue = WorkQueue(boto3.client("sqs", config=HIDING))
notifications = Notifications(
    NotificationTopic(boto3.client("sns", config=_config), _environment.notification_topic_arn),
    Links(boto3.client("s3", config=SIGNING), _environment.presigned_url_minutes, session_start=now()),
    _environment.labels_of_interest,
    _environment.notification_mode,
    UnseenLabels(_environment.labels_of_interest),
)

if not _environment.labels_of_interest:
    logger.warning("There are no labels of interest: nothing will be sent")
if _problem := warning(_environment.presigned_url_minutes):
    logger.warning(_problem)
