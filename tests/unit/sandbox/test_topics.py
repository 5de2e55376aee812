"""SNS under AWS's rules, seen from outside through its API: what it refuses, whom it reaches, and what it keeps."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.unit.sandbox.support import Sandbox, wait_until

pytestmark = pytest.mark.xdist_group("sandbox")

LIMIT = 262_144


@pytest.fixture
def topic(sandbox: Sandbox) -> str:
    arn: str = sandbox.client("sns").create_topic(Name=f"topic-{uuid4().hex[:8]}")["TopicArn"]
    return arn


def text(value: str) -> dict[str, Any]:
    return {"DataType": "String", "StringValue": value}


def number(value: str) -> dict[str, Any]:
    return {"DataType": "Number", "StringValue": value}


def array(*values: Any) -> dict[str, Any]:
    return {"DataType": "String.Array", "StringValue": json.dumps(values)}


def allow_topic(sandbox: Sandbox, url: str, arn: str, topic: str) -> None:
    """Let a topic send to a queue."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sandbox.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def received(sandbox: Sandbox, url: str) -> list[dict[str, Any]]:
    """What is in a queue now; publishing to queues is done when the call returns."""
    answer = sandbox.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return list(answer.get("Messages", []))


def refusal(sandbox: Sandbox, topic: str, **request: Any) -> str:
    """The code with which SNS refuses to publish."""
    with pytest.raises(ClientError) as raised:
        sandbox.client("sns").publish(TopicArn=topic, **{"Message": "x", **request})
    return str(raised.value.response["Error"]["Code"])


class TestSubjects:
    @pytest.mark.parametrize("subject", ["a", "#1: brick (99 %)", "x" * 100])
    def test_plain_ones_are_taken(self, sandbox: Sandbox, topic: str, subject: str) -> None:
        assert sandbox.client("sns").publish(TopicArn=topic, Message="x", Subject=subject)["MessageId"]

    @pytest.mark.parametrize("subject", ["", "x" * 101, "a\nb", "a\rb", "a\tb", "a\x7fb", " a", "brique façade", "🧱"])
    def test_others_are_refused(self, sandbox: Sandbox, topic: str, subject: str) -> None:
        assert refusal(sandbox, topic, Subject=subject) == "InvalidParameter"


class TestMessages:
    def test_an_empty_one_is_refused(self, sandbox: Sandbox, topic: str) -> None:
        assert refusal(sandbox, topic, Message="") == "InvalidParameter"

    def test_its_bytes_count_and_not_its_characters(self, sandbox: Sandbox, topic: str) -> None:
        assert sandbox.client("sns").publish(TopicArn=topic, Message="é" * (LIMIT // 2))["MessageId"]
        assert refusal(sandbox, topic, Message="é" * (LIMIT // 2) + "x") == "InvalidParameter"

    def test_attributes_count_with_name_type_and_value(self, sandbox: Sandbox, topic: str) -> None:
        attributes = {"name": text("value"), "more": {"DataType": "Binary", "BinaryValue": b"12345"}}
        message = "x" * (LIMIT - len("name" + "String" + "value" + "more" + "Binary" + "12345"))

        published = sandbox.client("sns").publish(TopicArn=topic, Message=message, MessageAttributes=attributes)

        assert published["MessageId"]
        assert refusal(sandbox, topic, Message=message + "x", MessageAttributes=attributes) == "InvalidParameter"

    @pytest.mark.parametrize(
        "message",
        ["no json", "[]", '"default"', "{}", '{"email": "x"}', '{"default": 1}', '{"default": "a", "default": "b"}'],
    )
    def test_a_structured_one_is_an_object_with_a_default_text(
        self, sandbox: Sandbox, topic: str, message: str
    ) -> None:
        assert refusal(sandbox, topic, MessageStructure="json", Message=message) == "InvalidParameter"

    def test_json_is_the_only_structure(self, sandbox: Sandbox, topic: str) -> None:
        assert refusal(sandbox, topic, MessageStructure="xml") == "InvalidParameter"


class TestAttributes:
    @pytest.mark.parametrize(
        "attribute",
        [
            text('brick, "grass"\n🧱'),
            array("brick", 1.5, True, None),
            number("-1.5e3"),
            {"DataType": "Binary", "BinaryValue": b"\x00"},
        ],
    )
    def test_the_four_types_are_taken(self, sandbox: Sandbox, topic: str, attribute: Any) -> None:
        request = {"Message": "x", "MessageAttributes": {"a-B_1.c": attribute}}

        assert sandbox.client("sns").publish(TopicArn=topic, **request)["MessageId"]

    @pytest.mark.parametrize(
        "attribute",
        [
            {"DataType": "Text", "StringValue": "x"},
            {"DataType": "string", "StringValue": "x"},
            {"DataType": "String"},
            {"DataType": "Binary", "StringValue": "x"},
            text(""),
            number("many"),
            number("nan"),
            {"DataType": "String.Array", "StringValue": "brick"},
            {"DataType": "String.Array", "StringValue": '{"label": "brick"}'},
            array(["nested"]),
        ],
    )
    def test_a_value_that_is_not_of_its_type_is_refused(self, sandbox: Sandbox, topic: str, attribute: Any) -> None:
        assert refusal(sandbox, topic, MessageAttributes={"a": attribute}) == "ParameterValueInvalid"

    @pytest.mark.parametrize("name", ["", "a b", "é", ".a", "a.", "a..b", "AWS.a", "amazon.a", "x" * 257])
    def test_a_name_that_is_not_allowed_is_refused(self, sandbox: Sandbox, topic: str, name: str) -> None:
        assert refusal(sandbox, topic, MessageAttributes={name: text("x")}) == "ParameterValueInvalid"


class TestBatches:
    def refusal(self, sandbox: Sandbox, topic: str, *entries: dict[str, Any]) -> str:
        with pytest.raises(ClientError) as raised:
            sandbox.client("sns").publish_batch(TopicArn=topic, PublishBatchRequestEntries=list(entries))
        return str(raised.value.response["Error"]["Code"])

    @pytest.mark.parametrize(
        ("entry", "code"),
        [
            ({"Subject": "a\nb"}, "InvalidParameter"),
            ({"Subject": ""}, "InvalidParameter"),
            ({"Message": ""}, "InvalidParameter"),
            ({"Message": "{}", "MessageStructure": "json"}, "InvalidParameter"),
            ({"MessageAttributes": {"a": number("many")}}, "ParameterValueInvalid"),
            ({"Id": "a.b"}, "InvalidBatchEntryId"),
        ],
    )
    def test_one_bad_message_fails_all(self, sandbox: Sandbox, topic: str, entry: dict[str, Any], code: str) -> None:
        good = {"Id": "good", "Message": "x"}

        assert self.refusal(sandbox, topic, good, {"Id": "bad", "Message": "x", **entry}) == code

    def test_all_messages_together_have_the_size_of_one(self, sandbox: Sandbox, topic: str) -> None:
        entries = [{"Id": str(i), "Message": "x" * (LIMIT // 2 + i)} for i in range(2)]

        assert self.refusal(sandbox, topic, *entries) == "BatchRequestTooLong"

    def test_binary_attributes_are_kept(self, sandbox: Sandbox, topic: str) -> None:
        url, arn = sandbox.queue()
        allow_topic(sandbox, url, arn, topic)
        sns = sandbox.client("sns")
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        binary = {"DataType": "Binary", "BinaryValue": b"\x00\x01"}

        sns.publish_batch(
            TopicArn=topic, PublishBatchRequestEntries=[{"Id": "0", "Message": "x", "MessageAttributes": {"b": binary}}]
        )

        assert received(sandbox, url)[0]["MessageAttributes"]["b"] == binary


class TestSubscriptions:
    def refusal(self, sandbox: Sandbox, topic: str, protocol: str, endpoint: str, **attributes: str) -> str:
        with pytest.raises(ClientError) as raised:
            sandbox.client("sns").subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)
        assert raised.value.response["Error"]["Code"] == "InvalidParameter"
        return str(raised.value)

    @pytest.mark.parametrize("address", ["", "people", "people@", "@labels.example", "a b@labels.example", "a@b"])
    @pytest.mark.parametrize("protocol", ["email", "email-json"])
    def test_an_endpoint_that_is_no_address_is_refused(
        self, sandbox: Sandbox, topic: str, protocol: str, address: str
    ) -> None:
        self.refusal(sandbox, topic, protocol, address)

    @pytest.mark.parametrize(
        ("protocol", "endpoint"),
        [("mail", "a@b.example"), ("https", "http://labels.example"), ("sms", "call me"), ("sqs", "labels.fifo")],
    )
    def test_an_endpoint_that_does_not_fit_its_protocol_is_refused(
        self, sandbox: Sandbox, topic: str, protocol: str, endpoint: str
    ) -> None:
        self.refusal(sandbox, topic, protocol, endpoint)

    @pytest.mark.parametrize(
        "attributes",
        [
            {"RawMessageDelivery": "true"},
            {"FilterPolicyScope": "Message"},
            {"RedrivePolicy": "{}"},
            {"RedrivePolicy": json.dumps({"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:000000000000:lost"})},
            {"Colour": "blue"},
        ],
    )
    def test_an_attribute_that_does_not_fit_is_refused(
        self, sandbox: Sandbox, topic: str, attributes: dict[str, str]
    ) -> None:
        self.refusal(sandbox, topic, "email", "a@b.example", **attributes)

    def test_the_same_endpoint_with_other_attributes_is_refused(self, sandbox: Sandbox, topic: str) -> None:
        sandbox.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="a@b.example")

        message = self.refusal(sandbox, topic, "email", "a@b.example", FilterPolicy='{"status": ["labelled"]}')

        assert "already exists with different attributes" in message

    @pytest.mark.parametrize(
        "policy",
        [
            "no json",
            "[]",
            {"label": "brick"},
            {"label": []},
            {"label": [["brick"]]},
            {"label": {"name": ["brick"]}},
            {"label": [{"begins": "b"}]},
            {"label": [{"prefix": 1}]},
            {"label": [{"prefix": "a", "suffix": "b"}]},
            {"label": [{"exists": "true"}]},
            {"label": [{"anything-but": []}]},
            {"confidence": [{"numeric": [">=", "90"]}]},
            {"confidence": [{"numeric": [">>", 90]}]},
            {"confidence": [{"numeric": [">", 95, "<", 90]}]},
            {"confidence": [1_000_000_001]},
            {"address": [{"cidr": "10.0.0.0/99"}]},
            {key: ["x"] for key in "abcdef"},
            {"a": list(range(16)), "b": list(range(10))},
        ],
    )
    def test_a_filter_policy_that_sns_cannot_read_is_refused(self, sandbox: Sandbox, topic: str, policy: Any) -> None:
        document = policy if isinstance(policy, str) else json.dumps(policy)

        self.refusal(sandbox, topic, "email", "a@b.example", FilterPolicy=document)

    def test_a_policy_may_nest_on_the_body_only(self, sandbox: Sandbox, topic: str) -> None:
        sns, policy = sandbox.client("sns"), json.dumps({"labels": {"name": ["brick"]}})
        attributes = {"FilterPolicy": policy, "FilterPolicyScope": "MessageBody"}
        arn = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@b.example", Attributes=attributes)

        with pytest.raises(ClientError, match="does not support nested"):
            sns.set_subscription_attributes(
                SubscriptionArn=arn["SubscriptionArn"],
                AttributeName="FilterPolicyScope",
                AttributeValue="MessageAttributes",
            )

    @pytest.mark.parametrize(
        ("name", "value"),
        [("FilterPolicy", '{"label": "brick"}'), ("RawMessageDelivery", "true"), ("RedrivePolicy", "{}")],
    )
    def test_a_later_change_is_checked_as_well(self, sandbox: Sandbox, topic: str, name: str, value: str) -> None:
        sns = sandbox.client("sns")
        arn = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@b.example")["SubscriptionArn"]

        with pytest.raises(ClientError) as raised:
            sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=value)

        assert raised.value.response["Error"]["Code"] == "InvalidParameter"


class TestFilters:
    def passes(self, sandbox: Sandbox, topic: str, policy: Any, body: str = "x", **attributes: Any) -> bool:
        """Whether a queue with the policy gets the message."""
        url, arn = sandbox.queue()
        allow_topic(sandbox, url, arn, topic)
        scope = "MessageAttributes" if body == "x" else "MessageBody"
        sns = sandbox.client("sns")
        settings = {"FilterPolicy": json.dumps(policy), "FilterPolicyScope": scope}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=settings)
        sns.publish(TopicArn=topic, Message=body, MessageAttributes=attributes)
        return bool(received(sandbox, url))

    @pytest.mark.parametrize(
        ("rule", "attribute", "expected"),
        [
            ("brick", text("brick"), True),
            ("brick", text("Brick"), False),
            ("brick", array("grass", "brick"), True),
            ("brick", array("grass"), False),
            (True, array(True), True),
            ({"prefix": "bri"}, text("brick"), True),
            ({"prefix": "bri"}, text("a brick"), False),
            ({"suffix": "ick"}, array("grass", "brick"), True),
            ({"equals-ignore-case": "BRICK"}, text("brick"), True),
            ({"anything-but": ["brick"]}, text("grass"), True),
            ({"anything-but": ["brick"]}, text("brick"), False),
            ({"anything-but": {"prefix": "bri"}}, text("brick"), False),
            ({"wildcard": "b*k"}, text("brick"), True),
            ({"exists": True}, text("x"), True),
            ({"exists": False}, text("x"), False),
            (90, number("90.0"), True),
            ({"numeric": [">=", 90]}, number("90"), True),
            ({"numeric": [">", 90]}, number("90"), False),
            ({"numeric": [">=", 90, "<", 95]}, number("94.99"), True),
            ({"numeric": [">=", 90, "<", 95]}, number("95"), False),
            ({"numeric": [">=", 90]}, array(95), True),
            ({"numeric": [">=", 90]}, text("95"), False),
            ("95", number("95"), False),
            ({"anything-but": ["brick"]}, {"DataType": "Binary", "BinaryValue": b"x"}, False),
        ],
    )
    def test_an_attribute_matches_in_its_own_type(
        self, sandbox: Sandbox, topic: str, rule: Any, attribute: Any, expected: bool
    ) -> None:
        assert self.passes(sandbox, topic, {"key": [rule]}, key=attribute) is expected

    def test_all_keys_must_match_and_one_of_each_keys_rules(self, sandbox: Sandbox, topic: str) -> None:
        policy = {"status": ["labelled", "rejected"], "confidence": [{"numeric": [">=", 90]}]}

        assert self.passes(sandbox, topic, policy, status=text("labelled"), confidence=number("91"))
        assert not self.passes(sandbox, topic, policy, status=text("labelled"), confidence=number("89"))

    def test_a_key_that_is_not_there_does_not_match(self, sandbox: Sandbox, topic: str) -> None:
        assert not self.passes(sandbox, topic, {"label": ["brick"]}, status=text("labelled"))
        assert self.passes(sandbox, topic, {"label": [{"exists": False}]}, status=text("labelled"))

    def test_one_of_several_policies_is_enough(self, sandbox: Sandbox, topic: str) -> None:
        policy = {"$or": [{"label": ["brick"]}, {"status": ["rejected"]}]}

        assert self.passes(sandbox, topic, policy, label=text("grass"), status=text("rejected"))
        assert not self.passes(sandbox, topic, policy, label=text("grass"), status=text("labelled"))

    @pytest.mark.parametrize(
        ("policy", "body", "expected"),
        [
            ({"status": ["labelled"]}, {"status": "labelled"}, True),
            ({"status": ["labelled"]}, {"status": "rejected"}, False),
            ({"size": [{"numeric": [">", 5]}]}, {"size": 6}, True),
            ({"size": [{"numeric": [">", 5]}]}, {"size": "6"}, False),
            ({"source": {"bucket": [{"prefix": "a"}]}}, {"source": {"bucket": "ab"}}, True),
            ({"labels": {"name": ["brick"]}}, {"labels": [{"name": "grass"}, {"name": "brick"}]}, True),
            ({"labels": {"name": ["brick"]}}, {"labels": [{"name": "grass"}]}, False),
            ({"labels": {"name": ["brick"]}}, {"labels": []}, False),
            (
                {"labels": {"name": ["brick"], "confidence": [{"numeric": [">", 90]}]}},
                {"labels": [{"name": "brick", "confidence": 50}, {"name": "grass", "confidence": 99}]},
                False,
            ),
        ],
    )
    def test_a_policy_on_the_body_looks_into_it(
        self, sandbox: Sandbox, topic: str, policy: Any, body: Any, expected: bool
    ) -> None:
        assert self.passes(sandbox, topic, policy, body=json.dumps(body)) is expected

    def test_a_body_that_is_no_object_does_not_match(self, sandbox: Sandbox, topic: str) -> None:
        assert not self.passes(sandbox, topic, {"status": [{"exists": False}]}, body="no json")


class TestQueues:
    def subscribe(self, sandbox: Sandbox, topic: str, arn: str, **attributes: str) -> None:
        sandbox.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)

    def redrive(self, arn: str) -> str:
        return json.dumps({"deadLetterTargetArn": arn})

    def test_a_raw_message_comes_as_it_was_published(self, sandbox: Sandbox, topic: str) -> None:
        url, arn = sandbox.queue()
        allow_topic(sandbox, url, arn, topic)
        self.subscribe(sandbox, topic, arn, RawMessageDelivery="true")

        sandbox.client("sns").publish(TopicArn=topic, Message="brick", MessageAttributes={"a": text("b")})

        (message,) = received(sandbox, url)
        assert message["Body"] == "brick"
        assert message["MessageAttributes"] == {"a": text("b")}

    def test_a_queue_whose_policy_names_another_topic_gets_nothing_and_the_dlq_gets_it(
        self, sandbox: Sandbox, topic: str
    ) -> None:
        (url, arn), (lost_url, lost_arn) = sandbox.queue(), sandbox.queue()
        allow_topic(sandbox, url, arn, f"{topic}-other")
        allow_topic(sandbox, lost_url, lost_arn, topic)
        self.subscribe(sandbox, topic, arn, RawMessageDelivery="true", RedrivePolicy=self.redrive(lost_arn))

        sandbox.client("sns").publish(TopicArn=topic, Message="brick")

        assert received(sandbox, url) == []
        assert [message["Body"] for message in received(sandbox, lost_url)] == ["brick"]

    def test_a_queue_that_is_gone_leaves_its_messages_to_the_dlq(self, sandbox: Sandbox, topic: str) -> None:
        (url, arn), (lost_url, lost_arn) = sandbox.queue(), sandbox.queue()
        allow_topic(sandbox, lost_url, lost_arn, topic)
        self.subscribe(sandbox, topic, arn, RedrivePolicy=self.redrive(lost_arn))
        sandbox.client("sqs").delete_queue(QueueUrl=url)

        sandbox.client("sns").publish(TopicArn=topic, Message="brick")

        (message,) = received(sandbox, lost_url)
        assert json.loads(message["Body"])["Message"] == "brick"

    def test_a_dlq_whose_policy_does_not_let_sns_in_gets_nothing(self, sandbox: Sandbox, topic: str) -> None:
        (_, arn), (lost_url, lost_arn) = sandbox.queue(), sandbox.queue()
        self.subscribe(sandbox, topic, arn, RedrivePolicy=self.redrive(lost_arn))

        sandbox.client("sns").publish(TopicArn=topic, Message="brick")

        assert received(sandbox, lost_url) == []

    def test_a_raw_message_with_more_attributes_than_sqs_takes_goes_to_the_dlq(
        self, sandbox: Sandbox, topic: str
    ) -> None:
        (url, arn), (lost_url, lost_arn) = sandbox.queue(), sandbox.queue()
        allow_topic(sandbox, url, arn, topic)
        allow_topic(sandbox, lost_url, lost_arn, topic)
        self.subscribe(sandbox, topic, arn, RawMessageDelivery="true", RedrivePolicy=self.redrive(lost_arn))
        attributes = {f"a{i}": text("x") for i in range(11)}

        sandbox.client("sns").publish(TopicArn=topic, Message="brick", MessageAttributes=attributes)

        assert received(sandbox, url) == []
        assert len(received(sandbox, lost_url)) == 1


class TestFunctions:
    @pytest.mark.parametrize(("source", "reached"), [("", True), ("-other", False), (None, False)])
    def test_a_function_is_invoked_if_its_policy_lets_the_topic(
        self, sandbox: Sandbox, topic: str, source: str | None, reached: bool
    ) -> None:
        (out_url, out_arn), (lost_url, lost_arn) = sandbox.queue(), sandbox.queue()
        allow_topic(sandbox, lost_url, lost_arn, topic)
        role = sandbox.role("lambda.amazonaws.com", ("sqs:SendMessage", out_arn))
        code = (
            "import boto3\n"
            "def handler(event, context):\n"
            "    send = boto3.client('sqs').send_message\n"
            f"    send(QueueUrl='{out_url}', MessageBody=event['Records'][0]['Sns']['Message'])\n"
        )
        name, client = sandbox.function(role, code, Timeout=20), sandbox.client("lambda")
        function = client.get_function_configuration(FunctionName=name)["FunctionArn"]
        if source is not None:
            client.add_permission(
                FunctionName=name,
                StatementId="topic",
                Action="lambda:InvokeFunction",
                Principal="sns.amazonaws.com",
                SourceArn=topic + source,
            )
        redrive = json.dumps({"deadLetterTargetArn": lost_arn})
        sandbox.client("sns").subscribe(
            TopicArn=topic, Protocol="lambda", Endpoint=function, Attributes={"RedrivePolicy": redrive}
        )

        sandbox.client("sns").publish(TopicArn=topic, Message="brick")

        (arrived,) = wait_until(lambda: received(sandbox, out_url if reached else lost_url))
        time.sleep(0.2)
        assert "brick" in arrived["Body"]
        assert received(sandbox, lost_url if reached else out_url) == []
