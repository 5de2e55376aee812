"""The stack's configuration: what is accepted, what comes out of it, and what a wrong one is told."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import event, example, given
from hypothesis import strategies as st
from ministack.services.eventbridge import _parse_cron_fields, _parse_rate_seconds
from pydantic.alias_generators import to_camel

from sandbox.deployer.project import as_text
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import record_program
from settings import Settings, SettingsError, parse

ROOT = Path(__file__).resolve().parents[2]
PROJECT_ARN = "arn:aws:rekognition:eu-west-1:123456789012:project/surfaces/1700000000000"
VERSION_ARN = (
    "arn:aws:rekognition:eu-west-1:123456789012:project/surfaces/version/surfaces.2026-11-01T09.00.00/1700000000001"
)
FIREHOSE = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/alerts"


def parsed(**values: Any) -> Settings:
    return parse({"projectArn": PROJECT_ARN, **values})


def complaint(**values: Any) -> str:
    with pytest.raises(SettingsError) as error:
        parsed(**values)
    return str(error.value)


def is_accepted(**values: Any) -> bool:
    """Any error but the one for users ends the test."""
    try:
        parsed(**values)
    except SettingsError:
        return False
    return True


# Defaults and accepted forms


def test_only_the_project_must_be_set() -> None:
    assert parsed().model_dump() == {
        "project_arn": PROJECT_ARN,
        "model_version": None,
        "trigger": "schedule",
        "schedule": "rate(1 hour)",
        "schedule_timezone": "UTC",
        "min_confidence": 70.0,
        "labels_of_interest": {},
        "notification_emails": [],
        "notification_subscriptions": [],
        "notification_mode": "digest",
        "notification_batching_window_seconds": 60,
        "presigned_url_minutes": 0,
        "source_bucket_name": None,
        "existing_source_bucket_name": None,
        "final_bucket_name": None,
        "analytics_bucket_name": None,
        "image_prefix": "",
        "max_inference_units": 1,
        "tps_per_inference_unit": 5.0,
        "target_drain_minutes": 60,
        "min_batch_size": 1,
        "max_queue_age_minutes": 1440,
        "max_run_minutes": 1440,
        "log_retention_days": 30,
        "noncurrent_version_retention_days": 30,
        "run_retention_days": 400,
        "prediction_retention_days": None,
        "query_result_retention_days": 30,
        "bytes_scanned_cutoff_per_query": 10_000_000_000,
        "alarm_emails": [],
        "summary_emails": [],
        "inference_unit_hour_price": 4.0,
        "quick_sight_principal_arn": None,
        "data_buckets": None,
        "force_destroy": False,
        "powertools_layer_arn": None,
        "tags": {},
    }


def test_every_default_would_be_accepted_if_it_were_set() -> None:
    defaults = {
        to_camel(name): field.default
        for name, field in Settings.model_fields.items()
        if field.default is not None and not field.is_required()
    }

    assert parsed(**defaults) == parsed()


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("modelVersion", "surfaces.2026-11-01T09.00.00", "surfaces.2026-11-01T09.00.00"),
        ("modelVersion", "1.10", "1.10"),
        ("modelVersion", VERSION_ARN, VERSION_ARN),
        ("trigger", "upload", "upload"),
        ("schedule", "rate(1 minute)", "rate(1 minute)"),
        ("schedule", "rate(15 minutes)", "rate(15 minutes)"),
        ("schedule", "rate(7 days)", "rate(7 days)"),
        ("schedule", "cron(0 6 ? * MON-FRI *)", "cron(0 6 ? * MON-FRI *)"),
        ("schedule", "cron(0/15 8-17 1,15 JAN-MAR ? 2026-2030)", "cron(0/15 8-17 1,15 JAN-MAR ? 2026-2030)"),
        ("schedule", "cron(*/5 * L * ? *)", "cron(*/5 * L * ? *)"),
        ("schedule", "cron(0 10 ? * 6L 2026-2027)", "cron(0 10 ? * 6L 2026-2027)"),
        ("schedule", "cron(0 10 ? * 3#2 *)", "cron(0 10 ? * 3#2 *)"),
        ("schedule", "cron(0 10 3W * ? *)", "cron(0 10 3W * ? *)"),
        ("scheduleTimezone", "Europe/Berlin", "Europe/Berlin"),
        ("minConfidence", "0", 0.0),
        ("minConfidence", "100", 100.0),
        ("minConfidence", "62.5", 62.5),
        ("notificationEmails", "ana@example.com, bo+1@example.com", ["ana@example.com", "bo+1@example.com"]),
        ("notificationEmails", '["ana@example.com"]', ["ana@example.com"]),
        ("notificationEmails", "", []),
        ("alarmEmails", "ops@example.com, bo@example.com", ["ops@example.com", "bo@example.com"]),
        ("alarmEmails", '["ops@example.com"]', ["ops@example.com"]),
        ("summaryEmails", "ana@example.com", ["ana@example.com"]),
        ("inferenceUnitHourPrice", "5.5", 5.5),
        ("notificationMode", "image", "image"),
        ("notificationBatchingWindowSeconds", "300", 300),
        ("presignedUrlMinutes", "0", 0),
        ("predictionRetentionDays", "730", 730),
        ("queryResultRetentionDays", "1", 1),
        ("bytesScannedCutoffPerQuery", "10485760", 10_485_760),
        (
            "quickSightPrincipalArn",
            "arn:aws:quicksight:eu-west-1:123456789012:group/default/quality team",
            "arn:aws:quicksight:eu-west-1:123456789012:group/default/quality team",
        ),
        ("sourceBucketName", "acme-surfaces-in", "acme-surfaces-in"),
        ("sourceBucketName", "a.b", "a.b"),
        ("existingSourceBucketName", "acme-photographs", "acme-photographs"),
        ("finalBucketName", "0" * 63, "0" * 63),
        ("analyticsBucketName", "acme-surfaces-rows", "acme-surfaces-rows"),
        ("imagePrefix", "Fotos für Prüfung/📷 *\\", "Fotos für Prüfung/📷 *\\"),
        ("maxInferenceUnits", "4", 4),
        ("tpsPerInferenceUnit", "2.5", 2.5),
        ("targetDrainMinutes", "1", 1),
        ("minBatchSize", "1000000", 1_000_000),
        ("maxQueueAgeMinutes", "2", 2),
        ("maxRunMinutes", "43200", 43200),
        ("logRetentionDays", "3653", 3653),
        ("noncurrentVersionRetentionDays", "1", 1),
        ("runRetentionDays", "3650", 3650),
        ("dataBuckets", "retain", "retain"),
        ("dataBuckets", "protect", "protect"),
        ("dataBuckets", "delete", "delete"),
        ("forceDestroy", "true", True),
        ("forceDestroy", "false", False),
        (
            "powertoolsLayerArn",
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:layer:powertools:1",
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:layer:powertools:1",
        ),
        ("tags", '{"owner": "vision-team", "cost:centre": ""}', {"owner": "vision-team", "cost:centre": ""}),
    ],
)
def test_text_as_pulumi_passes_it_becomes_a_typed_value(key: str, text: str, value: Any) -> None:
    assert parsed(**{key: text}).model_dump(by_alias=True)[key] == value


SUBSCRIPTIONS = [
    {"protocol": "email-json", "endpoint": "ana@example.com"},
    {"protocol": "https", "endpoint": "https://example.com/alerts?for=me"},
    {"protocol": "http", "endpoint": "http://alerts.internal/"},
    {"protocol": "sms", "endpoint": "+4915112345678", "filterPolicy": {"highestConfidence": [{"numeric": [">=", 90]}]}},
    {"protocol": "sqs", "endpoint": "arn:aws:sqs:eu-west-1:123456789012:alerts"},
    {"protocol": "lambda", "endpoint": "arn:aws:lambda:eu-west-1:123456789012:function:alerts:live"},
    {"protocol": "application", "endpoint": "arn:aws:sns:eu-west-1:123456789012:endpoint/GCM/app/1-2"},
    {"protocol": "firehose", "endpoint": FIREHOSE, "subscriptionRoleArn": "arn:aws:iam::123456789012:role/sns"},
]


@pytest.mark.parametrize("subscription", SUBSCRIPTIONS, ids=lambda subscription: str(subscription["protocol"]))
def test_every_protocol_of_sns_can_be_subscribed(subscription: dict[str, Any]) -> None:
    (found,) = parsed(notificationSubscriptions=json.dumps([subscription])).notification_subscriptions

    assert found.model_dump(by_alias=True, exclude_none=True) == subscription


def test_an_address_is_subscribed_once() -> None:
    message = complaint(
        notificationEmails="ana@example.com",
        notificationSubscriptions='[{"protocol": "email", "endpoint": "Ana@example.com"}]',
    )

    assert "the email endpoint 'ana@example.com' is there twice" in message


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("crack", {"crack": 60.0}),
        ("crack, light scratch ,", {"crack": 60.0, "light scratch": 60.0}),
        ('["crack", "scratch"]', {"crack": 60.0, "scratch": 60.0}),
        ('{"crack": 55, "scratch": 80.5}', {"crack": 55.0, "scratch": 80.5}),
        (["crack"], {"crack": 60.0}),
        ({"crack": 0, "scratch": 100}, {"crack": 0.0, "scratch": 100.0}),
        ("", {}),
        ("[]", {}),
        ("{}", {}),
        ("1.10", {"1.10": 60.0}),
        ("true", {"true": 60.0}),
        ("null,7", {"null": 60.0, "7": 60.0}),
    ],
)
def test_labels_of_interest_are_a_list_text_or_a_map(value: Any, labels: dict[str, float]) -> None:
    assert parsed(minConfidence="60", labelsOfInterest=value).labels_of_interest == labels


def test_a_label_somebody_wants_to_hear_about_from_less_counts_from_less() -> None:
    chosen = parsed(minConfidence="60", labelsOfInterest='{"crack": 55, "scratch": 60, "dent": 95}')

    assert chosen.label_thresholds == {"crack": 55.0}


@pytest.mark.parametrize("version", ["surfaces.2026-11-01T09.00.00", VERSION_ARN])
def test_a_pinned_version_is_known_by_its_name(version: str) -> None:
    assert parsed(modelVersion=version).model_version_name == "surfaces.2026-11-01T09.00.00"


def test_settings_cannot_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parsed().trigger = "upload"


# Wrong forms

WRONG: list[tuple[str, Any, str]] = [
    ("projectArn", "surfaces", "not the ARN of a Rekognition Custom Labels project"),
    ("projectArn", PROJECT_ARN + "/", "not the ARN of a Rekognition Custom Labels project"),
    ("projectArn", PROJECT_ARN.replace("123456789012", "١٢٣٤٥٦٧٨٩٠١٢"), "not the ARN of a Rekognition Custom Labels"),
    ("projectArn", PROJECT_ARN.replace("surfaces", "flächen"), "not the ARN of a Rekognition Custom Labels project"),
    ("projectArn", VERSION_ARN, "this is the ARN of a project version"),
    ("modelVersion", "1.0/2", "neither the name nor the ARN of a project version"),
    ("modelVersion", "", "neither the name nor the ARN of a project version"),
    ("modelVersion", VERSION_ARN.replace("/surfaces/", "/others/"), "but projectArn is of"),
    ("modelVersion", VERSION_ARN.replace("eu-west-1", "us-east-1"), "but projectArn is of"),
    ("trigger", "hourly", "input should be 'schedule' or 'upload'"),
    ("schedule", "hourly", "neither a rate(...) nor a cron(...) expression"),
    ("schedule", "at(2026-11-22T00:00:00)", "neither a rate(...) nor a cron(...) expression"),
    ("schedule", "rate(8 days)", "the image queue keeps a message for 10 days"),
    ("schedule", "rate(169 hours)", "the image queue keeps a message for 10 days"),
    ("schedule", "rate(1 hours)", "neither a rate(...) nor a cron(...) expression"),
    ("schedule", "rate(2 hour)", "neither a rate(...) nor a cron(...) expression"),
    ("schedule", "rate(0 minutes)", "neither a rate(...) nor a cron(...) expression"),
    ("schedule", "rate(1.5 hours)", "neither a rate(...) nor a cron(...) expression"),
    ("schedule", "rate(30 seconds)", "neither a rate(...) nor a cron(...) expression"),
    ("schedule", "cron(0 6 * * 1)", "neither a rate(...) nor a cron(...) expression"),
    ("schedule", "cron(60 6 ? * MON-FRI *)", "'60' is no value of the field minutes"),
    ("schedule", "cron(0 24 ? * MON-FRI *)", "'24' is no value of the field hours"),
    ("schedule", "cron(0 6 32 * ? *)", "'32' is no value of the field day-of-month"),
    ("schedule", "cron(0 6 1 FEBRUARY ? *)", "'FEBRUARY' is no value of the field month"),
    ("schedule", "cron(0 6 ? * 0 *)", "'0' is no value of the field day-of-week"),
    ("schedule", "cron(0 6 ? * FRI-MON *)", "'FRI-MON' is no value of the field day-of-week"),
    ("schedule", "cron(0 6 ? * 3#2,6#3 *)", "'3#2,6#3' is no value of the field day-of-week"),
    ("schedule", "cron(0 6 ? * MON 1969)", "'1969' is no value of the field year"),
    ("schedule", "cron(0 */0 ? * MON *)", "'*/0' is no value of the field hours"),
    ("schedule", "cron(0 6 * * * *)", "exactly one of day-of-month and day-of-week must be '?'"),
    ("schedule", "cron(0 6 ? * ? *)", "exactly one of day-of-month and day-of-week must be '?'"),
    ("scheduleTimezone", "Mars/Olympus", "not a time zone of the IANA database"),
    ("scheduleTimezone", "Europe", "not a time zone of the IANA database"),
    ("scheduleTimezone", "../../etc/passwd", "not a time zone of the IANA database"),
    ("minConfidence", "-0.1", "greater than or equal to 0"),
    ("minConfidence", "100.1", "less than or equal to 100"),
    ("minConfidence", "nan", "a finite number"),
    ("minConfidence", "high", "a valid number"),
    ("labelsOfInterest", '{"crack": 101}', "the threshold of 'crack' is 101, not a number from 0 to 100"),
    ("labelsOfInterest", '{"crack": "high"}', "the threshold of 'crack' is 'high', not a number from 0 to 100"),
    ("labelsOfInterest", '{"crack": true}', "the threshold of 'crack' is True, not a number from 0 to 100"),
    ("labelsOfInterest", '{"crack": NaN}', "the threshold of 'crack' is nan, not a number from 0 to 100"),
    ("labelsOfInterest", '{" ": 50}', "a label of the map is empty"),
    ("labelsOfInterest", "[1.10]", "1.1 in the list is not text; quote a label that looks like a number"),
    ("labelsOfInterest", '[{"crack": 55}]', "{'crack': 55} in the list is not text"),
    ("labelsOfInterest", "{crack: 55}", "neither a list of labels nor a map"),
    ("labelsOfInterest", json.dumps({f"a label, number {n}": 55 for n in range(120)}), "2900 fit"),
    ("notificationEmails", "ana", "entry 1: value is not a valid email address"),
    ("notificationEmails", "ana@example.com, bo@", "entry 2: value is not a valid email address"),
    ("notificationEmails", '{"to": "ana@example.com"}', "entry 1: value is not a valid email address"),
    ("alarmEmails", "ops", "entry 1: value is not a valid email address"),
    ("alarmEmails", "ops@example.com,Ops@example.com", "the email endpoint 'ops@example.com' is there twice"),
    ("summaryEmails", "ana", "entry 1: value is not a valid email address"),
    ("inferenceUnitHourPrice", "-1", "input should be greater than or equal to 0"),
    ("inferenceUnitHourPrice", "four", "input should be a valid number"),
    ("notificationEmails", "ana@example.com,Ana@example.com", "the email endpoint 'ana@example.com' is there twice"),
    ("notificationSubscriptions", "sqs", "not a list of maps with protocol and endpoint"),
    ("notificationSubscriptions", '["sqs"]', "entry 1: input should be a valid dictionary"),
    (
        "notificationSubscriptions",
        '[{"protocol": "pigeon", "endpoint": "x"}]',
        "entry 1, protocol: input should be 'email'",
    ),
    ("notificationSubscriptions", '[{"protocol": "sqs"}]', "entry 1, endpoint: field required"),
    (
        "notificationSubscriptions",
        '[{"protocol": "sqs", "endpoint": "alerts"}]',
        "entry 1: the endpoint 'alerts' of protocol",
    ),
    ("notificationSubscriptions", '[{"protocol": "sms", "endpoint": "0151 1"}]', "is not a telephone number such as"),
    ("notificationSubscriptions", '[{"protocol": "https", "endpoint": "http://a.b"}]', "that begins with https://"),
    ("notificationSubscriptions", '[{"protocol": "email", "endpoint": "ana"}]', "not a valid email address"),
    (
        "notificationSubscriptions",
        f'[{{"protocol": "firehose", "endpoint": "{FIREHOSE}"}}]',
        "a role to subscribe with is needed",
    ),
    ("notificationSubscriptions", '[{"protocol": "sqs", "end": 1, "endpoint": ""}]', "entry 1, end: extra inputs"),
    (
        "notificationSubscriptions",
        '[{"protocol": "sms", "endpoint": "+4915112345678"}, {"protocol": "sms", "endpoint": "+4915112345678"}]',
        "the sms endpoint '+4915112345678' is there twice",
    ),
    ("notificationMode", "daily", "input should be 'digest' or 'image'"),
    ("notificationBatchingWindowSeconds", "301", "less than or equal to 300"),
    ("presignedUrlMinutes", "10081", "less than or equal to 10080"),
    ("sourceBucketName", "ab", "not a bucket name S3 accepts"),
    ("sourceBucketName", "a" * 64, "not a bucket name S3 accepts"),
    ("sourceBucketName", "Acme", "not a bucket name S3 accepts"),
    ("sourceBucketName", "acme_in", "not a bucket name S3 accepts"),
    ("sourceBucketName", "-acme", "not a bucket name S3 accepts"),
    ("sourceBucketName", "acme..in", "not a bucket name S3 accepts"),
    ("sourceBucketName", "192.168.5.4", "not a bucket name S3 accepts"),
    ("sourceBucketName", "xn--acme", "it begins or ends with what S3 keeps for itself"),
    ("sourceBucketName", "acme--x-s3", "it begins or ends with what S3 keeps for itself"),
    ("existingSourceBucketName", "Acme", "not a bucket name S3 accepts"),
    ("finalBucketName", "acme-s3alias", "it begins or ends with what S3 keeps for itself"),
    ("analyticsBucketName", "acme.mrap", "it begins or ends with what S3 keeps for itself"),
    ("imagePrefix", "a" * 101, "at most 100 characters"),
    ("maxInferenceUnits", "0", "greater than or equal to 1"),
    ("maxInferenceUnits", "501", "less than or equal to 500"),
    ("maxInferenceUnits", "1.5", "a valid integer"),
    ("tpsPerInferenceUnit", "0", "greater than or equal to 0.1"),
    ("tpsPerInferenceUnit", "101", "less than or equal to 100"),
    ("targetDrainMinutes", "0", "greater than or equal to 1"),
    ("targetDrainMinutes", "1441", "less than or equal to 1440"),
    ("minBatchSize", "0", "greater than or equal to 1"),
    ("maxQueueAgeMinutes", "1", "greater than or equal to 2"),
    ("maxQueueAgeMinutes", "10081", "less than or equal to 10080"),
    ("maxRunMinutes", "4", "greater than or equal to 5"),
    ("maxRunMinutes", "43201", "less than or equal to 43200"),
    ("logRetentionDays", "31", "not a retention period of CloudWatch Logs"),
    ("noncurrentVersionRetentionDays", "0", "greater than or equal to 1"),
    ("runRetentionDays", "3651", "less than or equal to 3650"),
    ("predictionRetentionDays", "0", "greater than or equal to 1"),
    ("queryResultRetentionDays", "for ever", "a valid integer"),
    ("bytesScannedCutoffPerQuery", "10485759", "greater than or equal to 10485760"),
    (
        "quickSightPrincipalArn",
        "arn:aws:iam::123456789012:user/ana",
        "'arn:aws:iam::123456789012:user/ana' belongs to IAM",
    ),
    ("dataBuckets", "keep", "'retain', 'protect' or 'delete'"),
    ("forceDestroy", "maybe", "a valid boolean"),
    ("powertoolsLayerArn", "arn:aws:lambda:eu-west-1:1:layer:x", "not the ARN of a layer version"),
    ("tags", "owner=vision", "not a map of text to text"),
    ("tags", '["owner"]', "not a map of text to text"),
    ("tags", '{"owner": 7}', "a valid string"),
    ("tags", '{"aws:owner": "us"}', "'aws:owner' is not a tag key AWS accepts"),
    ("tags", '{"stack": "mine"}', "'stack' and 'Stack' are one key to IAM"),
    ("tags", '{"owner": "us", "Owner": "them"}', "'Owner' and 'owner' are one key to IAM"),
    ("tags", '{"": "us"}', "'' is not a tag key AWS accepts"),
    ("tags", '{"owner": "a;b"}', "'a;b' is not a tag value AWS accepts"),
    ("tags", json.dumps({"owner": "x" * 257}), "is not a tag value AWS accepts"),
    ("tags", json.dumps({f"tag{n}": "" for n in range(48)}), "48 tags; 47 fit"),
]


@pytest.mark.parametrize(("key", "value", "problem"), WRONG)
def test_a_wrong_value_is_told_what_is_allowed_with_an_example(key: str, value: Any, problem: str) -> None:
    message = complaint(**{key: value})

    assert f"  {key}: {value!r}: " in message
    assert problem in message
    assert re.search(r"\n    Allowed: \S.*\.\n    Example: pulumi config set " + key + r" \S", message)


def test_every_setting_has_a_wrong_form_tested() -> None:
    assert {key for key, _, _ in WRONG} == {to_camel(name) for name in Settings.model_fields}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_means_and_its_example_is_accepted(name: str) -> None:
    field = Settings.model_fields[name]

    assert field.description
    assert is_accepted(**{to_camel(name): (field.examples or [""])[0]})


def test_a_missing_project_is_named() -> None:
    with pytest.raises(
        SettingsError, match=r"projectArn: it is required, and not set\.\n.*\n.*set projectArn arn:aws:"
    ):
        parse({})


def test_the_arn_of_a_version_is_told_what_to_set_instead() -> None:
    assert "set modelVersion to 'surfaces.2026-11-01T09.00.00', and projectArn to" in complaint(projectArn=VERSION_ARN)


def test_all_wrong_settings_are_named_at_once() -> None:
    message = complaint(schedule="hourly", minConfidence="110", finalBucketName="Out", scheduel="rate(1 day)")

    assert re.findall(r"^  (\w+):", message, re.MULTILINE) == [
        "schedule",
        "minConfidence",
        "finalBucketName",
        "scheduel",
    ]


def test_a_misspelt_setting_is_told_its_name() -> None:
    assert "minConfidance: there is no such setting. Did you mean minConfidence?" in complaint(minConfidance="70")


def test_an_unknown_setting_is_told_all_there_are() -> None:
    assert "The settings are: projectArn, modelVersion, trigger, schedule" in complaint(colour="red")


def test_a_new_and_an_existing_source_bucket_exclude_each_other() -> None:
    message = complaint(sourceBucketName="acme-new", existingSourceBucketName="acme-old")

    assert "existingSourceBucketName: 'acme-old': sourceBucketName is set too" in message


def test_two_buckets_cannot_have_one_name() -> None:
    message = complaint(sourceBucketName="acme", finalBucketName="acme")

    assert "finalBucketName: 'acme': sourceBucketName names the same bucket" in message


# Whatever is given, AWS takes what is accepted, and the only error is the one for users


def cron_field(low: int, high: int, *special: str) -> st.SearchStrategy[str]:
    """Mostly what the field may say, sometimes a little beside it."""
    inside = st.integers(low, high).map(str)
    span = st.lists(st.integers(low, high), min_size=2, max_size=2).map(sorted).map("{0[0]}-{0[1]}".format)
    step = st.tuples(st.one_of(inside, st.just("*")), st.integers(1, 9).map(str)).map("/".join)
    beside = st.sampled_from([str(low - 1), str(high + 1), f"{high}-{low}", "*/0", "*,1", "1,", "\u0663", *special])
    return st.one_of(st.just("*"), inside, span, step, st.lists(inside, min_size=2, max_size=3).map(",".join), beside)


_DAY_OF_MONTH = cron_field(1, 31, "L", "1W", "32W", "?")
_DAY_OF_WEEK = cron_field(1, 7, "L", "7L", "8L", "3#2", "3#6", "MON-FRI", "FRI-MON", "?")
_CRON = st.tuples(
    cron_field(0, 59),
    cron_field(0, 23),
    st.one_of(
        st.tuples(_DAY_OF_MONTH, cron_field(1, 12, "JAN", "JAN-MAR", "DEC-FEB"), st.just("?")).map(" ".join),
        st.tuples(st.just("?"), st.just("*"), _DAY_OF_WEEK).map(" ".join),
    ),
    cron_field(1970, 2199),
).map(lambda fields: f"cron({' '.join(fields)})")


@given(_CRON)
@example("cron(0 6 ? * SUN-SAT *)")
def test_an_accepted_cron_expression_fires_by_the_emulators_parser(expression: str) -> None:
    accepted = is_accepted(schedule=expression)
    event("accepted" if accepted else "refused")
    if not accepted:
        return
    fields = _parse_cron_fields(expression)
    assert fields is not None
    minutes, hours, _, months, _, years, _, _ = fields
    assert minutes
    assert minutes <= set(range(60))
    assert hours
    assert hours <= set(range(24))
    assert months
    assert months <= set(range(1, 13))
    assert years is None or (years and years <= set(range(1970, 2200)))


@given(st.from_regex(r"rate\([0-9]{1,3} (minute|hour|day)s?\)", fullmatch=True))
@example("rate(1 hour)")
def test_an_accepted_rate_is_at_most_a_week_and_has_a_unit_that_agrees_with_its_number(expression: str) -> None:
    number = int(expression[len("rate(") :].split(" ")[0])
    plural = expression.endswith("s)")
    leading_zero = expression.startswith("rate(0")

    well_formed = number > 0 and plural == (number > 1) and not leading_zero
    assert is_accepted(schedule=expression) == (well_formed and _parse_rate_seconds(expression) <= 7 * 24 * 60 * 60)


@given(
    st.one_of(
        st.text(alphabet="ab-.09", min_size=1, max_size=66),
        st.from_regex(r"(xn--|sthree-|[a-z0-9])[a-z0-9.-]{1,50}(-s3alias|--ol-s3|\.mrap|[a-z0-9])", fullmatch=True),
        st.ip_addresses(v=4).map(str),
    )
)
def test_a_bucket_name_is_accepted_exactly_by_the_rules_of_s3(name: str) -> None:
    lawful = (
        3 <= len(name) <= 63
        and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
        and name[0] not in ".-"
        and name[-1] not in ".-"
        and ".." not in name
        and not (name.count(".") == 3 and all(part.isdigit() for part in name.split(".")))
        and not name.startswith(("xn--", "sthree-", "amzn-s3-demo-"))
        and not name.endswith(("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"))
    )

    assert is_accepted(finalBucketName=name) == lawful


_ARN_PART = st.one_of(st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True), st.text(max_size=5))


@given(_ARN_PART, st.one_of(st.just("123456789012"), _ARN_PART), st.one_of(st.just("surfaces"), st.text(max_size=5)))
def test_an_accepted_project_arn_names_a_region_an_account_and_a_project(region: str, account: str, name: str) -> None:
    arn = f"arn:aws:rekognition:{region}:{account}:project/{name}/1700000000000"
    if not is_accepted(projectArn=arn):
        return
    assert re.fullmatch(r"[a-z0-9-]+", region)
    assert re.fullmatch(r"\d{12}", account, re.ASCII)
    assert re.fullmatch(r"[a-zA-Z0-9_.\-]{1,255}", name, re.ASCII)


@given(
    st.sampled_from(
        ["schedule", "finalBucketName", "projectArn", "modelVersion", "scheduleTimezone", "labelsOfInterest"]
    ),
    st.text(),
)
def test_no_text_leads_to_any_other_error(key: str, text: str) -> None:
    is_accepted(**{key: text})


# In the program


def refusal(config: Mapping[str, Any]) -> str:
    with pytest.raises(SandboxError) as error:
        record_program(ROOT, config={"projectArn": PROJECT_ARN, **config}, region="eu-west-1")
    return str(error.value)


def test_a_wrong_setting_ends_the_program_before_any_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    monkeypatch.setattr(
        "sandbox.deployer.preview.PreviewCreator.create", lambda _, resource: registered.append(resource)
    )

    assert "minConfidence: '110'" in refusal({"minConfidence": 110, "trigger": "hourly"})
    assert registered == []


def test_settings_of_other_namespaces_are_not_ours() -> None:
    config = {"projectArn": PROJECT_ARN, "aws:region": "eu-west-1", "pulumi:tags": {}}

    assert record_program(ROOT, config=config, region="eu-west-1").resources


def test_a_setting_of_ours_that_does_not_exist_ends_the_program() -> None:
    assert "scheduel: there is no such setting. Did you mean schedule" in refusal({"scheduel": "rate(1 day)"})


def test_lists_and_maps_of_the_stack_file_arrive() -> None:
    recorded = record_program(
        ROOT,
        config={"projectArn": PROJECT_ARN, "labelsOfInterest": {"crack": 55}, "tags": {"owner": "vision"}},
        region="eu-west-1",
    )

    function = recorded.named("batch-analyze-image", "aws:lambda/function:Function")
    assert function.inputs["environment"]["variables"]["LABEL_THRESHOLDS"] == '{"crack": 55.0}'
    assert function.inputs["tags"]["owner"] == "vision"


# Pulumi.dev.yaml, which shows every setting; tests/unit/test_stacks.py has the other examples


def example_stack(*, uncommented: bool) -> dict[str, Any]:
    """The example's settings, as Pulumi passes them."""
    text = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    if uncommented:
        # An example is a commented setting, or a line of one below it; the rest of the comments is prose.
        text = re.sub(r"^  # (custom-labels-batch:|  )", r"  \1", text, flags=re.MULTILINE)
    config = yaml.safe_load(text)["config"]
    return {key.removeprefix("custom-labels-batch:"): as_text(value) for key, value in config.items()}


def test_the_example_stack_is_of_the_sandboxs_project() -> None:
    assert parse(example_stack(uncommented=False)).project_arn.endswith(":project/surfaces/1793491200000")


def test_the_example_stack_shows_every_setting() -> None:
    assert set(example_stack(uncommented=True)) == {to_camel(name) for name in Settings.model_fields}


@pytest.mark.parametrize("without", ["sourceBucketName", "existingSourceBucketName"])
def test_every_example_of_the_stack_is_accepted(without: str) -> None:
    """The two ways to name a source bucket exclude each other."""
    examples = example_stack(uncommented=True)
    del examples[without]

    chosen = parse(examples)

    assert chosen.model_version == "1.10"
    assert chosen.labels_of_interest == {"crack": 55.0, "scratch": 80.0}
    assert chosen.tags == {"owner": "vision-team"}


def test_the_example_stack_says_that_versions_like_numbers_are_quoted() -> None:
    text = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")

    assert re.search(r"# Quote .*1\.10 .*\n  # custom-labels-batch:modelVersion: \"1\.10\"", text)


class TestTheAgeThatAnImageMayReach:
    def test_must_span_two_pauses_of_the_schedule_where_images_wait_for_more(self) -> None:
        with pytest.raises(SettingsError) as refused:
            parsed(schedule="rate(4 hours)", minBatchSize="50", maxQueueAgeMinutes="479")

        told = str(refused.value)
        assert "maxQueueAgeMinutes: '479'" in told
        assert "up to 240 minutes pass between two ticks of rate(4 hours)" in told
        assert "raise maxQueueAgeMinutes to 480 or more, or look more often" in told

    def test_that_is_too_short_by_default_is_told_too(self) -> None:
        with pytest.raises(SettingsError) as error:
            parsed(schedule="rate(1 day)", minBatchSize="50")

        assert "maxQueueAgeMinutes: 1440, its default: up to 1440 minutes pass" in str(error.value)

    def test_counts_the_longest_pause_of_a_cron_schedule(self) -> None:
        weekdays = {"schedule": "cron(0 6 ? * MON-FRI *)", "minBatchSize": "50"}

        assert parsed(**weekdays, maxQueueAgeMinutes="8640").max_queue_age_minutes == 2 * 3 * 24 * 60
        with pytest.raises(SettingsError, match="up to 4320 minutes"):
            parsed(**weekdays, maxQueueAgeMinutes="8639")

    def test_cannot_be_raised_far_enough_for_the_rarest_schedules(self) -> None:
        with pytest.raises(SettingsError) as refused:
            parsed(schedule="rate(7 days)", minBatchSize="50", maxQueueAgeMinutes="10080")

        assert "to have an effect, look more often." in str(refused.value)

    def test_is_of_no_concern_where_every_upload_is_labelled_at_once(self) -> None:
        assert parsed(trigger="upload", schedule="rate(7 days)", minBatchSize="50").min_batch_size == 50

    def test_is_of_no_concern_where_no_image_waits_for_more(self) -> None:
        assert parsed(schedule="rate(7 days)").max_queue_age_minutes == 1440

    def test_has_a_default_that_is_checked_too(self) -> None:
        with pytest.raises(SettingsError, match="maxQueueAgeMinutes"):
            parsed(schedule="rate(1 day)", minBatchSize="2")
