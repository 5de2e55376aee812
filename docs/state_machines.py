"""The workflows as Mermaid drawings, made from their JSON.

Forty states in one drawing are a hairball, so a workflow is drawn twice: its phases in docs/architecture.md, and the
states of each phase in docs/workflows.md.
"""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from custom_labels_batch.components.workflow import WORKFLOWS

WIDTH = 125

PHASES = {
    "batch_inference": {
        "Read the settings": ("Look at the lock", "one run at a time; a dead one is released first"),
        "Look at the queue": ("Look for work", "an empty queue starts nothing"),
        "Begin with the newest version": ("Choose the version", "the pinned one, or the newest that can run"),
        "What is the model doing?": ("Start the model", "sized for the backlog; the lock says so first"),
        "Note when the model ran": ("Open the mapping", "no more calls at once than the units take"),
        "Wait while images are labelled": ("Watch the queue drain", "and the model, and the time"),
        "Note how the work ended": ("Hand the model over", "whatever happened; then wait until it is released"),
    },
    "release_model": {
        "Read the settings": ("Ask who holds the lock", "a live run is left alone"),
        "Close the mapping": ("Close the mapping", "and let the function finish what it has"),
        "Is there a model to stop?": ("Stop the model", "if the run started it; until it is STOPPED"),
        "Read the counts": ("Record the run and tell", "then drop the lock"),
    },
}
"""Of each workflow, in the order of its JSON: the state a phase begins with -> the phase's title and what it is for.
A phase goes on until the next one's first state."""

CLASSES = """\
    classDef task fill:#e8f1fb,stroke:#2f6db3,color:#16324f
    classDef choice fill:#fff6dd,stroke:#b78a1f,color:#4a3a0c
    classDef quiet fill:#f3f3f3,stroke:#8a8a8a,color:#3c3c3c
    classDef good fill:#e4f4e8,stroke:#2f7d43,color:#173d22
    classDef bad fill:#fbeaea,stroke:#c07070,color:#6b2b2b
    classDef elsewhere fill:#fafafa,stroke:#8a8a8a,color:#3c3c3c,stroke-dasharray:4 3
"""
GROUP_STYLE = "fill:#8aa4c014,stroke:#8aa4c0"
ERROR_STYLE = "stroke:#c07070,stroke-width:1px"
KINDS = {"Task": "task", "Choice": "choice", "Wait": "quiet", "Pass": "quiet", "Succeed": "good", "Fail": "bad"}
SHAPES = {"Choice": ('{{"', '"}}'), "Wait": ('(["', '"])'), "Succeed": ('(["', '"])'), "Fail": ('(["', '"])')}

State = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """From one state to another: in which case, and whether an error leads there."""

    source: str
    target: str
    words: str = ""
    is_error: bool = False


@dataclass(frozen=True)
class Phase:
    workflow: str
    number: int
    title: str
    purpose: str
    states: dict[str, State] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.workflow.partition('_')[0]}{self.number}"


@dataclass(frozen=True)
class Workflow:
    name: str
    comment: str
    phases: list[Phase]
    ways: list[Way]

    def phase_of(self, state: str) -> Phase:
        return next(phase for phase in self.phases if state in phase.states)

    def ways_into(self, state: str, phase: Phase) -> list[Way]:
        """From other phases into a state of this one."""
        return [way for way in self.ways if way.target == state and way.source not in phase.states]

    def state(self, key: str) -> State:
        return self.phase_of(key).states[key]

    def parallel_around(self, phase: Phase) -> str:
        """The Parallel state in whose branch a phase is; empty if in none."""
        first = next(iter(phase.states))
        return next(
            (key for one in self.phases for key, state in one.states.items() if first in dict(_branch(state))), ""
        )

    def catches(self, phase: Phase) -> set[str]:
        """The states where any error of a phase leads: what the Parallel around it catches."""
        parallel = self.parallel_around(phase)
        return {catch["Next"] for catch in self.state(parallel)["Catch"]} if parallel else set()

    def is_caught(self, way: Way) -> bool:
        """Whether it leads out of a red state, which the Parallel around it catches."""
        return bool(self.state(way.source)["Type"] == "Fail")


def workflow(name: str) -> Workflow:
    """A workflow's phases, and every way between its states, in and out of its Parallel's branch as well."""
    definition = json.loads((WORKFLOWS / f"{name}.asl.json").read_text(encoding="utf-8"))
    phases: list[Phase] = []
    begun = PHASES[name]
    states = dict(_states(definition))
    if missing := begun.keys() - states:
        raise ValueError(f"workflows/{name}.asl.json has no state {sorted(missing)}: correct PHASES")
    for key, state in states.items():
        if key in begun:
            phases.append(Phase(name, len(phases) + 1, *begun[key]))
        if not phases:
            raise ValueError(f"workflows/{name}.asl.json has {key!r} before the first phase: correct PHASES")
        phases[-1].states[key] = state
    return Workflow(name, definition["Comment"], phases, list(_ways(definition)))


def _states(machine: State) -> Iterator[tuple[str, State]]:
    for key, state in machine["States"].items():
        yield key, state
        yield from _branch(state)


def _branch(state: State) -> Iterator[tuple[str, State]]:
    for branch in state.get("Branches", []):
        yield from _states(branch)


def _ways(machine: State, around: State | None = None) -> Iterator[Way]:
    """Of a machine, or of the branch of the Parallel state around it, whose ways out are the branch's."""
    for key, state in machine["States"].items():
        if state["Type"] == "Parallel":
            (branch,) = state["Branches"]
            yield Way(key, branch["StartAt"])
            yield from _ways(branch, around=state)
            continue
        yield from _ways_out(key, state)
        if around and state.get("End"):
            yield Way(key, around["Next"])
        if around and state["Type"] == "Fail":
            yield from (Way(key, catch["Next"], is_error=True) for catch in around["Catch"])


def _ways_out(key: str, state: State) -> Iterator[Way]:
    """Of a state, where an error that leads on as success does is no way of its own."""
    for rule in state.get("Choices", []):
        yield Way(key, rule["Next"], rule.get("Comment", ""))
    errors: dict[str, str] = {}
    for catch in state.get("Catch", []):
        target = catch["Next"]
        errors[target] = f"{errors[target]} or {_error(catch)}" if target in errors else _error(catch)
    for target in filter(None, (state.get("Default"), state.get("Next"))):
        yield Way(key, target, f"or {errors.pop(target)}" if target in errors else "")
    for target, error in errors.items():
        yield Way(key, target, error, is_error=True)


def _error(catch: State) -> str:
    names = [name.rpartition(".")[2].removesuffix("Exception") for name in catch["ErrorEquals"]]
    return "any error" if names == ["ALL"] else " or ".join(names)


# The phases


def overview() -> str:
    """Both workflows, phase by phase."""
    run, release = (workflow(name) for name in PHASES)
    return f"### {run.name}\n\n{_phases(run, starts=release)}\n### {release.name}\n\n{_phases(release)}"


def _phases(one: Workflow, starts: Workflow | None = None) -> str:
    """A workflow's phases and ends, and the phases in which it starts another workflow."""
    lines: list[str] = []
    arrows: list[Way] = []
    for parallel, inside in groupby(one.phases, key=one.parallel_around):
        boxes = [line for phase in inside for line in _boxes(one, phase)]
        if parallel:
            key = _id(parallel)
            boxes = [f'    subgraph {key}["{parallel}"]', *boxes, "    end", f"    style {key} {GROUP_STYLE}"]
            caught = one.phase_of(one.state(parallel)["Catch"][0]["Next"])
            arrows.append(Way(parallel, caught.key, "any error", is_error=True))
        lines += boxes
    arrows += _between_phases(one)
    if starts:
        lines.append(f'    {starts.name}[["{starts.name}"]]:::elsewhere')
        arrows += [Way(phase.key, starts.name, "starts") for phase in one.phases if _releases(phase)]
    return _block([*lines, *_arrows(arrows)], wrappingWidth=360, subGraphTitleMargin={"top": 4, "bottom": 14})


def _boxes(one: Workflow, phase: Phase) -> Iterator[str]:
    yield f'    {phase.key}["{phase.number} {phase.title}<br/>{phase.purpose}"]:::task'
    yield from (_node(key, phase.states[key]) for key in _ends(one, phase))


def _ends(one: Workflow, phase: Phase) -> list[str]:
    """The states of a phase in which a workflow ends."""
    return [key for key in phase.states if not any(way.source == key for way in one.ways)]


def _between_phases(one: Workflow) -> Iterator[Way]:
    """The ways from phase to phase, and to the ends; one of errors only where nothing else leads there."""
    found: dict[tuple[str, str], list[Way]] = {}
    for way in one.ways:
        source, target = one.phase_of(way.source), one.phase_of(way.target)
        if way.target in _ends(one, target):
            found.setdefault((source.key, way.target), []).append(way)
        elif source != target and not one.is_caught(way):
            found.setdefault((source.key, target.key), []).append(way)
    for (start, end), ways in found.items():
        yield Way(start, end, is_error=all(way.is_error for way in ways))


def _releases(phase: Phase) -> bool:
    """Whether a run starts a release in a phase."""
    return any("$settings.releaseStateMachineArn" in str(state.get("Arguments")) for state in phase.states.values())


# The states


def every_state() -> str:
    """Every phase with its states, for docs/workflows.md."""
    run = workflow("batch_inference")
    tried = [phase.number for phase in run.phases if run.parallel_around(phase)]
    handed_to = run.phase_of(next(way.target for way in run.ways if run.is_caught(way))).number
    parts = [_INTRODUCTION.format(first=tried[0], last=tried[-1], handed_to=handed_to)]
    for one in map(workflow, PHASES):
        parts.append(f"## {one.name}\n\n{_filled(one.comment)}")
        parts += [f"### {phase.number} {phase.title}\n\n{drawing(one, phase)}{_reasons(phase)}" for phase in one.phases]
    return "\n".join(parts)


_INTRODUCTION = """\
What each phase of the [overview](architecture.md#the-two-workflows) does. A box is a state, named as in the JSON and in
the Step Functions console, with the call that it makes.

- Blue is a call of an AWS service, yellow a question, grey a wait or a note. A workflow ends in green, or fails in red.
- An arrow without words is what happens otherwise. A dotted red one is an error that was retried in vain; one that
  leads on as success does is said at that arrow.
- A dashed box is a state of another phase, whose number it has.
- In the phases {first} to {last} of batch_inference, red states and errors that no arrow shows are caught; phase
  {handed_to} follows.
"""


def drawing(one: Workflow, phase: Phase) -> str:
    """The states of a phase, and where it is entered and left."""
    lines = [_node(key, state) for key, state in phase.states.items()]
    arrows: list[Way] = []
    for key in phase.states:
        sources = {one.phase_of(way.source).number for way in one.ways_into(key, phase)}
        sources |= {other.number for other in one.phases if key in one.catches(other)}
        if sources:
            lines.append(f'    into_{_id(key)}(["from {_listed(sorted(sources))}"]):::elsewhere')
            arrows.append(Way(f"into {key}", key))
    arrows += [way for way in one.ways if way.source in phase.states and not one.is_caught(way)]
    foreign = dict.fromkeys(way.target for way in arrows if way.target not in phase.states)
    lines += [f'    {_id(key)}["{one.phase_of(key).number}: {key}"]:::elsewhere' for key in foreign]
    return _block([*lines, *_arrows(arrows)])


def _node(key: str, state: State) -> str:
    opening, closing = SHAPES.get(state["Type"], ('["', '"]'))
    words = "<br/>".join(filter(None, [key, _detail(state)]))
    return f"    {_id(key)}{opening}{words}{closing}:::{KINDS.get(state['Type'], 'task')}"


def _listed(numbers: Sequence[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last


def _detail(state: State) -> str:
    """What a state calls and on which item, how long it waits, or the error it ends with."""
    match state:
        case {"Type": "Task", "Resource": str(resource), "Arguments": arguments}:
            call = resource.removeprefix("arn:aws:states:::").removeprefix("aws-sdk:")
            item = arguments.get("Key") or arguments.get("Item") or {} if isinstance(arguments, dict) else {}
            return f"{call} ({item['kind']['S']})" if item else call
        case {"Type": "Wait", "Seconds": int(seconds)}:
            return f"{seconds} s"
        case {"Type": "Fail", "Error": str(error)} if not error.startswith("{%"):
            return error
        case {"Type": "Pass", "Output": {"outcome": str(outcome)}}:
            return outcome
    return ""


def _arrows(ways: Iterable[Way]) -> Iterator[str]:
    errors: list[int] = []
    for index, way in enumerate(ways):
        yield f"    {_arrow(way)}"
        if way.is_error:
            errors.append(index)
    if errors:
        yield f"    linkStyle {','.join(map(str, errors))} {ERROR_STYLE}"


def _arrow(way: Way) -> str:
    words = f'|"{way.words}"|' if way.words else ""
    return f"{_id(way.source)} {'-.->' if way.is_error else '-->'}{words} {_id(way.target)}"


def _id(key: str) -> str:
    """What Mermaid knows a state by."""
    return re.sub(r"\W+", "_", key.lower()).strip("_")


def _reasons(phase: Phase) -> str:
    """What the comments in the JSON say of a phase's states, as a list."""
    reasons = [_reason(key, comment) for key, state in phase.states.items() for comment in _comments(state)]
    return "\n" + "".join(reasons) if reasons else ""


def _comments(state: State) -> Iterator[str]:
    if comment := state.get("Comment"):
        yield comment
    for catch in state.get("Catch", []):
        if comment := catch.get("Comment"):
            yield f"({_error(catch)}) {comment}"


def _reason(key: str, comment: str) -> str:
    return _filled(f"- **{key}**: {comment}", subsequent_indent="  ")


def _filled(text: str, subsequent_indent: str = "") -> str:
    wrapped = textwrap.fill(
        text, WIDTH, subsequent_indent=subsequent_indent, break_long_words=False, break_on_hyphens=False
    )
    return f"{wrapped}\n"


def _block(lines: Iterable[str], **more: Any) -> str:
    layout = json.dumps({"flowchart": {"nodeSpacing": 24, "rankSpacing": 34, **more}}, separators=(",", ":"))
    body = "".join(f"{line}\n" for line in lines)
    return f"```mermaid\n%%{{init: {layout}}}%%\nflowchart TB\n{body}{CLASSES}```\n"
