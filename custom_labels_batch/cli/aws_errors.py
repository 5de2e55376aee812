"""AWS's errors, as one line with a next step."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)

_SIGN_IN = "sign in (aws sso login, or aws configure), or choose a profile with AWS_PROFILE"
_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound, SSOError)
_UNREACHABLE = (EndpointConnectionError, ConnectTimeoutError)
_BAD_CREDENTIALS = ("ExpiredToken", "UnrecognizedClient", "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoes")
_FORBIDDEN = ("AccessDenied", "403", "Forbidden", "UnauthorizedOperation")
_PASSING = ("ResourceInUse", "ResourceConflict", "Throttl", "TooManyRequests", "SlowDown", "ServiceUnavailable")
_GONE = ("NotFound", "DoesNotExist", "NonExistent", "NoSuch", "404")


def told(error: BotoCoreError | ClientError) -> str:
    """The error and what to do about it."""
    if isinstance(error, ClientError):
        return _refusal(error)
    if isinstance(error, _CREDENTIALS):
        return f"{error}; {_SIGN_IN}"
    if isinstance(error, _UNREACHABLE):
        return f"{error}; is the network up, the region right and, for a sandbox, make sandbox still running?"
    return str(error)


def _refusal(error: ClientError) -> str:
    code, message = error_code(error), error.response.get("Error", {}).get("Message", "")
    what = f"{error.operation_name}: {code}: {message}" if message else f"{error.operation_name}: {code}"
    if code.startswith(_BAD_CREDENTIALS):
        return f"{what}; {_SIGN_IN}"
    if code.startswith(_FORBIDDEN):
        return f"{what}; whoever gives you rights in this account has to allow it"
    if any(part in code for part in _PASSING):
        return f"{what}; try again in a minute"
    if is_gone(error):
        return f"{what}; was the stack destroyed or deployed anew? --stack and --outputs choose another"
    return what


def is_gone(error: ClientError) -> bool:
    """Whether AWS has no such thing."""
    return any(part in error_code(error) for part in _GONE)


def is_forbidden(error: ClientError) -> bool:
    """Whether these credentials may not ask."""
    return error_code(error).startswith(_FORBIDDEN)


def error_code(error: ClientError) -> str:
    """AWS's name of an error."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))
