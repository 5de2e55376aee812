"""Every resource type, made in a real emulator and removed again."""

import io
import json
import re
import zipfile
from typing import Any

import boto3
import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError

from sandbox.deployer.archives import zip_archive
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.deployer import Progress, destroy_recorded
from sandbox.deployer.registry import known_types, undeletable_types, validated_types
from sandbox.deployer.state import StateFile
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Result, record_program, run_program
from tests.unit.sandbox_deployer.conftest import TIME_SCALE, Deploy
from tests.unit.sandbox_deployer.programs import every_type, service_role

pytestmark = pytest.mark.xdist_group("sandbox_deployer")

URL_AS_ID = {
    "aws:sqs/queue:Queue",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
}
RANDOM = re.compile(r"[0-9a-f]{26}|(?<=-)[0-9a-f]{7}|[0-9a-f-]{36}")


@pytest.fixture
def deployed(deploy: Deploy) -> Result:
    return deploy(every_type)


def test_the_program_registers_every_type_the_deployer_knows(deployed: Result) -> None:
    types = {resource.type for resource in deployed.resources} - {"pulumi:providers:aws"}

    assert types == known_types() - validated_types()


def test_every_type_that_can_be_made_can_be_removed() -> None:
    assert undeletable_types() == frozenset()


def test_outputs_are_those_of_a_preview_but_for_the_random_parts(deployed: Result) -> None:
    previewed = record_program(every_type, account_id="000000000000")

    for resource in deployed.resources:
        preview = previewed.named(resource.name, resource.type)
        expected = preview.outputs
        if resource.type not in URL_AS_ID:
            assert _without_random(resource.id) == _without_random(preview.id)
        for key in ("arn", "invokeArn", "qualifiedArn", "bucketRegionalDomainName", "owner"):
            if key in expected:
                assert _without_random(resource.outputs[key]) == _without_random(expected[key])


def test_the_queue_has_what_the_program_asked_for(deployed: Result, cloud: Cloud) -> None:
    url = deployed.outputs["imageQueueUrl"]

    attributes = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    assert attributes["VisibilityTimeout"] == "360"
    assert attributes["SqsManagedSseEnabled"] == "true"
    assert '"maxReceiveCount": 10' in attributes["RedrivePolicy"]
    assert cloud.sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"stack": "test"}


def test_the_bucket_is_private_encrypted_versioned_and_tells_eventbridge(deployed: Result, cloud: Cloud) -> None:
    name = deployed.outputs["sourceBucketName"]

    block = cloud.s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    encryption = cloud.s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    lifecycle = cloud.s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"][0]
    notification = cloud.s3.get_bucket_notification_configuration(Bucket=name)

    assert all(block.values())
    assert encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert lifecycle["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert lifecycle["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert cloud.s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert "EventBridgeConfiguration" in notification


def test_an_upload_reaches_the_queue_through_the_rule(deployed: Result, cloud: Cloud) -> None:
    cloud.s3.put_object(Bucket=deployed.outputs["sourceBucketName"], Key="a b+ä.jpg", Body=b"image")

    answer = cloud.sqs.receive_message(QueueUrl=deployed.outputs["imageQueueUrl"], WaitTimeSeconds=5)

    assert "Object Created" in answer["Messages"][0]["Body"]


def test_the_subscription_of_a_queue_has_its_filter_and_its_dead_letter_queue(deployed: Result, cloud: Cloud) -> None:
    arn = deployed.named("queue", "aws:sns/topicSubscription:TopicSubscription").id
    lost = deployed.named("lost", "aws:sqs/queue:Queue").outputs["arn"]

    attributes = cloud.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]

    assert attributes["RawMessageDelivery"] == "true"
    assert json.loads(attributes["FilterPolicy"]) == {"status": ["labelled"]}
    assert json.loads(attributes["RedrivePolicy"]) == {"deadLetterTargetArn": lost}


def test_a_message_reaches_the_queue_that_the_topic_may_send_to(deployed: Result, cloud: Cloud) -> None:
    url = deployed.named("queue", "aws:sqs/queue:Queue").id

    for status in ("rejected", "labelled"):
        attributes = {"status": {"DataType": "String", "StringValue": status}}
        cloud.sns.publish(
            TopicArn=deployed.outputs["predictionsTopicArn"],
            Message=status,
            MessageAttributes=attributes,  # type: ignore[arg-type]
        )

    answer = cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    assert [message["Body"] for message in answer["Messages"]] == ["labelled"]


def test_the_function_lets_the_topic_invoke_it(deployed: Result, cloud: Cloud) -> None:
    policy = cloud.lambda_.get_policy(FunctionName=deployed.outputs["analyzeFunctionName"])["Policy"]

    (statement,) = json.loads(policy)["Statement"]
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Condition"]["ArnLike"]["AWS:SourceArn"] == deployed.outputs["predictionsTopicArn"]


def test_the_table_expires_items_and_has_backups(deployed: Result, cloud: Cloud) -> None:
    name = deployed.outputs["runsTableName"]

    expiry = cloud.dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    backups = cloud.dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    table = cloud.dynamodb.describe_table(TableName=name)["Table"]

    assert expiry["AttributeName"] == "expiresAt"
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["kind", "id"]


def test_the_function_gets_its_rate_in_real_seconds_and_all_else_as_given(deployed: Result, cloud: Cloud) -> None:
    name = deployed.outputs["analyzeFunctionName"]

    function = cloud.lambda_.get_function_configuration(FunctionName=name)

    rate = 2.5 / TIME_SCALE
    assert function["Environment"]["Variables"] == {"DETECT_CALLS_PER_SECOND": f"{rate:g}", "MIN_CONFIDENCE": "70"}
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert "Layers" not in function or not function["Layers"]


def test_the_function_runs(deployed: Result, cloud: Cloud) -> None:
    answer = cloud.lambda_.invoke(FunctionName=deployed.outputs["analyzeFunctionName"], Payload=b"{}")

    assert answer.get("FunctionError") is None
    assert answer["Payload"].read() == b"null"


def test_the_mapping_is_closed_and_reports_item_failures(deployed: Result, cloud: Cloud) -> None:
    mapping = cloud.lambda_.get_event_source_mapping(UUID=deployed.outputs["eventSourceMappingUuid"])

    assert mapping["State"] == "Disabled"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (1000, 60)


def test_the_state_machine_runs(deployed: Result, cloud: Cloud) -> None:
    arn = deployed.outputs["stateMachineArn"]

    cloud.stepfunctions.start_execution(stateMachineArn=arn)

    machine = cloud.stepfunctions.describe_state_machine(stateMachineArn=arn)
    assert machine["loggingConfiguration"]["level"] == "ALL"
    assert cloud.stepfunctions.list_executions(stateMachineArn=arn)["executions"]


def test_the_schedule_is_as_given(deployed: Result, cloud: Cloud) -> None:
    group, name = deployed.outputs["scheduleArn"].split("/")[1:]

    schedule = cloud.scheduler.get_schedule(GroupName=group, Name=name)

    assert schedule["ScheduleExpression"] == "rate(1 hour)"
    assert schedule["StartDate"].year == 2030
    assert schedule["Target"]["Arn"] == deployed.outputs["stateMachineArn"]
    assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0


def test_progress_names_each_resource_before_and_after(deployed: Result, steps: list[Progress]) -> None:
    queue = [step for step in steps if step.type == "aws:sqs/queue:Queue" and step.name == "images"]

    assert [step.done for step in queue] == [False, True]
    assert queue[1].seconds > 0


def test_destroy_removes_what_was_made_and_nothing_else(deployed: Result, cloud: Cloud, state: StateFile) -> None:
    cloud.s3.create_bucket(Bucket="somebody-elses")
    cloud.s3.put_object(Bucket=deployed.outputs["sourceBucketName"], Key="left-behind.jpg", Body=b"image")
    made = [resource for resource in deployed.resources if resource.type != "pulumi:providers:aws"]

    removed = destroy_recorded(cloud, state)

    buckets = [bucket["Name"] for bucket in cloud.s3.list_buckets()["Buckets"]]
    queues = cloud.sqs.list_queues().get("QueueUrls", [])
    roles = [role["RoleName"] for role in cloud.iam.list_roles()["Roles"]]
    assert removed == len(made)
    assert deployed.outputs["sourceBucketName"] not in buckets
    assert "somebody-elses" in buckets
    assert not {resource.id for resource in made} & {*queues, *roles}
    assert state.read()["resources"] == []


def test_destroy_leaves_a_resource_that_is_to_be_retained(deploy: Deploy, cloud: Cloud, state: StateFile) -> None:
    def program() -> None:
        aws.s3.Bucket("kept", opts=pulumi.ResourceOptions(retain_on_delete=True))

    bucket = deploy(program).named("kept").id

    assert destroy_recorded(cloud, state) == 0
    cloud.s3.head_bucket(Bucket=bucket)


def test_destroy_refuses_a_bucket_that_holds_something(deploy: Deploy, cloud: Cloud, state: StateFile) -> None:
    bucket = deploy(lambda: aws.s3.Bucket("full")).named("full").id
    cloud.s3.put_object(Bucket=bucket, Key="precious.jpg", Body=b"image")

    with pytest.raises(SandboxError, match=r"BucketNotEmpty"):
        destroy_recorded(cloud, state)

    assert len(state.read()["resources"]) == 1


def test_destroy_asks_a_function_that_is_to_be_asked_and_stops_where_it_fails(
    deploy: Deploy, cloud: Cloud, state: StateFile
) -> None:
    refuses = "def handler(event, context):\n    assert event['tf']['action'] != 'delete', 'not now'\n"

    def program() -> None:
        function = aws.lambda_.Function(
            "asked",
            role=service_role("asked", "lambda.amazonaws.com").arn,
            runtime="python3.13",
            handler="app.handler",
            code=pulumi.AssetArchive({"app.py": pulumi.StringAsset(refuses)}),
        )
        aws.lambda_.Invocation("asked", function_name=function.name, input="{}", lifecycle_scope="CRUD")

    made = [resource for resource in deploy(program).resources if resource.custom]

    with pytest.raises(SandboxError, match=r"answered with an error: .*not now"):
        destroy_recorded(cloud, state)

    assert len(state.read()["resources"]) == len(made)


def test_a_failed_deployment_can_be_destroyed(deploy: Deploy, cloud: Cloud, state: StateFile) -> None:
    def program() -> None:
        queue = aws.sqs.Queue("images")
        aws.sqs.Queue("again", name=queue.name, visibility_timeout_seconds=1, fifo_queue=True)

    with pytest.raises(SandboxError, match=r"^aws:sqs/queue:Queue 'again': "):
        deploy(program)

    (made,) = state.read()["resources"]
    assert destroy_recorded(cloud, state) == 1
    with pytest.raises(ClientError, match=r"NonExistentQueue|does not exist"):
        cloud.sqs.get_queue_attributes(QueueUrl=made["id"])


def test_an_unknown_type_is_named(deploy: Deploy) -> None:
    with pytest.raises(SandboxError, match=r"aws:ec2/vpc:Vpc has no creator"):
        deploy(lambda: aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16"))


def test_an_input_no_one_acts_on_is_named(deploy: Deploy) -> None:
    with pytest.raises(SandboxError, match=r"does nothing with input accelerationStatus"):
        deploy(lambda: aws.s3.Bucket("fast", acceleration_status="Enabled"))


def test_an_output_the_sandbox_does_not_give_is_named_where_it_is_used(deploy: Deploy) -> None:
    def program() -> None:
        bucket = aws.s3.Bucket("source")
        aws.sns.Topic("topic", display_name=bucket.hosted_zone_id)

    with pytest.raises(SandboxError, match=r"input of aws:sns/topic:Topic 'topic' 'displayName'"):
        deploy(program)


def test_a_stack_output_the_sandbox_does_not_give_is_named(deploy: Deploy) -> None:
    def program() -> None:
        pulumi.export("zone", aws.s3.Bucket("source").hosted_zone_id)

    with pytest.raises(SandboxError, match="stack output 'zone' comes from an output"):
        deploy(program)


def test_an_existing_bucket_can_be_looked_up(deploy: Deploy, cloud: Cloud, state: StateFile) -> None:
    cloud.s3.create_bucket(Bucket="existing-images")

    def program() -> None:
        bucket = aws.s3.Bucket.get("source", "existing-images")
        pulumi.export("arn", bucket.arn)

    assert deploy(program).outputs == {"arn": "arn:aws:s3:::existing-images"}
    assert state.read()["resources"] == []


def test_an_existing_bucket_that_is_not_there_is_an_error(deploy: Deploy) -> None:
    with pytest.raises(SandboxError, match=r"'source': .*404"):
        deploy(lambda: aws.s3.Bucket.get("source", "no-such-bucket-anywhere"))


def test_an_endpoint_that_does_not_answer_is_one_clear_line(state: StateFile) -> None:
    from sandbox.deployer.deployer import Deployer

    nowhere = Cloud("http://127.0.0.1:1", "us-east-1", "000000000000")

    with pytest.raises(SandboxError, match=r"'images': Could not connect") as error:
        run_program(
            lambda: aws.sqs.Queue("images"),
            project="project",
            stack="test",
            config={},
            creator=Deployer(nowhere, {}, state),
        )
    assert "\n" not in str(error.value)


def test_the_same_files_make_the_same_archive(tmp_path: Any) -> None:
    file = tmp_path / "handler.py"
    file.write_text("x = 1\n")
    archive = pulumi.AssetArchive({"b/handler.py": pulumi.FileAsset(str(file)), "a.py": pulumi.StringAsset("")})

    first = zip_archive(archive)
    file.touch()

    assert zip_archive(archive) == first
    with zipfile.ZipFile(io.BytesIO(first)) as bundle:
        assert bundle.namelist() == ["a.py", "b/handler.py"]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SandboxError, match=r"nowhere\.py of the archive cannot be read"):
        zip_archive(pulumi.AssetArchive({"a.py": pulumi.FileAsset("nowhere.py")}))


def test_iam_is_enforced_for_a_deployed_role(deployed: Result, cloud: Cloud) -> None:
    role = deployed.named("analyze", "aws:iam/role:Role").outputs["arn"]
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    keys = session.client("sts", endpoint_url=cloud.endpoint_url).assume_role(RoleArn=role, RoleSessionName="test")
    sqs = session.client(
        "sqs",
        endpoint_url=cloud.endpoint_url,
        aws_access_key_id=keys["Credentials"]["AccessKeyId"],
        aws_secret_access_key=keys["Credentials"]["SecretAccessKey"],
        aws_session_token=keys["Credentials"]["SessionToken"],
    )

    sqs.receive_message(QueueUrl=deployed.outputs["imageQueueUrl"])
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
        sqs.purge_queue(QueueUrl=deployed.outputs["imageQueueUrl"])


def _without_random(identifier: str) -> str:
    return RANDOM.sub("*", identifier).replace("AROA", "")
