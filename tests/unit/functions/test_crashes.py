"""The function ends at every step there is, and the message comes again."""

from typing import Any

import pytest

from custom_labels_batch.functions.shared.image_version import ImageVersion
from tests.unit.functions.world import FINAL, SOURCE, UNVERSIONED_SOURCE, World, png


class CrashError(Exception):
    """Lambda ended the execution environment here."""


class Tripwire:
    """Counts the AWS calls that take effect, and crashes before or after one of them."""

    def __init__(self, clients: tuple[Any, ...], at: int = 0, *, after: bool = False) -> None:
        self.calls: list[str] = []
        self._at = at
        self._clients = clients
        self._event = "after-call" if after else "before-call"
        for client in clients:
            client.meta.events.register(self._event, self._trip)

    def _trip(self, model: Any, **_: object) -> None:
        self.calls.append(model.name)
        if len(self.calls) == self._at:
            raise CrashError(model.name)

    def remove(self) -> None:
        for client in self._clients:
            client.meta.events.unregister(self._event, self._trip)


UPLOADS = {
    "labelled": ("a.png", png(), SOURCE),
    "labelled, in a bucket without versions": ("a.png", png(), UNVERSIONED_SOURCE),
    "rejected for its size": ("a.png", b"", SOURCE),
    "rejected for its dimensions": ("a.png", png(width=32, height=32), SOURCE),
}
STEPS = [
    "GetObject",  # is it done?
    "GetObject",  # was it rejected?
    "DetectCustomLabels",
    "CopyObject",
    "Publish",
    "PutObject",  # the mark of completion
    "GetObject",  # is the mark still ours ...
    "HeadObject",  # ... and the image beside it?
    "DeleteObject",
]
MOST_STEPS = 12


def upload(world: World, case: str) -> ImageVersion:
    key, data, bucket = UPLOADS[case]
    return world.upload(key, data, bucket)


def analyze_until_crash(world: World, image: ImageVersion, at: int, *, after: bool) -> bool:
    """Analyze with a crash at one call; say whether there was such a call."""
    wire = Tripwire(world.clients, at, after=after)
    try:
        world.analysis().analyze(image)
    except CrashError:
        return True
    finally:
        wire.remove()
    return False


def test_the_steps_are_taken_in_the_order_that_loses_nothing(world: World) -> None:
    image = upload(world, "labelled")
    wire = Tripwire(world.clients)

    world.analysis().analyze(image)

    assert wire.calls == STEPS


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("case", UPLOADS)
def test_an_image_ends_as_one_result_wherever_the_first_try_crashed(world: World, case: str, after: bool) -> None:
    for step in range(1, MOST_STEPS + 1):
        image = upload(world, case)

        crashed = analyze_until_crash(world, image, step, after=after)
        world.analysis().analyze(image)

        assert_finished_once(world, image, case)
        if not crashed:
            break
        empty(world)
    assert not crashed, "there are more steps than were tried"


@pytest.mark.parametrize("case", UPLOADS)
def test_an_image_is_never_without_a_copy(world: World, case: str) -> None:
    for step in range(1, MOST_STEPS + 1):
        image = upload(world, case)

        analyze_until_crash(world, image, step, after=True)

        in_source = world.versions(image.bucket)
        in_final = [key for key in world.keys(FINAL) if not key.endswith(".json")]
        marked = [key for key in world.keys(FINAL) if key.endswith(".json")]
        assert in_source or (in_final and marked)
        empty(world)


def assert_finished_once(world: World, image: ImageVersion, case: str) -> None:
    shelf = "images" if case.startswith("labelled") else "rejected"
    assert world.keys(FINAL) == [f"{shelf}/a.png", f"{shelf}/a.png.json"]
    assert world.document(f"{shelf}/a.png.json")["imageId"] == image.image_id
    assert world.versions(image.bucket) == []
    published = world.published()
    assert 1 <= len(published) <= 2
    assert {message["imageId"] for message in published} == {image.image_id}


def empty(world: World) -> None:
    for bucket in (SOURCE, UNVERSIONED_SOURCE, FINAL):
        for key, version in world.versions(bucket):
            world.s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    world.published()
