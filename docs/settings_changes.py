"""What a changed setting changes of a live stack, for docs/stacks.md: `python -m docs.settings_changes` prints the table.

The program is recorded with each setting at two values, and the two graphs compared as Pulumi's engine compares them.
Which property makes another resource is what sandbox/deployer knows of the provider (`replaced_by`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.deployer import services  # noqa: F401 (registers what replaces each type)
from sandbox.deployer.changes import changed_properties, comparable
from sandbox.deployer.model import Registration
from sandbox.deployer.preview import PreviewCreator, stable_suffix
from sandbox.deployer.project import as_text
from sandbox.deployer.registry import replacing
from sandbox.pulumi_runtime import Result, run_program
from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT, REGION, PROJECT, STACK = "123456789012", "us-east-1", "custom-labels-batch", "prod"
PROJECT_ARN = f"arn:aws:rekognition:{REGION}:{ACCOUNT}:project/surfaces/1793491200000"
_PRINCIPAL = f"arn:aws:quicksight:{REGION}:{ACCOUNT}:user/default/"
_LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:powertools:"

Values = Mapping[str, Any]

CHANGES: dict[str, tuple[Any, Any]] = {
    "projectArn": (PROJECT_ARN, PROJECT_ARN.replace("surfaces", "roofs")),
    "modelVersion": ("v1", "v2"),
    "trigger": ("schedule", "upload"),
    "schedule": ("rate(1 hour)", "rate(2 hours)"),
    "scheduleTimezone": ("UTC", "Europe/Berlin"),
    "minConfidence": (70, 80),
    "labelsOfInterest": ({"crack": 55}, {"crack": 60}),
    "notificationEmails": (["a@example.com"], ["b@example.com"]),
    "notificationSubscriptions": (
        [{"protocol": "sqs", "endpoint": f"arn:aws:sqs:{REGION}:{ACCOUNT}:a"}],
        [{"protocol": "sqs", "endpoint": f"arn:aws:sqs:{REGION}:{ACCOUNT}:b"}],
    ),
    "notificationMode": ("digest", "image"),
    "notificationBatchingWindowSeconds": (60, 120),
    "presignedUrlMinutes": (60, 120),
    "sourceBucketName": ("acme-in", "acme-in-2"),
    "existingSourceBucketName": (None, "acme-photographs"),
    "finalBucketName": ("acme-out", "acme-out-2"),
    "analyticsBucketName": ("acme-rows", "acme-rows-2"),
    "imagePrefix": ("line-1/", "line-2/"),
    "maxInferenceUnits": (1, 2),
    "tpsPerInferenceUnit": (5, 0.5),
    "targetDrainMinutes": (60, 30),
    "minBatchSize": (20, 30),
    "maxQueueAgeMinutes": (1440, 1000),
    "maxRunMinutes": (240, 300),
    "logRetentionDays": (30, 60),
    "noncurrentVersionRetentionDays": (30, 60),
    "runRetentionDays": (400, 500),
    "predictionRetentionDays": (None, 730),
    "queryResultRetentionDays": (30, 60),
    "bytesScannedCutoffPerQuery": (10_000_000_000, 20_000_000_000),
    "alarmEmails": (["a@example.com"], ["b@example.com"]),
    "summaryEmails": (["a@example.com"], ["b@example.com"]),
    "inferenceUnitHourPrice": (4, 5),
    "quickSightPrincipalArn": (f"{_PRINCIPAL}ana", f"{_PRINCIPAL}ben"),
    "dataBuckets": ("delete", "protect"),
    "forceDestroy": (False, True),
    "powertoolsLayerArn": (f"{_LAYER}1", f"{_LAYER}2"),
    "tags": ({"owner": "us"}, {"owner": "them"}),
}
"""Setting -> two values; None is to leave it out."""

BESIDE: dict[str, Values] = {
    "minBatchSize": {"maxQueueAgeMinutes": 1440},
    "maxQueueAgeMinutes": {"minBatchSize": 20},
    "tags": {"quickSightPrincipalArn": f"{_PRINCIPAL}ana"},
    "forceDestroy": {"dataBuckets": "delete"},
}
"""Setting -> others that it has no effect without."""


@dataclass(frozen=True)
class Effect:
    """What a change does, by resources that are there before or after."""

    updated: list[Registration]
    replaced: list[Registration]
    added: list[Registration]
    removed: list[Registration]
    options_changed: list[Registration]


@cache
def effect_of(setting: str) -> Effect:
    """Compare the stack with a setting at its two values."""
    before, after = ({setting: value} if value is not None else {} for value in CHANGES[setting])
    beside = BESIDE.get(setting, {})
    return compare({**beside, **before}, {**beside, **after})


def compare(before: Values, after: Values) -> Effect:
    """Compare the stack with two configurations; what refers to a replaced resource changes too."""
    old = {resource.urn: resource for resource in _record(before).resources if resource.custom}
    replaced: frozenset[str] = frozenset()
    while True:
        new = {resource.urn: resource for resource in _record(after, replaced).resources if resource.custom}
        changed = {urn: _changed(old[urn], new[urn]) for urn in old.keys() & new.keys()}
        found = frozenset(
            urn
            for urn, names in changed.items()
            if replacing(new[urn].type, names) or names & set(new[urn].options.replace_on_changes)
        )
        if found <= replaced:
            break
        replaced |= found
    return Effect(
        updated=[new[urn] for urn in new if changed.get(urn) and urn not in replaced],
        replaced=[new[urn] for urn in new if urn in replaced],
        added=[new[urn] for urn in new if urn not in old],
        removed=[old[urn] for urn in old if urn not in new],
        options_changed=[new[urn] for urn in new if urn in old and _kept(new[urn]) != _kept(old[urn])],
    )


def _changed(old: Registration, new: Registration) -> frozenset[str]:
    names = changed_properties(comparable(old.properties), new.properties)
    return names - set(new.options.ignore_changes)


def _kept(resource: Registration) -> tuple[bool, bool]:
    return resource.options.protect, resource.options.retain_on_delete


def _record(values: Values, replaced: frozenset[str] = frozenset()) -> Result:
    def suffix(urn: str) -> str:
        return stable_suffix(f"{urn} again" if urn in replaced else urn)

    config = {"projectArn": PROJECT_ARN, **values}
    texts = {f"{PROJECT}:{name}": as_text(value) for name, value in config.items()}
    creator = PreviewCreator(ACCOUNT, REGION, texts, suffix)
    return run_program(ROOT, project=PROJECT, stack=STACK, config=texts, creator=creator)


WORDS = {
    "aws:athena/workgroup:Workgroup": "workgroup",
    "aws:cloudcontrol/resource:Resource": "QuickSight dashboard",
    "aws:cloudwatch/dashboard:Dashboard": "operations dashboard",
    "aws:cloudwatch/eventRule:EventRule": "rule",
    "aws:cloudwatch/logGroup:LogGroup": "log group",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "alarm",
    "aws:dynamodb/table:Table": "table",
    "aws:glue/catalogTable:CatalogTable": "Glue table",
    "aws:iam/rolePolicy:RolePolicy": "rights of",
    "aws:lambda/eventSourceMapping:EventSourceMapping": "mapping of",
    "aws:lambda/function:Function": "function",
    "aws:quicksight/dataSet:DataSet": "QuickSight data set",
    "aws:quicksight/dataSource:DataSource": "QuickSight data source",
    "aws:quicksight/refreshSchedule:RefreshSchedule": "QuickSight refresh",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "lifecycle of",
    "aws:scheduler/schedule:Schedule": "schedule",
    "aws:sfn/stateMachine:StateMachine": "workflow",
    "aws:sns/topicSubscription:TopicSubscription": "subscription",
    "aws:sqs/queue:Queue": "queue",
}
"""How people call a type's resources. Others go with one of these: a bucket's settings, a rule's target, a role."""

PREFIXES = ("batch-", "notification-", "analytics-", "monitoring-")


def told(resources: Iterable[Registration]) -> str:
    """Resources in people's words: up to three of a kind by their names, more of it by their number."""
    kinds: dict[str, list[str]] = {}
    for resource in resources:
        if resource.type in WORDS:
            kinds.setdefault(WORDS[resource.type], []).append(_short(resource.name))
    return "; ".join(_of_kind(kind, names) for kind, names in sorted(kinds.items()))


def _of_kind(kind: str, names: list[str]) -> str:
    distinct = sorted(set(names))
    if kind.startswith(("QuickSight", "operations")):
        return kind
    if kind == "subscription":
        return f"{len(names)} {kind}{'s' if len(names) > 1 else ''}"
    if len(distinct) > 3:
        return f"{len(distinct)} {'rights' if kind == 'rights of' else kind.removesuffix(' of') + 's'}"
    return f"{kind} {', '.join(distinct)}"


def _short(name: str) -> str:
    return next((name.removeprefix(prefix) for prefix in PREFIXES if name.startswith(prefix)), name)


if __name__ == "__main__":
    for name in (field.alias for field in Settings.model_fields.values()):
        effect = effect_of(name)
        print(name, "|", told(effect.updated), "| R:", told(effect.replaced), "| A:", told(effect.added), "| D:", told(effect.removed), "| O:", len(effect.options_changed), [r.type.split(":")[-1]+" "+r.name for r in [*effect.updated,*effect.replaced,*effect.added,*effect.removed] if r.type not in WORDS][:6])
