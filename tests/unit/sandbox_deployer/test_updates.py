"""A second deployment leaves alone what is as it was, updates or replaces what changed, and removes what is gone."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError

from sandbox.deployer.changes import Step
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.deployer import Deployer, Progress, destroy_recorded
from sandbox.deployer.state import StateFile
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Program, Result, run_program
from tests.unit.sandbox_deployer.conftest import TIME_SCALE
from tests.unit.sandbox_deployer.programs import document, every_type

pytestmark = pytest.mark.xdist_group("sandbox_deployer")

QUEUE = "aws:sqs/queue:Queue"
FUNCTION = "aws:lambda/function:Function"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
READING = ("Get", "Head", "List", "Describe")


@dataclass(frozen=True)
class Deployment:
    """One deployment: what it left, what it did with each resource, and the calls that changed something."""

    result: Result
    cloud: Cloud
    progress: list[Progress]
    calls: list[str]

    def steps(self) -> dict[str, Step]:
        """Step by logical name, without the resources that are as they were; of several, the last."""
        return {p.name: p.step for p in self.progress if p.step not in (None, Step.UNCHANGED)}

    def changed(self, name: str) -> tuple[str, ...]:
        (found,) = (p.changed for p in self.progress if p.name == name and p.changed)
        return found


class Stack:
    """A stack that is deployed again and again, each time as by a process of its own."""

    def __init__(self, endpoint_url: str, folder: Path) -> None:
        self._endpoint_url = endpoint_url
        self.state = StateFile(folder / "state.json")
        self.state.start(endpoint_url, "project", "test")

    def up(self, program: Program) -> Deployment:
        cloud = Cloud(self._endpoint_url, "us-east-1", "000000000000", TIME_SCALE)
        calls: list[str] = []
        progress: list[Progress] = []

        def note(model: Any, **_: Any) -> None:
            if not model.name.startswith(READING):
                calls.append(model.name)

        cloud.session.events.register("before-call", note)
        deployer = Deployer(cloud, {}, StateFile(self.state.path), progress.append)
        result = run_program(program, project="project", stack="test", config={}, creator=deployer, timeout=60)
        deployer.remove_leftovers()
        return Deployment(result, cloud, progress, calls)


@pytest.fixture
def stack(endpoint_url: str, tmp_path: Path) -> Iterator[Stack]:
    made = Stack(endpoint_url, tmp_path)
    yield made
    destroy_recorded(Cloud(endpoint_url, "us-east-1", "000000000000"), made.state)


@pytest.fixture(scope="module")
def everything(endpoint_url: str, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """One of every type, deployed once; each test changes one resource and has the last test's change taken back."""
    made = Stack(endpoint_url, tmp_path_factory.mktemp("everything"))
    made.up(changed())
    return made


def changed(type_: str = "", name: str = "", /, **inputs: Any) -> Program:
    """One of every type; one resource has other inputs."""

    def other_inputs(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if (args.type_, args.name) != (type_, name):
            return None
        return pulumi.ResourceTransformationResult({**args.props, **inputs}, args.opts)

    def program() -> None:
        pulumi.runtime.register_stack_transformation(other_inputs)
        every_type("tupdates")

    return program


def queue(**inputs: Any) -> Program:
    return lambda: aws.sqs.Queue("images", **inputs)


class TestNoChange:
    def test_makes_no_call_that_changes_anything(self, everything: Stack) -> None:
        everything.up(changed())

        again = everything.up(changed())

        assert again.calls == []
        assert again.steps() == {}

    def test_answers_with_the_outputs_of_before(self, everything: Stack) -> None:
        before = everything.up(changed()).result

        again = everything.up(changed()).result

        assert again.outputs == before.outputs
        assert {r.urn: r.id for r in again.resources} == {r.urn: r.id for r in before.resources}

    def test_files_that_are_written_again_alike_are_no_change(self, stack: Stack, tmp_path: Path) -> None:
        code = tmp_path / "handler.py"

        def program() -> None:
            code.write_text("def handler(event, context):\n    return 1\n")
            function(pulumi.AssetArchive({"handler.py": pulumi.FileAsset(str(code))}))

        stack.up(program)

        assert stack.up(program).calls == []


def function(code: pulumi.Archive) -> aws.lambda_.Function:
    trust = document("Allow", "sts:AssumeRole", "*", Principal={"Service": "lambda.amazonaws.com"})
    role = aws.iam.Role("function", assume_role_policy=trust.apply(lambda text: text.replace(', "Resource": "*"', "")))
    return aws.lambda_.Function(
        "function", role=role.arn, runtime="python3.13", handler="handler.handler", code=code, timeout=10
    )


def of_queue(name: str) -> Callable[[Deployment], Any]:
    def look(d: Deployment) -> Any:
        url = d.result.named("images", QUEUE).id
        attributes: dict[Any, str] = d.cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
            "Attributes"
        ]
        return attributes.get(name)

    return look


def of_function(name: str) -> Callable[[Deployment], Any]:
    def look(d: Deployment) -> Any:
        return d.cloud.lambda_.get_function_configuration(FunctionName=d.result.outputs["analyzeFunctionName"]).get(
            name
        )

    return look


def of_mapping(name: str) -> Callable[[Deployment], Any]:
    def look(d: Deployment) -> Any:
        return d.cloud.lambda_.get_event_source_mapping(UUID=d.result.outputs["eventSourceMappingUuid"])[name]  # type: ignore[literal-required]

    return look


def of_machine(name: str) -> Callable[[Deployment], Any]:
    def look(d: Deployment) -> Any:
        machine = d.cloud.stepfunctions.describe_state_machine(stateMachineArn=d.result.outputs["stateMachineArn"])
        return machine[name]  # type: ignore[literal-required]

    return look


def of_schedule(name: str) -> Callable[[Deployment], Any]:
    def look(d: Deployment) -> Any:
        group, schedule = d.result.outputs["scheduleArn"].split("/")[1:]
        return d.cloud.scheduler.get_schedule(GroupName=group, Name=schedule).get(name)

    return look


def of_subscription(name: str) -> Callable[[Deployment], Any]:
    def look(d: Deployment) -> Any:
        arn = d.result.named("queue", "aws:sns/topicSubscription:TopicSubscription").id
        return d.cloud.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"].get(name)

    return look


def policy_of_role(d: Deployment) -> Any:
    made = d.result.named("reading", "aws:iam/rolePolicy:RolePolicy")
    role, name = made.id.split(":")
    return d.cloud.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]


def trust_of_role(d: Deployment) -> Any:
    role = d.result.named("analyze", "aws:iam/role:Role").id
    return d.cloud.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]


def managed_policy(d: Deployment) -> Any:
    policy = d.cloud.iam.get_policy(PolicyArn=d.result.named("start", "aws:iam/policy:Policy").id)["Policy"]
    version = d.cloud.iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
    return version["PolicyVersion"]["Document"]


def old_versions_days(d: Deployment) -> Any:
    answer = d.cloud.s3.get_bucket_lifecycle_configuration(Bucket=d.result.outputs["sourceBucketName"])
    return answer["Rules"][0]["NoncurrentVersionExpiration"]["NoncurrentDays"]


def log_days(d: Deployment) -> Any:
    name = d.result.named("analyze", "aws:cloudwatch/logGroup:LogGroup").id
    (group,) = d.cloud.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return group.get("retentionInDays")


def alarm_threshold(d: Deployment) -> Any:
    name = d.result.named("backlog", "aws:cloudwatch/metricAlarm:MetricAlarm").id
    return d.cloud.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["Threshold"]


def cutoff(d: Deployment) -> Any:
    name = d.result.named("catalog-workgroup").id
    return d.cloud.athena.get_work_group(WorkGroup=name)["WorkGroup"]["Configuration"]["BytesScannedCutoffPerQuery"]


def table_description(d: Deployment) -> Any:
    return d.cloud.glue.get_table(DatabaseName="tupdates", Name="rows")["Table"]["Description"]


def rule_pattern(d: Deployment) -> Any:
    name = d.result.named("uploads", "aws:cloudwatch/eventRule:EventRule").id
    return json.loads(d.cloud.events.describe_rule(Name=name)["EventPattern"])


def retries_of_target(d: Deployment) -> Any:
    name = d.result.named("uploads", "aws:cloudwatch/eventRule:EventRule").id
    (target,) = d.cloud.events.list_targets_by_rule(Rule=name)["Targets"]
    return target["RetryPolicy"]["MaximumRetryAttempts"]


def topic_name(d: Deployment) -> Any:
    arn = d.result.outputs["predictionsTopicArn"]
    return d.cloud.sns.get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"]


def backups(d: Deployment) -> Any:
    answer = d.cloud.dynamodb.describe_continuous_backups(TableName=d.result.outputs["runsTableName"])
    return answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]


NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
SUCCEEDS = {"QueryLanguage": "JSONata", "StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
READS_NOTHING = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ChangeMessageVisibility",
            ],
            "Resource": "*",
        }
    ],
}
LAMBDA_OR_STATES = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
        }
    ],
}
START_ANY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "states:StartExecution", "Resource": "*"}],
}


@pytest.mark.parametrize(
    ("type_", "name", "inputs", "look", "expected"),
    [
        (QUEUE, "images", {"visibility_timeout_seconds": 400}, of_queue("VisibilityTimeout"), "400"),
        (QUEUE, "images", {"visibility_timeout_seconds": 361, "redrive_policy": None}, of_queue("RedrivePolicy"), None),
        (FUNCTION, "analyze", {"timeout": 90}, of_function("Timeout"), 90),
        (
            FUNCTION,
            "analyze",
            {"environment": {"variables": {"DETECT_CALLS_PER_SECOND": "5", "NEW": "1"}}},
            of_function("Environment"),
            {"Variables": {"DETECT_CALLS_PER_SECOND": f"{5 / TIME_SCALE:g}", "NEW": "1"}},
        ),
        (FUNCTION, "analyze", {"memory_size": None}, of_function("MemorySize"), 128),
        (MAPPING, "analyze", {"batch_size": 50}, of_mapping("BatchSize"), 50),
        (
            MAPPING,
            "analyze",
            {"scaling_config": {"maximum_concurrency": 9}},
            of_mapping("ScalingConfig"),
            {"MaximumConcurrency": 9},
        ),
        (
            "aws:sfn/stateMachine:StateMachine",
            "workflow",
            {"definition": json.dumps(SUCCEEDS)},
            of_machine("definition"),
            json.dumps(SUCCEEDS),
        ),
        (
            "aws:scheduler/schedule:Schedule",
            "hourly",
            {"schedule_expression": "rate(2 hours)"},
            of_schedule("ScheduleExpression"),
            "rate(2 hours)",
        ),
        (
            "aws:iam/rolePolicy:RolePolicy",
            "reading",
            {"policy": json.dumps(READS_NOTHING)},
            policy_of_role,
            READS_NOTHING,
        ),
        (
            "aws:iam/role:Role",
            "analyze",
            {"assume_role_policy": json.dumps(LAMBDA_OR_STATES)},
            trust_of_role,
            LAMBDA_OR_STATES,
        ),
        ("aws:iam/policy:Policy", "start", {"policy": json.dumps(START_ANY)}, managed_policy, START_ANY),
        (
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            "source",
            {
                "rules": [
                    {"id": "old-versions", "status": "Enabled", "noncurrent_version_expiration": {"noncurrent_days": 9}}
                ]
            },
            old_versions_days,
            9,
        ),
        ("aws:cloudwatch/logGroup:LogGroup", "analyze", {"retention_in_days": 7}, log_days, 7),
        ("aws:cloudwatch/logGroup:LogGroup", "analyze", {"retention_in_days": None}, log_days, None),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", "backlog", {"threshold": 12}, alarm_threshold, 12),
        (
            "aws:cloudwatch/eventRule:EventRule",
            "uploads",
            {"event_pattern": '{"source": ["other"]}'},
            rule_pattern,
            {"source": ["other"]},
        ),
        (
            "aws:cloudwatch/eventTarget:EventTarget",
            "uploads",
            {"retry_policy": {"maximum_retry_attempts": 3}},
            retries_of_target,
            3,
        ),
        (
            "aws:sns/topicSubscription:TopicSubscription",
            "queue",
            {"filter_policy": '{"status": ["rejected"]}'},
            of_subscription("FilterPolicy"),
            '{"status": ["rejected"]}',
        ),
        (
            "aws:sns/topicSubscription:TopicSubscription",
            "queue",
            {"raw_message_delivery": None},
            of_subscription("RawMessageDelivery"),
            "false",
        ),
        ("aws:sns/topic:Topic", "predictions", {"display_name": "Labels"}, topic_name, "Labels"),
        ("aws:dynamodb/table:Table", "runs", {"point_in_time_recovery": {"enabled": False}}, backups, "DISABLED"),
        (
            "aws:athena/workgroup:Workgroup",
            "catalog-workgroup",
            {"configuration": {"bytes_scanned_cutoff_per_query": 20_000_000}},
            cutoff,
            20_000_000,
        ),
        (
            "aws:glue/catalogTable:CatalogTable",
            "catalog-rows",
            {"description": "Each row"},
            table_description,
            "Each row",
        ),
    ],
)
def test_a_changed_setting_is_updated_in_place(
    everything: Stack, type_: str, name: str, inputs: dict[str, Any], look: Callable[[Deployment], Any], expected: Any
) -> None:
    ids = {entry["urn"]: entry["id"] for entry in everything.state.read()["resources"]}

    after = everything.up(changed(type_, name, **inputs))

    assert look(after) == expected
    resource = after.result.named(name, type_)
    assert resource.id == ids[resource.urn]
    assert [p.step for p in after.progress if (p.type, p.name, p.done) == (type_, name, True)] == [Step.UPDATED]


def test_only_what_changed_is_called_for(everything: Stack) -> None:
    everything.up(changed())

    after = everything.up(changed(FUNCTION, "analyze", timeout=61))

    assert after.calls == ["UpdateFunctionConfiguration"]
    assert after.changed("analyze") == ("timeout",)


class TestAFunction:
    def test_runs_its_new_code(self, stack: Stack) -> None:
        def returning(number: int) -> Program:
            source = f"def handler(event, context):\n    return {number}\n"
            return lambda: function(pulumi.AssetArchive({"handler.py": pulumi.StringAsset(source)}))

        name = stack.up(returning(1)).result.named("function", FUNCTION).id
        cloud = stack.up(returning(2)).cloud

        assert cloud.lambda_.invoke(FunctionName=name)["Payload"].read() == b"2"


class TestAnInvocation:
    def test_tells_the_function_what_it_was_given_before(self, stack: Stack) -> None:
        def given(number: int) -> Program:
            source = "def handler(event, context):\n    return event\n"

            def program() -> None:
                name = function(pulumi.AssetArchive({"handler.py": pulumi.StringAsset(source)})).name
                made = aws.lambda_.Invocation(
                    "asked", function_name=name, input=json.dumps({"number": number}), lifecycle_scope="CRUD"
                )
                pulumi.export("answer", made.result)

            return program

        stack.up(given(1))
        answer = stack.up(given(2)).result.outputs["answer"]

        assert json.loads(answer) == {"number": 2, "tf": {"action": "update", "prev_input": {"number": 1}}}


class TestAReplacement:
    def test_makes_the_new_one_before_the_old_one_goes(self, stack: Stack) -> None:
        old = stack.up(queue()).result.named("images").id

        after = stack.up(queue(fifo_queue=True))

        assert after.calls == ["CreateQueue", "DeleteQueue"]
        assert [p.step for p in after.progress if p.step] == [Step.REPLACED]
        assert after.result.named("images").id.endswith(".fifo")
        with pytest.raises(ClientError, match="NonExistentQueue"):
            after.cloud.sqs.get_queue_attributes(QueueUrl=old)

    def test_of_a_name_the_program_gave_removes_the_old_one_first(self, stack: Stack) -> None:
        def program(category: str) -> Program:
            return lambda: aws.cloudwatch.LogGroup("logs", name="updates-of-one-name", log_group_class=category)

        stack.up(program("STANDARD"))

        after = stack.up(program("INFREQUENT_ACCESS"))

        assert after.calls == ["DeleteLogGroup", "CreateLogGroup"]

    def test_follows_delete_before_replace(self, stack: Stack) -> None:
        first = pulumi.ResourceOptions(delete_before_replace=True)
        stack.up(queue(opts=first))

        assert stack.up(queue(fifo_queue=True, opts=first)).calls == ["DeleteQueue", "CreateQueue"]

    def test_is_made_for_what_replace_on_changes_names(self, stack: Stack) -> None:
        chosen = pulumi.ResourceOptions(replace_on_changes=["delaySeconds"])
        stack.up(queue(opts=chosen))

        assert stack.up(queue(delay_seconds=5, opts=chosen)).steps() == {"images": Step.REPLACED}

    def test_leaves_a_resource_that_is_to_be_retained(self, stack: Stack) -> None:
        kept = pulumi.ResourceOptions(retain_on_delete=True)
        old = stack.up(queue(opts=kept)).result.named("images").id

        after = stack.up(queue(fifo_queue=True, opts=kept))

        assert after.calls == ["CreateQueue"]
        after.cloud.sqs.delete_queue(QueueUrl=old)

    def test_changes_what_refers_to_it(self, everything: Stack) -> None:
        everything.up(changed())

        after = everything.up(changed(QUEUE, "dead-letters", name="updates-dead-letters"))

        assert json.loads(of_queue("RedrivePolicy")(after))["deadLetterTargetArn"].endswith(":updates-dead-letters")


class TestWhatIsGone:
    def test_is_removed_last_made_first(self, stack: Stack) -> None:
        def both() -> None:
            images = aws.sqs.Queue("images")
            aws.sqs.QueuePolicy(
                "images", queue_url=images.url, policy=document("Deny", "sqs:SendMessage", "*", Principal="*")
            )
            aws.sns.Topic("kept")

        stack.up(both)

        after = stack.up(lambda: aws.sns.Topic("kept"))

        assert after.calls == ["SetQueueAttributes", "DeleteQueue"]
        assert len(stack.state.read()["resources"]) == 1

    def test_is_left_to_what_it_is_deleted_with(self, stack: Stack) -> None:
        def both() -> None:
            images = aws.sqs.Queue("images")
            aws.sqs.QueuePolicy(
                "images",
                queue_url=images.url,
                policy=document("Deny", "sqs:SendMessage", "*", Principal="*"),
                opts=pulumi.ResourceOptions(deleted_with=images),
            )
            aws.sns.Topic("kept")

        stack.up(both)

        assert stack.up(lambda: aws.sns.Topic("kept")).calls == ["DeleteQueue"]

    def test_is_replaced_by_the_update_that_takes_its_protection_away_and_then_stays(self, stack: Stack) -> None:
        def program(name: str, protect: bool) -> Program:
            options = pulumi.ResourceOptions(protect=protect, retain_on_delete=protect)
            return lambda: aws.sqs.Queue("images", name=name, opts=options)

        stack.up(program("old", protect=True))
        with pytest.raises(SandboxError, match=r"Queue 'images' is protected"):
            stack.up(program("new", protect=True))

        assert stack.up(program("new", protect=False)).calls == ["CreateQueue"]

    def test_is_not_removed_while_it_is_protected(self, stack: Stack) -> None:
        def program(protect: bool, there: bool = True) -> Program:
            return lambda: aws.sqs.Queue("images", opts=pulumi.ResourceOptions(protect=protect)) if there else None

        stack.up(program(protect=True))

        with pytest.raises(SandboxError, match=r"Queue 'images' is protected: deploy without protect=True first"):
            stack.up(program(protect=True, there=False))
        with pytest.raises(SandboxError, match=r"Queue 'images' is protected"):
            destroy_recorded(stack.up(program(protect=True)).cloud, stack.state)

        assert stack.up(program(protect=False)).calls == []
        assert stack.up(program(protect=False, there=False)).calls == ["DeleteQueue"]


class TestIgnoreChanges:
    def test_leaves_what_others_set(self, stack: Stack) -> None:
        def program(delay: int, retention: int) -> Program:
            ignoring = pulumi.ResourceOptions(ignore_changes=["delaySeconds"])
            return queue(delay_seconds=delay, message_retention_seconds=retention, opts=ignoring)

        deployed = stack.up(program(1, 3600))
        url = deployed.result.named("images").id
        deployed.cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "7"})

        after = stack.up(program(2, 7200))

        found = after.cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert (found["DelaySeconds"], found["MessageRetentionPeriod"]) == ("7", "7200")
        assert after.changed("images") == ("messageRetentionSeconds",)

    def test_of_a_part_of_a_property_is_refused(self, stack: Stack) -> None:
        stack.up(queue())

        with pytest.raises(SandboxError, match=r"knows whole properties in ignore_changes only, not 'tags\.a'"):
            stack.up(queue(opts=pulumi.ResourceOptions(ignore_changes=["tags.a"])))


class TestNames:
    def test_an_automatic_name_stays(self, stack: Stack) -> None:
        before = stack.up(queue()).result.named("images").id

        assert stack.up(queue(delay_seconds=1)).result.named("images").id == before

    def test_another_prefix_is_another_resource(self, stack: Stack) -> None:
        def program(prefix: str) -> Program:
            return lambda: aws.cloudwatch.LogGroup("logs", name_prefix=prefix)

        stack.up(program("updates-one-"))
        assert stack.up(program("updates-one-")).calls == []

        assert stack.up(program("updates-two-")).calls == ["CreateLogGroup", "DeleteLogGroup"]

    def test_a_resource_is_found_by_its_alias(self, stack: Stack) -> None:
        stack.up(queue())

        moved = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="images")])
        after = stack.up(lambda: aws.sqs.Queue("pictures", name=None, opts=moved))

        assert after.calls == []
        assert [entry["urn"].rpartition("::")[2] for entry in stack.state.read()["resources"]] == ["pictures"]


class TestTags:
    def test_of_every_type_follow_the_stack(self, everything: Stack) -> None:
        everything.up(changed())

        after = everything.up(lambda: every_type("tupdates", {"team": "two"}))

        taking = {r.type for r in after.result.resources if "tagsAll" in r.properties}
        assert {p.type for p in after.progress if p.changed == ("tagsAll",)} == taking
        tags = after.cloud.sqs.list_queue_tags(QueueUrl=after.result.named("images", QUEUE).id)["Tags"]
        assert tags == {"team": "two"}


class TestADeploymentThatFails:
    def test_is_gone_on_with_by_the_next_one(self, stack: Stack) -> None:
        def program(broken: bool) -> Program:
            def registering() -> None:
                images = aws.sqs.Queue("images", fifo_queue=True)
                if broken:
                    aws.sqs.Queue("broken", name=images.name.apply(lambda name: name.replace(".fifo", " ")))
                aws.sns.Topic("topic")

            return registering

        stack.up(queue())
        with pytest.raises(SandboxError, match=r"'broken': AWS does not accept the name"):
            stack.up(program(broken=True))

        after = stack.up(program(broken=False))

        assert "DeleteQueue" in after.calls
        assert sorted(entry["type"] for entry in stack.state.read()["resources"]) == ["aws:sns/topic:Topic", QUEUE]

    def test_because_of_a_change_no_one_can_make_names_type_and_property(self, everything: Stack) -> None:
        everything.up(changed())

        with pytest.raises(SandboxError, match=r"cannot change tableClass of a deployed aws:dynamodb/table:Table"):
            everything.up(changed("aws:dynamodb/table:Table", "runs", table_class="STANDARD_INFREQUENT_ACCESS"))
