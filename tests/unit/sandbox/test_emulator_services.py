"""S3, SQS, Lambda, EventBridge and Scheduler under AWS's rules, seen from outside through their APIs."""

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.unit.sandbox.support import TIME_SCALE, Sandbox, wait_until

pytestmark = pytest.mark.xdist_group("sandbox")

SQS_RIGHTS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


def allow_sending(sandbox: Sandbox, url: str, arn: str, service: str = "events.amazonaws.com") -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sandbox.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def messages(sandbox: Sandbox, url: str, count: int = 1) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def enough() -> bool:
        found.extend(sandbox.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []))
        return len(found) >= count

    wait_until(enough)
    return [json.loads(message["Body"]) for message in found]


class TestStorage:
    @pytest.mark.parametrize(("lists", "status"), [(True, 404), (False, 403)])
    def test_only_who_may_list_learns_that_an_object_is_missing(
        self, sandbox: Sandbox, lists: bool, status: int
    ) -> None:
        bucket = sandbox.bucket()
        rights = [("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), ("s3:PutObject", f"arn:aws:s3:::{bucket}/*")]
        role = sandbox.role("lambda.amazonaws.com", *rights, *([("s3:ListBucket", "*")] if lists else []))
        s3 = sandbox.client("s3", sandbox.session(role))

        reads: list[Callable[[], Any]] = [
            lambda: s3.head_object(Bucket=bucket, Key="none"),
            lambda: s3.get_object(Bucket=bucket, Key="none"),
            lambda: s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "none"}),
        ]
        for read in reads:
            with pytest.raises(ClientError) as raised:
                read()
            assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status

    def test_versions_of_every_key_are_listed(self, sandbox: Sandbox) -> None:
        bucket, s3 = sandbox.bucket(), sandbox.client("s3")
        keys = ["a b+c/%41.jpg", "ctrl\x01\x1b[31mred.png", "Größe.jpg"]
        for key in keys:
            s3.put_object(Bucket=bucket, Key=key, Body=b"a")

        first = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
        rest = s3.list_object_versions(Bucket=bucket, KeyMarker=first["NextKeyMarker"])

        assert [version["Key"] for page in (first, rest) for version in page["Versions"]] == sorted(keys)

    def test_a_copy_honours_conditions_on_source_and_destination(self, sandbox: Sandbox) -> None:
        bucket, s3 = sandbox.bucket(), sandbox.client("s3")
        s3.put_object(Bucket=bucket, Key="a", Body=b"a")
        s3.put_object(Bucket=bucket, Key="b", Body=b"b")
        request = {"Bucket": bucket, "Key": "b", "CopySource": {"Bucket": bucket, "Key": "a"}}

        for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"other"'}, {"CopySourceIfMatch": '"other"'}):
            with pytest.raises(ClientError) as raised:
                s3.copy_object(**request, **condition)
            assert code(raised) == "PreconditionFailed"

        assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"b"

    def test_a_delete_honours_its_condition(self, sandbox: Sandbox) -> None:
        bucket, s3 = sandbox.bucket(), sandbox.client("s3")
        s3.put_object(Bucket=bucket, Key="a", Body=b"a")

        with pytest.raises(ClientError) as raised:
            s3.delete_object(Bucket=bucket, Key="a", IfMatch='"other"')

        assert code(raised) == "PreconditionFailed"

    @pytest.mark.parametrize(("directive", "allowed"), [("COPY", False), ("REPLACE", True)])
    def test_copying_a_tagged_object_needs_tagging_rights(
        self, sandbox: Sandbox, directive: str, allowed: bool
    ) -> None:
        bucket = sandbox.bucket()
        sandbox.client("s3").put_object(Bucket=bucket, Key="a", Body=b"a", Tagging="owner=me")
        role = sandbox.role("lambda.amazonaws.com", (["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{bucket}/*"))
        s3 = sandbox.client("s3", sandbox.session(role))

        def copy() -> Any:
            source = {"Bucket": bucket, "Key": "a"}
            return s3.copy_object(Bucket=bucket, Key="b", CopySource=source, TaggingDirective=directive)

        if allowed:
            assert copy()["CopyObjectResult"]["ETag"]
            return
        with pytest.raises(ClientError, match="Tagging"):
            copy()

    def test_events_carry_the_version_and_an_increasing_sequencer(self, sandbox: Sandbox) -> None:
        bucket, s3 = sandbox.bucket(versioned=True), sandbox.client("s3")
        url, arn = sandbox.queue()
        allow_sending(sandbox, url, arn)
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {"bucket": {"name": [bucket]}}}
        events = sandbox.client("events")
        events.put_rule(Name=bucket, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=bucket, Targets=[{"Id": "queue", "Arn": arn}])

        versions = [s3.put_object(Bucket=bucket, Key="a b+é.jpg", Body=b"x")["VersionId"] for _ in range(2)]

        objects = sorted((m["detail"]["object"] for m in messages(sandbox, url, 2)), key=lambda o: o["sequencer"])
        assert [each["version-id"] for each in objects] == versions
        assert {each["key"] for each in objects} == {"a b+é.jpg"}
        seconds = [int(each["sequencer"][:10], 16) for each in objects]
        assert all(abs(time.time() - second) < 60 for second in seconds)
        assert {len(each["sequencer"]) for each in objects} == {18}

    def test_a_policy_that_refuses_plain_http_does_not_refuse_the_sandbox(self, sandbox: Sandbox) -> None:
        bucket, s3 = sandbox.bucket(), sandbox.client("s3")
        deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*"}
        statement = {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        role = sandbox.role("lambda.amazonaws.com", ("s3:PutObject", f"arn:aws:s3:::{bucket}/*"))

        assert sandbox.client("s3", sandbox.session(role)).put_object(Bucket=bucket, Key="a", Body=b"a")["ETag"]


class TestMappings:
    @pytest.fixture
    def mapped(self, sandbox: Sandbox) -> tuple[str, str, str]:
        """A queue's URL, the mapping of it to a function that writes to another queue, and that queue's URL."""
        url, arn = sandbox.queue()
        out_url, out_arn = sandbox.queue()
        role = sandbox.role("lambda.amazonaws.com", (SQS_RIGHTS, arn), ("sqs:SendMessage", out_arn))
        source = (
            "import boto3, json, os, sys\n"
            "def handler(event, context):\n"
            "    body = {'records': len(event['Records']), 'region': os.environ['AWS_REGION'],\n"
            "            'caller': boto3.client('sts').get_caller_identity()['Arn'],\n"
            "            'python': sys.prefix}\n"
            f"    boto3.client('sqs').send_message(QueueUrl='{out_url}', MessageBody=json.dumps(body))\n"
        )
        layer = "arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:27"
        name = sandbox.function(role, source, Timeout=20, Layers=[layer])
        mapping = sandbox.client("lambda").create_event_source_mapping(
            EventSourceArn=arn, FunctionName=name, Enabled=False, ScalingConfig={"MaximumConcurrency": 2}
        )
        assert mapping["State"] == "Creating"
        return url, mapping["UUID"], out_url

    def state(self, sandbox: Sandbox, uuid: str) -> str:
        return str(sandbox.client("lambda").get_event_source_mapping(UUID=uuid)["State"])

    def settled(self, sandbox: Sandbox, uuid: str) -> None:
        wait_until(lambda: self.state(sandbox, uuid) in {"Enabled", "Disabled"})

    def test_changes_take_time_and_conflict(self, sandbox: Sandbox, mapped: tuple[str, str, str]) -> None:
        uuid, client = mapped[1], sandbox.client("lambda")
        self.settled(sandbox, uuid)

        answer = client.update_event_source_mapping(UUID=uuid, Enabled=True)
        with pytest.raises(ClientError) as raised:
            client.update_event_source_mapping(UUID=uuid, Enabled=False)

        assert answer["State"] == "Enabling"
        assert code(raised) == "ResourceInUseException"
        self.settled(sandbox, uuid)
        assert client.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"

    def test_functions_run_in_this_python_signed_with_their_role(
        self, sandbox: Sandbox, mapped: tuple[str, str, str]
    ) -> None:
        import sys

        url, uuid, out_url = mapped
        self.settled(sandbox, uuid)
        sandbox.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=True)

        sandbox.client("sqs").send_message(QueueUrl=url, MessageBody="x")

        body = messages(sandbox, out_url)[0]
        assert (body["records"], body["region"], body["python"]) == (1, "us-east-1", sys.prefix)
        assert ":assumed-role/role-" in body["caller"]

    def test_a_closed_mapping_takes_nothing(self, sandbox: Sandbox, mapped: tuple[str, str, str]) -> None:
        url, uuid, _ = mapped
        self.settled(sandbox, uuid)

        sandbox.client("sqs").send_message(QueueUrl=url, MessageBody="x")
        time.sleep(1.5)

        names = ["ApproximateNumberOfMessages"]
        left = sandbox.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        assert left[names[0]] == "1"

    @pytest.mark.parametrize("missing", SQS_RIGHTS)
    def test_the_functions_role_needs_the_queues_rights(self, sandbox: Sandbox, missing: str) -> None:
        _, arn = sandbox.queue()
        role = sandbox.role("lambda.amazonaws.com", ([right for right in SQS_RIGHTS if right != missing], arn))
        name = sandbox.function(role, "def handler(event, context): pass\n")

        with pytest.raises(ClientError, match=missing.removeprefix("sqs:")) as raised:
            sandbox.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=name)

        assert code(raised) == "InvalidParameterValueException"

    def test_the_queue_must_hide_messages_for_as_long_as_the_function_runs(self, sandbox: Sandbox) -> None:
        _, arn = sandbox.queue(VisibilityTimeout="30")
        role = sandbox.role("lambda.amazonaws.com", (SQS_RIGHTS, arn))
        name = sandbox.function(role, "def handler(event, context): pass\n", Timeout=60)

        with pytest.raises(ClientError, match="30 seconds is less than Function timeout: 60 seconds"):
            sandbox.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=name)

    @pytest.mark.parametrize("call", ["get_event_source_mapping", "update_event_source_mapping"])
    def test_one_mapping_has_iam_actions_of_its_own(
        self, sandbox: Sandbox, mapped: tuple[str, str, str], call: str
    ) -> None:
        role = sandbox.role("lambda.amazonaws.com", ("lambda:ListEventSourceMappings", "*"))

        with pytest.raises(ClientError, match="not authorized"):
            getattr(sandbox.client("lambda", sandbox.session(role)), call)(UUID=mapped[1])


class TestQueues:
    @pytest.mark.parametrize("batch", [False, True])
    def test_a_changed_visibility_timeout_is_simulated(self, sandbox: Sandbox, batch: bool) -> None:
        url, _ = sandbox.queue(VisibilityTimeout="300")
        sqs = sandbox.client("sqs")
        sqs.send_message(QueueUrl=url, MessageBody="x")
        handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
        started = time.monotonic()

        if batch:
            entry = {"Id": "0", "ReceiptHandle": handle, "VisibilityTimeout": 30}
            sqs.change_message_visibility_batch(QueueUrl=url, Entries=[entry])
        else:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=30)
        wait_until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))

        assert 30 * TIME_SCALE * 0.9 < time.monotonic() - started < 5

    @pytest.mark.parametrize(("action", "allowed"), [("sqs:SendMessage", True), ("sqs:SendMessageBatch", False)])
    def test_a_batch_is_authorised_as_the_single_call(self, sandbox: Sandbox, action: str, allowed: bool) -> None:
        url, arn = sandbox.queue()
        sqs = sandbox.client("sqs", sandbox.session(sandbox.role("lambda.amazonaws.com", (action, arn))))
        request = {"QueueUrl": url, "Entries": [{"Id": "0", "MessageBody": "x"}]}

        if allowed:
            assert sqs.send_message_batch(**request)["Successful"]
            return
        with pytest.raises(ClientError, match="not authorized"):
            sqs.send_message_batch(**request)

    def test_a_queues_own_visibility_timeout_is_real(self, sandbox: Sandbox) -> None:
        url, _ = sandbox.queue(VisibilityTimeout="20")
        sqs = sandbox.client("sqs")
        sqs.send_message(QueueUrl=url, MessageBody="x")
        sqs.receive_message(QueueUrl=url)

        time.sleep(20 * TIME_SCALE * 2)

        assert "Messages" not in sqs.receive_message(QueueUrl=url)


class TestDeliveries:
    def rule(self, sandbox: Sandbox, **target: Any) -> str:
        """A rule for one source of its own; that source."""
        source, events = f"test.{uuid4().hex[:8]}", sandbox.client("events")
        events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
        events.put_targets(Rule=source, Targets=[{"Id": "target", **target}])
        return source

    def send(self, sandbox: Sandbox, source: str) -> None:
        entry = {"Source": source, "DetailType": "Test", "Detail": json.dumps({"sent": source})}
        sandbox.client("events").put_events(Entries=[entry])

    def test_a_queue_whose_policy_does_not_allow_it_gets_nothing_and_the_dlq_gets_it(self, sandbox: Sandbox) -> None:
        (url, arn), (dlq_url, dlq_arn) = sandbox.queue(), sandbox.queue()
        allow_sending(sandbox, dlq_url, dlq_arn)
        source = self.rule(sandbox, Arn=arn, DeadLetterConfig={"Arn": dlq_arn})

        self.send(sandbox, source)

        assert [message["detail"] for message in messages(sandbox, dlq_url)] == [{"sent": source}]
        assert "Messages" not in sandbox.client("sqs").receive_message(QueueUrl=url)

    @pytest.mark.parametrize("allowed", [True, False])
    def test_a_rule_starts_a_machine_only_with_a_role_that_may(self, sandbox: Sandbox, allowed: bool) -> None:
        machine = sandbox.machine({"End": {"Type": "Succeed"}})
        rights = [("states:StartExecution", machine)] if allowed else []
        source = self.rule(sandbox, Arn=machine, RoleArn=sandbox.role("events.amazonaws.com", *rights))

        self.send(sandbox, source)
        time.sleep(0.3)

        started = sandbox.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        assert len(started) == int(allowed)

    def test_a_schedule_fires_in_simulated_time(self, sandbox: Sandbox) -> None:
        machine = sandbox.machine({"End": {"Type": "Succeed"}})
        scheduler, states = sandbox.client("scheduler"), sandbox.client("stepfunctions")
        name = f"schedule-{uuid4().hex[:8]}"
        group = "arn:aws:scheduler:us-east-1:000000000000:schedule-group/default"
        role = sandbox.role(
            "scheduler.amazonaws.com",
            ("states:StartExecution", machine),
            conditions={"StringEquals": {"aws:SourceArn": group}},
        )
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression="rate(1 minute)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": machine, "RoleArn": role},
        )

        wait_until(lambda: states.list_executions(stateMachineArn=machine)["executions"], seconds=10)

        scheduler.delete_schedule(Name=name)

    def test_a_schedules_role_must_trust_the_scheduler_for_the_group(self, sandbox: Sandbox) -> None:
        machine = sandbox.machine({"End": {"Type": "Succeed"}})
        schedule = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/wrong"
        conditions = {"StringEquals": {"aws:SourceArn": schedule}}
        role = sandbox.role("scheduler.amazonaws.com", conditions=conditions)

        with pytest.raises(ClientError, match="must allow AWS EventBridge Scheduler to assume the role"):
            sandbox.client("scheduler").create_schedule(
                Name="wrong",
                ScheduleExpression="rate(1 hour)",
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={"Arn": machine, "RoleArn": role},
            )
