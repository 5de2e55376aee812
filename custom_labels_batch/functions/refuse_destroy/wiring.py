"""Makes the parts of refuse-destroy from its environment: once, when Lambda imports the function."""

import os

import boto3
from botocore.config import Config

from ..shared.environment import read_environment
from .environment import RefuseDestroyEnvironment
from .lock import Lock

environment = read_environment(RefuseDestroyEnvironment, os.environ)

_config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})

lock = Lock(boto3.client("dynamodb", config=_config), environment.runs_table_name)
