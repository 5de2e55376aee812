"""The stack's configuration: read, typed and checked before any resource exists."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic.functional_validators import AfterValidator

LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The retention periods CloudWatch Logs has (PutRetentionPolicy, API reference)."""

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

MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
LONGEST_RATE_MINUTES = 7 * 24 * 60
RATE = re.compile(r"rate\((1 (minute|hour|day)|(?!1 )[1-9][0-9]{0,4} (minutes|hours|days))\)")
CRON = re.compile(r"cron\(([^ ]+(?: [^ ]+){5})\)")

# "Tag naming limits and requirements" of the Tagging AWS resources guide: 50 in all.
TAG_TEXT = re.compile(r"[\w .:/=+@-]*")
OWN_TAGS = ("Project", "Stack", "Component")
MAX_TAGS = 50 - len(OWN_TAGS)

MAX_THRESHOLDS_BYTES = 3000
"""As JSON in the function's environment, which may have 4 KB in all (Lambda quotas)."""


@dataclass(frozen=True)
class CronField:
    """One field of a cron expression (EventBridge Scheduler User Guide, "Cron-based schedules").

    `special` is what only this field may say, as a regular expression of the whole field.
    """

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    steps: bool = True
    special: str = r"\*"

    def accepts(self, text: str) -> bool:
        return bool(re.fullmatch(self.special, text)) or all(self._accepts_part(part) for part in text.split(","))

    def _accepts_part(self, part: str) -> bool:
        start, slash, step = part.partition("/")
        if slash:
            right_step = self.steps and _number(step) is not None and 1 <= int(step) <= self.high
            return right_step and (start == "*" or self._value(start) is not None)
        first, dash, last = part.partition("-")
        low, high = self._value(first), self._value(last if dash else first)
        return low is not None and high is not None and low <= high

    def _value(self, text: str) -> int | None:
        if text in self.names:
            return self.low + self.names.index(text)
        number = _number(text)
        return number if number is not None and self.low <= number <= self.high else None


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else None


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
CRON_FIELDS = (
    CronField("minutes", 0, 59),
    CronField("hours", 0, 23),
    CronField("day-of-month", 1, 31, special=r"\*|\?|L|([1-9]|[12][0-9]|3[01])W"),
    CronField("month", 1, 12, _MONTHS),
    CronField("day-of-week", 1, 7, _DAYS, steps=False, special=r"\*|\?|L|[1-7]L|[1-7]#[1-5]"),
    CronField("year", 1970, 2199),
)


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


def _schedule(value: str) -> str:
    if rate := RATE.fullmatch(value):
        number, unit = rate[1].split(" ")
        if int(number) * MINUTES[unit.rstrip("s")] > LONGEST_RATE_MINUTES:
            raise ValueError("the image queue keeps a message for 10 days, so look at it every 7 days at least")
        return value
    cron = CRON.fullmatch(value)
    if not cron:
        raise ValueError("neither a rate(...) nor a cron(...) expression of EventBridge Scheduler")
    texts = cron[1].split(" ")
    for field, text in zip(CRON_FIELDS, texts, strict=True):
        if not field.accepts(text):
            raise ValueError(f"{text!r} is no value of the field {field.name}")
    if (texts[2] == "?") == (texts[4] == "?"):
        raise ValueError("exactly one of day-of-month and day-of-week must be '?'")
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
        value = dict.fromkeys((name for name in names if name), info.data.get("min_confidence", 70.0))
    if not isinstance(value, dict):
        raise ValueError("neither a list of labels nor a map from label to threshold")
    for name, threshold in value.items():
        if not name.strip():
            raise ValueError("a label of the map is empty")
        if not _is_confidence(threshold):
            raise ValueError(f"the threshold of {name!r} is {threshold!r}, not a number from 0 to 100")
    labels = {name: float(threshold) for name, threshold in value.items()}
    own = {name: threshold for name, threshold in labels.items() if threshold != info.data.get("min_confidence", 70.0)}
    if (size := len(json.dumps(own, ensure_ascii=False).encode())) > MAX_THRESHOLDS_BYTES:
        raise ValueError(f"thresholds that differ from minConfidence take {size} bytes; {MAX_THRESHOLDS_BYTES} fit")
    return labels


def _structure(text: str) -> Any:
    """A list or map, which reaches a program as JSON text; None for any other text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_confidence(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100


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
    schedule: Annotated[str, AfterValidator(_schedule)] = _setting(
        "rate(1 hour)",
        "When to look for images",
        "rate(1 minute|hour|day), rate(N minutes|hours|days) or "
        "cron(minutes hours day-of-month month day-of-week year)",
        "cron(0 6 ? * MON-FRI *)",
    )
    schedule_timezone: Annotated[str, AfterValidator(_timezone)] = _setting(
        "UTC", "Time zone of a cron schedule", "a name of the IANA time zone database", "Europe/Berlin"
    )
    min_confidence: float = _setting(
        70.0, "Confidence from which a label counts, in percent", "a number from 0 to 100", "70", ge=0, le=100
    )
    labels_of_interest: Annotated[dict[str, float], BeforeValidator(_labels_of_interest)] = _setting(
        {},
        "Labels people want to hear about; in a map, each with a threshold of its own",
        "a list, comma-separated text, or a map from label to a threshold from 0 to 100",
        '{"crack": 55, "scratch": 80}',
        validate_default=False,
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
    max_inference_units: int = _setting(
        1, "Most inference units a run may start", "a whole number from 1 to 500", "4", ge=1, le=500
    )
    tps_per_inference_unit: float = _setting(
        5.0,
        "DetectCustomLabels calls a second that one inference unit sustains",
        "a number from 0.1 to 100",
        "5",
        ge=0.1,
        le=100,
    )
    target_drain_minutes: int = _setting(
        60,
        "Minutes in which a run should work off its backlog",
        "a whole number from 1 to 1440",
        "60",
        ge=1,
        le=1440,
    )
    max_run_minutes: int = _setting(
        1440,
        "Cost guard: minutes after which a run ends and leaves the rest to the next",
        "a whole number from 5 to 43200 (30 days)",
        "240",
        ge=5,
        le=43200,
    )
    log_retention_days: Annotated[int, AfterValidator(_log_retention_days)] = _setting(
        30, "Days that logs are kept", "one of " + ", ".join(map(str, LOG_RETENTION_DAYS)), "30"
    )
    noncurrent_version_retention_days: int = _setting(
        30,
        "Days that replaced and deleted objects are kept",
        "a whole number from 1 to 3650",
        "30",
        ge=1,
        le=3650,
    )
    run_retention_days: int = _setting(
        400, "Days that the record of a run is kept", "a whole number from 1 to 3650", "400", ge=1, le=3650
    )
    force_destroy: bool = _setting(
        False, "Whether pulumi destroy also deletes buckets that hold objects", "true or false", "false"
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
    def label_thresholds(self) -> dict[str, float]:
        """Labels whose threshold is not `min_confidence`."""
        return {k: v for k, v in self.labels_of_interest.items() if v != self.min_confidence}


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
        problems = [_explain(str(problem["loc"][0]), problem["msg"], values) for problem in error.errors()]
        raise SettingsError("The stack's configuration is wrong.\n" + "\n".join(dict.fromkeys(problems))) from None


def _explain(key: str, problem: str, values: Mapping[str, Any]) -> str:
    fields = {to_camel(name): field for name, field in Settings.model_fields.items()}
    if key not in fields:
        near = get_close_matches(key, fields, n=1)
        hint = f" Did you mean {near[0]}?" if near else f" The settings are: {', '.join(fields)}."
        return f"  {key}: there is no such setting.{hint}"
    extra = fields[key].json_schema_extra
    allowed = extra["allowed"] if isinstance(extra, dict) else ""
    given = f"{values[key]!r}: {_plain(problem)}" if key in values else "it is required, and not set"
    return f"  {key}: {given}.\n    Allowed: {allowed}.\n    Example: pulumi config set {_example(key, fields[key])}"


def _plain(problem: str) -> str:
    text = problem.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _example(key: str, field: FieldInfo) -> str:
    example = str((field.examples or [""])[0])
    structured = example.startswith("{")
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
