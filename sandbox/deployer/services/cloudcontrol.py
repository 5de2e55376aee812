"""Cloud Control resources: validated against their CloudFormation schema, and not made."""

import json

from sandbox.deployer.arguments import Request
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.model import Created
from sandbox.deployer.registry import creates, deletes
from sandbox.deployer.resource_schema import check_desired_state
from sandbox.deployer.services.quicksight import check_dashboard
from sandbox.errors import SandboxError

_RESOURCE = "aws:cloudcontrol/resource:Resource"
_DASHBOARD = "AWS::QuickSight::Dashboard"


@creates(_RESOURCE, replaced_by=["typeName"], validated_only=True)
def create_resource(cloud: Cloud, args: Request) -> Created:
    """Validate a dashboard; any other type should be made, by a creator that is not there yet."""
    type_name = args["typeName"]
    if type_name != _DASHBOARD:
        raise SandboxError(f"the sandbox validates {_DASHBOARD} only, not {type_name}; teach sandbox/deployer")
    state = json.loads(args["desiredState"])
    check_desired_state(type_name, state, cloud.region)
    arn = check_dashboard(cloud, args.resource, state)
    id_ = f"{state['AwsAccountId']}|{state['DashboardId']}"
    return Created(id_, {"properties": json.dumps({**state, "Arn": arn}, sort_keys=True)})


@deletes(_RESOURCE)
def delete_resource(cloud: Cloud, made: Created) -> None:
    """Nothing was made."""
