"""What the AWS provider does before it calls AWS: keys, names, tags, region."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import record_program


def test_a_misspelled_nested_key_is_refused_by_its_path() -> None:
    rule: Any = {"id": "old", "status": "Enabled", "noncurrent_version_expiration": {"noncurrent_dayz": 7}}

    def program() -> None:
        aws.s3.BucketLifecycleConfiguration("source", bucket="images", rules=[rule])

    with pytest.raises(SandboxError, match=r"'rules\[0\]\.noncurrentVersionExpiration\.noncurrent_dayz'"):
        record_program(program)


def test_a_missing_nested_key_is_refused_by_its_path() -> None:
    target: Any = {"arn": "arn:aws:sqs:us-east-1:123456789012:q"}

    def program() -> None:
        aws.scheduler.Schedule(
            "hourly",
            schedule_expression="rate(1 hour)",
            flexible_time_window={"mode": "OFF"},
            target=target,
        )

    with pytest.raises(SandboxError, match=r"input 'target\.roleArn' is missing"):
        record_program(program)


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ("variables", "'environment' must be an object"),
        ({"variables": {"A": {"b": "c"}}}, "'environment.variables.A' cannot be an object"),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused(environment: Any, complaint: str) -> None:
    def program() -> None:
        aws.lambda_.Function("analyze", role="arn:aws:iam::123456789012:role/r", environment=environment)

    with pytest.raises(SandboxError, match=complaint):
        record_program(program)


def test_types_whose_arguments_class_has_another_name_are_checked_too() -> None:
    # pulumi_aws.s3.BucketVersioningArgs is a nested type of Bucket, not BucketVersioning's arguments.
    def program() -> None:
        aws.s3.BucketVersioning("source", bucket="images", versioning_configuration={"status": "Enabled"})

    assert record_program(program).named("source").id == "images"


def test_a_type_the_provider_does_not_know_is_refused() -> None:
    class Unknown(pulumi.CustomResource):
        def __init__(self) -> None:
            super().__init__("aws:sqs/kiosk:Kiosk", "kiosk", {})

    with pytest.raises(SandboxError, match=r"aws:sqs/kiosk:Kiosk is not one pulumi-aws knows"):
        record_program(Unknown)


def test_an_automatic_name_is_the_logical_one_and_seven_hex_digits() -> None:
    def program() -> None:
        aws.s3.Bucket("Source")
        aws.iam.Role("Analyze", assume_role_policy="{}")

    result = record_program(program)

    assert pulumi_name(result.named("Source").outputs["bucket"]) == "source"
    assert pulumi_name(result.named("Analyze").outputs["name"]) == "Analyze"


@pytest.mark.parametrize(
    ("make", "longest"),
    [
        (lambda name: aws.s3.Bucket(name), 63),
        (lambda name: aws.iam.Role(name, assume_role_policy="{}"), 64),
        (lambda name: aws.cloudwatch.EventRule(name, event_pattern="{}"), 64),
        (lambda name: aws.sqs.Queue(name), 80),
    ],
)
def test_an_automatic_name_over_the_limit_is_refused(make: Any, longest: int) -> None:
    fits, too_long = "n" * (longest - 8), "n" * (longest - 7)

    record_program(lambda: make(fits))
    with pytest.raises(SandboxError, match=f"has {longest + 1} characters; at most {longest} fit"):
        record_program(lambda: make(too_long))


def test_a_name_with_characters_aws_refuses_is_refused() -> None:
    def program() -> None:
        aws.s3.Bucket("source", bucket="My_Bucket")

    with pytest.raises(SandboxError, match=r"does not accept the name 'My_Bucket'"):
        record_program(program)


def test_a_name_prefix_leaves_room_for_what_the_provider_adds() -> None:
    def program() -> None:
        aws.iam.Role("role", name_prefix="p" * 39, assume_role_policy="{}")

    with pytest.raises(SandboxError, match=r"has 65 characters"):
        record_program(program)


def test_a_fifo_queue_keeps_its_ending() -> None:
    def program() -> None:
        aws.sqs.Queue("images", fifo_queue=True)

    name = record_program(program).named("images").outputs["name"]

    assert name.endswith(".fifo")
    assert pulumi_name(name.removesuffix(".fifo")) == "images"


def test_default_tags_of_the_stack_reach_types_that_take_tags() -> None:
    def program() -> None:
        aws.sqs.Queue("images", tags={"own": "yes"})
        aws.sqs.QueuePolicy("images", queue_url="url", policy="{}")

    config = {"aws:defaultTags": '{"tags": {"stack": "dev", "own": "no"}}'}
    result = record_program(program, config=config)

    assert result.named("images", "aws:sqs/queue:Queue").outputs["tagsAll"] == {"stack": "dev", "own": "yes"}
    assert "tagsAll" not in result.named("images", "aws:sqs/queuePolicy:QueuePolicy").outputs


def test_default_tags_of_an_explicit_provider_reach_its_resources_only() -> None:
    def program() -> None:
        provider = aws.Provider("tagging", default_tags={"tags": {"stack": "dev"}})
        aws.sqs.Queue("with", opts=pulumi.ResourceOptions(provider=provider))
        aws.sqs.Queue("without")

    result = record_program(program)

    assert result.named("with").outputs["tagsAll"] == {"stack": "dev"}
    assert result.named("without").outputs["tagsAll"] == {}


def test_a_misspelled_key_of_the_providers_tags_is_refused() -> None:
    tags: Any = {"tag": {"stack": "dev"}}

    with pytest.raises(SandboxError, match=r"'defaultTags\.tag'"):
        record_program(lambda: aws.Provider("tagging", default_tags=tags))


def test_a_provider_for_another_region_is_refused() -> None:
    with pytest.raises(SandboxError, match=r"region eu-west-1"):
        record_program(lambda: aws.Provider("other", region="eu-west-1"))


def test_a_function_no_one_answers_is_refused() -> None:
    with pytest.raises(SandboxError, match=r"aws:ec2/getVpc:getVpc"):
        record_program(lambda: aws.ec2.get_vpc(default=True))


def pulumi_name(physical: str) -> str:
    """Take the random end off a name, and make sure it has one."""
    logical, _, end = physical.rpartition("-")
    assert len(end) == 7
    assert set(end) <= set("0123456789abcdef")
    return logical
