"""examples/sagemaker, deployed: images in, an endpoint created, labels out, the endpoint deleted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.deploy import REPOSITORY, deploy
from sandbox.deployer import registry
from sandbox.deployer.arguments import Request
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.model import Created
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings
from sandbox.uploads import demo_uploads
from tests.e2e.deployed_stack import Stack
from tests.pretended_sagemaker import ARN

pytestmark = pytest.mark.xdist_group("sagemaker")

CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"


class Server(ServerProcess):
    """The sandbox that has an endpoint too."""

    module = "tests.e2e.sagemaker_server"


@pytest.fixture(scope="module")
def server(settings: SandboxSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with Server(settings, tmp_path_factory.mktemp("serve")) as running:
        yield running


@pytest.fixture
def stack(server: ServerProcess, settings: SandboxSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The example as it is; the deployer knows its endpoint configurations for this test."""

    def create(cloud: Cloud, args: Request) -> Created:
        args.skip("tagsAll")
        (variant,) = args.plain("productionVariants")
        given = {name[0].upper() + name[1:]: value for name, value in variant.items()}
        cloud.client("sagemaker").create_endpoint_config(EndpointConfigName=args["name"], ProductionVariants=[given])
        return Created(args["name"], {})

    monkeypatch.setitem(registry._creators, CONFIGURATION, create)
    monkeypatch.setitem(registry._replacing, CONFIGURATION, frozenset())
    outputs = deploy(REPOSITORY / "examples" / "sagemaker", "dev", {"modelName": "m"}, settings, build=tmp_path)
    cloud = Cloud(settings.endpoint_url, settings.region, settings.account_id, settings.time_scale)
    return Stack(server, cloud, outputs, settings)


def final(stack: Stack) -> dict[str, Any]:
    """What is in the final bucket: every document by its key."""
    bucket = stack.outputs["finalBucketName"]
    listed = stack.cloud.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    keys = [item["Key"] for item in listed if item["Key"].endswith(".json")]
    return {key: json.loads(stack.cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys}


def test_images_are_labelled_by_an_endpoint_that_exists_only_meanwhile(stack: Stack) -> None:
    uploads = demo_uploads(plain=12)[:12]
    stack.upload(*uploads)
    broken = stack.cloud.s3.put_object(Bucket=stack.outputs["sourceBucketName"], Key="no.jpg", Body=b"no image")
    assert broken

    run = stack.run()

    assert run["status"] == "SUCCEEDED", run.get("cause")
    documents = final(stack)
    labelled = {key: found for key, found in documents.items() if found["status"] == "labelled"}
    assert sorted(found["imageKey"] for found in labelled.values()) == sorted(upload.key for upload in uploads)
    assert documents["rejected/no.jpg.json"]["reason"]["code"] == "ModelError"
    assert {found["projectVersionArn"] for found in documents.values()} == {ARN}
    right = [found["labels"][0]["name"] in key for key, found in labelled.items() if found["labels"]]
    assert sum(right) >= 10
    (session,) = stack.model()["sessions"]
    assert session["calls"] == 13
    assert session["stopRequestedAt"]
    assert stack.model_status() == "STOPPED"
