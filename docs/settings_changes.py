"""What a changed setting changes of a live stack, for docs/stacks.md.

The program is recorded with each setting at two values, and the two graphs compared as Pulumi's engine compares them.
Which property makes another resource is what sandbox/deployer knows of the provider (`replaced_by`).
"""

import json
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
from sandbox.pulumi_runtime import run_program

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT, REGION, PROJECT, STACK = "123456789012", "us-east-1", "custom-labels-batch", "prod"
PROJECT_ARN = f"arn:aws:rekognition:{REGION}:{ACCOUNT}:project/surfaces/1793491200000"
_PRINCIPAL = f"arn:aws:quicksight:{REGION}:{ACCOUNT}:user/default/"
_LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:powertools:"

BUCKET = "aws:s3/bucket:Bucket"
FUNCTION = "aws:lambda/function:Function"
STATE_MACHINE = "aws:sfn/stateMachine:StateMachine"

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
"""Setting -> two values; None is to leave it out. Compared is the stack with all first values, but for one setting."""

INSTEAD = {"existingSourceBucketName": "sourceBucketName"}
"""Setting -> one that it takes the place of."""


WHEN = {
    "projectArn": "**while no run is active**: one that is could not look at its model any more",
    "trigger": "**while no run is active**, and only [as told below](#another-trigger)",
    "sourceBucketName": "**while the image queue is empty**: its messages name the old one, which nobody may read then",
    "existingSourceBucketName": "**while the image queue is empty**, likewise; its EventBridge notifications first",
    "finalBucketName": "**while the image queue is empty**: an image that is half done would be done again",
    "analyticsBucketName": "at any time; queries see the new bucket's rows only, until you copy `predictions/` over",
    "imagePrefix": "at any time; what is queued already is still labelled",
    "dataBuckets": "at any time; it counts once it is deployed",
    "forceDestroy": "at any time; it counts once it is deployed",
}
"""Setting -> when it may be changed, where that does not follow from what it changes."""


@dataclass(frozen=True)
class Effect:
    """What a change does, by resources that are there before or after."""

    updated: list[Registration]
    replaced: list[Registration]
    added: list[Registration]
    removed: list[Registration]


@cache
def effect_of(setting: str) -> Effect:
    """Compare the stack with a setting at its two values; what refers to a replaced resource changes too."""
    before = {name: value for name, (value, _) in CHANGES.items() if value is not None}
    after = {**before, setting: CHANGES[setting][1]}
    after.pop(INSTEAD.get(setting, ""), None)
    old = _resources(_first(), frozenset())
    replaced: frozenset[str] = frozenset()
    while True:
        new = _resources(json.dumps(after), replaced)
        changed = {urn: _changed(old[urn], new[urn]) for urn in old.keys() & new.keys()}
        found = {urn for urn, names in changed.items() if _is_replaced(new[urn], names)}
        if found <= replaced:
            break
        replaced |= found
    return Effect(
        updated=[new[urn] for urn in new if changed.get(urn) and urn not in replaced],
        replaced=[new[urn] for urn in new if urn in replaced],
        added=[new[urn] for urn in new if urn not in old],
        removed=[old[urn] for urn in old if urn not in new],
    )


def _first() -> str:
    return json.dumps({name: value for name, (value, _) in CHANGES.items() if value is not None})


def _is_replaced(resource: Registration, changed: frozenset[str]) -> bool:
    return bool(replacing(resource.type, changed) or changed & set(resource.options.replace_on_changes))


def _changed(old: Registration, new: Registration) -> frozenset[str]:
    names = changed_properties(comparable(old.properties), new.properties)
    return names - set(new.options.ignore_changes)


@cache
def _resources(values: str, replaced: frozenset[str]) -> Mapping[str, Registration]:
    """URN -> resource, of the stack with these settings, where what was replaced has another name."""

    def suffix(urn: str) -> str:
        return stable_suffix(f"{urn} again" if urn in replaced else urn)

    config = {f"{PROJECT}:{name}": as_text(value) for name, value in json.loads(values).items()}
    creator = PreviewCreator(ACCOUNT, REGION, config, suffix)
    found = run_program(ROOT, project=PROJECT, stack=STACK, config=config, creator=creator)
    return {resource.urn: resource for resource in found.resources if resource.custom}


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


HEADER = "| setting | changed in place | made anew, added or removed | when |\n| --- | --- | --- | --- |\n"


def table() -> str:
    """Every setting as a row of a Markdown table."""
    return HEADER + "".join(row(setting) for setting in CHANGES)


def row(setting: str) -> str:
    """What happens when one setting is changed."""
    effect = effect_of(setting)
    cells = (f"`{setting}`", told(effect.updated), _made(setting, effect), _when(setting, effect))
    return "| " + " | ".join(cells) + " |\n"


def _made(setting: str, effect: Effect) -> str:
    parts = [
        f"{what}: {told(resources)}"
        for what, resources in (("anew", effect.replaced), ("added", effect.added), ("removed", effect.removed))
        if resources
    ]
    if any(resource.type == BUCKET for resource in [*effect.replaced, *effect.removed]):
        parts.append("[the old bucket](#data-buckets) stays unless `dataBuckets` is `delete`")
    if setting == "dataBuckets":
        parts.append("nothing in AWS: Pulumi notes how to treat three buckets and their settings")
    return "; ".join(parts)


def _when(setting: str, effect: Effect) -> str:
    """A run goes on with the definition it began with; a function has new settings from its next call."""
    if setting in WHEN:
        return WHEN[setting]
    types = {resource.type for resource in effect.updated}
    if STATE_MACHINE in types:
        return "at any time; the next run has it"
    return "at any time; from the next call on" if FUNCTION in types else "at any time"
