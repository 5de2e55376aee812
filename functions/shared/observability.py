"""The logger and the metrics of a function, made once; Powertools names them from POWERTOOLS_* variables."""

from aws_lambda_powertools import Logger, Metrics

logger = Logger(use_rfc3339=True)
metrics = Metrics()
