"""A Step Functions state machine from this repository's `workflows/`."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

from custom_labels_batch.components import iam

WORKFLOWS = Path(__file__).resolve().parent.parent / "workflows"

AUTO_NAME_ENDING = re.compile(r"-[0-9a-f]{7}$")
"""What Pulumi adds to a logical name."""

_TOKEN = re.compile(r"\$\{(\w+)\}")

# CloudWatch Logs has no ARN for its delivery configuration (Step Functions developer guide, "Logging").
_LOG_DELIVERY = [
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
]


class Workflow(pulumi.ComponentResource):
    """A standard state machine with a role, and a log group of its own for errors.

    `arn` is the machine's.
    """

    state_machine: aws.sfn.StateMachine
    role: aws.iam.Role
    arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        definition: str,
        values: Mapping[str, Any],
        statements: Sequence[iam.Statement],
        timeout_seconds: int,
        log_retention_days: int,
        changes: Mapping[str, Any] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("custom-labels-batch:index:Workflow", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        logs = aws.cloudwatch.LogGroup(
            name, name_prefix=f"/aws/vendedlogs/states/{name}-", retention_in_days=log_retention_days, opts=child
        )
        options = pulumi.InvokeOptions(parent=self)
        account = aws.get_caller_identity_output(opts=options).account_id
        partition = aws.get_partition_output(opts=options).partition
        self.role, policy = iam.role(
            name,
            # Not the machine's own ARN: the machine needs the role first.
            iam.assume_role("states", account_id=account),
            [iam.allow(_LOG_DELIVERY, "*"), *statements],
            child,
        )
        self.state_machine = aws.sfn.StateMachine(
            name,
            type="STANDARD",
            role_arn=self.role.arn,
            definition=pulumi.Output.all(partition, pulumi.Output.all(**values)).apply(
                lambda known: in_partition(
                    json.dumps({"TimeoutSeconds": timeout_seconds, **render(definition, known[1], changes)}), known[0]
                )
            ),
            logging_configuration={
                "level": "ERROR",
                "include_execution_data": True,
                "log_destination": logs.arn.apply(lambda arn: f"{arn.removesuffix(':*')}:*"),
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.arn = self.state_machine.arn
        self.register_outputs({"arn": self.arn})

    def allow_describing_executions(self, workflows: Sequence["Workflow"]) -> aws.iam.RolePolicy:
        """Let this workflow look at executions, in a policy of its own: a machine has its ARN only after its role."""
        executions = [executions_of(workflow) for workflow in workflows]
        return aws.iam.RolePolicy(
            f"{self._name}-executions",
            role=self.role.name,
            policy=iam.document([iam.allow(["states:DescribeExecution"], executions)]),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def allow_starting_itself(self) -> aws.iam.RolePolicy:
        """Let an execution be followed by another one, in a policy of its own for the same reason."""
        return aws.iam.RolePolicy(
            f"{self._name}-itself",
            role=self.role.name,
            policy=iam.document([iam.allow(["states:StartExecution"], self.arn)]),
            opts=pulumi.ResourceOptions(parent=self),
        )


def executions_of(workflow: Workflow) -> pulumi.Output[str]:
    """ARN pattern of a state machine's executions, also of one it has replaced, whose name ends in other characters.

    A lock may name an execution of a machine that is no longer there.
    """
    return workflow.arn.apply(
        lambda arn: AUTO_NAME_ENDING.sub("-*", arn.replace(":stateMachine:", ":execution:", 1)) + ":*"
    )


def in_partition(definition: str, partition: str) -> str:
    """A definition with its service integrations named as a partition names them; the files name the commercial one."""
    return definition.replace("arn:aws:states:::", f"arn:{partition}:states:::")


def render(definition: str, values: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A definition of `workflows/` with its `${Token}`s replaced, and some of its states changed.

    A string that is one token becomes the value itself, so numbers stay numbers.

    Parameters
    ----------
    changes
        State name -> what is changed in that state, as a JSON merge patch (RFC 7396): None removes.

    Raises
    ------
    ValueError
        When a token has no value, a value no token, or a change no state.
    """
    used: set[str] = set()

    def replaced(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: replaced(value) for key, value in node.items()}
        if isinstance(node, list):
            return [replaced(item) for item in node]
        if not isinstance(node, str):
            return node
        used.update(_TOKEN.findall(node))
        if whole := _TOKEN.fullmatch(node):
            return values.get(whole[1])
        return _TOKEN.sub(lambda token: str(values.get(token[1])), node)

    written = json.loads((WORKFLOWS / f"{definition}.asl.json").read_text(encoding="utf-8"))
    unknown = set(changes or {})
    changed(written, changes or {}, unknown)
    if unknown:
        raise ValueError(f"workflows/{definition}.asl.json has no state {', '.join(map(repr, sorted(unknown)))}")
    rendered: dict[str, Any] = replaced(written)
    if used != set(values):
        raise ValueError(
            f"workflows/{definition}.asl.json and its values differ: without a value: {sorted(used - set(values))}, "
            f"without a token: {sorted(set(values) - used)}"
        )
    return rendered


def changed(machine: dict[str, Any], changes: Mapping[str, Any], unknown: set[str]) -> None:
    """Change the states of a machine and of its branches, and take those found out of `unknown`."""
    for name in changes.keys() & machine["States"].keys():
        unknown.discard(name)
        if changes[name] is None:
            del machine["States"][name]
        else:
            machine["States"][name] = merged(machine["States"][name], changes[name])
    for state in machine["States"].values():
        for branch in state.get("Branches", []):
            changed(branch, changes, unknown)


def merged(target: Any, patch: Any) -> Any:
    """A JSON merge patch applied (RFC 7396).

    Example
    -------
    >>> merged({"Type": "Task", "Retry": [1], "Assign": {"a": 1}}, {"Retry": None, "Assign": {"b": 2}})
    {'Type': 'Task', 'Assign': {'a': 1, 'b': 2}}
    """
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
