"""Two or three versions of the same key, handled in any order, at the same time, and with crashes between.

AWS calls are the only moments at which one execution environment can see another's work, so the tests let
several analyses run call by call, in an order that Hypothesis chooses and shrinks.
"""

from collections import Counter
from collections.abc import Callable
from itertools import count
from threading import Semaphore, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_labels_batch.functions.analyze_image.analysis import Done, Outcome
from custom_labels_batch.functions.shared.image_version import ImageVersion
from tests.unit.functions.world import FINAL, SOURCE, UNVERSIONED_SOURCE, World, make_clients, png


class CrashError(Exception):
    """Lambda ended the execution environment here."""


class StepByStep:
    """Runs work in a thread, one AWS call at a time; between calls it may be made to crash."""

    def __init__(self, work: Callable[[], object], clients: tuple[Any, ...]) -> None:
        self._go, self._paused = Semaphore(0), Semaphore(0)
        self._crash = False
        self._work = work
        self.finished = False
        self.error: BaseException | None = None
        self._clients = clients
        for client in clients:
            client.meta.events.register("before-call", self._pause)
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()
        self._paused.acquire()

    def _run(self) -> None:
        try:
            self._pause()
            self._work()
        except BaseException as error:
            self.error = error
        self.finished = True
        self._paused.release()

    def _pause(self, **_: object) -> None:
        self._paused.release()
        self._go.acquire()
        if self._crash:
            raise CrashError

    def step(self, *, crash: bool = False) -> None:
        self._crash = crash
        self._go.release()
        self._paused.acquire()
        if self.finished:
            for client in self._clients:
                client.meta.events.unregister("before-call", self._pause)
            SPARE_CLIENTS.append(self._clients)


SPARE_CLIENTS: list[tuple[Any, ...]] = []
"""Clients are slow to make: those of a finished delivery serve the next one."""


@pytest.fixture(autouse=True)
def _no_clients_of_another_world() -> None:
    SPARE_CLIENTS.clear()


def deliver(world: World, image: ImageVersion) -> StepByStep:
    clients = SPARE_CLIENTS.pop() if SPARE_CLIENTS else make_clients(world.rekognition)
    return StepByStep(lambda: world.analysis(*clients).analyze(image), clients)


def run_in_some_order(world: World, images: list[ImageVersion], order: list[tuple[int, bool]]) -> None:
    """Deliver all images at once, step them as told (which, and whether it crashes there), and redeliver
    what failed until nothing does, as the queue would."""
    running = {image: deliver(world, image) for image in images}
    steps = iter(order)
    while running:
        which, crash = next(steps, (0, False))
        image = list(running)[which % len(running)]
        running[image].step(crash=crash)
        if running[image].finished:
            error = running.pop(image).error
            if error is not None:
                assert isinstance(error, CrashError), f"failed by itself: {error!r}"
                running[image] = deliver(world, image)


@pytest.fixture
def upload_versions(world: World) -> Callable[[int], list[ImageVersion]]:
    """Upload so many versions of a key that no other example used; the last is the latest."""
    numbers = count()

    def upload(how_many: int) -> list[ImageVersion]:
        key = f"example-{next(numbers)}.png"
        return [world.upload(key, png(f"version {number}")) for number in range(how_many)]

    return upload


WHICH = st.integers(0, 2)
ORDERS = st.lists(WHICH, min_size=25, max_size=40).map(lambda steps: [(which, False) for which in steps])
ORDERS_WITH_CRASHES = st.lists(st.tuples(WHICH, st.sampled_from([False] * 19 + [True])), min_size=40, max_size=60)
in_many_orders = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_all_is_well(world: World, images: list[ImageVersion]) -> None:
    key, latest = images[0].key, images[-1]
    top = world.document(f"images/{key}.json")
    assert top["imageId"] == latest.image_id
    assert world.final(f"images/{key}") == png("version " + str(len(images) - 1))
    assert not [v for v in world.versions(SOURCE) if v[0] == key], "a source version was left"
    published = Counter(message["imageId"] for message in world.published())
    assert set(published) == {image.image_id for image in images}
    for number, image in enumerate(images):
        assert_kept(world, image, png(f"version {number}"))


def assert_kept(world: World, image: ImageVersion, data: bytes) -> None:
    """Its copy and its document are in the final bucket, as the latest or under superseded/."""
    place = f"superseded/{image.key}/{image.image_id}"
    if place in world.keys(FINAL, "superseded/"):
        assert world.final(place) == data
        assert world.document(place + ".json")["imageId"] == image.image_id
        return
    copies = [
        world.s3.get_object(Bucket=FINAL, Key=key, VersionId=version)["Body"].read()
        for key, version in world.versions(FINAL, f"images/{image.key}")
    ]
    assert data in copies
    assert any(image.image_id.encode() in copy for copy in copies), "no document was ever written"


class TestVersionsHandledOneAfterTheOther:
    def test_a_later_one_takes_the_place_of_an_earlier_one(self, world: World) -> None:
        old, new = world.upload("a.png", png("old")), world.upload("a.png", png("new"))

        world.analysis().analyze(old)
        world.analysis().analyze(new)

        assert world.final("images/a.png") == png("new")
        assert world.document("images/a.png.json")["imageId"] == new.image_id
        assert world.keys(FINAL, "superseded/") == []

    def test_a_late_earlier_one_goes_aside(self, world: World) -> None:
        old, new = world.upload("a.png", png("old")), world.upload("a.png", png("new"))

        world.analysis().analyze(new)
        world.analysis().analyze(old)

        assert world.final("images/a.png") == png("new")
        assert world.final(f"superseded/a.png/{old.image_id}") == png("old")
        document = world.document(f"superseded/a.png/{old.image_id}.json")
        assert document["labels"][0]["name"] == "old"
        assert document["finalUri"] == f"s3://{FINAL}/superseded/a.png/{old.image_id}"

    def test_each_is_labelled_by_its_own_content(self, world: World) -> None:
        old, new = world.upload("a.png", png("old")), world.upload("a.png", png("new"))

        for image in (old, new):
            world.analysis().analyze(image)

        assert [message["labels"][0]["name"] for message in world.published()] == ["old", "new"]

    def test_deleting_one_leaves_the_other_in_the_source_bucket(self, world: World) -> None:
        old, new = world.upload("a.png", png("old")), world.upload("a.png", png("new"))

        world.analysis().analyze(old)

        assert world.versions(SOURCE) == [("a.png", new.version_id)]

    def test_a_rejected_one_does_not_take_the_place_of_a_labelled_one(self, world: World) -> None:
        good, bad = world.upload("a.png", png()), world.upload("a.png", b"")

        for image in (good, bad):
            world.analysis().analyze(image)

        assert world.final("images/a.png") == png()
        assert world.document("rejected/a.png.json")["imageId"] == bad.image_id

    def test_a_late_earlier_rejected_one_goes_aside(self, world: World) -> None:
        old, new = world.upload("a.png", b""), world.upload("a.png", b"")

        for image in (new, old):
            world.analysis().analyze(image)

        assert world.document("rejected/a.png.json")["imageId"] == new.image_id
        assert world.document(f"superseded/a.png/{old.image_id}.json")["status"] == "rejected"

    def test_a_superseded_one_delivered_again_is_not_asked_about_again(self, world: World) -> None:
        old, new = world.upload("a.png", png("old")), world.upload("a.png", png("new"))
        for image in (new, old):
            world.analysis().analyze(image)
        asked = len(world.rekognition.requests)

        done = world.analysis().analyze(old)

        assert done == Done(Outcome.ALREADY_DONE)
        assert len(world.rekognition.requests) == asked


class TestACopyPutOverALaterOne:
    """As an execution environment leaves it that crashed after it had copied an earlier version."""

    def test_is_put_right_when_the_earlier_one_comes_again(self, world: World) -> None:
        old, new = world.upload("a.png", png("old")), world.upload("a.png", png("new"))
        world.analysis().analyze(new)
        world.s3.put_object(Bucket=FINAL, Key="images/a.png", Body=png("old"))

        world.analysis().analyze(old)

        assert world.final("images/a.png") == png("new")

    def test_is_put_right_even_if_the_earlier_one_is_gone(self, world: World) -> None:
        old, new = world.upload("a.png", png("old")), world.upload("a.png", png("new"))
        world.analysis().analyze(new)
        world.s3.put_object(Bucket=FINAL, Key="images/a.png", Body=png("old"))
        world.s3.delete_object(Bucket=SOURCE, Key="a.png", VersionId=old.version_id or "")

        assert world.analysis().analyze(old) == Done(Outcome.DROPPED)
        assert world.final("images/a.png") == png("new")

    def test_stays_when_the_later_copy_has_expired(self, world: World) -> None:
        old, new = world.upload("a.png", png("old")), world.upload("a.png", png("new"))
        world.analysis().analyze(new)
        expired = world.document("images/a.png.json")["finalVersionId"]
        world.s3.put_object(Bucket=FINAL, Key="images/a.png", Body=png("old"))
        world.s3.delete_object(Bucket=FINAL, Key="images/a.png", VersionId=expired)

        done = world.analysis().analyze(old)

        assert isinstance(done, Done)
        assert done.outcome is Outcome.LABELLED


class TestVersionsHandledAtTheSameTime:
    @in_many_orders
    @given(order=ORDERS)
    def test_two_end_with_the_later_one_on_top_whatever_the_order(
        self, world: World, upload_versions: Callable[[int], list[ImageVersion]], order: list[tuple[int, bool]]
    ) -> None:
        images = upload_versions(2)

        run_in_some_order(world, images, order)

        assert_all_is_well(world, images)

    @in_many_orders
    @given(order=ORDERS)
    def test_two_that_come_after_a_finished_one_end_with_the_latest_on_top(
        self, world: World, upload_versions: Callable[[int], list[ImageVersion]], order: list[tuple[int, bool]]
    ) -> None:
        images = upload_versions(3)
        world.analysis().analyze(images[0])

        run_in_some_order(world, images[1:], order)

        assert_all_is_well(world, images)

    @in_many_orders
    @given(order=ORDERS_WITH_CRASHES)
    def test_three_end_with_the_latest_on_top_whatever_the_order_and_the_crashes(
        self, world: World, upload_versions: Callable[[int], list[ImageVersion]], order: list[tuple[int, bool]]
    ) -> None:
        images = upload_versions(3)

        run_in_some_order(world, images, order)

        assert_all_is_well(world, images)

    @in_many_orders
    @given(order=ORDERS)
    def test_one_version_delivered_twice_at_once_ends_as_one_result(
        self, world: World, upload_versions: Callable[[int], list[ImageVersion]], order: list[tuple[int, bool]]
    ) -> None:
        (image,) = upload_versions(1)
        first, second = deliver(world, image), deliver(world, image)
        for which, _ in order:
            runner = (first, second)[which % 2]
            if not runner.finished:
                runner.step()
        for runner in (first, second):
            while not runner.finished:
                runner.step()

        assert (first.error, second.error) == (None, None)
        assert_all_is_well(world, [image])
        assert len(world.versions(FINAL, f"images/{image.key}.json")) == 1


class TestABucketWithoutVersions:
    def test_deletes_the_image_it_labelled(self, world: World) -> None:
        image = world.upload("a.png", png(), UNVERSIONED_SOURCE)

        world.analysis().analyze(image)

        assert world.final("images/a.png") == png()
        assert world.keys(UNVERSIONED_SOURCE) == []

    def test_keeps_a_later_upload_that_came_while_the_earlier_was_labelled(self, world: World) -> None:
        image = world.upload("a.png", png("old"), UNVERSIONED_SOURCE)
        world.rekognition.before_answer = lambda: world.upload("a.png", png("new"), UNVERSIONED_SOURCE)

        done = world.analysis().analyze(image)

        assert done == Done(Outcome.DROPPED)
        assert world.keys(UNVERSIONED_SOURCE) == ["a.png"]
        assert world.published() == [], "the labels of the new image were announced as the old one's"

    def test_drops_an_image_that_was_overwritten_and_labels_the_one_that_is_there(self, world: World) -> None:
        old = world.upload("a.png", png("old"), UNVERSIONED_SOURCE)
        new = world.upload("a.png", png("new"), UNVERSIONED_SOURCE)

        outcomes = [world.analysis().analyze(image) for image in (old, new)]

        assert outcomes[0] == Done(Outcome.DROPPED)
        assert world.document("images/a.png.json")["imageId"] == new.image_id
        assert len(world.published()) == 1
