"""Which model version is asked, and what its errors mean."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from custom_labels_batch.functions.analyze_image.failures import ModelNotUpError
from custom_labels_batch.functions.analyze_image.model import Model, RememberedVersion, find_running_version
from custom_labels_batch.functions.analyze_image.runs_table import RunsTable
from custom_labels_batch.functions.analyze_image.source_bucket import SourceBucket
from tests.unit.functions.world import LOCK_KEY, PROJECT_ARN, RUNS, VERSION_ARN, RefusalError, World, png

LATER_ARN = VERSION_ARN.replace("11-01", "11-02").replace("1793491200001", "1793577600001")


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def read(self) -> float:
        return self.now


@pytest.fixture
def found() -> list[str]:
    """What a look for the version gives, one after the other."""
    return [VERSION_ARN, LATER_ARN]


@pytest.fixture
def make_model(world: World, found: list[str]) -> Callable[[], Model]:
    return lambda: Model(world.rekognition_client, RememberedVersion(lambda: found.pop(0)), SourceBucket(world.s3), 50)


class TestTheVersionToAsk:
    def test_is_looked_for_once_a_minute(self, found: list[str]) -> None:
        time = Time()
        version = RememberedVersion(lambda: found.pop(0), time.read)

        asked = []
        for time.now in (0, 30, 60, 61, 90):
            asked.append(version.current())

        assert asked == [VERSION_ARN] * 3 + [LATER_ARN] * 2

    def test_is_looked_for_again_when_it_does_not_run(self, world: World, make_model: Callable[[], Model]) -> None:
        world.rekognition.running = [LATER_ARN]

        detection = make_model().detect(world.upload("a.png", png()))

        assert detection.model_arn == LATER_ARN

    def test_is_looked_for_again_by_the_first_thread_that_misses_it_only(self, found: list[str]) -> None:
        version = RememberedVersion(lambda: found.pop(0))
        stale = version.current()

        assert [version.instead_of(stale), version.instead_of(stale)] == [LATER_ARN, LATER_ARN]

    @pytest.mark.parametrize("code", ["ResourceNotReadyException", "ResourceNotFoundException"])
    def test_that_does_not_run_after_all_means_that_the_model_is_not_up(
        self, world: World, make_model: Callable[[], Model], found: list[str], code: str
    ) -> None:
        found[:] = [VERSION_ARN, VERSION_ARN]
        world.rekognition.refusals = [RefusalError(code)]

        with pytest.raises(ModelNotUpError, match=VERSION_ARN):
            make_model().detect(world.upload("a.png", png()))

        assert len(world.rekognition.requests) == 1

    def test_is_not_remembered_when_it_could_not_be_found(self) -> None:
        runs: list[str] = []

        def find() -> str:
            if not runs:
                raise ModelNotUpError("no run")
            return runs[0]

        version = RememberedVersion(find)
        with pytest.raises(ModelNotUpError):
            version.current()

        runs.append(VERSION_ARN)

        assert version.current() == VERSION_ARN


class TestDetection:
    def test_asks_for_that_version_of_the_image_and_the_least_confidence(
        self, world: World, make_model: Callable[[], Model]
    ) -> None:
        image = world.upload("a b.png", png())

        make_model().detect(image)

        assert world.rekognition.requests == [
            {
                "ProjectVersionArn": VERSION_ARN,
                "Image": {"S3Object": {"Bucket": image.bucket, "Name": "a b.png", "Version": image.version_id}},
                "MinConfidence": 50,
            }
        ]

    def test_passes_other_errors_on(self, world: World, make_model: Callable[[], Model]) -> None:
        world.rekognition.refusals = [RefusalError("AccessDeniedException")]

        with pytest.raises(ClientError, match="AccessDeniedException"):
            make_model().detect(world.upload("a.png", png()))


class TestTheRunningVersion:
    def test_is_the_newest_that_runs(self, world: World) -> None:
        world.rekognition.running = [VERSION_ARN, LATER_ARN]

        assert find_running_version(world.rekognition_client, PROJECT_ARN, "") == LATER_ARN

    def test_is_the_pinned_one(self, world: World) -> None:
        world.rekognition.running = [VERSION_ARN, LATER_ARN]

        pinned = find_running_version(world.rekognition_client, PROJECT_ARN, VERSION_ARN.split("/")[3])

        assert pinned == VERSION_ARN

    def test_is_not_another_one_when_the_pinned_one_does_not_run(self, world: World) -> None:
        world.rekognition.running = [LATER_ARN]

        with pytest.raises(ModelNotUpError, match=PROJECT_ARN):
            find_running_version(world.rekognition_client, PROJECT_ARN, VERSION_ARN.split("/")[3])


@pytest.fixture
def table(world: World) -> RunsTable:
    world.create_runs_table()
    return RunsTable(world.dynamodb, RUNS)


def put_lock(world: World, **attributes: str) -> None:
    item = {name: {"S": value} for name, value in attributes.items()}
    world.dynamodb.put_item(TableName=RUNS, Item={**LOCK_KEY, **item})


class TestTheLock:
    def test_names_the_version_that_the_run_has_chosen(self, world: World, table: RunsTable) -> None:
        put_lock(world, executionArn="run", projectVersionArn=VERSION_ARN)

        assert table.project_version_arn() == VERSION_ARN

    def test_that_nobody_holds_means_that_the_model_is_not_up(self, table: RunsTable) -> None:
        with pytest.raises(ModelNotUpError):
            table.project_version_arn()

    def test_of_a_run_that_has_not_chosen_yet_means_that_the_model_is_not_up(
        self, world: World, table: RunsTable
    ) -> None:
        put_lock(world, executionArn="run")

        with pytest.raises(ModelNotUpError):
            table.project_version_arn()

    def test_adds_up_what_the_run_has_done(self, world: World, table: RunsTable) -> None:
        put_lock(world, executionArn="run")

        table.count(processed=3, rejected=0)
        table.count(processed=2, rejected=1)

        item = world.dynamodb.get_item(TableName=RUNS, Key=LOCK_KEY)["Item"]
        assert (item["processed"], item["rejected"]) == ({"N": "5"}, {"N": "1"})

    def test_is_not_made_by_counting(self, world: World, table: RunsTable) -> None:
        with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
            table.count(processed=1, rejected=0)

        assert world.dynamodb.scan(TableName=RUNS)["Items"] == []
