"""Step Functions state machines."""

from typing import Any

from sandbox.asl_definition import LOG_DELIVERY_ACTIONS
from sandbox.deployer.arguments import Arguments, Request
from sandbox.deployer.cloud import Cloud, tag_list
from sandbox.deployer.model import Created, Registration
from sandbox.deployer.permissions import require_allowed, require_trust
from sandbox.deployer.registry import creates, deletes, updates
from sandbox.deployer.services.logs import log_group_is_made
from sandbox.errors import SandboxError

_STATE_MACHINE = "aws:sfn/stateMachine:StateMachine"


@creates(_STATE_MACHINE, replaced_by=["type"])
def create_state_machine(cloud: Cloud, args: Request) -> Created:
    """Make a state machine whose role Step Functions may assume, and which may log if it is to."""
    made = cloud.stepfunctions.create_state_machine(
        name=args["name"],
        type=args.get("type", "STANDARD"),
        tags=[{"key": tag["Key"], "value": tag["Value"]} for tag in tag_list(args.plain("tagsAll"))],
        **_configuration(cloud, args),
    )
    outputs = {
        "arn": made["stateMachineArn"],
        "creationDate": made["creationDate"].isoformat(),
        "status": "ACTIVE",
    }
    return Created(made["stateMachineArn"], outputs)


@updates(_STATE_MACHINE)
def update_state_machine(cloud: Cloud, args: Request, made: Created) -> None:
    """Change a state machine; executions that run go on with what they began with."""
    nothing = {"loggingConfiguration": {"level": "OFF"}, "tracingConfiguration": {"enabled": False}}
    cloud.stepfunctions.update_state_machine(stateMachineArn=made.id, **{**nothing, **_configuration(cloud, args)})


def _configuration(cloud: Cloud, args: Request) -> dict[str, Any]:
    """What creating and changing a state machine take alike."""
    name, role = args["name"], args["roleArn"]
    arn = f"arn:aws:states:{cloud.region}:{cloud.account_id}:stateMachine:{name}"
    require_trust(cloud, role, "states.amazonaws.com", arn)
    given: dict[str, Any] = {"definition": args["definition"], "roleArn": role, **args.renamed({"publish": "publish"})}
    if "loggingConfiguration" in args:
        given["loggingConfiguration"] = _logging(cloud, args.resource, role, args["loggingConfiguration"])
    if "tracingConfiguration" in args:
        given["tracingConfiguration"] = {"enabled": args["tracingConfiguration"].get("enabled", False)}
    return given


@deletes(_STATE_MACHINE)
def delete_state_machine(cloud: Cloud, made: Created) -> None:
    """Remove a state machine; its executions end at their next transition."""
    cloud.stepfunctions.delete_state_machine(stateMachineArn=made.id)


def _logging(cloud: Cloud, resource: Registration, role: str, config: Arguments) -> dict[str, Any]:
    level = config.get("level", "OFF")
    logging: dict[str, Any] = {
        "level": level,
        "includeExecutionData": config.get("includeExecutionData", False),
    }
    if level == "OFF":
        return logging
    destination = config["logDestination"]
    if not destination.endswith(":*"):
        raise SandboxError(f"logDestination {destination} must be a log group's ARN with ':*' at its end")
    group = destination.removesuffix(":*").partition(":log-group:")[2]
    if not log_group_is_made(cloud, resource, group):
        raise SandboxError(f"log group {group} is not made before the state machine")
    require_allowed(cloud, resource, role, LOG_DELIVERY_ACTIONS, "*", "the state machine's logging")
    logging["destinations"] = [{"cloudWatchLogsLogGroup": {"logGroupArn": destination}}]
    return logging
