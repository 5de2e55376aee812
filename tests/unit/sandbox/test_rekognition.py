"""The Rekognition API, through boto3 and with IAM enforced."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from sandbox.photographs import photographs
from tests.unit.sandbox.support import PROJECT_ARN, VERSION_ARN, Sandbox, wait_until

pytestmark = pytest.mark.xdist_group("sandbox")


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


def png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def rekognition(sandbox: Sandbox) -> Any:
    return sandbox.client("rekognition")


class TestModel:
    @pytest.mark.usefixtures("running_model")
    def test_a_version_starts_runs_stops_and_is_billed(self, sandbox: Sandbox) -> None:
        client, before = sandbox.client("rekognition"), sandbox.model()["billedInferenceUnitMinutes"]

        answer = client.stop_project_version(ProjectVersionArn=VERSION_ARN)
        wait_until(lambda: sandbox.model_status() == "STOPPED")

        assert answer["Status"] == "STOPPING"
        assert sandbox.model()["billedInferenceUnitMinutes"] > before
        assert sandbox.model()["billedInferenceUnitMinutes"] == sandbox.model()["billedInferenceUnitMinutes"]

    @pytest.mark.usefixtures("running_model")
    def test_a_running_version_cannot_be_started(self, rekognition: Any) -> None:
        with pytest.raises(ClientError) as raised:
            rekognition.start_project_version(ProjectVersionArn=VERSION_ARN, MinInferenceUnits=1)

        assert code(raised) == "ResourceInUseException"

    @pytest.mark.usefixtures("stopped_model")
    def test_a_stopped_version_cannot_be_stopped(self, rekognition: Any) -> None:
        with pytest.raises(ClientError) as raised:
            rekognition.stop_project_version(ProjectVersionArn=VERSION_ARN)

        assert code(raised) == "ResourceInUseException"

    @pytest.mark.usefixtures("stopped_model")
    def test_more_units_than_the_account_has_are_refused(self, rekognition: Any) -> None:
        with pytest.raises(ClientError) as raised:
            rekognition.start_project_version(ProjectVersionArn=VERSION_ARN, MinInferenceUnits=6)

        assert code(raised) == "LimitExceededException"

    @pytest.mark.parametrize("arn", ["arn:aws:rekognition:us-east-1:000000000000:project/surfaces/1", "surfaces" * 3])
    def test_what_is_no_version_arn_is_a_validation_error(self, rekognition: Any, arn: str) -> None:
        with pytest.raises(ClientError, match="projectVersionArn") as raised:
            rekognition.start_project_version(ProjectVersionArn=arn, MinInferenceUnits=1)

        assert code(raised) == "ValidationException"

    def test_an_unknown_version_is_not_found(self, rekognition: Any) -> None:
        with pytest.raises(ClientError) as raised:
            rekognition.start_project_version(ProjectVersionArn=VERSION_ARN + "9", MinInferenceUnits=1)

        assert code(raised) == "ResourceNotFoundException"

    def test_an_operation_the_sandbox_lacks_is_unknown(self, rekognition: Any) -> None:
        with pytest.raises(ClientError) as raised:
            rekognition.list_collections()

        assert code(raised) == "UnknownOperationException"


class TestDescribe:
    def test_versions_of_a_project_can_be_filtered_by_name(self, rekognition: Any) -> None:
        def names(*wanted: str) -> list[str]:
            found = rekognition.describe_project_versions(ProjectArn=PROJECT_ARN, VersionNames=list(wanted))
            return [version["ProjectVersionArn"] for version in found["ProjectVersionDescriptions"]]

        assert names("surfaces.2026-11-01T00.00.00") == [VERSION_ARN]
        assert names("another") == []

    @pytest.mark.usefixtures("stopped_model")
    def test_a_status_can_be_injected(self, sandbox: Sandbox, rekognition: Any) -> None:
        sandbox.faults(status={"surfaces.2026-11-01T00.00.00": "TRAINING_FAILED"})

        found = rekognition.describe_project_versions(ProjectArn=PROJECT_ARN)["ProjectVersionDescriptions"]

        assert found[0]["Status"] == "TRAINING_FAILED"
        with pytest.raises(ClientError):
            rekognition.start_project_version(ProjectVersionArn=VERSION_ARN, MinInferenceUnits=1)

    def test_projects_are_described(self, rekognition: Any) -> None:
        found = rekognition.describe_projects(ProjectNames=["surfaces"])["ProjectDescriptions"]

        assert [project["ProjectArn"] for project in found] == [PROJECT_ARN]


class TestDetect:
    @pytest.mark.usefixtures("running_model")
    def test_pixels_are_classified_and_labels_filtered(self, rekognition: Any) -> None:
        label, image = next(photographs(1, seed=21))

        def labels(**options: Any) -> list[str]:
            found = rekognition.detect_custom_labels(ProjectVersionArn=VERSION_ARN, Image={"Bytes": image}, **options)
            return [each["Name"] for each in found["CustomLabels"]]

        assert labels() == [label]
        assert sorted(labels(MinConfidence=0)) == ["brick", "grass", "gravel"]
        assert labels(MinConfidence=0, MaxResults=1) == [label]

    @pytest.mark.usefixtures("running_model")
    def test_one_version_of_a_stored_object_can_be_named(self, sandbox: Sandbox, rekognition: Any) -> None:
        (first, brick), (_, grass) = photographs(2, seed=22)
        bucket, s3 = sandbox.bucket(versioned=True), sandbox.client("s3")
        version = s3.put_object(Bucket=bucket, Key="é +.jpg", Body=brick)["VersionId"]
        s3.put_object(Bucket=bucket, Key="é +.jpg", Body=grass)
        image = {"S3Object": {"Bucket": bucket, "Name": "é +.jpg", "Version": version}}

        found = rekognition.detect_custom_labels(ProjectVersionArn=VERSION_ARN, Image=image)

        assert found["CustomLabels"][0]["Name"] == first

    @pytest.mark.usefixtures("running_model")
    def test_a_stored_object_is_read_with_the_callers_rights(self, sandbox: Sandbox) -> None:
        bucket = sandbox.bucket()
        sandbox.client("s3").put_object(Bucket=bucket, Key="a.jpg", Body=next(photographs(1, seed=23))[1])
        detect = ("rekognition:DetectCustomLabels", VERSION_ARN)
        reader = sandbox.role("lambda.amazonaws.com", detect, ("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
        stranger = sandbox.role("lambda.amazonaws.com", detect)
        request = {"ProjectVersionArn": VERSION_ARN, "Image": {"S3Object": {"Bucket": bucket, "Name": "a.jpg"}}}

        assert sandbox.client("rekognition", sandbox.session(reader)).detect_custom_labels(**request)["CustomLabels"]
        with pytest.raises(ClientError) as raised:
            sandbox.client("rekognition", sandbox.session(stranger)).detect_custom_labels(**request)
        assert code(raised) == "InvalidS3ObjectException"

    @pytest.mark.usefixtures("running_model")
    def test_a_missing_object_is_an_invalid_s3_object(self, sandbox: Sandbox, rekognition: Any) -> None:
        image = {"S3Object": {"Bucket": sandbox.bucket(), "Name": "none.jpg"}}

        with pytest.raises(ClientError) as raised:
            rekognition.detect_custom_labels(ProjectVersionArn=VERSION_ARN, Image=image)

        assert code(raised) == "InvalidS3ObjectException"

    @pytest.mark.usefixtures("running_model")
    @pytest.mark.parametrize(
        ("image", "expected"),
        [
            (b"not an image", "InvalidImageFormatException"),
            (next(photographs(1, seed=1))[1][:2000], "InvalidImageFormatException"),
            (png(63, 64), "InvalidParameterException"),
            (png(4097, 300), "InvalidParameterException"),
            (png(64, 64 * 21), "InvalidParameterException"),
            (b"\0" * (4 * 1024 * 1024 + 1), "ImageTooLargeException"),
        ],
        ids=["text", "truncated", "too small", "too wide", "too long", "too many bytes"],
    )
    def test_images_beyond_the_limits_are_refused(self, rekognition: Any, image: bytes, expected: str) -> None:
        with pytest.raises(ClientError) as raised:
            rekognition.detect_custom_labels(ProjectVersionArn=VERSION_ARN, Image={"Bytes": image})

        assert code(raised) == expected

    @pytest.mark.usefixtures("stopped_model")
    def test_a_model_that_is_not_running_is_not_ready(self, rekognition: Any) -> None:
        with pytest.raises(ClientError) as raised:
            rekognition.detect_custom_labels(ProjectVersionArn=VERSION_ARN, Image={"Bytes": b"x"})

        assert code(raised) == "ResourceNotReadyException"

    @pytest.mark.usefixtures("running_model")
    def test_errors_can_be_injected_and_are_counted(self, sandbox: Sandbox, rekognition: Any) -> None:
        sandbox.faults(errorRate={"LimitExceededException": 1.0})
        failed = sandbox.model()["versions"][0]["calls"]["failed"]

        with pytest.raises(ClientError) as raised:
            rekognition.detect_custom_labels(ProjectVersionArn=VERSION_ARN, Image={"Bytes": b"x"})

        assert code(raised) == "LimitExceededException"
        assert sandbox.model()["versions"][0]["calls"]["failed"] == failed + 1


class TestIam:
    @pytest.mark.parametrize(
        ("action", "resource", "allowed"),
        [
            ("rekognition:DescribeProjectVersions", PROJECT_ARN, True),
            ("rekognition:DescribeProjectVersions", VERSION_ARN, False),
            ("rekognition:StartProjectVersion", PROJECT_ARN, False),
        ],
    )
    def test_actions_are_allowed_on_the_resource_they_name(
        self, sandbox: Sandbox, action: str, resource: str, allowed: bool
    ) -> None:
        role = sandbox.role("lambda.amazonaws.com", (action, resource))
        client = sandbox.client("rekognition", sandbox.session(role))

        if allowed:
            assert client.describe_project_versions(ProjectArn=PROJECT_ARN)["ProjectVersionDescriptions"]
            return
        with pytest.raises(ClientError) as raised:
            client.describe_project_versions(ProjectArn=PROJECT_ARN)
        assert code(raised) == "AccessDeniedException"
