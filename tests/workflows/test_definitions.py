"""Rules of Step Functions that show only on AWS, checked on the definitions themselves."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from custom_labels_batch.components.workflow import WORKFLOWS
from sandbox.asl_definition import problems
from tests.workflows.definitions import (
    NAMES,
    State,
    body_tasks,
    definition,
    expressions,
    machines,
    states,
    transitions,
)
from tests.workflows.world import the_world

# The only functions that cannot fail whatever they are given; `$string` and `$max` get numbers of ours.
HARMLESS = {"millis", "exists", "not", "max", "min", "string"}
INTEGRATIONS = {
    "arn:aws:states:::dynamodb:getItem",
    "arn:aws:states:::dynamodb:putItem",
    "arn:aws:states:::dynamodb:updateItem",
    "arn:aws:states:::dynamodb:deleteItem",
    "arn:aws:states:::aws-sdk:sqs:getQueueAttributes",
    "arn:aws:states:::aws-sdk:sfn:startExecution",
    "arn:aws:states:::aws-sdk:sfn:describeExecution",
    "arn:aws:states:::aws-sdk:lambda:getEventSourceMapping",
    "arn:aws:states:::aws-sdk:lambda:updateEventSourceMapping",
    "arn:aws:states:::aws-sdk:rekognition:describeProjectVersions",
    "arn:aws:states:::aws-sdk:rekognition:startProjectVersion",
    "arn:aws:states:::aws-sdk:rekognition:stopProjectVersion",
    "arn:aws:states:::aws-sdk:cloudwatch:putMetricData",
    "arn:aws:states:::events:putEvents",
    "arn:aws:states:::sns:publish",
}

both = pytest.mark.parametrize("name", NAMES)


@both
def test_step_functions_would_take_the_definition(name: str) -> None:
    assert problems(definition(name)) == []


@both
def test_the_language_is_jsonata(name: str) -> None:
    assert definition(name)["QueryLanguage"] == "JSONata"


def test_a_rendered_definition_has_no_token_left() -> None:
    with the_world() as world:
        assert "${" not in json.dumps(world.definitions)


@both
def test_no_key_is_written_twice(name: str) -> None:
    def once(pairs: list[tuple[str, Any]]) -> State:
        assert len(dict(pairs)) == len(pairs), [key for key, _ in pairs]
        return dict(pairs)

    json.loads((WORKFLOWS / f"{name}.asl.json").read_text(encoding="utf-8"), object_pairs_hook=once)


@both
def test_every_task_is_retried(name: str) -> None:
    for key, task in states(name, "Task").items():
        assert task["Retry"][-1]["ErrorEquals"] == ["States.TaskFailed"], key
        assert task["Retry"][-1]["MaxAttempts"] >= 4, key


@both
def test_every_task_uses_an_integration_that_is_known_to_exist(name: str) -> None:
    assert {task["Resource"] for task in states(name, "Task").values()} <= INTEGRATIONS


@both
def test_whatever_fails_in_a_parallel_is_caught(name: str) -> None:
    for key, parallel in states(name, "Parallel").items():
        assert parallel["Catch"][-1]["ErrorEquals"] == ["States.ALL"], key


@both
def test_what_nothing_catches_cannot_fail(name: str) -> None:
    outermost = next(machines(name))
    for key, state in outermost["States"].items():
        if state["Type"] in {"Choice", "Pass", "Wait"}:
            for expression in expressions(state):
                called = set(re.findall(r"\$(\w+)\(", expression))
                assert called <= HARMLESS, f"{key}: {expression}"


def test_every_end_of_the_work_says_how_it_ended() -> None:
    _, body = machines("batch_inference")
    ends = [state for state in body["States"].values() if state.get("End")]

    assert ends
    assert all(state["Output"].keys() == {"outcome", "cause", "drained"} for state in ends)


@both
def test_a_variable_is_assigned_on_every_way_to_where_it_is_read(name: str) -> None:
    unassigned = [f"{key}: ${variable}" for key, variable in _read_but_not_assigned(definition(name), frozenset())]

    assert unassigned == []


@both
def test_no_branch_reuses_a_name_of_the_outer_scope(name: str) -> None:
    outer, *branches = machines(name)

    for branch in branches:
        assert not _assigned_anywhere(outer) & _assigned_anywhere(branch)


def test_everything_that_can_fail_between_start_and_stop_is_inside_the_try() -> None:
    outside = set(states("batch_inference", "Task")) - set(body_tasks())

    assert not {key for key in outside if "rekognition" in states("batch_inference")[key]["Resource"]}


def _assigned_anywhere(machine: State) -> set[str]:
    ways = [
        way
        for state in machine["States"].values()
        for way in (state, *state.get("Choices", []), *state.get("Catch", []))
    ]
    return {variable for way in ways for variable in way.get("Assign", {})}


def _read_but_not_assigned(machine: State, outer: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Follow every way through a machine, and every variable it reads that some way does not assign."""
    known: dict[str, frozenset[str]] = {machine["StartAt"]: outer}
    todo = [machine["StartAt"]]
    while todo:
        key = todo.pop()
        for target, way in transitions(machine["States"][key]):
            reached = known[key] | frozenset(way.get("Assign", {}))
            common = known[target] & reached if target in known else reached
            if common != known.get(target):
                known[target] = common
                todo.append(target)
    for key, state in machine["States"].items():
        own = {field: value for field, value in state.items() if field != "Branches"}
        for expression in expressions(own):
            for variable in sorted(_variables(expression) - known[key]):
                yield key, variable
        for branch in state.get("Branches", []):
            yield from _read_but_not_assigned(branch, known[key])


def _variables(expression: str) -> set[str]:
    without_text = re.sub(r"'[^']*'", "", expression)
    local = set(re.findall(r"\$(\w+)\s*:=", without_text))
    return set(re.findall(r"\$(\w+)\b(?!\()", without_text)) - local - {"states"}
