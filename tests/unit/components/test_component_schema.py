"""The components in other languages: their schema, and the values that arrive in plugin mode."""

import ast
from pathlib import Path

import pytest
from pulumi.provider.experimental.analyzer import Analyzer, ComponentDefinition

import custom_labels_batch.components
from custom_labels_batch.components.analytics import Analytics, AnalyticsArgs
from custom_labels_batch.components.batch_inference import BatchInference, BatchInferenceArgs
from custom_labels_batch.components.destroy_guard import DestroyGuard, DestroyGuardArgs
from custom_labels_batch.components.monitoring import Monitoring, MonitoringArgs
from custom_labels_batch.components.notification import Notification, NotificationArgs
from custom_labels_batch.rules import limits
from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import EVENT_SOURCE_MAPPING, STATE_MACHINE, record_component

COMPONENTS = Path(custom_labels_batch.components.__file__).parent


ALL = {
    "BatchInference": (BatchInference, BatchInferenceArgs, {"projectArn"}),
    "Notification": (Notification, NotificationArgs, {"predictionsTopicArn"}),
    "DestroyGuard": (DestroyGuard, DestroyGuardArgs, {"runsTableName"}),
    "Analytics": (Analytics, AnalyticsArgs, {"predictionsTopicArn"}),
    "Monitoring": (
        Monitoring,
        MonitoringArgs,
        {"imageQueueUrl", "imageDeadLetterQueueUrl", "analyzeFunctionName"},
    ),
}


@pytest.fixture(scope="module")
def schemas() -> dict[str, ComponentDefinition]:
    found = Analyzer("custom-labels-batch").analyze([component for component, _, _ in ALL.values()])
    return dict(found["component_definitions"])


@pytest.mark.parametrize("name", ALL)
def test_pulumi_reads_every_input(schemas: dict[str, ComponentDefinition], name: str) -> None:
    _, args, required = ALL[name]

    assert set(schemas[name].inputs_mapping.values()) == set(args.__annotations__)
    assert {key for key, found in schemas[name].inputs.items() if not found.optional} == required


@pytest.mark.parametrize(
    ("component", "key", "allowed"),
    [
        ("BatchInference", "maxInferenceUnits", limits.MAX_INFERENCE_UNITS),
        ("BatchInference", "maxQueueAgeMinutes", limits.MAX_QUEUE_AGE_MINUTES),
        ("BatchInference", "maxRunMinutes", limits.MAX_RUN_MINUTES),
        ("BatchInference", "minConfidence", limits.MIN_CONFIDENCE),
        ("BatchInference", "noncurrentVersionRetentionDays", limits.RETENTION_DAYS),
        ("BatchInference", "runRetentionDays", limits.RUN_RETENTION_DAYS),
        ("BatchInference", "targetDrainMinutes", limits.TARGET_DRAIN_MINUTES),
        ("BatchInference", "tpsPerInferenceUnit", limits.TPS_PER_INFERENCE_UNIT),
        ("Analytics", "noncurrentVersionRetentionDays", limits.RETENTION_DAYS),
        ("Analytics", "queryResultRetentionDays", limits.RETENTION_DAYS),
        ("Notification", "batchingWindowSeconds", limits.NOTIFICATION_WINDOW_SECONDS),
    ],
)
def test_an_input_says_the_range_and_default_that_it_has(
    schemas: dict[str, ComponentDefinition], component: str, key: str, allowed: limits.Range[float]
) -> None:
    words = str(schemas[component].inputs[key].description)

    assert f"{allowed.least:.15g} to {allowed.most:.15g}" in words
    assert f"Default: {allowed.default:.15g}." in words


@pytest.mark.parametrize("path", sorted(COMPONENTS.glob("*.py")), ids=lambda path: path.name)
def test_annotations_are_types_and_not_text(path: Path) -> None:
    imports = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)
    ]

    assert "__future__" not in {node.module for node in imports}


def test_the_resource_type_is_in_the_module_plugins_can_find() -> None:
    types = {resource.type for resource in record_component().resources if not resource.custom}

    assert all(type_.startswith("custom-labels-batch:index:") for type_ in types)


def test_whole_numbers_that_arrive_as_floats_are_whole_again(scheduled: Result) -> None:
    in_plugin_mode = record_component(
        max_inference_units=1.0,
        target_drain_minutes=60.0,
        min_batch_size=2.0,
        max_queue_age_minutes=1440.0,
        max_run_minutes=1440.0,
        log_retention_days=30.0,
        noncurrent_version_retention_days=30.0,
        run_retention_days=400.0,
    )

    for name in ("batch-run", "batch-release-model"):
        definition = in_plugin_mode.named(name, STATE_MACHINE).properties["definition"]
        assert '.0,"' not in definition.replace(" ", "").replace('"tpsPerInferenceUnit":5.0,', "").replace(
            '"inferenceUnitHourPrice":4.0,', ""
        )
    (mapping,) = in_plugin_mode.of_type(EVENT_SOURCE_MAPPING)
    assert mapping.properties["scalingConfig"] == {"maximumConcurrency": 2}
