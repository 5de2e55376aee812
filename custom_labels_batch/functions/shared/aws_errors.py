"""What an error from an AWS call means for the message that caused it."""

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as AwsConnectionError

THROTTLING_CODES = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_PASSING_CODES = THROTTLING_CODES | {
    "ConditionalRequestConflict",
    "InternalServerError",
    "OperationAborted",
    "RequestTimeout",
    "RequestTimeoutException",
}
_MISSING_CODES = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
_PRECONDITION_CODES = frozenset({"412", "PreconditionFailed"})
_CONFLICT_CODES = frozenset({"409", "ConditionalRequestConflict"})


def error_code(error: Exception) -> str:
    """The code AWS gave, or "" where the call never got an answer."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def error_message(error: ClientError) -> str:
    return str(error.response["Error"].get("Message", ""))


def is_throttled(error: Exception) -> bool:
    return error_code(error) in THROTTLING_CODES


def is_passing(error: Exception) -> bool:
    """Whether the same call may well pass in a few seconds: throttled, a 5xx, or a broken connection."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error_code(error) in _PASSING_CODES or status >= 500
    return isinstance(error, AwsConnectionError | HTTPClientError)


def is_missing(error: Exception) -> bool:
    """Whether the object, or that version of it, is not there (and its bucket is)."""
    return error_code(error) in _MISSING_CODES


def is_precondition_failed(error: Exception) -> bool:
    """Whether the object is not the one the call named by its ETag."""
    return error_code(error) in _PRECONDITION_CODES


def is_conflict(error: Exception) -> bool:
    """Whether another conditional write to the same key was under way."""
    return error_code(error) in _CONFLICT_CODES
