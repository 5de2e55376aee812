"""The Custom Labels project and its versions."""

from collections.abc import Iterable, Iterator, Mapping

from botocore.exceptions import ClientError

from custom_labels_batch.cli.aws_errors import is_gone
from custom_labels_batch.cli.findings import Finding, ok, problem, warning
from custom_labels_batch.cli.model import BILLED, IN_SERVICE, STARTABLE, Version, versions
from custom_labels_batch.cli.runs import read_lock
from custom_labels_batch.cli.stack import Stack
from custom_labels_batch.cli.wording import usd
from custom_labels_batch.rules.prices import PRICES

_BAD = {
    "FAILED": "it failed to start, or while it ran",
    "EXPIRED": "AWS has retired it",
    "DEPRECATED": "AWS retires it",
}


def project(stack: Stack) -> Iterator[Finding]:
    """Whether there is a version that a run could start."""
    found, pinned = versions(stack), stack.optional("modelVersion")
    usable = [version for version in found if version.status in (*STARTABLE, *IN_SERVICE)]
    if pinned:
        yield _pinned(pinned, found)
    elif usable:
        yield ok("project", f"{usable[0].name} is {usable[0].status}")
    else:
        states = ", ".join(f"{version.name} is {version.status}" for version in found[:5]) or "it has no versions"
        yield problem("project", f"no version can run: {states}", "train one, or copy one into the project")
    for version in found:
        if version.status in _BAD and version.name != pinned:
            yield warning(
                "project",
                f"{version.name} is {version.status}: {_reason(version)}",
                "no run takes it; if it is meant to run, stop and start it once, or train it anew",
            )


def neighbours(stack: Stack) -> Iterator[Finding]:
    """Whether another stack of this place has the same project: each would use or stop the other's model."""
    pages = (
        stack.client("resourcegroupstaggingapi")
        .get_paginator("get_resources")
        .paginate(
            TagFilters=[{"Key": "Component", "Values": ["BatchInference"]}], ResourceTypeFilters=["lambda:function"]
        )
    )
    found = {item["ResourceARN"]: item["Tags"] for page in pages for item in page["ResourceTagMappingList"]}
    sharing = [_stack_of(tags) for arn, tags in found.items() if _has_project_of(stack, arn.rpartition(":")[2])]
    if sharing:
        verb = "has" if len(sharing) == 1 else "have"
        yield problem(
            "neighbours",
            f"{', '.join(sorted(sharing))} {verb} the same project: each uses or stops the other's model",
            "give each stack a project of its own, and copy the model version there (docs/stacks.md)",
        )
    else:
        yield ok("neighbours", "no other stack of this region has its project")


def _has_project_of(stack: Stack, function: str) -> bool:
    """Whether a function that is not the stack's own labels by its project."""
    if function == stack.output("analyzeFunctionName"):
        return False
    try:
        answer = stack.lambda_.get_function_configuration(FunctionName=function)
    except ClientError as error:
        if is_gone(error):  # its tags are remembered for a while
            return False
        raise
    return answer.get("Environment", {}).get("Variables", {}).get("PROJECT_ARN") == stack.output("projectArn")


def _stack_of(tags: Iterable[Mapping[str, str]]) -> str:
    named = {tag["Key"]: tag["Value"] for tag in tags}
    return f"{named.get('Stack', 'a stack')} of {named.get('Project', 'another program')}"


def _pinned(pinned: str, found: list[Version]) -> Finding:
    version = next((version for version in found if version.name == pinned), None)
    if version is None:
        names = ", ".join(version.name for version in found[:5]) or "none"
        return problem("project", f"there is no version {pinned}", f"set modelVersion to one that is there: {names}")
    if version.status in (*STARTABLE, *IN_SERVICE):
        return ok("project", f"{pinned}, which is pinned, is {version.status}")
    return problem(
        "project",
        f"{pinned}, which is pinned, is {version.status}: {_reason(version)}",
        "set modelVersion to one that can run, or leave it out for the newest",
    )


def _reason(version: Version) -> str:
    return version.message or _BAD.get(version.status, "it cannot be started")


def model_without_a_run(stack: Stack) -> Iterator[Finding]:
    """Whether a version is billed that nobody is going to stop; with `trigger: upload`, whether one runs at all."""
    billed = [version for version in versions(stack) if version.status in BILLED]
    if not stack.is_scheduled:
        if billed:
            yield ok("model", f"{billed[0].name} is {billed[0].status}")
        else:
            yield problem(
                "model",
                "no version runs, and with trigger upload nothing starts one; images wait, and after hours fail",
                "start one: aws rekognition start-project-version",
            )
    elif not billed:
        yield ok("model", "no version runs")
    elif read_lock(stack):
        yield ok("model", f"{billed[0].name} is {billed[0].status}, for the active run")
    else:
        for version in billed:
            cost = (version.inference_units or 1) * PRICES.inference_unit_hour
            yield problem(
                "model",
                f"{version.name} is {version.status} without a run, for {usd(cost)} USD an hour; nobody will stop it",
                "if no person wants it: aws rekognition stop-project-version --project-version-arn " + version.arn,
            )
