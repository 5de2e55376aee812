"""The stack's configuration: read, typed and checked before any resource exists."""

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import BaseModel, BeforeValidator, ConfigDict, EmailStr, Field, ValidationError, ValidationInfo
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic.functional_validators import AfterValidator

from custom_labels_batch.components.quicksight_principal import checked_principal_arn
from custom_labels_batch.components.subscriptions import Subscription, distinct
from custom_labels_batch.rules import limits
from custom_labels_batch.rules.limits import LOG_RETENTION_DAYS, Number, Range
from custom_labels_batch.rules.schedule_expression import (
    DEFAULT_SCHEDULE,
    DEFAULT_TIMEZONE,
    checked_pause,
    checked_schedule,
)

_NAME = r"[a-zA-Z0-9_.-]{1,255}"
PROJECT_ARN = re.compile(rf"(?P<project>arn:aws[a-z-]*:rekognition:[a-z0-9-]+:[0-9]{{12}}:project/{_NAME})/[0-9]+")
PROJECT_VERSION_ARN = re.compile(
    rf"(?P<project>arn:aws[a-z-]*:rekognition:[a-z0-9-]+:[0-9]{{12}}:project/{_NAME})/version/(?P<version>{_NAME})/[0-9]+"
)
VERSION_NAME = re.compile(_NAME)
LAYER_VERSION_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[a-zA-Z0-9_-]{1,140}:[0-9]+")

# Amazon S3 User Guide, "General purpose bucket naming rules".
BUCKET_NAME = re.compile(r"(?!.*\.\.)(?![0-9]+(?:\.[0-9]+){3}\Z)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
RESERVED_BUCKET_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
RESERVED_BUCKET_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")

# "Tag naming limits and requirements" of the Tagging AWS resources guide: 50 in all.
TAG_TEXT = re.compile(r"[\w .:/=+@-]*")
OWN_TAGS = ("Project", "Stack", "Component")
MAX_TAGS = 50 - len(OWN_TAGS)

MAX_LABELS_BYTES = 2900
"""As JSON within the JSON of a function's environment, which may have 4 KB in all (Lambda quotas)."""


class SettingsError(ValueError):
    """The configuration is wrong; the message names every wrong key."""


def _project_arn(value: str) -> str:
    if version := PROJECT_VERSION_ARN.fullmatch(value):
        raise ValueError(
            f"this is the ARN of a project version; set modelVersion to '{version['version']}', and projectArn to the "
            "ARN of the project itself, which ends in a timestamp of its own (aws rekognition describe-projects)"
        )
    if not PROJECT_ARN.fullmatch(value):
        raise ValueError("not the ARN of a Rekognition Custom Labels project")
    return value


def _model_version(value: str, info: ValidationInfo) -> str:
    arn = PROJECT_VERSION_ARN.fullmatch(value)
    if not arn and not VERSION_NAME.fullmatch(value):
        raise ValueError("neither the name nor the ARN of a project version")
    project = PROJECT_ARN.fullmatch(info.data.get("project_arn", ""))
    if arn and project and arn["project"] != project["project"]:
        raise ValueError(f"a version of {arn['project']}, but projectArn is of {project['project']}")
    return value


def _bucket_name(value: str, info: ValidationInfo) -> str:
    if not BUCKET_NAME.fullmatch(value):
        raise ValueError("not a bucket name S3 accepts")
    if value.startswith(RESERVED_BUCKET_PREFIXES) or value.endswith(RESERVED_BUCKET_SUFFIXES):
        raise ValueError("it begins or ends with what S3 keeps for itself")
    for other in (name for name, taken in info.data.items() if name.endswith("bucket_name") and taken == value):
        raise ValueError(f"{to_camel(other)} names the same bucket; each needs one of its own")
    return value


def _existing_bucket_name(value: str, info: ValidationInfo) -> str:
    if info.data.get("source_bucket_name"):
        raise ValueError(
            "sourceBucketName is set too; set one of them: that one names a new bucket, this one takes one that exists"
        )
    return _bucket_name(value, info)


def _force_destroy(value: bool, info: ValidationInfo) -> bool:
    kept = info.data.get("data_buckets")
    if value and kept in ("retain", "protect"):
        raise ValueError(
            f"it deletes buckets with what they hold, and dataBuckets is {kept}, which keeps them; leave one of them "
            "out"
        )
    return value


def _timezone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("not a time zone of the IANA database")
    return value


def _labels_of_interest(value: Any, info: ValidationInfo) -> dict[str, float]:
    """A list, comma-separated text or a map of thresholds, as label -> threshold."""
    if isinstance(value, str):
        value = _structure(value) if value.lstrip()[:1] in ("[", "{") else value.split(",")
    if isinstance(value, list):
        if wrong := [name for name in value if not isinstance(name, str)]:
            raise ValueError(f"{wrong[0]!r} in the list is not text; quote a label that looks like a number")
        names = [name.strip() for name in value]
        value = dict.fromkeys(
            (name for name in names if name), info.data.get("min_confidence", limits.MIN_CONFIDENCE.default)
        )
    if not isinstance(value, dict):
        raise ValueError("neither a list of labels nor a map from label to threshold")
    for name, threshold in value.items():
        if not name.strip():
            raise ValueError("a label of the map is empty")
        if not _is_confidence(threshold):
            raise ValueError(f"the threshold of {name!r} is {threshold!r}, not a number from 0 to 100")
    labels = {name: float(threshold) for name, threshold in value.items()}
    text = json.dumps(labels, ensure_ascii=False)
    if (size := len(json.dumps(text, ensure_ascii=False).encode())) > MAX_LABELS_BYTES:
        raise ValueError(f"labels and thresholds take {size} bytes in a function's environment; {MAX_LABELS_BYTES} fit")
    return labels


def _structure(text: str) -> Any:
    """A list or map, which reaches a program as JSON text; None for any other text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_confidence(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100


def _list(value: Any) -> Any:
    """A list, which reaches a program as JSON text, or as text with commas."""
    if not isinstance(value, str):
        return value
    parsed = _structure(value)
    return parsed if isinstance(parsed, list) else [item.strip() for item in value.split(",") if item.strip()]


def _max_queue_age_minutes(value: int, info: ValidationInfo) -> int:
    schedule, timezone = info.data.get("schedule"), info.data.get("schedule_timezone")
    if schedule and timezone and info.data.get("min_batch_size", 1) > 1 and info.data.get("trigger") != "upload":
        checked_pause(schedule, timezone, value)
    return value


def _subscriptions(value: Any) -> Any:
    parsed = _structure(value) if isinstance(value, str) else value
    if not isinstance(parsed, list):
        raise ValueError("not a list of maps with protocol and endpoint")
    return parsed


def _distinct_emails(emails: list[str]) -> list[str]:
    distinct(Subscription(protocol="email", endpoint=email) for email in emails)
    return emails


def _distinct_subscriptions(subscriptions: list[Subscription], info: ValidationInfo) -> list[Subscription]:
    emails = info.data.get("notification_emails", [])
    return distinct([*(Subscription(protocol="email", endpoint=email) for email in emails), *subscriptions])[
        len(emails) :
    ]


def _log_retention_days(value: int) -> int:
    if value not in LOG_RETENTION_DAYS:
        raise ValueError("not a retention period of CloudWatch Logs")
    return value


def _layer_arn(value: str) -> str:
    if not LAYER_VERSION_ARN.fullmatch(value):
        raise ValueError("not the ARN of a layer version")
    return value


def _tags(value: Any) -> Any:
    parsed = _structure(value) if isinstance(value, str) else value
    if not isinstance(parsed, dict):
        raise ValueError("not a map of text to text")
    return parsed


def _allowed_tags(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > MAX_TAGS:
        raise ValueError(f"{len(tags)} tags; {MAX_TAGS} fit beside those of the program")
    keys = {own.lower(): own for own in OWN_TAGS}
    for key, value in tags.items():
        if keys.setdefault(key.lower(), key) != key:
            raise ValueError(f"{key!r} and {keys[key.lower()]!r} are one key to IAM, which does not tell case apart")
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:") or not TAG_TEXT.fullmatch(key):
            raise ValueError(f"{key!r} is not a tag key AWS accepts")
        if len(value) > 256 or not TAG_TEXT.fullmatch(value):
            raise ValueError(f"{value!r} is not a tag value AWS accepts")
    return tags


def _setting(default: Any, meaning: str, allowed: str, example: str, **bounds: Any) -> Any:
    """A setting with what its documentation and its error message are made of."""
    return Field(default, description=meaning, examples=[example], json_schema_extra={"allowed": allowed}, **bounds)


def _number(within: Range[Number], meaning: str, example: str, **more: Any) -> Any:
    """A setting that is a number, with the default, range and words of `within` where `more` has no others."""
    field = {"default": within.default, "allowed": str(within), "ge": within.least, "le": within.most, **more}
    return _setting(meaning=meaning, example=example, **field)


BucketName = Annotated[str, AfterValidator(_bucket_name)]
_BUCKET = "3 to 63 lower-case letters, digits, dots and hyphens"


class Settings(BaseModel):
    """Everything a stack can be told, with its defaults.

    Keys in the stack's configuration are the camelCase forms of these names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, allow_inf_nan=False)

    project_arn: Annotated[str, AfterValidator(_project_arn)] = _setting(
        ...,
        "Rekognition Custom Labels project, of the stack's region and account, whose model labels the images",
        "arn:aws:rekognition:REGION:ACCOUNT:project/NAME/TIMESTAMP",
        "arn:aws:rekognition:eu-west-1:123456789012:project/surfaces/1700000000000",
    )
    model_version: Annotated[str, AfterValidator(_model_version)] | None = _setting(
        None,
        "Project version to run; without it, the newest one that can run",
        "a version's name or its ARN",
        "surfaces.2026-11-01T09.00.00",
    )
    trigger: Literal["schedule", "upload"] = _setting(
        "schedule",
        "What labels images: a scheduled workflow that starts and stops the model, or every upload at once, on a "
        "model that you keep running",
        "schedule or upload",
        "schedule",
    )
    schedule: Annotated[str, AfterValidator(checked_schedule)] = _setting(
        DEFAULT_SCHEDULE,
        "When to look for images",
        "rate(1 minute|hour|day), rate(N minutes|hours|days) or "
        "cron(minutes hours day-of-month month day-of-week year)",
        "cron(0 6 ? * MON-FRI *)",
    )
    schedule_timezone: Annotated[str, AfterValidator(_timezone)] = _setting(
        DEFAULT_TIMEZONE, "Time zone of a cron schedule", "a name of the IANA time zone database", "Europe/Berlin"
    )
    min_confidence: float = _number(limits.MIN_CONFIDENCE, "Confidence from which a label counts, in percent", "70")
    labels_of_interest: Annotated[dict[str, float], BeforeValidator(_labels_of_interest)] = _setting(
        {},
        "Labels people want to hear about; in a map, each from a confidence of its own, from which it counts too where "
        "that is lower than minConfidence",
        "a list, comma-separated text, or a map from label to a threshold from 0 to 100",
        '{"crack": 55, "scratch": 80}',
        validate_default=False,
    )
    notification_emails: Annotated[list[EmailStr], BeforeValidator(_list), AfterValidator(_distinct_emails)] = _setting(
        [],
        "E-mail addresses that hear about labels of interest; each confirms once, by a link AWS sends it",
        "a list of e-mail addresses, or text with commas",
        "quality@example.com",
    )
    notification_subscriptions: Annotated[
        list[Subscription], BeforeValidator(_subscriptions), AfterValidator(_distinct_subscriptions)
    ] = _setting(
        [],
        "Other endpoints that hear about them, each with an SNS filter policy if it wants only some",
        "a list of maps with protocol (email, email-json, http, https, sms, sqs, lambda, application or firehose), "
        "endpoint, and optionally filterPolicy and subscriptionRoleArn (firehose)",
        '[{"protocol": "sqs", "endpoint": "arn:aws:sqs:eu-west-1:123456789012:alerts", '
        '"filterPolicy": {"labels": ["crack"]}}]',
    )
    notification_mode: Literal["digest", "image"] = _setting(
        "digest", "One message a batch of images, or one an image", "digest or image", "digest"
    )
    notification_batching_window_seconds: int = _number(
        limits.NOTIFICATION_WINDOW_SECONDS, "Seconds a digest waits for more images", "300"
    )
    presigned_url_minutes: int = _number(
        limits.PRESIGNED_URL_MINUTES,
        "Minutes a notification's link shows its image to anybody who has the link; 0 for no link",
        "60",
        allowed=f"{limits.PRESIGNED_URL_MINUTES} (7 days)",
    )
    source_bucket_name: BucketName | None = _setting(
        None, "Physical name of the bucket images are uploaded to", _BUCKET, "acme-surfaces-in"
    )
    existing_source_bucket_name: Annotated[str, AfterValidator(_existing_bucket_name)] | None = _setting(
        None,
        "Bucket of the stack's region and account that exists already, to take images from instead of a new one; "
        "switch on its EventBridge notifications",
        _BUCKET,
        "acme-photographs",
    )
    final_bucket_name: BucketName | None = _setting(
        None, "Physical name of the bucket labelled images end in", _BUCKET, "acme-surfaces-out"
    )
    analytics_bucket_name: BucketName | None = _setting(
        None, "Physical name of the bucket prediction rows are kept in", _BUCKET, "acme-surfaces-rows"
    )
    image_prefix: str = _setting(
        "", "Only objects whose key begins with this", "up to 100 characters", "photographs/", max_length=100
    )
    max_inference_units: int = _number(limits.MAX_INFERENCE_UNITS, "Most inference units a run may start", "4")
    tps_per_inference_unit: float = _number(
        limits.TPS_PER_INFERENCE_UNIT, "DetectCustomLabels calls a second that one inference unit sustains", "5"
    )
    target_drain_minutes: int = _number(
        limits.TARGET_DRAIN_MINUTES, "Minutes in which a run should work off its backlog", "60"
    )
    min_batch_size: int = _number(
        limits.MIN_BATCH_SIZE,
        "Images that a run is started for; fewer wait for more, but not longer than maxQueueAgeMinutes",
        "200",
    )
    max_queue_age_minutes: Annotated[int, AfterValidator(_max_queue_age_minutes)] = _number(
        limits.MAX_QUEUE_AGE_MINUTES,
        "Most minutes an image waits for a run to start, where minBatchSize lets it wait",
        "360",
        allowed=f"{limits.MAX_QUEUE_AGE_MINUTES} (7 days), at least twice the schedule's longest pause",
        validate_default=True,
    )
    max_run_minutes: int = _number(
        limits.MAX_RUN_MINUTES,
        "Cost guard: minutes after which a run ends and leaves the rest to the next",
        "240",
        allowed=f"{limits.MAX_RUN_MINUTES} (30 days)",
    )
    log_retention_days: Annotated[int, AfterValidator(_log_retention_days)] = _setting(
        limits.DEFAULT_LOG_RETENTION_DAYS,
        "Days that logs are kept",
        "one of " + ", ".join(map(str, LOG_RETENTION_DAYS)),
        "30",
    )
    noncurrent_version_retention_days: int = _number(
        limits.RETENTION_DAYS, "Days that replaced and deleted objects are kept", "30"
    )
    run_retention_days: int = _number(limits.RUN_RETENTION_DAYS, "Days that the record of a run is kept", "400")
    prediction_retention_days: int | None = _number(
        limits.RETENTION_DAYS, "Days that prediction rows are kept; without it, for ever", "730", default=None
    )
    query_result_retention_days: int = _number(limits.RETENTION_DAYS, "Days that the results of queries are kept", "30")
    bytes_scanned_cutoff_per_query: int = _number(
        limits.BYTES_SCANNED_CUTOFF,
        "Bytes after which Athena ends a query: at 5 USD a terabyte, the default is 5 cents",
        "100000000000",
        allowed="a whole number from 10485760 (10 MiB) to 7000000000000000",
    )
    alarm_emails: Annotated[list[EmailStr], BeforeValidator(_list), AfterValidator(_distinct_emails)] = _setting(
        [],
        "E-mail addresses that hear of alarms and of their end; each confirms once, by a link AWS sends it. The alarms "
        "are there without any",
        "a list of e-mail addresses, or text with commas",
        "operations@example.com",
    )
    summary_emails: Annotated[list[EmailStr], BeforeValidator(_list), AfterValidator(_distinct_emails)] = _setting(
        [],
        "E-mail addresses that get a summary of each run: images, minutes billed, cost; each confirms once, by a link "
        "AWS sends it",
        "a list of e-mail addresses, or text with commas",
        "production@example.com",
    )
    inference_unit_hour_price: float = _number(
        limits.INFERENCE_UNIT_HOUR_PRICE,
        "USD that an inference unit costs an hour where you are, for summaries and the operations dashboard",
        "4",
    )
    quick_sight_principal_arn: Annotated[str, AfterValidator(checked_principal_arn)] | None = _setting(
        None,
        "QuickSight user or group that gets a finished dashboard; without it, nothing of QuickSight is created",
        "arn:aws:quicksight:REGION:ACCOUNT:user/NAMESPACE/NAME, or group/NAMESPACE/NAME",
        "arn:aws:quicksight:eu-west-1:123456789012:user/default/ana",
    )
    data_buckets: Literal["retain", "protect", "delete"] | None = _setting(
        None,
        "What becomes of the stack's buckets when they are to be deleted or replaced: retain leaves them, private as "
        "they are; protect refuses, until this is changed; delete deletes them if they are empty. Without it, retain, "
        "or delete where forceDestroy is true",
        "retain, protect or delete",
        "protect",
    )
    force_destroy: Annotated[bool, AfterValidator(_force_destroy)] = _setting(
        False,
        "Whether buckets are deleted with the objects they hold, for stacks whose data nobody needs",
        "true or false; true only where dataBuckets is delete, or not set",
        "false",
    )
    powertools_layer_arn: Annotated[str, AfterValidator(_layer_arn)] | None = _setting(
        None,
        "Powertools for AWS Lambda (Python) layer to use instead of AWS's public one; needed outside the commercial "
        "partition",
        "arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION",
        "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:layer:powertools:1",
    )
    tags: Annotated[dict[str, str], BeforeValidator(_tags), AfterValidator(_allowed_tags)] = _setting(
        {},
        "Tags for every resource that takes tags",
        f"a map of text to text: up to {MAX_TAGS} tags, keys of 1 to 128 characters that do not begin with aws:, "
        "values of up to 256, of letters, digits, spaces and _ . : / = + - @",
        '{"owner": "vision-team"}',
    )

    @property
    def model_version_name(self) -> str | None:
        """Name of the pinned version, also where its ARN was given."""
        arn = PROJECT_VERSION_ARN.fullmatch(self.model_version or "")
        return arn["version"] if arn else self.model_version

    @property
    def keeps_buckets(self) -> bool:
        """Whether the stack's buckets stay when it is destroyed, by `data_buckets` or its default."""
        return self.data_buckets != "delete" and not self.force_destroy

    @property
    def label_thresholds(self) -> dict[str, float]:
        """Labels that count from less than `min_confidence`, because somebody wants to hear about them from there.

        One that people want to hear about from more on counts from `min_confidence` all the same.
        """
        return {k: v for k, v in self.labels_of_interest.items() if v < self.min_confidence}


def parse(values: Mapping[str, Any]) -> Settings:
    """Check a stack's configuration.

    Parameters
    ----------
    values
        Setting -> value as Pulumi passes it: text, with lists and maps as JSON.

    Raises
    ------
    SettingsError
        Names every wrong setting: its value, what is wrong, what is allowed, an example.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = [_explain(problem["loc"], problem["msg"], values) for problem in error.errors()]
        raise SettingsError("The stack's configuration is wrong.\n" + "\n".join(dict.fromkeys(problems))) from None


def _explain(location: tuple[int | str, ...], problem: str, values: Mapping[str, Any]) -> str:
    name, *inside = map(str, location)
    # Of a default that does not fit the other settings, pydantic says the field's name.
    key = to_camel(name) if name in Settings.model_fields and name not in values else name
    fields = {to_camel(name): field for name, field in Settings.model_fields.items()}
    if key not in fields:
        near = get_close_matches(key, fields, n=1)
        hint = f" Did you mean {near[0]}?" if near else f" The settings are: {', '.join(fields)}."
        return f"  {key}: there is no such setting.{hint}"
    extra = fields[key].json_schema_extra
    allowed = extra["allowed"] if isinstance(extra, dict) else ""
    names = [f"entry {int(name) + 1}" if name.isdecimal() else name for name in inside]
    where = f"{', '.join(names)}: " if inside else ""
    if key in values:
        given = f"{values[key]!r}: {where}{_plain(problem)}"
    elif fields[key].is_required():
        given = "it is required, and not set"
    else:
        given = f"{fields[key].default!r}, its default: {where}{_plain(problem)}"
    return f"  {key}: {given}.\n    Allowed: {allowed}.\n    Example: pulumi config set {_example(key, fields[key])}"


def _plain(problem: str) -> str:
    text = problem.removeprefix("Value error, ").rstrip(".")
    return text[:1].lower() + text[1:]


def _example(key: str, field: FieldInfo) -> str:
    example = str((field.examples or [""])[0])
    structured = example[:1] in ("{", "[")
    return f"{key} '{example}'" if structured or " " in example else f"{key} {example}"


def load() -> Settings:
    """The settings of the stack this program runs for.

    Raises
    ------
    SettingsError
        As `parse` does.
    """
    namespace = f"{pulumi.get_project()}:"
    known = {**get_config_env(), **CONFIG.get()}
    # Config has no way to list its keys, and a misspelt one would be silently without effect.
    return parse({key.removeprefix(namespace): value for key, value in known.items() if key.startswith(namespace)})
