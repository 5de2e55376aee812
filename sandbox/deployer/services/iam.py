"""IAM roles and policies."""

import json
from typing import Any

from sandbox.deployer.arguments import Request
from sandbox.deployer.cloud import Cloud, tag_list
from sandbox.deployer.model import Created
from sandbox.deployer.registry import ANY, creates, deletes, updates
from sandbox.errors import SandboxError

_ROLE = "aws:iam/role:Role"
_ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
_POLICY = "aws:iam/policy:Policy"
_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

_SESSION_SECONDS = 3600
"""How long a role's sessions are at most, unless it says otherwise (IAM API reference, CreateRole)."""

_LONGEST_INLINE_POLICIES = 10_240
"""Characters of all inline policies of one role together, white space not counted (IAM quotas)."""


@creates(_ROLE, replaced_by=["path"])
def create_role(cloud: Cloud, args: Request) -> Created:
    """Make a role with its trust policy and inline policies."""
    args.skip("forceDetachPolicies")
    name = args["name"]
    given: dict[str, Any] = args.renamed(
        {
            "description": "Description",
            "maxSessionDuration": "MaxSessionDuration",
            "path": "Path",
            "permissionsBoundary": "PermissionsBoundary",
        }
    )
    role = cloud.iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=_checked(args["assumeRolePolicy"]),
        Tags=tag_list(args.plain("tagsAll")),
        **given,
    )["Role"]
    for inline in args.get("inlinePolicies", []):
        cloud.iam.put_role_policy(RoleName=name, PolicyName=inline["name"], PolicyDocument=_checked(inline["policy"]))
    for arn in args.get("managedPolicyArns", []):
        cloud.iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    return Created(
        name,
        {
            "arn": role["Arn"],
            "createDate": role["CreateDate"].isoformat(),
            "path": role["Path"],
            "uniqueId": role["RoleId"],
        },
    )


@updates(_ROLE)
def update_role(cloud: Cloud, args: Request, made: Created) -> None:
    """Change who may assume a role, its description and how long its sessions are."""
    args.skip("forceDetachPolicies")
    if "assumeRolePolicy" in args.changed:
        cloud.iam.update_assume_role_policy(RoleName=made.id, PolicyDocument=_checked(args["assumeRolePolicy"]))
    if args.changed & {"description", "maxSessionDuration"}:
        cloud.iam.update_role(
            RoleName=made.id,
            Description=args.get("description", ""),
            MaxSessionDuration=args.get("maxSessionDuration", _SESSION_SECONDS),
        )


@deletes(_ROLE)
def delete_role(cloud: Cloud, made: Created) -> None:
    """Remove a role with the policies it was made with."""
    for inline in made.outputs.get("inlinePolicies", []):
        cloud.iam.delete_role_policy(RoleName=made.id, PolicyName=inline["name"])
    for arn in made.outputs.get("managedPolicyArns", []):
        cloud.iam.detach_role_policy(RoleName=made.id, PolicyArn=arn)
    cloud.iam.delete_role(RoleName=made.id)


@creates(_ROLE_POLICY, replaced_by=["role"], overwrites=True)
def create_role_policy(cloud: Cloud, args: Request) -> Created:
    """Put an inline policy on a role."""
    role, name = args["role"], args["name"]
    _refuse_too_long(cloud, role, args["policy"])
    cloud.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=_checked(args["policy"]))
    return Created(f"{role}:{name}", {})


@deletes(_ROLE_POLICY)
def delete_role_policy(cloud: Cloud, made: Created) -> None:
    """Take an inline policy away."""
    role, _, name = made.id.partition(":")
    cloud.iam.delete_role_policy(RoleName=role, PolicyName=name)


@creates(_POLICY, replaced_by=["description", "path"])
def create_policy(cloud: Cloud, args: Request) -> Created:
    """Make a managed policy."""
    given: dict[str, Any] = args.renamed({"description": "Description", "path": "Path"})
    policy = cloud.iam.create_policy(
        PolicyName=args["name"],
        PolicyDocument=_checked(args["policy"]),
        Tags=tag_list(args.plain("tagsAll")),
        **given,
    )["Policy"]
    return Created(policy["Arn"], {"arn": policy["Arn"], "path": policy["Path"], "policyId": policy["PolicyId"]})


@updates(_POLICY)
def update_policy(cloud: Cloud, args: Request, made: Created) -> None:
    """Make a new version of a managed policy the default one, and drop the one before: IAM keeps five at most."""
    before = cloud.iam.get_policy(PolicyArn=made.id)["Policy"]["DefaultVersionId"]
    cloud.iam.create_policy_version(PolicyArn=made.id, PolicyDocument=_checked(args["policy"]), SetAsDefault=True)
    cloud.iam.delete_policy_version(PolicyArn=made.id, VersionId=before)


@deletes(_POLICY)
def delete_policy(cloud: Cloud, made: Created) -> None:
    """Remove a managed policy."""
    cloud.iam.delete_policy(PolicyArn=made.id)


@creates(_ATTACHMENT, replaced_by=[ANY])
def create_attachment(cloud: Cloud, args: Request) -> Created:
    """Attach a managed policy to a role."""
    role, arn = args["role"], args["policyArn"]
    cloud.iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    return Created(f"{role}/{arn}", {})


@deletes(_ATTACHMENT)
def delete_attachment(cloud: Cloud, made: Created) -> None:
    """Detach the policy."""
    role, _, arn = made.id.partition("/")
    cloud.iam.detach_role_policy(RoleName=role, PolicyArn=arn)


def _checked(document: str) -> str:
    """Refuse what IAM calls a malformed policy document."""
    try:
        parsed = json.loads(document)
    except ValueError as error:
        raise SandboxError(f"policy document is not JSON: {error}") from error
    if not isinstance(parsed, dict) or parsed.get("Version") != "2012-10-17" or not parsed.get("Statement"):
        raise SandboxError("policy document needs Version 2012-10-17 and at least one Statement")
    return document


def _refuse_too_long(cloud: Cloud, role: str, document: str) -> None:
    others = [p.properties["policy"] for p in cloud.made(_ROLE_POLICY) if p.properties["role"] == role]
    length = sum(len("".join(text.split())) for text in [*others, document])
    if length > _LONGEST_INLINE_POLICIES:
        raise SandboxError(
            f"the inline policies of role {role} have {length} characters; IAM takes {_LONGEST_INLINE_POLICIES}"
        )
