"""Every Python program in examples/, deployed on the sandbox as its README says, and put to its use."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from custom_labels_batch.cli.app import main
from sandbox.deploy import REPOSITORY, deploy, destroy
from sandbox.deployer.cloud import Cloud
from sandbox.errors import SandboxError
from sandbox.mails import read_mails
from sandbox.photographs import photographs
from sandbox.queries import run_query
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings
from tests.e2e.deployed_stack import Stack

pytestmark = pytest.mark.xdist_group("examples")

EXAMPLES = REPOSITORY / "examples"
DOCUMENT = (REPOSITORY / "docs" / "components.md").read_text(encoding="utf-8")
STOPPED = ("TRAINING_COMPLETED", "STOPPED")
PICTURES = dict(photographs(9, seed=7))
"""What is on it -> one photograph of it, in the sandbox's model's words."""


class Example(Stack):
    """A deployed example, or one of the two stacks in it."""

    def part(self, outputs: Mapping[str, Any]) -> "Example":
        """The stack in it that has these outputs."""
        return Example(self.server, self.cloud, outputs, self.settings)

    def put(self, key: str, label: str) -> None:
        self.cloud.s3.put_object(Bucket=self.outputs["sourceBucketName"], Key=key, Body=PICTURES[label])

    def labels(self, key: str) -> list[str]:
        """Of an image that is in the final bucket."""
        try:
            found = self.cloud.s3.get_object(Bucket=self.outputs["finalBucketName"], Key=f"images/{key}.json")
        except self.cloud.s3.exceptions.NoSuchKey:
            return []
        return [label["name"] for label in json.loads(found["Body"].read())["labels"]]

    def wait_for_label(self, key: str, label: str) -> None:
        self.wait_for(lambda: label in self.labels(key), f"{key} to be labelled {label}")

    def run_until_labelled(self, key: str, label: str) -> None:
        """Its message may come after the first look at the queue."""

        def ran() -> bool:
            assert self.run()["status"] == "SUCCEEDED"
            return label in self.labels(key)

        self.wait_for(ran, f"{key} to be labelled {label}")


DeployExample = Callable[..., Example]


@pytest.fixture
def cloud(settings: SandboxSettings) -> Cloud:
    return Cloud(settings.endpoint_url, settings.region, settings.account_id, settings.time_scale)


@pytest.fixture
def deploy_example(
    server: ServerProcess, settings: SandboxSettings, cloud: Cloud, tmp_path: Path
) -> Iterator[DeployExample]:
    """Deploy a folder of examples/ as `python -m sandbox deploy examples/NAME` does; leave the model stopped."""
    deployed: list[Example] = []

    def make(name: str, **config: str) -> Example:
        outputs = deploy(EXAMPLES / name, "sandbox", config, settings, build=tmp_path)
        deployed.append(Example(server, cloud, outputs, settings))
        return deployed[-1]

    yield make
    if deployed:
        deployed[0].wait_for(lambda: deployed[0].model_status() in STOPPED, "the model to stop")


def test_there_is_a_test_of_every_python_example() -> None:
    # Sagemaker's is in test_sagemaker.py: it takes a sandbox of its own.
    programs = {folder.parent.name for folder in EXAMPLES.glob("*/__main__.py")} - {"sagemaker"}

    assert {f"test_{name}" for name in programs} == {
        name.partition("_example_")[0] for name in globals() if "_example_" in name
    }


def test_minimal_example_labels_an_image_stops_the_model_and_is_found_by_clb(
    deploy_example: DeployExample, tmp_path: Path
) -> None:
    example = deploy_example("minimal")
    example.put("first.jpg", "brick")

    example.run_until_labelled("first.jpg", "brick")

    assert example.items("lock") == []
    for command in (["status"], ["redrive", "--dry-run"]):
        assert main([*command, "--outputs", str(tmp_path / "outputs.json")]) == 0


def test_notification_example_mails_about_the_label_of_interest_alone(deploy_example: DeployExample) -> None:
    example = deploy_example("notification")
    example.put("wall.jpg", "brick")
    example.put("lawn.jpg", "grass")

    example.run_until_labelled("lawn.jpg", "grass")

    def mailed() -> str:
        return "\n".join(mail.text for mail in read_mails(example.settings, example.outputs["notificationTopicArn"]))

    example.wait_for(lambda: "wall.jpg" in mailed(), "the mail")
    assert "lawn.jpg" not in mailed()
    assert "X-Amz-Signature" in mailed()


def test_everything_example_has_rows_alarms_and_a_guard_beside(deploy_example: DeployExample, tmp_path: Path) -> None:
    example = deploy_example("everything")
    analyze = example.cloud.lambda_.get_function_configuration(FunctionName=example.outputs["analyzeFunctionName"])
    assert json.loads(analyze["Environment"]["Variables"]["LABEL_THRESHOLDS"]) == {"brick": 55, "gravel": 80}
    assert "/sn/dashboards/" in example.outputs["dashboardUrl"]
    alarms = example.cloud.cloudwatch.describe_alarms(AlarmNamePrefix="monitoring-")["MetricAlarms"]
    assert len(alarms) > 10
    example.put("wall.jpg", "brick")

    example.wait_for(lambda: bool(example.start_run() and example.items("lock")), "the lock")
    with pytest.raises(SandboxError, match=r"Nothing was destroyed: run .* holds"):
        destroy(example.settings, build=tmp_path)

    example.wait_for_label("wall.jpg", "brick")
    view = f'"{example.outputs["athenaDatabase"]}"."{example.outputs["athenaTable"]}"'
    example.wait_for(
        lambda: ("brick",) in rows(example, f"SELECT label FROM {view}"),  # noqa: S608
        "the row",
    )


def rows(example: Example, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in run_query(example.cloud, example.outputs, sql).rows]


def test_two_models_example_labels_with_both_at_once(deploy_example: DeployExample) -> None:
    example = deploy_example("two_models")
    surfaces, textures = (example.part(example.outputs[name]) for name in ("surfaces", "textures"))
    for output in surfaces.outputs.keys() - {"athenaTable"}:
        assert surfaces.outputs[output] != textures.outputs[output]

    surfaces.put("a.jpg", "brick")
    textures.put("b.jpg", "grass")

    surfaces.start_run()
    textures.run_until_labelled("b.jpg", "grass")
    surfaces.run_until_labelled("a.jpg", "brick")

    assert (surfaces.labels("a.jpg"), surfaces.labels("b.jpg")) == (["brick"], [])
    assert (textures.labels("a.jpg"), textures.labels("b.jpg")) == ([], ["grass"])


def test_existing_bucket_example_takes_images_and_leaves_the_bucket_as_it_is(
    deploy_example: DeployExample, cloud: Cloud
) -> None:
    bucket, s3 = "photographs-of-acme", cloud.s3
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "owner", "Value": "another team"}]})
    before = settings_of(cloud, bucket)

    example = deploy_example("existing_bucket", sourceBucketName=bucket)
    example.put("photographs/wall.jpg", "brick")
    example.put("elsewhere/wall.jpg", "brick")

    example.run_until_labelled("photographs/wall.jpg", "brick")

    assert settings_of(cloud, bucket) == before
    example.wait_for(lambda: keys(cloud, bucket) == ["elsewhere/wall.jpg"], "the labelled image to be gone")


def keys(cloud: Cloud, bucket: str) -> list[str]:
    return [found["Key"] for found in cloud.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def settings_of(cloud: Cloud, bucket: str) -> list[Any]:
    """All that a program might have changed of a bucket."""
    ask = cloud.s3
    found = []
    for answer in (
        ask.get_bucket_notification_configuration,
        ask.get_bucket_tagging,
        ask.get_bucket_policy,
        ask.get_bucket_versioning,
        ask.get_bucket_lifecycle_configuration,
        ask.get_public_access_block,
        ask.get_bucket_ownership_controls,
    ):
        try:
            found.append({**answer(Bucket=bucket), "ResponseMetadata": None})
        except ClientError as error:
            found.append({"none": error.response["Error"]["Code"]})
    return found


def test_upload_example_labels_at_once_on_a_running_model(deploy_example: DeployExample) -> None:
    example = deploy_example("upload")
    assert example.mapping_state() == "Enabled"
    rekognition, version = example.cloud.client("rekognition"), example.model()["projectVersionArn"]
    rekognition.start_project_version(ProjectVersionArn=version, MinInferenceUnits=2)
    example.wait_for(lambda: example.model_status() == "RUNNING", "the model to run")

    example.put("wall.jpg", "brick")

    example.wait_for_label("wall.jpg", "brick")
    rekognition.stop_project_version(ProjectVersionArn=version)


def test_a_notification_alone_mails_about_what_the_user_publishes_as_the_document_says(
    settings: SandboxSettings, cloud: Cloud, server: ServerProcess, tmp_path: Path
) -> None:
    _, _, program = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    (message,) = re.findall(r"^```json\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    (tmp_path / "Pulumi.yaml").write_text("name: detections\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(f"{program}pulumi.export('told', notification.notification_topic_arn)\n")
    outputs = deploy(tmp_path, "sandbox", {}, settings, build=tmp_path)

    cloud.sns.publish(
        TopicArn=outputs["detectionsTopicArn"],
        Message=message,
        MessageAttributes={"status": {"DataType": "String", "StringValue": "labelled"}},
    )

    stack = Example(server, cloud, outputs, settings)
    stack.wait_for(lambda: any("line-2/0001.jpg" in mail.text for mail in read_mails(settings, outputs["told"])), "it")
