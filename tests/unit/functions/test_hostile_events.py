"""analyze-image under attack: whatever a key or a message says, its neighbours are labelled and no other is touched."""

import importlib
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_labels_batch.functions.shared.image_version import ImageVersion
from custom_labels_batch.functions.shared.object_keys import MAX_KEY_BYTES
from tests.unit.functions.events import object_created, sqs_record
from tests.unit.functions.execution_environment import forget_the_functions, set_analyze_image
from tests.unit.functions.hostile import KEYS, UNPAIRED, mutations, nonsense
from tests.unit.functions.lambda_context import Context
from tests.unit.functions.strategies import object_keys
from tests.unit.functions.world import (
    FINAL,
    NOON,
    SOURCE,
    UNVERSIONED_SOURCE,
    World,
    png,
)

SHELVES = ("images/", "rejected/", "superseded/")
TRIES = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""The world lives through all tries of a test: each compares what is there before and after."""

DECOY = ImageVersion(SOURCE, "decoy.png", "v", "5d41402a", "0061", 12, NOON)


@dataclass
class Attacked:
    """The function in one execution environment, and what it asks AWS for."""

    module: ModuleType
    calls: list[tuple[str, str, str, str]] = field(default_factory=list)
    log: io.StringIO = field(default_factory=io.StringIO)

    def __call__(self, *bodies: str) -> set[str]:
        """Invoke with messages "0", "1", ...; give the ids of those that come again."""
        self.calls.clear()
        self.log.truncate(self.log.seek(0))
        records = [sqs_record(body, str(number)) for number, body in enumerate(bodies)]
        answer = self.module.handler({"Records": records}, Context())
        failed = [item["itemIdentifier"] for item in answer["batchItemFailures"]]
        assert len(failed) == len(set(failed))
        return set(failed)

    def note(self, params: dict[str, Any], model: Any, **_: object) -> None:
        source = params.get("CopySource") or params.get("Image", {}).get("S3Object", {})
        named = {params.get("Bucket"), source.get("Bucket")} - {None}
        version = str(params.get("VersionId", ""))
        self.calls.extend((model.name, bucket, str(params.get("Key", "")), version) for bucket in named)

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged, each line of it."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def given_back(self) -> list[str]:
        """The id of the message in each line that says that one was."""
        return [line["message_id"] for line in self.lines() if line["message"] == "Given back to the queue"]


@pytest.fixture
def function(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attacked]:
    set_analyze_image(monkeypatch, world, TRIGGER="upload", DETECT_CALLS_PER_SECOND="10000")
    forget_the_functions()
    attacked = Attacked(importlib.import_module("custom_labels_batch.functions.analyze_image.handler"))
    wiring = importlib.import_module("custom_labels_batch.functions.analyze_image.wiring")
    world.rekognition.attach(wiring._detector._rekognition)
    cast(logging.StreamHandler[Any], attacked.module.logger.registered_handler).setStream(attacked.log)
    monkeypatch.setattr(wiring.queue, "hide", lambda *_: None)
    for client in (wiring._s3, wiring._detector._rekognition):
        client.meta.events.register("provide-client-params", attacked.note)
    yield attacked
    forget_the_functions()


def message(image: ImageVersion) -> str:
    return json.dumps(object_created(image))


def assert_log_is_plain(function: Attacked) -> None:
    """One JSON object a line, in printable ASCII, short enough for a log event."""
    for line in function.log.getvalue().split("\n"):
        assert line.isascii()
        assert not line or (line.isprintable() and json.loads(line))
        assert len(line) < 64 * 1024


def assert_only_shelves_were_written(world: World) -> None:
    assert all(key.startswith(SHELVES) for key in world.keys(FINAL))


class TestAHostileKey:
    @pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
    def test_is_labelled_and_moved_as_any_other(self, world: World, function: Attacked, keys: list[str]) -> None:
        images = [world.upload(key, png(str(number))) for number, key in enumerate(keys)]

        assert function(*map(message, images)) == set()
        assert world.versions(SOURCE) == []
        places = {key for key in world.keys(FINAL) if key + ".json" in world.keys(FINAL)}
        assert sorted(world.keys(FINAL)) == sorted([*places, *(f"{place}.json" for place in places)])
        assert all(place.startswith("images/") and len(place.encode()) <= MAX_KEY_BYTES - 5 for place in places)
        found = {world.document(f"{place}.json")["imageKey"]: world.final(place) for place in places}
        assert found == {key: png(str(number)) for number, key in enumerate(keys)}
        assert sorted(announced["imageKey"] for announced in world.published()) == sorted(keys)
        assert_log_is_plain(function)

    @pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
    def test_is_rejected_below_rejected(self, world: World, function: Attacked, keys: list[str]) -> None:
        images = [world.upload(key, b"") for key in keys]

        assert function(*map(message, images)) == set()
        assert len(world.keys(FINAL)) == 2 * len(keys)
        assert all(found.startswith("rejected/") for found in world.keys(FINAL))
        assert_log_is_plain(function)

    @TRIES
    @given(key=object_keys())
    def test_of_any_characters_leaves_every_other_object_alone(
        self, world: World, function: Attacked, key: str
    ) -> None:
        bystander, image = world.upload("bystander.png", png()), world.upload(key, png())

        assert function(message(image)) == set()
        assert (bystander.key, bystander.version_id) in world.versions(SOURCE)
        assert {call[2:] for call in function.calls if call[0] == "DeleteObject"} == {(key, image.version_id)}
        assert_only_shelves_were_written(world)
        assert_log_is_plain(function)

    def test_of_another_images_document_does_not_overwrite_it(self, world: World, function: Attacked) -> None:
        honest, hostile = world.upload("a.png", png("brick")), world.upload("a.png.json", png("grass"))

        assert function(message(honest), message(hostile)) == set()
        assert world.document("images/a.png.json")["imageId"] == honest.image_id
        assert len(world.published()) == 2

    def test_of_the_place_of_a_long_key_does_not_overwrite_it(self, world: World, function: Attacked) -> None:
        long = world.upload("k" * 1020 + ".png", png("brick"))
        hostile = world.upload(f"long-keys/{long.image_id}.png", png("grass"))

        assert function(message(long), message(hostile)) == set()
        assert world.final(f"images/long-keys/{long.image_id}.png") == png("brick")
        assert world.document(f"images/long-keys/{long.image_id}.png.json")["imageId"] == long.image_id


class TestAMessageAboutAnotherBucket:
    @pytest.mark.parametrize("bucket", [UNVERSIONED_SOURCE, FINAL, "somebody-elses", "Photographs", f"{SOURCE}."])
    @pytest.mark.parametrize("size", [0, 12, 2**62], ids=["empty", "small", "huge"])
    def test_is_refused_before_anything_is_read_or_deleted_there(
        self, world: World, function: Attacked, bucket: str, size: int
    ) -> None:
        for name in (UNVERSIONED_SOURCE, FINAL):
            world.s3.put_object(Bucket=name, Key="images/a.png", Body=png())
        healthy = world.upload("a.png", png())
        spoofed = ImageVersion(bucket, "images/a.png", None, "5d41402a", "0061", size, NOON)

        assert function(message(spoofed), message(healthy)) == {"0"}
        assert {called for _, called, _, _ in function.calls} == {SOURCE, FINAL}
        assert {key for _, called, key, _ in function.calls if called == FINAL} <= {
            "images/a.png", "images/a.png.json", "rejected/a.png.json",
        }  # fmt: skip
        assert {key for name, *_, key, _ in function.calls if name == "DeleteObject"} == {"a.png"}
        assert world.keys(UNVERSIONED_SOURCE) == ["images/a.png"]
        assert function.given_back() == ["0"]

    @pytest.mark.parametrize(
        "change",
        [
            {"source": "aws.s4"},
            {"source": "my.app"},
            {"detail-type": "Object Deleted"},
            {"detail-type": "Object Restore Completed"},
            {"detail-type": ["Object Created"]},
            {"detail": {"bucket": {"name": [SOURCE]}}},
            {"detail": {"bucket": SOURCE, "object": "decoy.png"}},
        ],
        ids=str,
    )
    def test_or_about_something_else_is_refused(self, world: World, function: Attacked, change: dict[str, Any]) -> None:
        decoy = world.upload("decoy.png", png())

        assert function(json.dumps(object_created(decoy) | change)) == {"0"}
        assert world.keys(SOURCE) == ["decoy.png"]
        assert function.calls == []


class TestAPoisonedMessage:
    @TRIES
    @given(body=mutations(object_created(DECOY)))
    def test_never_takes_its_neighbour_down(self, world: World, function: Attacked, body: str) -> None:
        decoy, healthy = world.upload("decoy.png", png()), world.upload("healthy.png", png())
        there = set(world.versions(SOURCE))
        body = body.replace(f'"{DECOY.version_id}"', json.dumps(decoy.version_id))

        failed = function(body, message(healthy))

        gone = there - set(world.versions(SOURCE))
        assert failed <= {"0"}
        assert gone - {(decoy.key, decoy.version_id)} == {(healthy.key, healthy.version_id)}
        assert not (failed and (decoy.key, decoy.version_id) in gone)
        assert function.given_back() == sorted(failed)
        assert {bucket for _, bucket, _, _ in function.calls} == {SOURCE, FINAL}
        assert_only_shelves_were_written(world)
        assert_log_is_plain(function)

    @TRIES
    @given(bodies=st.lists(nonsense(), min_size=1, max_size=9))
    def test_that_is_nonsense_comes_back_alone(self, world: World, function: Attacked, bodies: list[str]) -> None:
        healthy = world.upload("healthy.png", png())

        assert function(*bodies, message(healthy)) == set(map(str, range(len(bodies))))
        assert (healthy.key, healthy.version_id) not in world.versions(SOURCE)
        assert sorted(function.given_back()) == sorted(map(str, range(len(bodies))))
        assert_log_is_plain(function)

    def test_with_half_a_character_in_its_key_comes_back(self, world: World, function: Attacked) -> None:
        body = message(world.upload("decoy.png", png())).replace("decoy", UNPAIRED)

        assert function(body) == {"0"}
        assert world.keys(SOURCE) == ["decoy.png"]
        assert_log_is_plain(function)

    @pytest.mark.parametrize("size", [256 * 1024, 1024 * 1024])
    def test_of_the_largest_size_is_handled_if_it_is_an_event(
        self, world: World, function: Attacked, size: int
    ) -> None:
        event = object_created(world.upload("a.png", png()))
        event["detail"]["new"] = "x" * (size - len(json.dumps(event)))

        assert function(json.dumps(event)) == set()
        assert world.keys(SOURCE) == []

    def test_about_an_object_that_never_was_is_dropped(self, world: World, function: Attacked) -> None:
        assert function(message(DECOY)) == set()
        assert world.keys(FINAL) == []
        assert [line["message"] for line in function.lines()] == ["Dropped: the image version is gone"]
