"""The schema that every language's SDK is generated from."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from sandbox.deploy import REPOSITORY
from tests.unit.plugin.engine import PLUGIN, Plugin
from tests.unit.plugin.inputs import EVERYTHING, LEAST

COMMITTED = json.loads((PLUGIN / "schema.json").read_text(encoding="utf-8"))
COMPONENTS = {token.rpartition(":")[2]: schema for token, schema in COMMITTED["resources"].items()}


def properties(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every input, output and member of a structure, by name."""
    for part in [*schema["resources"].values(), *schema["types"].values()]:
        yield from part["properties"].items()
        yield from part.get("inputProperties", {}).items()


def test_the_committed_copy_is_what_the_plugin_answers(plugin: Plugin) -> None:
    assert plugin.schema() == COMMITTED, "`make docs` writes it anew"


def test_it_has_the_components() -> None:
    assert [*COMMITTED["resources"]] == [
        f"custom-labels-batch:index:{name}"
        for name in ("BatchInference", "Notification", "Analytics", "Monitoring", "DestroyGuard")
    ]
    assert all(component["isComponent"] for component in COMPONENTS.values())


def test_the_version_is_the_projects(plugin: Plugin) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert plugin.version() == COMMITTED["version"] == project["version"]


def test_every_component_input_output_and_type_is_described() -> None:
    described = [*COMPONENTS.items(), *COMMITTED["types"].items(), *properties(COMMITTED)]

    assert [name for name, part in described if not part.get("description")] == []


def test_descriptions_have_the_names_that_other_languages_use() -> None:
    for name, part in [*COMPONENTS.items(), *properties(COMMITTED)]:
        assert not re.search(r"[a-z]_[a-z]", part["description"]), name
        assert "\n" not in part["description"], name


@pytest.mark.parametrize("component", LEAST)
def test_only_what_a_component_cannot_do_without_is_required(component: str) -> None:
    assert COMPONENTS[component]["requiredInputs"] == sorted(LEAST[component])


@pytest.mark.parametrize("component", EVERYTHING)
def test_the_tests_give_every_input_but_the_one_that_excludes_another(component: str) -> None:
    untested = set(COMPONENTS[component]["inputProperties"]) - set(EVERYTHING[component])

    assert untested == ({"existingSourceBucketName"} if component == "BatchInference" else set())


@pytest.mark.parametrize(
    ("component", "names"),
    [
        ("BatchInference", {"projectArn", "schedule", "scheduleTimezone", "powertoolsLayerArn", "finalBucketName"}),
        ("Notification", {"predictionsTopicArn", "finalBucketName", "powertoolsLayerArn"}),
        ("Analytics", {"predictionsTopicArn", "analyticsBucketName", "powertoolsLayerArn"}),
        ("Monitoring", {name for name in EVERYTHING["Monitoring"] if name.endswith(("Arn", "Url", "FunctionName"))}),
    ],
)
def test_what_other_resources_tell_may_be_an_output(component: str, names: set[str]) -> None:
    inputs = COMPONENTS[component]["inputProperties"]

    assert [name for name in names if inputs[name].get("plain")] == []


def test_tags_may_have_outputs_in_them() -> None:
    for component in COMPONENTS.values():
        assert "plain" not in component["inputProperties"]["tags"]["additionalProperties"]


def test_types_are_the_plain_ones() -> None:
    inputs = COMPONENTS["BatchInference"]["inputProperties"]

    assert (inputs["maxInferenceUnits"]["type"], inputs["minConfidence"]["type"]) == ("integer", "number")
    assert (inputs["forceDestroy"]["type"], inputs["projectArn"]["type"]) == ("boolean", "string")
    assert inputs["labelThresholds"]["additionalProperties"]["type"] == "number"
    subscriptions = COMPONENTS["Notification"]["inputProperties"]["subscriptions"]
    assert subscriptions["items"]["$ref"] == "#/types/custom-labels-batch:index:NotificationSubscription"


def test_outputs_that_a_trigger_leaves_out_are_optional() -> None:
    batch = COMPONENTS["BatchInference"]

    assert set(batch["properties"]) - set(batch["required"]) == {
        "stateMachineArn",
        "releaseStateMachineArn",
        "scheduleArn",
        "runsTableName",
        "rescueDeadLetterQueueUrl",
        "runSummaryTopicArn",
    }


class TestTheFolder:
    """What the engine does with it: sdk/go/common/workspace and the Python language host of pulumi/pulumi."""

    def test_says_how_it_is_run(self) -> None:
        manifest = yaml.safe_load((PLUGIN / "PulumiPlugin.yaml").read_text(encoding="utf-8"))

        # Older engines install into `venv`, whatever the manifest says.
        assert manifest == {"runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}}}

    def test_installs_what_the_program_installs(self) -> None:
        lines = (PLUGIN / "requirements.txt").read_text(encoding="utf-8").splitlines()

        (included,) = [line for line in lines if not line.startswith("#")]
        assert (PLUGIN / included.removeprefix("-r ")).resolve() == REPOSITORY / "requirements.txt"

    def test_is_not_the_program_s(self) -> None:
        # The engine runs the __main__.py beside the manifest: the root's is the stack.
        assert not (REPOSITORY / "PulumiPlugin.yaml").exists()

    def test_needs_no_symbolic_link(self) -> None:
        # Older engines leave them out of what they unpack.
        tracked = subprocess.run(
            ["git", "ls-files", "-s"], cwd=REPOSITORY, capture_output=True, text=True, check=True
        ).stdout

        assert not [line for line in tracked.splitlines() if line.startswith("120000")]
