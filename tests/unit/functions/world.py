"""What the tests of the functions stand on: moto's S3, SNS, SQS and DynamoDB, and a Rekognition of our own.

Everything is real down to the HTTP request: real clients, real retries, real parsing. Only the answers to
Rekognition's requests are made here, from the bytes of the very object version that was asked about.
"""

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, cast

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.models import botocore_stubber
from types_boto3_dynamodb import DynamoDBClient
from types_boto3_rekognition import RekognitionClient
from types_boto3_s3 import S3Client
from types_boto3_sns import SNSClient
from types_boto3_sqs import SQSClient

from custom_labels_batch.functions.analyze_image.analysis import Analysis
from custom_labels_batch.functions.analyze_image.final_bucket import FinalBucket
from custom_labels_batch.functions.analyze_image.labels import Thresholds
from custom_labels_batch.functions.analyze_image.model import Model, RememberedVersion
from custom_labels_batch.functions.analyze_image.predictions_topic import PredictionsTopic
from custom_labels_batch.functions.analyze_image.source_bucket import SourceBucket
from custom_labels_batch.functions.shared.image_version import ImageVersion

REGION = "us-east-1"
PROJECT_ARN = "arn:aws:rekognition:us-east-1:123456789012:project/surfaces/1793491200000"
VERSION_ARN = (
    "arn:aws:rekognition:us-east-1:123456789012:project/surfaces/version/surfaces.2026-11-01T00.00.00/1793491200001"
)
SOURCE, UNVERSIONED_SOURCE, FINAL = "photographs", "photographs-without-versions", "finished"
RUNS = "runs"
LOCK_KEY = {"kind": {"S": "lock"}, "id": {"S": "model"}}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(label: str = "brick", width: int = 640, height: int = 480) -> bytes:
    """A PNG's signature and header, and the label that the pretended model finds in it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return _PNG_SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"tEXt", b"Label\0" + label.encode())


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


class RefusalError(Exception):
    """An error answer of the pretended service."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@dataclass
class PretendedRekognition:
    """Answers DetectCustomLabels and DescribeProjectVersions as AWS would.

    Attributes
    ----------
    running
        ARNs of the versions that run.
    refusals
        Answered first, one a request; for what no image content brings about.
    confidence
        Of the label that an image holds.
    """

    s3: S3Client
    running: list[str] = field(default_factory=lambda: [VERSION_ARN])
    refusals: list[RefusalError] = field(default_factory=list)
    confidence: float = 93.25
    requests: list[dict[str, Any]] = field(default_factory=list)
    before_answer: Callable[[], object] = lambda: None

    def attach(self, client: RekognitionClient) -> None:
        client.meta.events.unregister("before-send", cast(Any, botocore_stubber))
        client.meta.events.register("before-send.rekognition.*", cast(Any, self._answer))

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).split(".")[1]
        try:
            body = getattr(self, operation)(json.loads(cast(bytes, request.body)))
            return _response(request, 200, body)
        except RefusalError as refusal:
            return _response(
                request, refusal.status, {"__type": refusal.code, "Message": refusal.message or refusal.code}
            )

    def DescribeProjectVersions(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        versions = [
            {"ProjectVersionArn": arn, "Status": "RUNNING", "CreationTimestamp": int(arn.rsplit("/")[-1]) / 1000}
            for arn in self.running
            if arn.split("/")[3] in request.get("VersionNames", [arn.split("/")[3]])
        ]
        return {"ProjectVersionDescriptions": versions}

    def DetectCustomLabels(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.requests.append(request)
        self.before_answer()
        if self.refusals:
            raise self.refusals.pop(0)
        if request["ProjectVersionArn"] not in self.running:
            raise RefusalError("ResourceNotReadyException")
        label = self._look(self._read(request["Image"]["S3Object"]))
        found = [{"Name": label, "Confidence": self.confidence}] if self.confidence >= request["MinConfidence"] else []
        return {"CustomLabels": found}

    def _read(self, s3_object: dict[str, str]) -> bytes:
        version = {"VersionId": s3_object["Version"]} if "Version" in s3_object else {}
        try:
            answer = self.s3.get_object(Bucket=s3_object["Bucket"], Key=s3_object["Name"], **cast(Any, version))
        except ClientError:
            raise RefusalError("InvalidS3ObjectException", "Unable to get object metadata from S3.") from None
        return answer["Body"].read()

    @staticmethod
    def _look(data: bytes) -> str:
        if not data.startswith(_PNG_SIGNATURE) or b"Label\0" not in data:
            raise RefusalError("InvalidImageFormatException", "Request has invalid image format")
        width, height = struct.unpack_from(">II", data, 16)
        if min(width, height) < 64:
            raise RefusalError("InvalidParameterException", "Request has invalid parameters")
        if max(width, height) > 4096:
            raise RefusalError("ImageTooLargeException", "Request has too large an image")
        at = data.index(b"tEXt")
        (length,) = struct.unpack_from(">I", data, at - 4)
        return data[at + 4 : at + 4 + length].removeprefix(b"Label\0").decode()


def _response(request: AWSPreparedRequest, status: int, body: dict[str, Any]) -> AWSResponse:
    class Raw:
        def stream(self, *_: object, **__: object) -> Iterator[bytes]:
            yield json.dumps(body).encode()

    return AWSResponse(request.url, status, HTTPHeaders(), Raw())


@dataclass
class World:
    """The buckets, the topic with an inbox behind it, the queue and the table, and the analysis on top."""

    s3: S3Client
    sns: SNSClient
    sqs: SQSClient
    dynamodb: DynamoDBClient
    rekognition_client: RekognitionClient
    rekognition: PretendedRekognition
    topic_arn: str
    inbox_url: str
    sequence: "count[int]" = field(default_factory=lambda: count(0x60AED6DCD90281E5))

    @property
    def clients(self) -> tuple[Any, ...]:
        """The clients the analysis calls AWS with."""
        return self.s3, self.sns, self.rekognition_client

    def upload(self, key: str, data: bytes, bucket: str = SOURCE, content_type: str = "image/png") -> ImageVersion:
        """Put an object; give what its event would say."""
        answer = self.s3.put_object(Bucket=bucket, Key=key, Body=data, ContentType=content_type)
        return ImageVersion(
            bucket=bucket,
            key=key,
            version_id=answer.get("VersionId"),
            etag=answer["ETag"].strip('"'),
            sequencer=f"{next(self.sequence):018X}",
            size=len(data),
            uploaded_at=NOON,
        )

    def analysis(self, *clients: Any, thresholds: Thresholds | None = None) -> Analysis:
        """The analysis, on the world's clients or on others for the same world."""
        s3, sns, rekognition = clients or self.clients
        thresholds = thresholds or Thresholds(70)
        return Analysis(
            source := SourceBucket(s3),
            FinalBucket(s3, FINAL),
            Model(rekognition, RememberedVersion(lambda: VERSION_ARN), source, thresholds.lowest),
            PredictionsTopic(sns, self.topic_arn),
            thresholds,
            now=lambda: NOON,
        )

    def create_runs_table(self) -> None:
        self.dynamodb.create_table(
            TableName=RUNS,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("kind", "id")],
        )

    def published(self) -> list[dict[str, Any]]:
        """The messages on the predictions topic since the last look."""
        messages: list[dict[str, Any]] = []
        while received := self.sqs.receive_message(QueueUrl=self.inbox_url, MaxNumberOfMessages=10).get("Messages"):
            for message in received:
                messages.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.inbox_url, ReceiptHandle=message["ReceiptHandle"])
        return messages

    def final(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=FINAL, Key=key)["Body"].read()

    def document(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.final(key))
        return found

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]

    def versions(self, bucket: str, prefix: str = "") -> list[tuple[str, str]]:
        """Key and version id of every version in a bucket, without delete markers."""
        found = self.s3.list_object_versions(Bucket=bucket, Prefix=prefix).get("Versions", [])
        return [(item["Key"], item["VersionId"]) for item in found]


def make_clients(rekognition: PretendedRekognition | None = None) -> tuple[S3Client, SNSClient, RekognitionClient]:
    """Clients without retries, so that an answer is what the test made it."""
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    s3 = boto3.client("s3", REGION, config=config)
    s3.meta.events.register("provide-client-params.s3.CopyObject", cast(Any, Precondition(s3).check))
    client = boto3.client("rekognition", REGION, config=config)
    if rekognition:
        rekognition.attach(client)
    return s3, boto3.client("sns", REGION, config=config), client


@dataclass(frozen=True)
class Precondition:
    """CopyObject's CopySourceIfMatch, which moto takes and does not look at."""

    s3: S3Client

    def check(self, params: dict[str, Any], **_: object) -> None:
        if "CopySourceIfMatch" not in params:
            return
        if self.s3.head_object(**params["CopySource"])["ETag"] != params["CopySourceIfMatch"]:
            answer = {"Error": {"Code": "PreconditionFailed"}, "ResponseMetadata": {"HTTPStatusCode": 412}}
            raise ClientError(cast(Any, answer), "CopyObject")


def make_world() -> Iterator[World]:
    with mock_aws():
        s3, sns, rekognition_client = make_clients()
        sqs, dynamodb = boto3.client("sqs", REGION), boto3.client("dynamodb", REGION)
        for bucket in (SOURCE, UNVERSIONED_SOURCE, FINAL):
            s3.create_bucket(Bucket=bucket)
        for bucket in (SOURCE, FINAL):
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        topic_arn = sns.create_topic(Name="predictions")["TopicArn"]
        inbox_url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        inbox_arn = "arn:aws:sqs:us-east-1:123456789012:inbox"
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=inbox_arn, Attributes={"RawMessageDelivery": "true"})
        rekognition = PretendedRekognition(boto3.client("s3", REGION))
        rekognition.attach(rekognition_client)
        yield World(s3, sns, sqs, dynamodb, rekognition_client, rekognition, topic_arn, inbox_url)
