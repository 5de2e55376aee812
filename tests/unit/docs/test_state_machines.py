"""The drawings of the workflows, held against the JSON by another reading of it than theirs."""

import json
import re
import shutil
from pathlib import Path

import pytest

from custom_labels_batch.components.workflow import WORKFLOWS
from docs import state_machines
from sandbox.deploy import REPOSITORY
from tests.workflows.definitions import NAMES, State, definition, machines, states, transitions

LONGEST_WORDS = 32
MOST_CHARACTERS, MOST_ARROWS = 50_000, 500  # Mermaid refuses more, by its defaults of maxTextSize and maxEdges
ARCHITECTURE, STATES = REPOSITORY / "docs" / "architecture.md", REPOSITORY / "docs" / "workflows.md"

_NODE = re.compile(r'^    (\w+)(?:\["|\{\{"|\(\[")(.+?)(?:<br/>.*)?"[\])}]+:::(\w+)$', re.MULTILINE)
_ARROW = re.compile(r'^    (\w+) (-->|-\.->)(?:\|"(.*?)"\|)? (\w+)$', re.MULTILINE)

both = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def workflows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the definitions, which the drawings are made from."""
    folder = tmp_path / "workflows"
    shutil.copytree(WORKFLOWS, folder)
    monkeypatch.setattr(state_machines, "WORKFLOWS", folder)
    return folder


def change(folder: Path, name: str, old: str, new: str) -> None:
    file = folder / f"{name}.asl.json"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def drawings(name: str) -> list[str]:
    """Of a workflow's states, a phase each."""
    text = STATES.read_text(encoding="utf-8")
    section = re.split(r"^## ", text, flags=re.MULTILINE)[1 + NAMES.index(name)]
    assert section.startswith(f"{name}\n")
    return re.findall(r"```mermaid\n(.*?)```", section, re.DOTALL)


def drawn_states(name: str) -> list[str]:
    """Every state that is drawn in a phase, once for each time; not what is drawn of other phases."""
    nodes = [node for drawing in drawings(name) for node in _NODE.findall(drawing)]
    return [label for _, label, kind in nodes if kind != "elsewhere"]


def drawn_ways(name: str) -> set[tuple[str, str]]:
    """Every arrow between two states, by their names."""
    ways = set()
    for drawing in drawings(name):
        labels = {key: re.sub(r"^\d+: ", "", label) for key, label, _ in _NODE.findall(drawing)}
        arrows = [(labels[source], labels[target]) for source, _, _, target in _ARROW.findall(drawing)]
        ways |= {(source, target) for source, target in arrows if not source.startswith("from ")}
    return ways


def ways_of(name: str) -> set[tuple[str, str]]:
    """Every transition of a workflow; into a Parallel's branch, and from its ends to what follows the Parallel."""
    ways = {(key, target) for key, state in states(name).items() for target, _ in transitions(state)}
    for key, parallel in states(name, "Parallel").items():
        (branch,) = parallel["Branches"]
        ways -= {(key, target) for target, _ in transitions(parallel)}
        ways |= {(key, branch["StartAt"])}
        ways |= {(end, parallel["Next"]) for end, state in branch["States"].items() if state.get("End")}
    return ways


@both
def test_every_state_is_drawn_in_one_phase(name: str) -> None:
    assert sorted(drawn_states(name)) == sorted(states(name))


@both
def test_every_transition_is_drawn_and_no_other(name: str) -> None:
    assert drawn_ways(name) == ways_of(name)


@both
def test_every_answer_of_a_question_has_words_that_fit_an_arrow(name: str) -> None:
    for key, choice in states(name, "Choice").items():
        for rule in choice["Choices"]:
            assert 0 < len(rule.get("Comment", "")) <= LONGEST_WORDS, key


@both
def test_the_overview_leads_from_phase_to_phase_as_the_states_do(name: str) -> None:
    one = state_machines.workflow(name)
    overview = state_machines.overview().split("### ")[1 + NAMES.index(name)]
    keys = {phase.key for phase in one.phases}
    drawn = {(source, target) for source, _, _, target in _ARROW.findall(overview) if {source, target} <= keys}

    crossing = {(one.phase_of(source).key, one.phase_of(target).key) for source, target in ways_of(name)}
    ends = {key for key, state in states(name).items() if state["Type"] in {"Succeed", "Fail"}}
    to_ends = {(one.phase_of(source).key, one.phase_of(end).key) for source, end in ways_of(name) if end in ends}
    assert drawn <= {(source, target) for source, target in crossing if source != target}
    assert crossing - drawn <= to_ends | {(key, key) for key in keys}


@both
def test_an_error_of_a_branch_leads_where_the_overview_says(name: str) -> None:
    one = state_machines.workflow(name)
    overview = state_machines.overview().split("### ")[1 + NAMES.index(name)]

    caught = {
        (re.sub(r"\W+", "_", key.lower()), one.phase_of(catch["Next"]).key)
        for key, parallel in states(name, "Parallel").items()
        for catch in parallel["Catch"]
    }
    assert {
        (source, to) for source, kind, _, to in _ARROW.findall(overview) if kind == "-.->" and "_" in source
    } == caught


@pytest.mark.parametrize("file", [ARCHITECTURE, STATES], ids=lambda path: path.name)
def test_no_drawing_is_larger_than_mermaid_takes(file: Path) -> None:
    blocks = re.findall(r"```mermaid\n(.*?)```", file.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        assert len(block) < MOST_CHARACTERS
        assert len(_ARROW.findall(block)) < MOST_ARROWS


def test_a_renamed_state_is_drawn_anew(workflows: Path) -> None:
    before = state_machines.every_state()
    change(workflows, "batch_inference", '"Size the run"', '"Choose the size"')
    assert '["Choose the size"]' in state_machines.every_state()
    assert '["Choose the size"]' not in before


def test_a_renamed_state_that_a_phase_begins_with_is_asked_for(workflows: Path) -> None:
    change(workflows, "release_model", '"Read the counts"', '"Read the numbers"')
    with pytest.raises(ValueError, match=r"release_model.asl.json has no state \['Read the counts'\]"):
        state_machines.every_state()


def test_a_new_transition_is_drawn(workflows: Path) -> None:
    before = state_machines.every_state()
    change(workflows, "release_model", '"Default": "Read the counts"', '"Default": "Sum the run up"')
    after = state_machines.every_state()
    arrow = "    is_there_a_model_to_stop --> sum_the_run_up\n"
    assert arrow not in before
    assert arrow in after


def test_what_a_state_calls_is_drawn_with_it() -> None:
    (first, *_) = drawings("batch_inference")
    assert '["Look at the lock<br/>dynamodb:getItem (lock)"]:::task' in first


def test_an_error_that_leads_elsewhere_is_a_dotted_arrow_with_its_name() -> None:
    (arrow,) = {
        (kind, words)
        for drawing in drawings("batch_inference")
        for source, kind, words, target in _ARROW.findall(drawing)
        if (source, target) == ("take_the_lock", "another_run_is_active")
    }
    assert arrow == ("-.->", "ConditionalCheckFailed")


@both
def test_each_red_line_is_an_errors(name: str) -> None:
    for drawing in drawings(name):
        dotted = [index for index, (_, kind, _, _) in enumerate(_ARROW.findall(drawing)) if kind == "-.->"]
        styled = re.findall(r"linkStyle ([\d,]+) ", drawing)
        assert styled == ([",".join(map(str, dotted))] if dotted else [])


@both
def test_why_a_state_is_as_it_is_stands_below_its_drawing(name: str) -> None:
    text = " ".join(STATES.read_text(encoding="utf-8").split())
    catches = [catch for state in states(name).values() for catch in state.get("Catch", [])]
    for one in (*states(name).values(), *catches, definition(name)):
        assert one.get("Comment", "") in text


def test_a_state_that_no_phase_has_cannot_be(workflows: Path) -> None:
    file = workflows / "release_model.asl.json"
    changed: State = json.loads(file.read_text(encoding="utf-8"))
    changed["States"] = {"A state before all": {"Type": "Succeed"}, **changed["States"]}
    file.write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(ValueError, match="A state before all"):
        state_machines.every_state()


def test_the_branches_are_as_deep_as_the_drawings_know() -> None:
    for name in NAMES:
        for branch in list(machines(name))[1:]:
            assert "Parallel" not in {state["Type"] for state in branch["States"].values()}
