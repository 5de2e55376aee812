"""What docs/architecture.md says by hand of the workflows, held against them."""

import json
import re
from itertools import pairwise

from custom_labels_batch.components.scheduled_runs import RELEASE_TIMEOUT_SECONDS
from sandbox.deploy import REPOSITORY
from tests.workflows.definitions import NAMES, State, machines, states, transitions

TEXT = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
PARTICIPANTS = {"run": "batch_inference", "release": "release_model"}


def section(title: str) -> str:
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def told(participant: str) -> list[str]:
    """What a workflow does in the sequence diagram, in its order."""
    return re.findall(rf"^ *{participant}->>\w+: (.+)$", section("One run, from upload to mail"), re.MULTILINE)


def reachable(name: str) -> dict[str, set[str]]:
    """State -> every state that may follow it, sooner or later."""
    next_ones = {key: {target for target, _ in transitions(state)} for key, state in states(name).items()}
    for machine in machines(name):
        for key, state in machine["States"].items():
            for branch in state.get("Branches", []):
                next_ones[key].add(branch["StartAt"])
                for end in (end for end, inner in branch["States"].items() if inner.get("End")):
                    next_ones[end].add(state["Next"])
    found: dict[str, set[str]] = {}
    for key in next_ones:
        todo, seen = [key], set[str]()
        while todo:
            new = next_ones[todo.pop()] - seen
            seen |= new
            todo += new
        found[key] = seen
    return found


def writes_the_lock(state: State) -> bool:
    if state["Type"] != "Task" or "dynamodb" not in state["Resource"] or state["Resource"].endswith("getItem"):
        return False
    item: State = state["Arguments"].get("Item") or state["Arguments"]["Key"]
    return bool(item["kind"]["S"] == "lock")


def test_the_sequence_diagram_is_a_way_through_the_workflows() -> None:
    for participant, name in PARTICIPANTS.items():
        follows = reachable(name)
        steps = told(participant)
        assert len(steps) > 5
        assert set(steps) <= states(name).keys()
        for first, second in pairwise(steps):
            assert second in follows[first], f"{second} never follows {first}"


def test_the_sequence_diagram_shades_what_is_between_the_models_start_and_stop() -> None:
    before, _, rest = section("One run, from upload to mail").partition("rect rgba")
    shaded, _, after = rest.partition("\n    end\n")
    assert "Start the model" in before
    assert "model: Stop the model" in shaded
    assert shaded.rstrip().endswith("Stop the model")
    assert "Look at the model" in after


def test_the_lock_is_written_by_the_states_that_are_named_and_no_others() -> None:
    drawing = set(re.findall(r"--> [^:]+: (.+)$", section("The lock"), re.MULTILINE))
    rows = {row.strip() for row in re.findall(r"^\| ([^|]+) \|", section("The lock"), re.MULTILINE)}
    writing = {key for name in NAMES for key, state in states(name).items() if writes_the_lock(state)}

    assert drawing == writing
    assert rows - {"written by", "---", "analyze-image"} == writing


def test_what_the_table_says_a_state_writes_into_the_lock_it_does() -> None:
    by_name = {key: state for name in NAMES for key, state in states(name).items() if writes_the_lock(state)}
    for row in re.findall(r"^\| ([^|]+) \| ([^|]+) \|", section("The lock"), re.MULTILINE):
        if state := by_name.get(row[0]):
            written = json.dumps(state["Arguments"])
            for attribute in re.findall(r"`(\w+)`", row[1]):
                assert attribute in written, f"{row[0]}: {attribute}"


def test_the_kinds_of_items_are_those_that_workflows_keep() -> None:
    kinds = set(re.findall(r"^\| `(\w+)` \| ", section("Messages and documents"), re.MULTILINE)) - {"kind"}
    text = json.dumps([states(name) for name in NAMES])
    assert kinds == set(re.findall(r'"kind": \{"S": "(\w+)"\}', text))


def test_how_long_things_are_tried_is_as_the_workflows_have_it() -> None:
    run, release = (states(name)["Read the settings"]["Assign"]["settings"] for name in NAMES)
    told_of_ends = " ".join(section("Who stops the model").split())
    assert f"did not come up within {run['startTimeoutSeconds'] // 60} minutes" in told_of_ends
    assert f"two looks {run['stallSeconds'] // 60} minutes apart" in told_of_ends
    assert f"asks Rekognition to stop for {release['stopTimeoutSeconds'] // 60} minutes" in told_of_ends
    assert f"a release after {RELEASE_TIMEOUT_SECONDS // 3600} hours" in told_of_ends
