"""What AWS asks of roles and policies, checked when a resource that needs them is created.

AWS refuses (or the resource never works) when a role's policy is not attached *yet*. In one run a
policy may be there by luck of timing, so only policies count that the resource depends on.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.deployer.cloud import Cloud, policy_statements
from sandbox.deployer.model import Registration
from sandbox.errors import SandboxError

_ROLE = "aws:iam/role:Role"
_ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_POLICY = "aws:iam/policy:Policy"

_SOURCE_CONDITIONS = ("ArnEquals", "ArnLike", "StringEquals", "StringLike")


def require_allowed(
    cloud: Cloud, resource: Registration, role_arn: str, actions: Iterable[str], on: str, purpose: str
) -> None:
    """Check that a role, by policies the resource depends on, may do all the actions.

    Parameters
    ----------
    on
        The ARN acted on; "*" for actions that take no ARN.
    purpose
        What needs the actions, for the message.

    Raises
    ------
    SandboxError
        Naming the role and the actions that are missing.
    """
    role = role_arn.rpartition("/")[2]
    statements = list(_role_statements(cloud, resource, role))
    missing = [action for action in actions if not _allowed(statements, action, on)]
    if missing:
        raise SandboxError(
            f"{purpose} needs role {role} to allow {', '.join(missing)} on {on}, by a policy this resource"
            " depends on (depends_on=[the role policy])"
        )


def require_trust(cloud: Cloud, role_arn: str, service: str, source_arn: str) -> None:
    """Check that a role exists and that an AWS service may assume it for a source.

    Raises
    ------
    SandboxError
        Naming the role, the service and the source.
    """
    role = role_arn.rpartition("/")[2]
    try:
        document: Any = cloud.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    except cloud.iam.exceptions.NoSuchEntityException:
        raise SandboxError(f"role {role_arn} does not exist") from None
    for statement in policy_statements(document):
        if (
            _allowed([{**statement, "Resource": "*"}], "sts:AssumeRole", "*")
            and _names_service(statement, service)
            and _source_matches(statement, source_arn, cloud.account_id)
        ):
            return
    raise SandboxError(f"role {role} cannot be assumed by {service} for {source_arn}: see its trust policy")


def require_service_access(
    document: str | None, service: str, action: str, on: str, source_arn: str, remedy: str
) -> None:
    """Check that a resource's own policy lets a service act on it for a source.

    Raises
    ------
    SandboxError
        Naming the resource, the service, the action and what to add.
    """
    statements = policy_statements(json.loads(document)) if document else []
    for statement in statements:
        if (
            _allowed([statement], action, on)
            and _names_service(statement, service)
            and _source_matches(statement, source_arn, source_arn.split(":")[4])
        ):
            return
    raise SandboxError(f"{on} does not let {service} do {action} for {source_arn}: {remedy}")


def _role_statements(cloud: Cloud, resource: Registration, role: str) -> Iterator[dict[str, Any]]:
    """Statements of every policy of a role that is surely there when the resource is made."""
    if not any(made.properties["name"] == role for made in cloud.made(_ROLE)):
        # A role of someone else's: whatever it has now.
        for name in cloud.iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = cloud.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            yield from policy_statements(document)
        return
    for made in cloud.made(_ROLE):
        if made.properties["name"] == role:
            for inline in made.properties.get("inlinePolicies", []):
                yield from policy_statements(inline["policy"])
    for policy in cloud.made_before(resource, _ROLE_POLICY):
        if policy.properties["role"] == role:
            yield from policy_statements(policy.properties["policy"])
    documents = {policy.outputs["arn"]: policy.properties["policy"] for policy in cloud.made(_POLICY)}
    for attachment in cloud.made_before(resource, _ATTACHMENT):
        if attachment.properties["role"] == role:
            yield from policy_statements(documents.get(attachment.properties["policyArn"], "{}"))


def _allowed(statements: Iterable[dict[str, Any]], action: str, on: str) -> bool:
    matching = [
        statement["Effect"]
        for statement in statements
        if _matches(statement.get("Action"), action, ignore_case=True) and _matches(statement.get("Resource"), on)
    ]
    return "Allow" in matching and "Deny" not in matching


def _names_service(statement: dict[str, Any], service: str) -> bool:
    principal = statement.get("Principal")
    if principal == "*":
        return True
    return isinstance(principal, dict) and _matches(principal.get("Service"), service)


def _source_matches(statement: dict[str, Any], source_arn: str, account_id: str) -> bool:
    given = {"aws:sourcearn": source_arn, "aws:sourceaccount": account_id}
    for operator, keys in statement.get("Condition", {}).items():
        for key, wanted in keys.items():
            if operator not in _SOURCE_CONDITIONS or key.lower() not in given:
                return False
            if not _matches(wanted, given[key.lower()]):
                return False
    return True


def _matches(patterns: Any, value: str, ignore_case: bool = False) -> bool:
    flags = re.IGNORECASE if ignore_case else 0
    return any(re.fullmatch(_as_regex(pattern), value, flags) for pattern in _as_list(patterns))


def _as_regex(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")


def _as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
