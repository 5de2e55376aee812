"""The logger and the metrics of a function, made once; Powertools names them from POWERTOOLS_* variables.

Metrics have two dimensions: the service, and the function's name, which keeps stacks of one account apart.
"""

import os

from aws_lambda_powertools import Logger, Metrics

logger = Logger(use_rfc3339=True)
metrics = Metrics()
if function_name := os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
    metrics.set_default_dimensions(function_name=function_name)
