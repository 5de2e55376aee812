"""The analyze-image function: its archive, its layer, its environment, its logs."""

import hashlib
import os
import py_compile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from custom_labels_batch.components.batch_inference import calls_per_second, function_timeout_seconds, threads
from custom_labels_batch.components.function import FUNCTIONS, source_archive
from custom_labels_batch.functions.analyze_image.environment import AnalyzeImageEnvironment
from custom_labels_batch.functions.analyze_image.model import ModelEnvironment
from custom_labels_batch.functions.shared.environment import read_environment
from sandbox.deployer.model import Properties
from sandbox.deployer.preview import PreviewCreator
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import Result, run_program
from tests.unit.components.graph import FUNCTION, LOG_GROUP, PROJECT_ARN, TABLE, record_stack


def analyze_image(graph: Result) -> Properties:
    return graph.named("batch-analyze-image", FUNCTION).properties


def variables(graph: Result) -> dict[str, str]:
    return dict(analyze_image(graph)["environment"]["variables"])


# Source


def files(archive: pulumi.AssetArchive) -> dict[str, str]:
    return {name: asset.path for name, asset in archive.assets.items() if isinstance(asset, pulumi.FileAsset)}


def test_the_archive_holds_the_function_and_what_is_shared_as_it_is_imported() -> None:
    names = list(files(source_archive("analyze_image")))

    assert {"functions/__init__.py", "functions/shared/__init__.py", "functions/analyze_image/handler.py"} <= set(names)
    assert all(
        name.startswith(("functions/__init__", "functions/shared/", "functions/analyze_image/")) for name in names
    )


def test_the_archive_holds_python_source_only_in_one_order() -> None:
    names = list(files(source_archive("analyze_image")))

    assert all(name.endswith(".py") for name in names)
    assert names == sorted(names)


def test_the_archive_names_files_of_the_repository_wherever_it_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    for name, path in files(source_archive("analyze_image")).items():
        assert Path(path) == FUNCTIONS.parent / name
        assert Path(path).is_absolute()


def test_the_archive_stays_the_same_after_its_files_were_imported() -> None:
    def digest() -> str:
        found = files(source_archive("analyze_image"))
        return hashlib.sha256(b"".join(n.encode() + Path(p).read_bytes() for n, p in found.items())).hexdigest()

    before = digest()
    py_compile.compile(str(FUNCTIONS / "analyze_image/handler.py"), doraise=True)

    assert list((FUNCTIONS / "analyze_image/__pycache__").glob("handler.*.pyc"))
    assert digest() == before


def test_the_handler_is_in_the_archive(scheduled: Result) -> None:
    module, _, function = str(analyze_image(scheduled)["handler"]).rpartition(".")
    source = Path(files(source_archive("analyze_image"))[module.replace(".", os.sep) + ".py"])

    assert f"def {function}(" in source.read_text(encoding="utf-8")


# Runtime


def test_the_function_runs_on_arm_with_the_public_powertools_layer(scheduled: Result) -> None:
    function = analyze_image(scheduled)

    assert (function["runtime"], function["architectures"]) == ("python3.13", ["arm64"])
    assert function["layers"] == [
        "arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:27"
    ]


class OtherPartition(PreviewCreator):
    """AWS for governments."""

    def invoke(self, token: str, arguments: Properties) -> Properties:
        answer = super().invoke(token, arguments)
        return {**answer, "partition": "aws-us-gov"} if token.endswith("getPartition") else answer


def run_elsewhere(**args: Any) -> Result:
    from custom_labels_batch.components.batch_inference import BatchInference, BatchInferenceArgs

    arn = PROJECT_ARN.replace("arn:aws:", "arn:aws-us-gov:")
    inputs: BatchInferenceArgs = {"project_arn": arn, **args}  # type: ignore[typeddict-item]
    creator = OtherPartition("123456789012", "us-east-1", {})
    return run_program(lambda: BatchInference("batch", inputs), project="p", stack="s", config={}, creator=creator)


def test_without_a_public_layer_the_user_is_told_to_bring_one() -> None:
    with pytest.raises(SandboxError, match=r"for the partition 'aws-us-gov'.*set powertoolsLayerArn"):
        run_elsewhere()


def test_a_layer_of_the_users_own_is_used() -> None:
    own = "arn:aws-us-gov:lambda:us-east-1:123456789012:layer:powertools:1"

    assert analyze_image(run_elsewhere(powertools_layer_arn=own))["layers"] == [own]


def test_an_existing_bucket_is_named_in_the_partition_it_is_in() -> None:
    own = "arn:aws-us-gov:lambda:us-east-1:123456789012:layer:powertools:1"
    graph = run_elsewhere(powertools_layer_arn=own, existing_source_bucket_name="acme")

    policy = graph.named("batch-analyze-image", "aws:iam/rolePolicy:RolePolicy").properties["policy"]
    assert '"arn:aws-us-gov:s3:::acme/*"' in policy


# Logs


def test_the_function_logs_json_to_a_group_of_its_own_that_forgets() -> None:
    graph = record_stack(logRetentionDays=90)
    logging = analyze_image(graph)["loggingConfig"]
    (group,) = (group for group in graph.of_type(LOG_GROUP) if group.properties["name"] == logging["logGroup"])

    assert logging["logFormat"] == "JSON"
    assert group.properties["name"].startswith("/aws/lambda/batch-analyze-image-")
    assert group.properties["retentionInDays"] == 90


def test_every_log_group_forgets(graph: Result) -> None:
    groups = graph.of_type(LOG_GROUP)

    assert groups
    assert {group.properties["retentionInDays"] for group in groups} == {30}


# Environment


def test_the_function_gets_exactly_the_variables_it_declares(graph: Result) -> None:
    declared = {name.upper() for name in (*AnalyzeImageEnvironment.model_fields, *ModelEnvironment.model_fields)}
    powertools = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}

    assert set(variables(graph)) == declared | powertools


def test_the_function_accepts_its_variables(graph: Result) -> None:
    environment = read_environment(AnalyzeImageEnvironment, variables(graph))

    assert read_environment(ModelEnvironment, variables(graph)).project_arn == PROJECT_ARN
    assert environment.source_bucket_name == graph.outputs["sourceBucketName"]
    assert environment.final_bucket_name == graph.outputs["finalBucketName"]
    assert environment.predictions_topic_arn == graph.outputs["predictionsTopicArn"]


def test_the_function_is_told_who_runs_the_model(scheduled: Result, on_upload: Result) -> None:
    assert (variables(scheduled)["TRIGGER"], variables(on_upload)["TRIGGER"]) == ("schedule", "upload")
    assert variables(scheduled)["RUNS_TABLE_NAME"] == scheduled.of_type(TABLE)[0].properties["name"]
    assert variables(on_upload)["RUNS_TABLE_NAME"] == ""


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"minConfidence": 62.5}, {"MIN_CONFIDENCE": "62.5", "LABEL_THRESHOLDS": "{}"}),
        ({"labelsOfInterest": {"b": 1, "a": 99}}, {"LABEL_THRESHOLDS": '{"b": 1.0}'}),
        ({"modelVersion": "1.10"}, {"MODEL_VERSION": "1.10"}),
        (
            {"modelVersion": PROJECT_ARN.replace("surfaces/", "surfaces/version/1.10/")},
            {"MODEL_VERSION": "1.10"},
        ),
        ({"tpsPerInferenceUnit": 12}, {"DETECT_CALLS_PER_SECOND": "6.0", "DETECT_THREADS": "10"}),
    ],
)
def test_settings_reach_the_function(config: Mapping[str, Any], expected: Mapping[str, str]) -> None:
    assert expected.items() <= variables(record_stack(**config)).items()


# Its share of the model


@pytest.mark.parametrize("tps", [0.1, 1, 5, 20, 100])
def test_a_full_batch_is_done_within_half_the_timeout_at_its_share_of_tps(tps: float) -> None:
    """The other half is for retries; Lambda ends a call after 900 seconds."""
    timeout = function_timeout_seconds(tps)

    assert 60 <= timeout <= 900
    assert 10 / calls_per_second(tps) <= timeout / 2


@pytest.mark.parametrize("tps", [0.1, 1, 5, 20, 100])
def test_all_executions_of_a_unit_together_take_its_tps(tps: float) -> None:
    assert calls_per_second(tps) * 2 == pytest.approx(tps)
    assert 2 <= threads(tps) <= 10
