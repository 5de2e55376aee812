"""Stacks side by side on one AWS, and what `destroy` leaves of one."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from custom_labels_batch.cli.app import main
from sandbox.deploy import REPOSITORY, deploy, destroy
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.state import StateFile
from sandbox.endpoint import read_json
from sandbox.errors import SandboxError
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings
from tests.e2e.conftest import NEVER
from tests.e2e.deployed_stack import Stack
from tests.e2e.test_pipeline import pictures
from tests.ports import free_port

pytestmark = pytest.mark.xdist_group("stacks")

PROJECTS = ("roofs", "roads")
BUCKETS = ("sourceBucketName", "finalBucketName", "analyticsBucketName")


@pytest.fixture(scope="module")
def settings() -> SandboxSettings:
    """An account with two projects."""
    projects = ",".join(PROJECTS)
    return SandboxSettings(
        port=free_port(), time_scale=1 / 60, model_start_minutes=2, model_stop_minutes=0.5, projects=projects
    )


class Environment:
    """One stack as a team has it: its name, its folder of state, and its project."""

    def __init__(self, name: str, project: str, server: ServerProcess, settings: SandboxSettings, folder: Path) -> None:
        self._name, self._server, self._settings, self.build = name, server, settings, folder / name
        self._project = f"arn:aws:rekognition:{settings.region}:{settings.account_id}:project/{project}/1793491200000"
        self.cloud = Cloud(settings.endpoint_url, settings.region, settings.account_id, settings.time_scale)

    def up(self, **config: str) -> Stack:
        given = {"schedule": NEVER, "projectArn": self._project, **config}
        outputs = deploy(REPOSITORY, self._name, given, self._settings, build=self.build)
        return Stack(self._server, self.cloud, outputs, self._settings)

    def down(self) -> int:
        return destroy(self._settings, build=self.build)

    def recorded(self) -> list[dict[str, Any]]:
        return list(StateFile(self.build / "state.json").read()["resources"])

    def exists(self, bucket: str) -> bool:
        try:
            self.cloud.s3.head_bucket(Bucket=bucket)
        except ClientError:
            return False
        return True


Make = Callable[..., Environment]


@pytest.fixture
def make(server: ServerProcess, settings: SandboxSettings, tmp_path: Path) -> Iterator[Make]:
    made: list[Environment] = []

    def environment(name: str, project: str = PROJECTS[0]) -> Environment:
        made.append(Environment(name, project, server, settings, tmp_path))
        return made[-1]

    yield environment
    for one in made:
        if one.recorded():
            one.up(dataBuckets="delete", forceDestroy="true")
            one.down()


def what_makes_it_private(cloud: Cloud, bucket: str) -> dict[str, Any]:
    block = cloud.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    (encryption,) = cloud.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    (ownership,) = cloud.s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    (statement,) = json.loads(cloud.s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    return {
        "public access": set(block.values()),
        "encryption": encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"],
        "owner": ownership["ObjectOwnership"],
        "refused": (statement["Effect"], statement["Condition"]),
        "versions": cloud.s3.get_bucket_versioning(Bucket=bucket)["Status"],
        "lifecycle": bool(cloud.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]),
    }


PRIVATE = {
    "public access": {True},
    "encryption": "AES256",
    "owner": "BucketOwnerEnforced",
    "refused": ("Deny", {"Bool": {"aws:SecureTransport": "false"}}),
    "versions": "Enabled",
    "lifecycle": True,
}


class TestWhatDestroyLeaves:
    def test_is_each_bucket_with_its_objects_and_all_that_makes_it_private(self, make: Make) -> None:
        environment = make("kept")
        stack = environment.up()
        bucket = stack.outputs["finalBucketName"]
        environment.cloud.s3.put_object(Bucket=bucket, Key="images/a.jpg", Body=b"image")
        before = environment.recorded()

        removed = environment.down()

        assert removed == len(before) - 3 * 7
        assert {found["type"].split(":")[1].split("/")[0] for found in before if found["retainOnDelete"]} == {"s3"}
        for name in BUCKETS:
            assert what_makes_it_private(environment.cloud, stack.outputs[name]) == PRIVATE
        assert environment.cloud.s3.get_object(Bucket=bucket, Key="images/a.jpg")["Body"].read() == b"image"
        assert environment.recorded() == []

    def test_is_told_by_the_command_before_and_after(self, make: Make, capfd: pytest.CaptureFixture[str]) -> None:
        environment = make("told")
        stack = environment.up()
        bucket = stack.outputs["finalBucketName"]
        environment.cloud.s3.put_object(Bucket=bucket, Key="images/a.jpg", Body=b"image")

        code = main(["destroy", "--yes", "--outputs", str(environment.build / "outputs.json")])

        said = " ".join("".join(capfd.readouterr()).split())
        assert code == 0
        before, _, after = said.partition("Running python -m sandbox deploy --destroy")
        assert f"bucket {bucket}: stays, 1 version of objects: dataBuckets retains it, private as it is" in before
        assert f"Kept bucket {bucket}, 1 version of objects." in after
        assert "Kept the Custom Labels project and its 1 version." in after
        assert ", left 21 that are to be retained." in after
        assert stack.outputs["keptOnDestroy"][1] == f"s3://{bucket}"

    def test_is_nothing_where_that_is_chosen(self, make: Make) -> None:
        environment = make("gone")
        stack = environment.up(dataBuckets="delete", forceDestroy="true")
        environment.cloud.s3.put_object(Bucket=stack.outputs["finalBucketName"], Key="images/a.jpg", Body=b"image")
        before = environment.recorded()

        assert environment.down() == len(before)
        assert not any(environment.exists(stack.outputs[name]) for name in BUCKETS)

    def test_of_a_bucket_that_cannot_be_deleted_is_all_that_makes_it_private(self, make: Make) -> None:
        environment = make("full")
        stack = environment.up(dataBuckets="delete")
        bucket = stack.outputs["finalBucketName"]
        environment.cloud.s3.put_object(Bucket=bucket, Key="images/a.jpg", Body=b"image")

        with pytest.raises(SandboxError, match="BucketNotEmpty"):
            environment.down()

        assert what_makes_it_private(environment.cloud, bucket) == PRIVATE

    def test_is_everything_where_a_bucket_is_protected(self, make: Make) -> None:
        environment = make("protected")
        stack = environment.up(dataBuckets="protect")
        before = environment.recorded()

        with pytest.raises(SandboxError, match=r"Bucket 'batch-final', .* are protected"):
            environment.down()
        with pytest.raises(SandboxError, match="Bucket 'batch-final' is protected"):
            environment.up(dataBuckets="protect", finalBucketName="acme-elsewhere")
        assert len(environment.recorded()) == len(before)
        assert main(["destroy", "--yes", "--outputs", str(environment.build / "outputs.json")]) == 1

        environment.up(dataBuckets="retain")
        environment.down()
        assert environment.exists(stack.outputs["finalBucketName"])


class TestAnotherName:
    def test_is_another_bucket_and_the_old_one_stays_as_private(self, make: Make) -> None:
        environment = make("renamed")
        old = environment.up().outputs["finalBucketName"]
        environment.cloud.s3.put_object(Bucket=old, Key="images/a.jpg", Body=b"image")

        new = environment.up(finalBucketName="acme-renamed").outputs["finalBucketName"]

        assert (new, environment.exists(new)) == ("acme-renamed", True)
        assert what_makes_it_private(environment.cloud, old) == PRIVATE
        assert what_makes_it_private(environment.cloud, new) == PRIVATE


def all_hold_a_lock(stacks: list[Stack]) -> bool:
    return all(stack.items("lock") for stack in stacks)


class TestTwoStacksOfOneAccount:
    def test_label_their_own_images_with_their_own_models_at_the_same_time(
        self, make: Make, settings: SandboxSettings
    ) -> None:
        stacks = {
            "dev": make("dev", PROJECTS[0]).up(minConfidence="1"),
            "prod": make("prod", PROJECTS[1]).up(minConfidence="2"),
        }
        for number, stack in enumerate(stacks.values()):
            stack.upload(*pictures(2 + number))

        runs = {name: stack.start_run() for name, stack in stacks.items()}
        both_locked = partial(all_hold_a_lock, list(stacks.values()))
        stacks["dev"].wait_for(both_locked, "both runs to hold a lock of their own at the same time")
        for name, stack in stacks.items():
            assert stack.finish(runs[name])["status"] == "SUCCEEDED"

        for number, (stack, project) in enumerate(zip(stacks.values(), PROJECTS, strict=True)):
            (record,) = stack.items("run")
            assert f":project/{project}/version/" in record["projectVersionArn"]["S"]
            assert record["processed"]["N"] == str(2 + number)
            assert {image.fate.value for image in stack.fates()} == {"labelled"}
            assert len(stack.fates()) == 2 + number
            assert stack.mapping_state() == "Disabled"
            assert stack.items("lock") == []
            (version,) = read_json(settings, f"model/{project}")["versions"]
            assert version["status"] == "STOPPED"
            assert len(version["sessions"]) == 1

    def test_are_destroyed_one_without_the_other(self, make: Make) -> None:
        one, other = make("going", PROJECTS[0]), make("staying", PROJECTS[1])
        one.up(forceDestroy="true")
        stack = other.up(forceDestroy="true")

        one.down()

        stack.upload(*pictures(1))
        assert stack.run()["status"] == "SUCCEEDED"
        assert {image.fate.value for image in stack.fates()} == {"labelled"}
