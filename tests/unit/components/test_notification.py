"""Notification: who hears, what the function may do, and what is refused before anything is made."""

import json
from typing import Any

import pytest
from pulumi.provider.experimental.analyzer import Analyzer

from custom_labels_batch.components.naming import MAX_NAME_LENGTH
from custom_labels_batch.components.notification import (
    Notification,
    NotificationArgs,
    NotificationSubscription,
    link_warning,
)
from custom_labels_batch.components.subscriptions import PROTOCOLS, Subscription, subscription_hash
from custom_labels_batch.functions.notify_labels.environment import Mode, NotifyLabelsEnvironment
from custom_labels_batch.functions.notify_labels.notification_topic import MESSAGES_PER_SECOND
from custom_labels_batch.functions.notify_labels.notifications import LONGEST_PUBLISH_SECONDS
from custom_labels_batch.functions.shared.environment import read_environment
from sandbox.deployer.model import Registration
from sandbox.deployer.schema import takes_tags
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Result, record_program
from tests.unit.components.graph import (
    EVENT_SOURCE_MAPPING,
    FUNCTION,
    QUEUE,
    TOPIC,
    allowed,
    cloud_resources,
    precedes,
    record_stack,
)

PREDICTIONS_ARN = "arn:aws:sns:us-east-1:123456789012:predictions"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:hear"
ROLE_ARN = "arn:aws:iam::123456789012:role/deliver"
PERMISSION = "aws:lambda/permission:Permission"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"


def record(name: str = "notification", **args: Any) -> Result:
    """What one Notification registers in a program of its own."""
    inputs: NotificationArgs = {"predictions_topic_arn": PREDICTIONS_ARN, **args}  # type: ignore[typeddict-item]
    return record_program(lambda: Notification(name, inputs))


@pytest.fixture(scope="module")
def graph() -> Result:
    """With a subscription of three kinds, and links."""
    return record(
        labels_of_interest={"crack": 55, "scratch": 80.5},
        notification_emails=["ana@example.com"],
        subscriptions=[
            {"protocol": "lambda", "endpoint": FUNCTION_ARN},
            {
                "protocol": "sqs",
                "endpoint": "arn:aws:sqs:us-east-1:123456789012:alerts",
                "filter_policy": {"labels": ["Riß"], "highestConfidence": [{"numeric": [">=", 90]}]},
            },
        ],
        presigned_url_minutes=60,
        final_bucket_name="acme-final",
        tags={"owner": "vision-team"},
    )


def subscriptions(graph: Result) -> list[Registration]:
    """Those to the notification topic."""
    (topic,) = graph.of_type(TOPIC)
    return [s for s in graph.of_type(SUBSCRIPTION) if s.properties["topic"] == topic.outputs["arn"]]


def variables(graph: Result) -> dict[str, str]:
    (function,) = graph.of_type(FUNCTION)
    return dict(function.properties["environment"]["variables"])


class TestSubscriptions:
    def test_are_those_that_were_named(self, graph: Result) -> None:
        assert {(s.properties["protocol"], s.properties["endpoint"]) for s in subscriptions(graph)} == {
            ("email", "ana@example.com"),
            ("lambda", FUNCTION_ARN),
            ("sqs", "arn:aws:sqs:us-east-1:123456789012:alerts"),
        }

    def test_filter_by_message_attributes(self, graph: Result) -> None:
        policies = {s.properties["protocol"]: s.properties.get("filterPolicy") for s in subscriptions(graph)}

        assert policies["email"] is None
        assert json.loads(str(policies["sqs"])) == {"labels": ["Riß"], "highestConfidence": [{"numeric": [">=", 90]}]}

    def test_keep_their_names_when_others_come_and_go(self) -> None:
        before = record(notification_emails=["ana@example.com", "bo@example.com"])
        after = record(notification_emails=["bo@example.com"], **names("sms", ENDPOINTS["sms"]))

        one, other = (
            {s.properties["endpoint"]: s.name for s in subscriptions(graph)}["bo@example.com"]
            for graph in (before, after)
        )
        assert one == other

    def test_to_one_endpoint_by_two_protocols_are_two(self) -> None:
        graph = record(
            notification_emails=["ana@example.com"],
            subscriptions=[{"protocol": "email-json", "endpoint": "ana@example.com"}],
        )

        assert len({s.name for s in subscriptions(graph)}) == 2

    def test_of_a_delivery_stream_have_a_role(self) -> None:
        stream = "arn:aws:firehose:us-east-1:123456789012:deliverystream/alerts"
        graph = record(subscriptions=[{"protocol": "firehose", "endpoint": stream, "subscription_role_arn": ROLE_ARN}])

        assert subscriptions(graph)[0].properties["subscriptionRoleArn"] == ROLE_ARN

    def test_come_after_the_topics_policy(self, graph: Result) -> None:
        (policy,) = graph.of_type(TOPIC_POLICY)

        assert all(precedes(graph, policy, subscription) for subscription in subscriptions(graph))


class TestAFunctionThatIsSubscribed:
    def test_may_be_invoked_by_this_topic_and_no_other(self, graph: Result) -> None:
        (permission,) = graph.of_type(PERMISSION)

        assert permission.properties["function"] == FUNCTION_ARN
        assert permission.properties["action"] == "lambda:InvokeFunction"
        assert permission.properties["principal"] == "sns.amazonaws.com"
        assert permission.properties["sourceArn"] == graph.of_type(TOPIC)[0].outputs["arn"]
        assert "qualifier" not in permission.properties

    def test_may_be_invoked_before_it_is_subscribed(self, graph: Result) -> None:
        (permission,) = graph.of_type(PERMISSION)
        (subscription,) = (s for s in subscriptions(graph) if s.properties["protocol"] == "lambda")

        assert precedes(graph, permission, subscription)

    def test_may_be_an_alias(self) -> None:
        graph = record(subscriptions=[{"protocol": "lambda", "endpoint": f"{FUNCTION_ARN}:live"}])
        (permission,) = graph.of_type(PERMISSION)

        assert (permission.properties["function"], permission.properties["qualifier"]) == (FUNCTION_ARN, "live")


class TestTheTopic:
    def test_is_encrypted_with_a_key_that_asks_no_rights_of_its_publisher(self, graph: Result) -> None:
        (topic,) = graph.of_type(TOPIC)

        assert topic.properties["kmsMasterKeyId"] == "alias/aws/sns"

    def test_refuses_to_be_published_to_without_tls(self, graph: Result) -> None:
        (policy,) = graph.of_type(TOPIC_POLICY)
        (refuse,) = json.loads(policy.properties["policy"])["Statement"]

        assert (refuse["Effect"], refuse["Action"]) == ("Deny", "sns:Publish")
        assert refuse["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


class TestTheFunction:
    def test_accepts_its_variables(self, graph: Result) -> None:
        environment = read_environment(NotifyLabelsEnvironment, variables(graph))

        assert environment.notification_topic_arn == graph.of_type(TOPIC)[0].outputs["arn"]
        assert environment.labels_of_interest == {"crack": 55.0, "scratch": 80.5}
        assert environment.notification_mode is Mode.DIGEST
        assert environment.presigned_url_minutes == 60

    def test_gets_exactly_the_variables_it_declares(self, graph: Result) -> None:
        declared = {name.upper() for name in NotifyLabelsEnvironment.model_fields}
        powertools = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}

        assert set(variables(graph)) == declared | powertools

    def test_may_publish_read_its_queue_and_sign_links_to_images(self, graph: Result) -> None:
        rights = allowed(graph, "notification-notify-labels")
        queue = graph.named("notification-predictions", QUEUE).outputs["arn"]

        assert {action: arns for action, arns in rights.items() if not action.startswith("logs:")} == {
            "sns:Publish": {graph.of_type(TOPIC)[0].outputs["arn"]},
            "s3:GetObject": {"arn:aws:s3:::acme-final/images/*"},
            "s3:GetObjectVersion": {"arn:aws:s3:::acme-final/images/*"},
            "sqs:ReceiveMessage": {queue},
            "sqs:DeleteMessage": {queue},
            "sqs:GetQueueAttributes": {queue},
            "sqs:ChangeMessageVisibility": {queue},
        }

    def test_may_not_read_images_where_there_are_no_links(self) -> None:
        rights = allowed(record(final_bucket_name="acme-final"), "notification-notify-labels")

        assert not [action for action in rights if action.startswith("s3:")]

    def test_has_time_to_publish_more_than_once(self, graph: Result) -> None:
        (function,) = graph.of_type(FUNCTION)

        assert function.properties["timeout"] >= 2 * LONGEST_PUBLISH_SECONDS

    def test_sends_mail_slowly_enough_for_sns_to_keep_the_subscription(self, graph: Result) -> None:
        """It disables one that gets more than 10 messages a second."""
        (mapping,) = graph.of_type(EVENT_SOURCE_MAPPING)

        assert mapping.properties["scalingConfig"]["maximumConcurrency"] * MESSAGES_PER_SECOND <= 10

    def test_hears_of_labelled_images_only(self, graph: Result) -> None:
        subscription = graph.named("notification-predictions", SUBSCRIPTION)

        assert subscription.properties["topic"] == PREDICTIONS_ARN
        assert json.loads(subscription.properties["filterPolicy"]) == {"status": ["labelled"]}


class TestTheMode:
    @pytest.mark.parametrize(("mode", "batch_size", "window"), [("digest", 1000, 120), ("image", 10, 0)])
    def test_decides_how_many_images_a_call_is_about(self, mode: str, batch_size: int, window: int) -> None:
        graph = record(mode=mode, batching_window_seconds=120)
        (mapping,) = graph.of_type(EVENT_SOURCE_MAPPING)

        assert mapping.properties["batchSize"] == batch_size
        assert mapping.properties["maximumBatchingWindowInSeconds"] == window
        assert variables(graph)["NOTIFICATION_MODE"] == mode


ENDPOINTS = {
    "application": "arn:aws:sns:us-east-1:123456789012:endpoint/GCM/app/1",
    "email": "ana@example.com",
    "email-json": "ana@example.com",
    "firehose": "arn:aws:firehose:us-east-1:123456789012:deliverystream/alerts",
    "http": "http://alerts.internal/",
    "https": "https://example.com/alerts",
    "lambda": FUNCTION_ARN,
    "sms": "+4915112345678",
    "sqs": "arn:aws:sqs:us-east-1:123456789012:alerts",
}


def names(protocol: str, endpoint: str, **more: Any) -> dict[str, Any]:
    return {"subscriptions": [{"protocol": protocol, "endpoint": endpoint, **more}]}


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ({"mode": "hourly"}, "mode is 'hourly'; allowed is one of digest, image"),
        (
            {"labels_of_interest": {"crack": 101}},
            "The threshold of 'crack' is 101.0; allowed is a number from 0 to 100",
        ),
        ({"labels_of_interest": {"crack": -1}}, "The threshold of 'crack' is -1.0"),
        ({"labels_of_interest": {"crack": float("nan")}}, "The threshold of 'crack' is nan"),
        ({"presigned_url_minutes": 60}, "presigned_url_minutes needs final_bucket_name"),
        ({"presigned_url_minutes": 10_081, "final_bucket_name": "x"}, "allowed is a whole number from 0"),
        ({"presigned_url_minutes": -1}, "presigned_url_minutes is -1"),
        ({"batching_window_seconds": 0}, "batching_window_seconds is 0; allowed is a whole number from 1 to 300"),
        ({"batching_window_seconds": 301}, "batching_window_seconds is 301"),
        (names("pigeon", "coop"), "'pigeon'.*protocol: Input should be 'email', 'email-json'"),
        (names("email", " "), "the endpoint ' ': value is not a valid email address"),
        (names("firehose", ENDPOINTS["firehose"]), "a role to subscribe with is needed, by its ARN, for firehose"),
        (names("sqs", ENDPOINTS["sqs"], subscription_role_arn=ROLE_ARN), "and for no other protocol"),
        (names("sqs", f"{ENDPOINTS['sqs']}.fifo"), "is not the ARN of a queue that is not FIFO"),
        (names("sqs", ENDPOINTS["sqs"], filter_policy={"label": ["crack"]}), "'label' is no attribute of a message"),
        (names("sqs", ENDPOINTS["sqs"], filter_policy={"labels": "crack"}), "what 'labels' may be is not a list"),
        (
            {"notification_emails": ["ana@example.com", "Ana@example.com"]},
            "the email endpoint 'ana@example.com' is there twice",
        ),
        (
            {"notification_emails": ["ana@example.com"], **names("email", "ana@example.com")},
            "the email endpoint 'ana@example.com' is there twice",
        ),
        ({"labels_of_interest": {f"label {number}": 1 for number in range(300)}}, "LABELS_OF_INTEREST is the largest"),
    ],
)
def test_what_could_not_work_is_refused_with_what_is_allowed(args: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SandboxError, match=complaint):
        record(**args)


class TestAWarning:
    def test_is_given_where_a_link_would_outlive_its_credentials(self, caplog: pytest.LogCaptureFixture) -> None:
        record(presigned_url_minutes=721, final_bucket_name="x", labels_of_interest={"crack": 1})

        assert link_warning(720) is None
        assert link_warning(721) in caplog.messages

    def test_is_given_where_somebody_is_subscribed_to_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        record(notification_emails=["ana@example.com"])

        assert "There are no labels of interest: nothing will be sent to anybody" in caplog.messages

    def test_is_not_given_otherwise(self, caplog: pytest.LogCaptureFixture) -> None:
        record(notification_emails=["ana@example.com"], labels_of_interest={"crack": 1})

        assert [r.message for r in caplog.records if r.levelname == "WARNING"] == []


class TestTheComponent:
    def test_is_described_to_other_languages(self) -> None:
        found = Analyzer("custom-labels-batch").analyze([Notification])
        schema = found["component_definitions"]["Notification"]
        nested = found["type_definitions"]["NotificationSubscription"]

        assert set(schema.inputs_mapping.values()) == set(NotificationArgs.__annotations__)
        assert set(nested.properties_mapping.values()) == set(NotificationSubscription.__annotations__)
        assert [name for name, value in schema.inputs.items() if not value.optional] == ["predictionsTopicArn"]
        described = [*(schema.inputs | schema.outputs).values(), *nested.properties.values()]
        assert all(value.description for value in described)

    def test_takes_whole_numbers_that_arrive_as_floats(self) -> None:
        graph = record(
            labels_of_interest={"crack": 55},
            batching_window_seconds=60.0,
            presigned_url_minutes=60.0,
            final_bucket_name="x",
            log_retention_days=30.0,
        )
        (mapping,) = graph.of_type(EVENT_SOURCE_MAPPING)

        assert variables(graph)["PRESIGNED_URL_MINUTES"] == "60"
        assert variables(graph)["LABELS_OF_INTEREST"] == '{"crack": 55.0}'
        assert str(mapping.properties["maximumBatchingWindowInSeconds"]) == "60"

    def test_has_names_that_fit_however_long_its_own_is(self) -> None:
        graph = record("n" * MAX_NAME_LENGTH, **names("lambda", FUNCTION_ARN))

        for resource in cloud_resources(graph):
            assert len(resource.name) <= 55
            assert len(resource.properties.get("name", "")) <= (512 if resource.type.endswith("LogGroup") else 64)

    def test_tags_everything_that_takes_tags(self, graph: Result) -> None:
        tagged = [resource for resource in cloud_resources(graph) if takes_tags(resource.type)]

        assert tagged
        assert all(r.properties["tags"] == {"owner": "vision-team", "Component": "Notification"} for r in tagged)

    def test_tells_where_everything_is(self, graph: Result) -> None:
        (component,) = graph.of_type("custom-labels-batch:index:Notification")

        assert component.outputs["notificationTopicArn"] == graph.of_type(TOPIC)[0].outputs["arn"]
        assert component.outputs["queueUrl"] == graph.named("notification-predictions", QUEUE).outputs["url"]
        assert (
            component.outputs["deadLetterQueueUrl"]
            == (graph.named("notification-predictions-dlq", QUEUE).outputs["url"])
        )
        assert component.outputs["notifyFunctionName"] == graph.of_type(FUNCTION)[0].properties["name"]


def test_every_protocol_of_sns_can_be_subscribed() -> None:
    roles = {"firehose": {"subscription_role_arn": ROLE_ARN}}
    wanted = [{"protocol": name, "endpoint": ENDPOINTS[name], **roles.get(name, {})} for name in PROTOCOLS]

    assert {s.properties["protocol"] for s in subscriptions(record(subscriptions=wanted))} == set(PROTOCOLS)


def test_a_subscription_is_named_by_protocol_and_endpoint() -> None:
    def named(**more: Any) -> str:
        return subscription_hash(Subscription(**{"protocol": "email", "endpoint": "ana@example.com", **more}))

    assert named() == named(filter_policy={"labels": ["crack"]}) == named(endpoint="Ana@Example.com")
    assert named() != named(protocol="email-json") != named(endpoint="bo@example.com")


def test_a_subscription_is_replaced_by_itself_last(graph: Result) -> None:
    """SNS has one an endpoint: deleting the old one after the new one was made would delete the new one."""
    assert all(subscription.options.delete_before_replace for subscription in subscriptions(graph))


def test_the_stacks_settings_reach_the_component() -> None:
    graph = record_stack(
        labelsOfInterest={"crack": 55},
        notificationEmails=["ana@example.com"],
        notificationSubscriptions=[
            {"protocol": "firehose", "endpoint": ENDPOINTS["firehose"], "subscriptionRoleArn": ROLE_ARN},
        ],
        notificationMode="image",
        presignedUrlMinutes=30,
    )
    told = {s.properties["protocol"]: s.properties for s in graph.of_type(SUBSCRIPTION)}
    environment = graph.named("notification-notify-labels", FUNCTION).properties["environment"]["variables"]

    assert told["email"]["endpoint"] == "ana@example.com"
    assert told["firehose"]["subscriptionRoleArn"] == ROLE_ARN
    assert (environment["NOTIFICATION_MODE"], environment["PRESIGNED_URL_MINUTES"]) == ("image", "30")
    assert json.loads(environment["LABELS_OF_INTEREST"]) == {"crack": 55.0}


def test_the_stacks_filter_policies_reach_sns() -> None:
    policy = {"labels": ["crack"], "highestConfidence": [{"numeric": [">=", 90]}]}
    graph = record_stack(
        notificationSubscriptions=[{"protocol": "sms", "endpoint": ENDPOINTS["sms"], "filterPolicy": policy}]
    )
    (subscription,) = (s for s in graph.of_type(SUBSCRIPTION) if s.properties["protocol"] == "sms")

    assert json.loads(subscription.properties["filterPolicy"]) == policy
