"""IAM: who may do what, asked of ministack's evaluator for callers and roles it does not ask about itself."""

import json
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_actions, iam_evaluator, router
from ministack.services import iam, sts

from sandbox.emulator.patching import Function, replace, require
from sandbox.settings import ACCOUNT_ID, REGION

_enforce = require(iam_evaluator, "enforce")
_evaluate = require(iam_evaluator, "evaluate")
_context = require(iam_evaluator, "EvalContext")
_role_policies = require(iam_evaluator, "_gather_role_policies")
_conditions_met = require(iam_evaluator, "_conditions_met")
_roles = require(iam, "_roles")
_access_key = require(router, "extract_access_key_id")
_register_session = require(sts, "register_session")

_MAPPING_ACTIONS = {
    "GET": "GetEventSourceMapping",
    "PUT": "UpdateEventSourceMapping",
    "DELETE": "DeleteEventSourceMapping",
}


# Service authorization reference: a batch is authorised as the single call.
_BATCH_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}


def install() -> None:
    """Mend ministack's names of IAM actions, and let it read each policy text only once."""
    replace(iam_actions, "_lambda_action", "method path", _with_mapping_actions)
    replace(
        iam_actions, "extract_iam_action", "service method path headers body query_params", _with_batches_as_singles
    )
    replace(iam_actions, "request_tag_context", "service iam_action body params", _with_condition_keys)
    replace(iam_evaluator, "parse_policy_document", "doc", _remembering_parsed)


def caller_may(
    headers: Mapping[str, str], action: str, resource_arn: str, query: Mapping[str, Any] | None = None
) -> bool:
    """Whether whoever signed the current request may do the action on the resource."""
    service = action.partition(":")[0]
    key = _access_key(headers, query or {})
    return _enforce(key, action, service, REGION, resource_arn=resource_arn) is None


def role_may(role_arn: str, action: str, resource_arn: str) -> bool:
    """Whether a role's own policies allow the action on the resource."""
    name = role_arn.rpartition("/")[2]
    context = _context(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=ACCOUNT_ID,
        action=action,
        resource_arn=resource_arn,
        region=REGION,
    )
    return bool(_evaluate(context, _role_policies(name, ACCOUNT_ID)).decision == "Allow")


def role_trusts(role_arn: str, service: str, source_arn: str) -> bool:
    """Whether the role exists and a service may assume it on behalf of `source_arn`."""
    role = _roles.get(role_arn.rpartition("/")[2])
    if role is None:
        return False
    context = _context(
        principal_arn=service,
        principal_type="Service",
        principal_account=ACCOUNT_ID,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=REGION,
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": ACCOUNT_ID},
    )
    return any(_statement_trusts(s, service, context) for s in _statements(role["AssumeRolePolicyDocument"]))


def session_of_service(role_arn: str, session_name: str) -> tuple[str, str, str]:
    """Access key, secret key and token of a role that a service has assumed.

    Not through sts:AssumeRole, which has no way to say on whose behalf a service asks: the trust was checked, with
    its conditions on the source, when the role was handed to the service.
    """
    role_name = role_arn.rpartition("/")[2]
    access_key, secret_key, token = f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), secrets.token_hex(40)
    _register_session(
        access_key,
        {
            "Arn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role_name}/{session_name}",
            "UserId": f"{role_name}:{session_name}",
            "SecretAccessKey": secret_key,
            "SessionToken": token,
        },
    )
    return access_key, secret_key, token


def _statements(document: Any) -> list[dict[str, Any]]:
    parsed = json.loads(unquote(document)) if isinstance(document, str) else document
    statements = parsed.get("Statement", [])
    return [statements] if isinstance(statements, dict) else list(statements)


def _statement_trusts(statement: dict[str, Any], service: str, context: Any) -> bool:
    principal = statement.get("Principal")
    named = principal.get("Service", []) if isinstance(principal, dict) else []
    services = [named] if isinstance(named, str) else named
    return (
        statement.get("Effect") == "Allow"
        and service in services
        and bool(_conditions_met(statement.get("Condition", {}), context))
    )


def _with_mapping_actions(original: Function) -> Function:
    def action(method: str, path: str) -> Any:
        parts = [part for part in path.split("/") if part]
        if parts[1:2] == ["event-source-mappings"] and len(parts) == 3:
            return _MAPPING_ACTIONS.get(method)
        return original(method, path)

    return action


def _with_batches_as_singles(original: Function) -> Function:
    def action(*request: Any) -> Any:
        found = original(*request)
        return _BATCH_ACTIONS.get(found, found)

    return action


def _with_condition_keys(original: Function) -> Function:
    """The service's own condition keys that this repository's policies ask for; boto3 speaks JSON to both services."""

    def context(service: str, action: str, body: bytes, params: Any) -> Any:
        found = original(service, action, body, params)
        if action == "cloudwatch:PutMetricData":
            return {**found, "cloudwatch:namespace": _json(body).get("Namespace")}
        if action == "events:PutEvents":
            entries = [entry for entry in _json(body).get("Entries", []) if isinstance(entry, dict)]
            # An ArrayOfString: only ForAllValues and ForAnyValue look at one (service authorization reference).
            return {**found, "events:source": [entry.get("Source") for entry in entries]}
        return found

    return context


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _remembering_parsed(original: Function) -> Function:
    """Every request is checked against the same few documents: parsing them was a tenth of the work."""
    remembered = lru_cache(maxsize=1024)(original)
    return lambda doc: remembered(doc) if isinstance(doc, str) else original(doc)
