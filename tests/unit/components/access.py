"""Who may do what, read from a recorded graph: names for ARNs, and one line for each right."""

import json
import re
from collections.abc import Iterator

from sandbox.deployer.model import Registration
from sandbox.pulumi_runtime import Result
from tests.unit.components import role_reasons
from tests.unit.components.graph import (
    ACCOUNT,
    BUCKET,
    QUEUE,
    ROLE,
    ROLE_POLICY,
    TABLE,
    TARGET,
    TOPIC,
    Statement,
    as_list,
    cloud_resources,
)

BUCKET_POLICY, QUEUE_POLICY, TOPIC_POLICY = (
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:sns/topicPolicy:TopicPolicy",
)
RESOURCE_POLICIES = {BUCKET: (BUCKET_POLICY, "bucket"), QUEUE: (QUEUE_POLICY, "queueUrl"), TOPIC: (TOPIC_POLICY, "arn")}
"""Kind of resource -> the kind that holds its policy, and the property that says whose it is."""

KINDS = {
    "write": re.compile(r"\w+:(Put|Send|Publish|Update)"),
    "read": re.compile(r"\w+:(GetObject|GetItem|ReceiveMessage)"),
    "delete": re.compile(r"\w+:Delete"),
}
"""What an action does to what a resource holds; of a queue, a deletion is of what was received."""

_SHORT = {BUCKET: "bucket", QUEUE: "queue", TOPIC: "topic", TABLE: "table"}


def holders(graph: Result) -> list[Registration]:
    """What holds data or messages: everything that somebody could write to or read from."""
    return sorted((r for kind in _SHORT for r in graph.of_type(kind)), key=lambda r: (r.type, r.name))


def label(resource: Registration) -> str:
    """What the tables call a resource: its kind, and its logical name."""
    return f"{_SHORT[resource.type]} {resource.name}"


def policy_of(graph: Result, resource: Registration) -> list[Statement]:
    """The statements of a queue's, topic's or bucket's own policy.

    Raises
    ------
    ValueError
        It has none, or several.
    """
    kind, says_whose = RESOURCE_POLICIES[resource.type]
    ids = {resource.outputs.get(name) for name in ("arn", "url", "bucket", "id")} - {None}
    (policy,) = (found for found in graph.of_type(kind) if found.properties[says_whose] in ids)
    return list(json.loads(policy.properties["policy"])["Statement"])


def named(graph: Result, arn: str) -> str:
    """An ARN, with the logical name in place of the physical one of a resource of the graph."""
    known = {
        str(found.outputs["arn"]).removesuffix(":*"): found.name
        for found in cloud_resources(graph)
        if found.outputs.get("arn") and found.type not in (ROLE, TARGET)
    }
    for whole in sorted(known, key=len, reverse=True):
        if arn == whole or arn.startswith((f"{whole}/", f"{whole}:")):
            return known[whole] + arn.removeprefix(whole)
    return arn


def guests(graph: Result, statements: list[Statement]) -> list[str]:
    """A line for each service that a policy lets in: who, what for, and on whose behalf alone."""
    return sorted(
        f"{statement['Principal']['Service']} {', '.join(as_list(statement['Action']))} for "
        f"{conditions(graph, statement)}"
        for statement in statements
        if statement["Effect"] == "Allow"
    )


def conditions(graph: Result, statement: Statement) -> str:
    """The sources that a statement is limited to."""
    found = [
        f"{key} {named(graph, value)}"
        for tests in statement.get("Condition", {}).values()
        for key, values in tests.items()
        for value in as_list(values)
    ]
    return " and ".join(sorted(found)) or "anybody"


def rights(graph: Result) -> Iterator[tuple[str, str, str]]:
    """Role, action and resource of each right that a role has, by logical names."""
    roles = {role.properties["name"]: role.name for role in graph.of_type(ROLE)}
    for policy in graph.of_type(ROLE_POLICY):
        for statement in json.loads(policy.properties["policy"])["Statement"]:
            for action in as_list(statement["Action"]):
                for arn in as_list(statement["Resource"]):
                    yield roles[policy.properties["role"]], action, named(graph, arn)


def who(graph: Result, resource: Registration, kind: str) -> list[str]:
    """Who may write to a resource, read it, or delete from it: services by its policy, the stack's roles by theirs."""
    services = [
        f"{statement['Principal']['Service']} for {conditions(graph, statement).removeprefix('aws:SourceArn ')}"
        for statement in (policy_of(graph, resource) if resource.type in RESOURCE_POLICIES else [])
        if statement["Effect"] == "Allow" and any(map(KINDS[kind].match, as_list(statement["Action"])))
    ]
    below: dict[str, set[str]] = {}
    for role, action, target in rights(graph):
        if KINDS[kind].match(action) and target.split("/")[0] == resource.name and _is_about(action, resource):
            below.setdefault(role, set()).add(target.removeprefix(resource.name).strip("/*"))
    return sorted(services) + sorted(f"{role}{_folders(targets)}" for role, targets in below.items())


def _is_about(action: str, resource: Registration) -> bool:
    return action.startswith({BUCKET: "s3:", QUEUE: "sqs:", TOPIC: "sns:", TABLE: "dynamodb:"}[resource.type])


def _folders(targets: set[str]) -> str:
    folders = sorted(targets - {""})
    return f" ({', '.join(f'{folder}/' for folder in folders)})" if folders else ""


def access_table(graph: Result) -> str:
    """Markdown: who may write to each queue, topic, bucket and table, read it, and delete from it."""
    rows = [
        f"| {label(resource)} | {' | '.join('; '.join(who(graph, resource, kind)) or 'nobody' for kind in KINDS)} |\n"
        for resource in holders(graph)
    ]
    return "".join(["| resource | may write | may read | may delete |\n| --- | --- | --- | --- |\n", *rows])


def role_tables(graph: Result) -> str:
    """Markdown: what each role may do on what, and why; in which order its policies say it does not matter."""
    return "\n".join(_role_table(graph, role) for role in sorted(graph.of_type(ROLE), key=lambda role: role.name))


def _role_table(graph: Result, role: Registration) -> str:
    (trust,) = json.loads(role.properties["assumeRolePolicy"])["Statement"]
    about = [
        f"### {role.name}",
        "",
        f"Of {role_reasons.ROLES[role.name]}.",
        f"Assumed by `{trust['Principal']['Service']}`, for {_masked(conditions(graph, trust))}.",
        "",
        "| may | on | why |",
        "| --- | --- | --- |",
    ]
    rows = []
    for statement in _statements(graph, role):
        actions = _by_service(as_list(statement["Action"]))
        on = ", ".join(f"`{_place(graph, resource)}`" for resource in as_list(statement["Resource"]))
        if limits := conditions(graph, statement).removeprefix("anybody"):
            on += f" where {limits}"
        why = role_reasons.WHY[role.name][right(graph, statement)]
        rows.append(f"| {actions} | {_masked(on)} | {why} |")
    return "".join(f"{line}\n" for line in [*about, *sorted(rows)])


def _statements(graph: Result, role: Registration) -> list[Statement]:
    return [
        statement
        for policy in graph.of_type(ROLE_POLICY)
        if policy.properties["role"] == role.properties["name"]
        for statement in json.loads(policy.properties["policy"])["Statement"]
    ]


def right(graph: Result, statement: Statement) -> str:
    """What `role_reasons.WHY` calls a statement."""
    return f"{as_list(statement['Action'])[0]} {_place(graph, as_list(statement['Resource'])[0])}"


def rights_of_roles(graph: Result) -> dict[str, set[str]]:
    """Role -> what `role_reasons.WHY` calls each of its statements."""
    return {role.name: {right(graph, found) for found in _statements(graph, role)} for role in graph.of_type(ROLE)}


def _by_service(actions: list[str]) -> str:
    """`s3:GetObject`, `PutObject`: the service once."""
    service = actions[0].split(":")[0]
    return ", ".join(f"`{action.removeprefix(service + ':') if n else action}`" for n, action in enumerate(actions))


def _place(graph: Result, arn: str) -> str:
    """A resource by its logical name; what the stack does not make by its service and the end of its ARN."""
    name = named(graph, arn)
    if not name.startswith("arn:"):
        return name
    _, _, service, _, _, rest = name.split(":", 5)
    return f"{service} {rest}"


def _masked(text: str) -> str:
    return text.replace(ACCOUNT, "this account").replace("anybody", "every source")
