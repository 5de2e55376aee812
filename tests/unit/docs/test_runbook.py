"""The runbook, held against the alarms, the dashboard and the workflows that the program makes."""

import json
import re

import pytest

from custom_labels_batch.cli.app import app
from sandbox.deploy import REPOSITORY
from sandbox.deployer.model import Properties
from sandbox.pulumi_runtime import Result
from tests.unit.components.graph import record_stack

TEXT = (REPOSITORY / "docs" / "runbook.md").read_text(encoding="utf-8")
FLOWING = " ".join(TEXT.split())
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
TOLD = ("Raised when", "It means", "Urgent?", "Look first", "Causes", "Do", "Ends", "False alarm?")
"""What each section tells, in any order; one may tell several at once."""


@pytest.fixture(scope="module")
def graph() -> Result:
    return record_stack()


@pytest.fixture(scope="module")
def alarms(graph: Result) -> dict[str, Properties]:
    return {alarm.name.removeprefix("monitoring-"): alarm.properties for alarm in graph.of_type(ALARM)}


def part(heading: str) -> str:
    """What stands below a heading, up to the next of its level."""
    level = heading.split(" ")[0]
    _, found, rest = f"\n{TEXT}".partition(f"\n{heading}\n")
    assert found, heading
    return re.split(rf"\n#{{1,{len(level)}}} ", rest)[0]


def sections() -> list[str]:
    return re.findall(r"^### (.+)$", part("## The alarms"), re.MULTILINE)


class TestEachAlarm:
    def test_has_one_section_and_there_is_no_other(self, alarms: dict[str, Properties]) -> None:
        assert sorted(sections()) == sorted(alarms)

    @pytest.mark.parametrize("name", sections())
    def test_is_told_what_it_means_and_what_to_do(self, name: str) -> None:
        bold = " ".join(re.findall(r"\*\*([^*]+)\*\*", part(f"### {name}"))).lower()

        assert [word for word in TOLD if word.lower() not in bold] == []

    def test_is_in_the_table_of_what_is_urgent_once(self, alarms: dict[str, Properties]) -> None:
        _, urgent, *_ = part("## How urgent").split("| --- | --- | --- |")

        rows = urgent.split("\n\n")[0]
        assert sorted(re.findall(r"\[([a-z-]+)\]", rows)) == sorted(alarms)

    def test_says_where_its_section_is(self, alarms: dict[str, Properties]) -> None:
        for name, alarm in alarms.items():
            assert alarm["alarmDescription"].endswith(f"docs/runbook.md#{name}."), name

    def test_of_runs_is_named_as_such(self, alarms: dict[str, Properties]) -> None:
        always = {alarm.name.removeprefix("monitoring-") for alarm in record_stack(trigger="upload").of_type(ALARM)}
        of_runs = re.search(r"The six about .*?\((.*?)\) exist", FLOWING)

        assert of_runs
        assert set(re.findall(r"`([a-z-]+)`", of_runs[1])) == set(alarms) - always

    def test_that_says_nothing_at_its_end_is_named_as_such(self, alarms: dict[str, Properties]) -> None:
        silent = {name for name, alarm in alarms.items() if not alarm.get("okActions")}
        named = re.search(r"\(all but (.*?)\) also when it ends", FLOWING)

        assert named
        assert {name for name in silent if not name.endswith("-error")} == set(
            re.findall(r"`([a-z]+-[a-z-]+)`", named[1])
        )
        assert sum(name.endswith("-error") for name in silent) == 3


def test_every_graph_of_the_dashboard_is_explained(graph: Result) -> None:
    (dashboard,) = graph.of_type(DASHBOARD)
    titles = [w["properties"].get("title") for w in json.loads(dashboard.properties["dashboardBody"])["widgets"]]
    explained = part("## The dashboard").replace(", in seconds", "").replace("this month, a day", "this month")

    short = [re.sub(r",? (in (seconds|milliseconds|USD)|\(p95\).*|a day.*)$", "", title) for title in titles if title]
    sought = [title.lower().replace("function errors", "errors") for title in short]
    assert [title for title in sought if title not in explained.lower()] == []


def test_every_command_of_clb_is_there() -> None:
    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    used = set(re.findall(r"[`$] ?clb ([a-z]+)", TEXT))

    assert used
    assert used <= known


def test_every_output_is_one_of_the_stack() -> None:
    program = (REPOSITORY / "__main__.py").read_text(encoding="utf-8")

    used = set(re.findall(r"pulumi stack output (\w+)", TEXT))
    assert used
    assert used <= set(re.findall(r'pulumi\.export\("(\w+)"', program))
