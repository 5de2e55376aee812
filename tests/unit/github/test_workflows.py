"""The GitHub Actions workflows: pinned, without keys, and with no more rights than they need."""

import itertools
import json
import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from sandbox.deploy import REPOSITORY
from tests.unit.components.graph import ACCOUNT, STATE_MACHINE, record_stack
from tests.unit.docs.markdown import documents

GITHUB = REPOSITORY / ".github"
WORKFLOWS = {path.stem: path.read_text(encoding="utf-8") for path in sorted((GITHUB / "workflows").iterdir())}
GUIDE = documents()[REPOSITORY / "docs" / "continuous_integration.md"]

READ = {"contents": "read"}
SHORT_LIVED = {**READ, "id-token": "write"}
RIGHTS = {
    ("test", "test"): READ,
    ("preview", "preview"): {**SHORT_LIVED, "pull-requests": "write"},
    ("preview", "skipped"): {},
    ("deploy", "deploy"): SHORT_LIVED,
    ("release", "release"): {"contents": "write"},
}

IN_A_PREVIEW = {
    STATE_MACHINE: "states:ValidateStateMachineDefinition",
    "aws:cloudcontrol/resource:Resource": "cloudformation:DescribeType",
}
"""Type -> what its CustomizeDiff asks AWS (terraform-provider-aws, sfn/state_machine.go, cloudcontrol/resource.go)."""


def parsed(name: str) -> dict[str, Any]:
    # A loader that makes only strings: `on` is not true.
    found: dict[str, Any] = yaml.load(WORKFLOWS[name], yaml.BaseLoader)  # noqa: S506
    return found


def test_zizmor_finds_nothing() -> None:
    zizmor = Path(sysconfig.get_path("scripts")) / "zizmor"
    found = subprocess.run([zizmor, "--offline", "--no-progress", GITHUB], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_action_is_pinned_by_its_hash_and_says_its_version() -> None:
    uses = [line.strip() for text in WORKFLOWS.values() for line in text.splitlines() if "uses:" in line]
    pins = {re.fullmatch(r"- uses: ([\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+", line) for line in uses}
    assert len(uses) > 5
    assert None not in pins
    versions = {pin[1]: {other.string for other in pins if other and other[1] == pin[1]} for pin in pins if pin}
    assert {action: found for action, found in versions.items() if len(found) > 1} == {}


def test_no_workflow_knows_a_key() -> None:
    assert [name for name, text in WORKFLOWS.items() if re.search(r"secrets\.|ACCESS_KEY|ACCESS_TOKEN", text)] == []


def test_no_workflow_runs_what_a_pull_request_brings_with_the_rights_of_the_repository() -> None:
    events = {name: set(parsed(name)["on"]) for name in WORKFLOWS}
    assert {"pull_request_target", "workflow_run"} & set().union(*events.values()) == set()


def test_every_job_has_the_rights_it_needs_and_an_end() -> None:
    given = {}
    for name in WORKFLOWS:
        workflow = parsed(name)
        for job, found in workflow["jobs"].items():
            given[name, job] = found.get("permissions", workflow["permissions"])
            assert int(found["timeout-minutes"]) <= 90
    assert given == RIGHTS


def test_the_tests_are_the_verbs_of_the_makefile_on_the_oldest_python_too() -> None:
    job = parsed("test")["jobs"]["test"]
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make lint", "make test"]
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={job['strategy']['matrix']['python'][0]}"


@pytest.mark.parametrize(
    ("role", "fork", "author"),
    list(itertools.product(["", "arn:aws:iam::123456789012:role/preview"], [True, False], ["ana", "dependabot[bot]"])),
)
def test_a_preview_is_for_branches_of_people_and_the_others_are_told_why_there_is_none(
    role: str, fork: bool, author: str
) -> None:
    jobs = parsed("preview")["jobs"]
    runs = {
        name: holds(job["if"], role, "stranger/vision" if fork else "acme/vision", author) for name, job in jobs.items()
    }
    wanted = bool(role) and not fork and author == "ana"
    assert runs == {"preview": wanted, "skipped": not wanted}


def holds(condition: str, role: str, head: str, author: str) -> bool:
    """What GitHub makes of a job's `if`."""
    pull_request = SimpleNamespace(
        head=SimpleNamespace(repo=SimpleNamespace(full_name=head)), user=SimpleNamespace(login=author)
    )
    names = {
        "vars": SimpleNamespace(AWS_PREVIEW_ROLE_ARN=role),
        "github": SimpleNamespace(repository="acme/vision", event=SimpleNamespace(pull_request=pull_request)),
    }
    return bool(eval(condition.replace("&&", "and").replace("||", "or"), {"__builtins__": {}}, names))  # noqa: S307


def test_the_guide_names_every_variable_that_a_workflow_reads() -> None:
    used = {name for text in WORKFLOWS.values() for name in re.findall(r"\bvars\.(\w+)", text)}
    assert used == {span for span in GUIDE.spans if re.fullmatch(r"(AWS|PULUMI)_[A-Z_]+", span)}


def test_the_previews_role_may_call_what_the_provider_calls_in_a_preview() -> None:
    graph = record_stack(quickSightPrincipalArn=f"arn:aws:quicksight:us-east-1:{ACCOUNT}:user/default/ana")
    called = {IN_A_PREVIEW[resource.type] for resource in graph.resources if resource.type in IN_A_PREVIEW}
    assert called == set(IN_A_PREVIEW.values())

    allowed = [
        {statement["Action"] for statement in policy["Statement"] if isinstance(statement["Action"], str)}
        for policy in (json.loads(block) for block in GUIDE.blocks if block.startswith("{"))
    ]
    assert any(called | {"s3:GetObject"} <= actions for actions in allowed)


def test_the_guides_policies_can_be_read_and_the_previews_role_trusts_pull_requests_only() -> None:
    policies = [json.loads(block) for block in GUIDE.blocks if block.startswith("{")]
    subjects = [
        statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
        for policy in policies
        for statement in policy["Statement"]
        if statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    ]
    assert len(policies) == 3
    assert subjects == ["repo:acme@123/vision@456:pull_request"]
