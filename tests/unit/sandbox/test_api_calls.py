"""Which API operation a request is, from what boto3 really sends, and errors that boto3 reads as they are meant."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from sandbox.api_calls import ApiCall, error_answer, new_session, read_call, service_model

LAMBDA_MAPPING = {"UUID": "14e0db71-5d35-4eb5-b481-8945cf9d10c2"}
KEY = "a folder/plus+ & Größe 🧱.jpg"
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("s3", "PutObject", {"Bucket": "b", "Key": KEY, "Body": b"x", "IfNoneMatch": "*"}),
    ("s3", "CopyObject", {"Bucket": "b", "Key": KEY, "CopySource": {"Bucket": "a", "Key": KEY, "VersionId": "v"}}),
    ("s3", "GetObject", {"Bucket": "b", "Key": KEY, "VersionId": "v"}),
    ("s3", "HeadObject", {"Bucket": "b", "Key": KEY}),
    ("s3", "DeleteObject", {"Bucket": "b", "Key": KEY, "VersionId": "v"}),
    ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "a/"}),
    ("s3", "ListObjectVersions", {"Bucket": "b"}),
    ("s3", "CreateMultipartUpload", {"Bucket": "b", "Key": KEY}),
    ("s3", "UploadPart", {"Bucket": "b", "Key": KEY, "UploadId": "u", "PartNumber": 1, "Body": b"x"}),
    ("s3", "UploadPartCopy", {"Bucket": "b", "Key": KEY, "UploadId": "u", "PartNumber": 1, "CopySource": "a/k"}),
    ("s3", "CompleteMultipartUpload", {"Bucket": "b", "Key": KEY, "UploadId": "u"}),
    ("sns", "Publish", {"TopicArn": "arn:aws:sns:us-east-1:000000000000:t", "Message": "m"}),
    ("sqs", "ChangeMessageVisibility", {"QueueUrl": "http://q", "ReceiptHandle": "h", "VisibilityTimeout": 1}),
    ("dynamodb", "UpdateItem", {"TableName": "t", "Key": {"id": {"S": "1"}}}),
    ("lambda", "UpdateEventSourceMapping", {**LAMBDA_MAPPING, "Enabled": False}),
    ("lambda", "GetEventSourceMapping", LAMBDA_MAPPING),
    ("lambda", "Invoke", {"FunctionName": "f"}),
    ("stepfunctions", "StartExecution", {"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:m"}),
    ("rekognition", "StopProjectVersion", {"ProjectVersionArn": "arn:aws:rekognition:x"}),
    ("iam", "PutRolePolicy", {"RoleName": "r", "PolicyName": "p", "PolicyDocument": "{}"}),
    ("scheduler", "UpdateSchedule", {
        "Name": "s", "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "a", "RoleArn": "r"},
    }),
]  # fmt: skip
IDS = [f"{service}:{operation}" for service, operation, _ in CALLS]

Answer = Callable[[ApiCall], tuple[int, dict[str, str], bytes]]


class _Body:
    """The bytes of an answer, as botocore reads them."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Any:
        yield self._content


def call(service: str, operation: str, parameters: dict[str, Any], answer: Answer) -> None:
    """Let boto3 make a call that `answer` answers in place of AWS."""
    session: Any = boto3.session.Session("AKIAEXAMPLE", "secret", region_name="us-east-1")
    client = session.client(service, endpoint_url="http://127.0.0.1:1")

    def answered(request: Any, **_: Any) -> AWSResponse:
        parts = urlsplit(request.url)
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        body = body.encode() if isinstance(body, str) else body
        query = parse_qs(parts.query, keep_blank_values=True)
        found = read_call(request.method, unquote(parts.path), headers, query, body)
        assert found is not None
        status, answer_headers, content = answer(found)
        return AWSResponse(request.url, status, HTTPHeaders.from_dict(answer_headers), _Body(content))

    client.meta.events.register("before-send", answered)
    client._make_api_call(operation, parameters)


@pytest.mark.parametrize(("service", "operation", "parameters"), CALLS, ids=IDS)
def test_a_request_of_boto3_is_told_from_every_other(service: str, operation: str, parameters: dict[str, Any]) -> None:
    seen: list[ApiCall] = []

    def refuse(found: ApiCall) -> tuple[int, dict[str, str], bytes]:
        seen.append(found)
        return error_answer(found, "AccessDeniedException", "No.", 400)

    with pytest.raises(ClientError):
        call(service, operation, parameters, refuse)

    # The first: a refused HEAD makes boto3 ask where the bucket is.
    assert (seen[0].service, seen[0].operation, seen[0].access_key) == (service, operation, "AKIAEXAMPLE")


@pytest.mark.parametrize(("service", "operation", "parameters"), CALLS, ids=IDS)
def test_boto3_reads_the_error_it_is_answered_with(service: str, operation: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as raised:
        call(service, operation, parameters, lambda found: error_answer(found, "SlowDown", "Less, & <please>.", 400))

    # An answer to HEAD has no body.
    expected = ("400", "Bad Request") if operation == "HeadObject" else ("SlowDown", "Less, & <please>.")
    assert (raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]) == expected
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_key_is_found_in_the_text_of_its_request() -> None:
    seen: list[str] = []

    def refuse(found: ApiCall) -> tuple[int, dict[str, str], bytes]:
        seen.append(found.text)
        return error_answer(found, "NoSuchKey", "", 404)

    with pytest.raises(ClientError):
        call("s3", "GetObject", {"Bucket": "b", "Key": KEY}, refuse)

    assert KEY in seen[0]


def test_a_request_that_nobody_signed_is_no_call() -> None:
    assert read_call("GET", "/bucket/key", {}, {}, b"") is None


def test_a_client_that_was_used_leaves_the_model_of_its_service_as_it_is() -> None:
    s3 = new_session("test", "test", region="us-east-1").client(
        "s3", endpoint_url="http://127.0.0.1:9", config=Config(retries={"total_max_attempts": 1})
    )
    with pytest.raises(EndpointConnectionError):
        s3.list_object_versions(Bucket="b")
    assert service_model("s3").operation_model("ListObjectVersions").http["requestUri"] == "/{Bucket}?versions"
