"""IAM documents and roles: one role for each thing that acts."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

Statement = dict[str, Any]

TLS_ONLY_SID = "RefuseUnencryptedTransport"


def allow(actions: Sequence[str], resources: Any, **more: Any) -> Statement:
    """A statement that allows actions on resources; `more` adds a principal or conditions."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resources, **more}


def allow_service(service: str, actions: Sequence[str], resource: pulumi.Input[str], sources: Any) -> Statement:
    """Let an AWS service act on a resource, on behalf of the named sources only (no confused deputy)."""
    return allow(
        actions,
        resource,
        Principal={"Service": f"{service}.amazonaws.com"},
        Condition={"ArnEquals": {"aws:SourceArn": sources}},
    )


def refuse_unencrypted_transport(service: str, resources: Any) -> Statement:
    """Refuse every call to a resource that does not come over TLS."""
    return {
        "Sid": TLS_ONLY_SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": f"{service}:*",
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """A policy document as JSON; statements may hold outputs."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def assume_role(
    service: str, source_arn: pulumi.Input[str] | None = None, account_id: pulumi.Input[str] | None = None
) -> pulumi.Output[str]:
    """A trust policy for one AWS service, narrowed to a source where the service names one."""
    conditions: dict[str, Mapping[str, pulumi.Input[str]]] = {}
    if source_arn is not None:
        conditions["ArnLike"] = {"aws:SourceArn": source_arn}
    if account_id is not None:
        conditions["StringEquals"] = {"aws:SourceAccount": account_id}
    statement: Statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": f"{service}.amazonaws.com"},
    }
    return document([{**statement, "Condition": conditions} if conditions else statement])


def role(
    name: str, trust: pulumi.Input[str], statements: Sequence[Statement], opts: pulumi.ResourceOptions
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """A role and its one inline policy. What uses the role depends on the policy: AWS checks it on creation."""
    created = aws.iam.Role(name, assume_role_policy=trust, opts=opts)
    policy = aws.iam.RolePolicy(name, role=created.name, policy=document(statements), opts=opts)
    return created, policy
