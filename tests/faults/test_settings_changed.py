"""`pulumi up` again while a run is at work: other settings, other code."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import custom_labels_batch
from sandbox.deploy import REPOSITORY
from sandbox.rekognition import VERSION_NAMES
from tests.faults.cases import always, case
from tests.faults.invariants import Place, assert_heals, assert_holds, counts
from tests.faults.pipeline import Pipeline

pytestmark = pytest.mark.xdist_group("faults")

IMAGES = 5

SETTINGS: dict[str, dict[str, str]] = {
    "more inference units": {"maxInferenceUnits": "4"},
    "fewer TPS, so a longer function timeout": {"tpsPerInferenceUnit": "0.5"},
    "minConfidence": {"minConfidence": "90"},
    "modelVersion pinned": {"modelVersion": VERSION_NAMES[0]},
    "maxRunMinutes": {"maxRunMinutes": "5"},
    "a schedule that ticks at once": {"schedule": "rate(2 hours)"},
    "mails an image, to more people": {
        "notificationMode": "image",
        "labelsOfInterest": "brick,grass",
        "notificationEmails": "quality@example.com,line@example.com",
    },
    "tags of everything": {"tags": '{"team": "quality"}'},
}


@pytest.fixture
def changed_back(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The shared stack, which gets its own settings back afterwards."""
    yield pipeline
    pipeline.update()


@pytest.fixture
def other_code(tmp_path: Path) -> Path:
    """This repository's program with a line more in analyze-image."""
    package = Path(custom_labels_batch.__file__).parent
    shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__main__.py", "settings.py", "Pulumi.yaml"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    handler = tmp_path / package.name / "functions" / "analyze_image" / "handler.py"
    handler.write_text(handler.read_text(encoding="utf-8") + "\nANOTHER_RELEASE = True\n", encoding="utf-8")
    return tmp_path


def run_with_an_open_mapping(pipeline: Pipeline) -> str:
    """A run that has opened the mapping, and can finish no image before `lift`."""
    pipeline.upload_pictures(IMAGES)
    pipeline.break_calls(errorRate={"InternalServerError": 1.0})
    run = pipeline.start_run()
    pipeline.wait_for(lambda: pipeline.mapping_state() == "Enabled", "the mapping to open")
    return run


@case(
    "A setting is changed (pulumi up) while the mapping is open",
    "The mapping stays open, though the program has it closed, and the run goes on with what it began with; the next "
    "one has the new setting.",
)
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(changed, id=name, marks=always if name == "minConfidence" else ())
        for name, changed in SETTINGS.items()
    ],
)
def test_a_setting_changed_during_a_run_disturbs_nothing(changed_back: Pipeline, settings: dict[str, str]) -> None:
    run = run_with_an_open_mapping(changed_back)

    changed_back.update(**settings)

    assert changed_back.mapping_state() == "Enabled"
    changed_back.lift()
    assert changed_back.finish(run)["status"] == "SUCCEEDED"
    assert_holds(changed_back)
    changed_back.upload_pictures(1)
    assert_heals(changed_back)
    assert counts(changed_back) == {Place.LABELLED: IMAGES + 1}


@case(
    "A setting is changed while the model is STARTING",
    "The run goes on with what it began with.",
)
@pytest.mark.parametrize("name", ["more inference units", "maxRunMinutes", "modelVersion pinned"])
def test_a_setting_changed_before_the_mapping_opens_disturbs_nothing(changed_back: Pipeline, name: str) -> None:
    changed_back.upload_pictures(IMAGES)
    run = changed_back.start_run()
    changed_back.until_model("STARTING")

    changed_back.update(**SETTINGS[name])

    assert changed_back.finish(run)["status"] == "SUCCEEDED"
    assert_holds(changed_back)
    assert counts(changed_back) == {Place.LABELLED: IMAGES}


@case(
    "A version that does not exist is pinned during a run, and taken back",
    "The run goes on; the next one fails, says which version there is not, and starts no model. Without the pin a run "
    "labels what waits.",
)
def test_a_wrong_version_pinned_during_a_run_fails_the_next_one_only(changed_back: Pipeline) -> None:
    run = run_with_an_open_mapping(changed_back)
    changed_back.update(modelVersion="no-such-version")
    changed_back.lift()
    assert changed_back.finish(run)["status"] == "SUCCEEDED"
    changed_back.upload_pictures(1)

    failed = changed_back.run()

    assert (failed["status"], failed["error"]) == ("FAILED", "ModelVersionNotFound")
    assert_holds(changed_back)
    changed_back.update()
    assert_heals(changed_back)


@case(
    "New code of analyze-image is deployed while the mapping is open",
    "A batch is done by the code it began with or by the new one; no image is done by both or by none.",
)
def test_new_code_deployed_during_a_run_loses_nothing(changed_back: Pipeline, other_code: Path) -> None:
    run = run_with_an_open_mapping(changed_back)

    changed_back.update(other_code)

    changed_back.lift()
    assert changed_back.finish(run)["status"] == "SUCCEEDED"
    assert_holds(changed_back)
    assert_heals(changed_back)
