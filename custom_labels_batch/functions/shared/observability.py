"""The logger and the metrics of a function, made once; Powertools names them from POWERTOOLS_* variables.

Metrics have two dimensions: the service, and the function's name, which keeps stacks of one account apart.
"""

import json
import os
from functools import partial

from aws_lambda_powertools import Logger, Metrics

# In ASCII: a key may hold what turns, hides or ends a line of text for whoever reads the log.
logger = Logger(use_rfc3339=True, json_serializer=partial(json.dumps, default=str, separators=(",", ":")))
metrics = Metrics()
if function_name := os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
    metrics.set_default_dimensions(function_name=function_name)
