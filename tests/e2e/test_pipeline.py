"""The whole pipeline on the sandbox: the program, the functions and the workflows as they are, IAM enforced."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import pytest

from sandbox.deployer.cloud import Cloud
from sandbox.fates import Fate
from sandbox.photographs import photographs
from sandbox.settings import SandboxSettings
from sandbox.uploads import Upload, demo_uploads
from tests.e2e.conftest import Deploy
from tests.e2e.deployed_stack import Stack

pytestmark = pytest.mark.xdist_group("pipeline")


def pictures(n: int, seed: int = 1) -> Iterator[Upload]:
    for number, (label, body) in enumerate(photographs(n, seed)):
        yield Upload(f"{label}/{number}.jpg", body, label)


def assert_released(stack: Stack) -> None:
    """What must hold after every run, however it ended."""
    assert stack.items("lock") == []
    assert stack.model_status() not in ("STARTING", "RUNNING")
    assert stack.mapping_state() in ("Disabling", "Disabled")


def billed_minutes(stack: Stack) -> float:
    """Inference-unit minutes of the model's last session, by Rekognition's own ledger."""
    session = stack.model()["sessions"][-1]
    begin, end = (datetime.fromisoformat(session[at]) for at in ("runningAt", "stopRequestedAt"))
    return float((end - begin).total_seconds() / 60 * session["inferenceUnits"])


def announcements(stack: Stack) -> str:
    """URL of a queue that is subscribed to the predictions topic, as another team's would be."""
    url = stack.cloud.sqs.create_queue(QueueName=f"listener-{stack.outputs['runsTableName']}")["QueueUrl"]
    arn = stack.cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": stack.outputs["predictionsTopicArn"]}},
            }
        ],
    }
    stack.cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    stack.cloud.sns.subscribe(
        TopicArn=stack.outputs["predictionsTopicArn"],
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"RawMessageDelivery": "true"},
    )
    return url


def announced(stack: Stack, url: str) -> Counter[str]:
    """Image id -> number of announcements."""
    count: Counter[str] = Counter()
    while messages := stack.cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        count.update(json.loads(message["Body"])["imageId"] for message in messages)
        for message in messages:
            stack.cloud.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return count


class TestARun:
    def test_labels_or_rejects_every_image_once_and_stops_the_model(self, stack: Stack) -> None:
        listener = announcements(stack)
        stack.upload(*demo_uploads(plain=24))

        execution = stack.run()

        assert execution["status"] == "SUCCEEDED", execution.get("cause")
        assert_released(stack)
        images = stack.fates()
        assert Counter(image.fate for image in images) == {Fate.LABELLED: 31, Fate.REJECTED: 5}
        photographed = [image for image in images if image.upload.label]
        assert sum(image.is_right for image in photographed) / len(photographed) > 0.9
        assert announced(stack, listener) == {image.document["imageId"]: 1 for image in images}
        (record,) = stack.items("run")
        assert (record["outcome"]["S"], record["processed"]["N"], record["rejected"]["N"]) == ("DRAINED", "31", "5")
        # The workflow sees RUNNING up to 15 seconds late.
        assert float(record["billedInferenceUnitMinutes"]["N"]) == pytest.approx(billed_minutes(stack), abs=0.75)

    def test_leaves_the_source_bucket_empty_and_the_image_beside_its_labels(self, stack: Stack) -> None:
        (picture,) = pictures(1)
        stack.upload(picture)

        stack.run()

        final = stack.outputs["finalBucketName"]
        assert "Versions" not in stack.cloud.s3.list_object_versions(Bucket=stack.outputs["sourceBucketName"])
        kept = stack.cloud.s3.get_object(Bucket=final, Key=f"images/{picture.key}")
        assert kept["Body"].read() == picture.body
        document = json.loads(stack.cloud.s3.get_object(Bucket=final, Key=f"images/{picture.key}.json")["Body"].read())
        assert document["finalUri"] == f"s3://{final}/images/{picture.key}"
        assert document["size"] == len(picture.body)
        assert [label["name"] for label in document["labels"]] == [picture.label]

    def test_of_an_empty_queue_starts_no_model_and_leaves_no_record(self, stack: Stack) -> None:
        sessions = len(stack.model()["sessions"])

        assert stack.run()["status"] == "SUCCEEDED"

        assert len(stack.model()["sessions"]) == sessions
        assert stack.items("run") == stack.items("lock") == []

    def test_leaves_another_one_that_is_active_alone(self, stack: Stack) -> None:
        stack.upload(*pictures(3))
        first = stack.start_run()
        stack.wait_for(lambda: bool(stack.items("lock")), "the lock")

        assert stack.run()["status"] == "SUCCEEDED"

        assert stack.execution(first)["status"] == "RUNNING"
        assert stack.finish(first)["status"] == "SUCCEEDED"
        assert len(stack.items("run")) == 1


class TestIamEnforcement:
    def test_a_function_that_may_not_write_labels_nothing_and_loses_nothing(self, stack: Stack) -> None:
        function = stack.cloud.lambda_.get_function(FunctionName=stack.outputs["analyzeFunctionName"])
        role = function["Configuration"]["Role"].rpartition("/")[2]
        (name,) = stack.cloud.iam.list_role_policies(RoleName=role)["PolicyNames"]
        allowed = stack.cloud.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        forbidden = json.loads(json.dumps(allowed).replace('"s3:PutObject"', '"s3:PutObjectAcl"'))
        stack.cloud.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(forbidden))
        stack.upload(*pictures(4))
        run = stack.start_run()
        stack.wait_for(lambda: "AccessDenied" in stack.function_log(), "the function to be refused")

        stack.cloud.stepfunctions.stop_execution(executionArn=run)
        stack.wait_for(lambda: stack.items("lock") == [], "the release")

        assert {image.fate for image in stack.fates()} == {Fate.WAITING}

    def test_a_run_that_may_not_start_the_model_fails_and_says_so(self, stack: Stack) -> None:
        role = stack.cloud.stepfunctions.describe_state_machine(stateMachineArn=stack.outputs["stateMachineArn"])
        role_name = role["roleArn"].rpartition("/")[2]
        for name in stack.cloud.iam.list_role_policies(RoleName=role_name)["PolicyNames"]:
            document = stack.cloud.iam.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"]
            without = json.dumps(document).replace("rekognition:StartProjectVersion", "rekognition:ListTagsForResource")
            stack.cloud.iam.put_role_policy(RoleName=role_name, PolicyName=name, PolicyDocument=without)
        stack.upload(*pictures(1))

        execution = stack.run()

        assert execution["status"] == "FAILED"
        assert "StartProjectVersion" in execution["cause"]
        assert_released(stack)


class TestAnExistingSourceBucket:
    def test_gives_its_images_also_when_it_keeps_no_versions(
        self, deploy_stack: Deploy, settings: SandboxSettings
    ) -> None:
        bucket = "photographs-of-another-team"
        s3 = Cloud.of(settings).s3
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        stack = deploy_stack(existingSourceBucketName=bucket)
        (picture,) = pictures(1)
        s3.put_object(Bucket=bucket, Key=picture.key, Body=picture.body)

        assert stack.run()["status"] == "SUCCEEDED"

        assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
        kept = s3.get_object(Bucket=stack.outputs["finalBucketName"], Key=f"images/{picture.key}")
        assert kept["Body"].read() == picture.body


class TestUploadMode:
    def test_labels_an_upload_on_a_running_model_without_any_workflow(self, deploy_stack: Deploy) -> None:
        stack = deploy_stack(trigger="upload")
        assert not stack.outputs.get("stateMachineArn")
        rekognition = stack.cloud.client("rekognition")
        version = stack.model()["projectVersionArn"]
        rekognition.start_project_version(ProjectVersionArn=version, MinInferenceUnits=1)
        stack.wait_for(lambda: stack.model_status() == "RUNNING", "the model to run")

        stack.upload(*pictures(3))

        stack.wait_for(lambda: {image.fate for image in stack.fates()} == {Fate.LABELLED}, "every image")
        rekognition.stop_project_version(ProjectVersionArn=version)
        stack.wait_for(lambda: stack.model_status() == "STOPPED", "the model to stop")
