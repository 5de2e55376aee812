"""A desired state for Cloud Control, checked against the CloudFormation resource schema that cfn-lint ships."""

from collections.abc import Mapping
from typing import Any

from sandbox.errors import SandboxError


def check_desired_state(type_name: str, state: Mapping[str, Any], region: str) -> None:
    """Check every property, at any depth, as CloudFormation would in a region.

    Raises
    ------
    SandboxError
        For a type the region does not have; naming each wrong property by its path.
    """
    # Half a second to import, which only a stack with Cloud Control should wait for.
    from cfnlint.jsonschema import StandardValidator
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError

    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, type_name).schema
    except ResourceNotFoundError as error:
        raise SandboxError(f"CloudFormation has no {type_name} in {region}") from error
    errors = StandardValidator(schema).iter_errors(state)
    problems = [f"{'.'.join(map(str, error.path)) or 'the state'}: {error.message}" for error in errors]
    read_only = [path.rpartition("/")[2] for path in schema.get("readOnlyProperties", [])]
    problems += [f"{name}: read-only" for name in read_only if name in state]
    if problems:
        raise SandboxError(f"{type_name}: {'; '.join(problems)}")
