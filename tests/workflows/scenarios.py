"""Ways through the workflows: for each, what the world is like before a run starts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.workflows.services import MAPPING_SECONDS
from tests.workflows.world import VERSION, Settings, World, the_world


@dataclass
class Scenario:
    """A world before a run: its settings, and what somebody did to it."""

    prepare: Callable[[World], object]
    settings: Settings = field(default_factory=lambda: Settings(model_start_minutes=0.5))
    outcome: str = "DRAINED"

    @contextmanager
    def world(self) -> Iterator[World]:
        """The world, prepared."""
        with the_world(self.settings) as world:
            self.prepare(world)
            yield world


def _images(world: World) -> None:
    world.upload(100)


def _mapping_left_open(world: World) -> None:
    world.mapping.set(enabled=True)
    world.timeline.pass_time(MAPPING_SECONDS)


def _dead_run(world: World) -> None:
    world.upload(100)
    dead = world.start_run()
    world.wait_for(dead, "Note when the model ran")
    world.abort(dead)


def _person_runs_model(world: World) -> None:
    world.person_starts_model()
    world.upload(100)


def _grows(world: World) -> None:
    world.queue.arrivals_per_second = world.settings.tps_per_inference_unit
    world.at(40 * 60, world.queue.no_more_arrive)
    world.upload(100)


def _never_ceases(world: World) -> None:
    world.queue.arrivals_per_second = world.settings.tps_per_inference_unit / 2
    world.queue.in_flight = 3
    world.at(40 * 60, world.queue.no_more_arrive)
    world.upload(100)


def _no_unit_left(world: World) -> None:
    world.project.faults.start_error = "LimitExceededException"
    world.upload(100)


def _outgrows_its_unit(world: World) -> None:
    world.upload(100)
    world.at(120, lambda: world.upload(100_000))


def _stalls(world: World) -> None:
    world.queue.broken = True
    world.upload(100)


def _fails_to_start(world: World) -> None:
    world.project.faults.start_fails = "No."
    world.upload(100)


def _is_too_large(world: World) -> None:
    world.upload(10_000)


def _guard_looks_first(world: World) -> None:
    world.start_release()
    world.upload(100)


def _guard_looks_meanwhile(world: World) -> None:
    world.upload(1000)
    world.at(60, world.start_release)


SCENARIOS = {
    "nothing waits": Scenario(lambda _world: None),
    "images wait": Scenario(_images),
    "the mapping was left open": Scenario(_mapping_left_open),
    "a dead run holds the lock": Scenario(_dead_run),
    "a version is pinned": Scenario(_images, Settings(model_version=VERSION, model_start_minutes=0.5)),
    "a person runs the model": Scenario(_person_runs_model),
    "images arrive as fast as they are labelled": Scenario(_grows),
    "images never cease": Scenario(_never_ceases, Settings(model_start_minutes=0.5, min_batch_size=50)),
    "the account has no inference unit left": Scenario(_no_unit_left),
    "the run is outgrown": Scenario(
        _outgrows_its_unit, Settings(model_start_minutes=2, max_inference_units=5), "OUTGROWN"
    ),
    "nothing is ever labelled": Scenario(_stalls),
    "the model fails to start": Scenario(_fails_to_start),
    "there is too much to do": Scenario(_is_too_large, Settings(model_start_minutes=0.5, max_run_minutes=3)),
    "enough images wait": Scenario(_images, Settings(model_start_minutes=0.5, min_batch_size=100)),
    "too few images wait": Scenario(_images, Settings(model_start_minutes=0.5, min_batch_size=101)),
    "the guard looks before a run": Scenario(_guard_looks_first),
    "the guard looks during a run": Scenario(_guard_looks_meanwhile),
}
"""Every Task of both workflows is on one of these ways."""


_ONLY_ON = {
    "the run is outgrown": {"The run is outgrown", "Start a run of the right size"},
    "the account has no inference unit left": {"Would fewer units do?", "There is no inference unit left"},
    "images never cease": {"Note that the rest came since", "The run has caught up", "Wait for the function to finish"},
    "a version is pinned": {"Look the pinned version up", "Was the pinned version found?"},
    "images arrive as fast as they are labelled": {"Look at what was labelled", "Is anything labelled?"},
    "there is too much to do": {
        "The run is as long as it may be",
        "Look at the mapping",
        "Is the mapping closed?",
        "Wait for the mapping to close",
        "Look at what is in flight",
        "Has the function finished?",
    },
    "enough images wait": {
        "Note since when images wait",
        "Are there enough images?",
        "Forget since when images waited",
    },
    "the mapping was left open": {
        "Look at the idle mapping",
        "Is the idle mapping closed?",
        "Only close the mapping",
    },
    "a dead run holds the lock": {
        "Look at the lock's holder",
        "Is the holder alive?",
        "Release a dead run's model",
        "Wait for the dead run's release",
        "Look at the dead run's release",
        "Has the dead run's release ended?",
        "Look at the holder",
    },
    "the guard looks before a run": {
        "Look for models in service",
        "Are there more versions?",
        "Say what runs without a run",
    },
    "the guard looks during a run": {"Say that a run is active"},
}
"""What a run on which images simply wait does not come to."""


def scenario_with(state: str) -> Scenario:
    """The scenario in which a state is on the way."""
    return SCENARIOS[next((way for way, only in _ONLY_ON.items() if state in only), "images wait")]
