"""Lambda functions and event source mappings."""

import contextlib
import json
import re
import time
from collections.abc import Callable
from typing import Any

from sandbox.deployer import arns
from sandbox.deployer.archives import zip_archive
from sandbox.deployer.arguments import Arguments, Request
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.model import Created, Properties, Registration
from sandbox.deployer.permissions import require_allowed, require_service_access, require_trust
from sandbox.deployer.registry import ANY, creates, deletes, updates
from sandbox.deployer.services.logs import log_group_is_made
from sandbox.errors import SandboxError

_FUNCTION = "aws:lambda/function:Function"
_MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
_PERMISSION = "aws:lambda/permission:Permission"
_INVOCATION = "aws:lambda/invocation:Invocation"

PACED_VARIABLE = "DETECT_CALLS_PER_SECOND"
"""The one environment variable the deployer changes, and the only thing it translates: a rate by the
clock. Where a simulated second lasts less than a real one, the model takes as many more calls in a
real second, and the function, which lives in real time, must be told so to use its share."""

_LAYER_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[a-zA-Z0-9_-]{1,140}:\d+")
_LARGEST_ENVIRONMENT = 4096
"""Bytes of all environment variables together (Lambda quotas)."""

_UNLESS_GIVEN: dict[str, Any] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
}
"""What a function has that says nothing of it: sent with every change, or what was there before would stay."""

_MAPPING_SECONDS = 30
_SIMULATED_POLL_SECONDS, _LEAST_POLL_SECONDS = 0.4, 0.05
"""Long enough, at real speed, for the sandbox to find that nothing is at work and to skip time."""
_ATTEMPTS = 5

_MAPPING_NAMES = {
    "batchSize": "BatchSize",
    "enabled": "Enabled",
    "filterCriteria": "FilterCriteria",
    "functionResponseTypes": "FunctionResponseTypes",
    "maximumBatchingWindowInSeconds": "MaximumBatchingWindowInSeconds",
    "metricsConfig": "MetricsConfig",
    "scalingConfig": "ScalingConfig",
}

_QUEUE_ACTIONS = (
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ChangeMessageVisibility",
)
_LOG_ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")


@creates(_FUNCTION, replaced_by=["packageType"])
def create_function(cloud: Cloud, args: Request) -> Created:
    """Make a function from an archive; its layers are checked and left out."""
    args.skip("sourceCodeHash")
    name, role = args["name"], args["role"]
    given: dict[str, Any] = {
        **_configuration(cloud, args),
        **args.renamed({"architectures": "Architectures", "packageType": "PackageType", "publish": "Publish"}),
    }
    code = zip_archive(args["code"])
    made = cloud.lambda_.create_function(
        FunctionName=name, Role=role, Code={"ZipFile": code}, Tags=args.plain("tagsAll"), **given
    )
    if args.get("reservedConcurrentExecutions", -1) >= 0:
        _reserve(cloud, name, args["reservedConcurrentExecutions"])
    return Created(name, _function_outputs(cloud.region, made["FunctionArn"], made.get("Version", "$LATEST")))


@updates(_FUNCTION)
def update_function(cloud: Cloud, args: Request, made: Created) -> None:
    """Change a function's configuration, its code, or both, each when it is ready for it."""
    args.skip("sourceCodeHash")
    waiter = cloud.lambda_.get_waiter("function_updated_v2")
    of_code = {"architectures", "code", "sourceCodeHash"}
    unless_given = {**_UNLESS_GIVEN, "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{made.id}"}}
    configuration = {**unless_given, "Role": args["role"], **_configuration(cloud, args)}
    if args.changed - of_code - {"reservedConcurrentExecutions"}:
        cloud.lambda_.update_function_configuration(FunctionName=made.id, **configuration)
        waiter.wait(FunctionName=made.id, WaiterConfig={"Delay": 1})
    if args.changed & of_code:
        code = zip_archive(args["code"])
        architectures = args.plain("architectures", ["x86_64"])
        cloud.lambda_.update_function_code(FunctionName=made.id, ZipFile=code, Architectures=architectures)
        waiter.wait(FunctionName=made.id, WaiterConfig={"Delay": 1})
    if "reservedConcurrentExecutions" in args.changed:
        _reserve(cloud, made.id, args.get("reservedConcurrentExecutions", -1))


def _reserve(cloud: Cloud, name: str, executions: int) -> None:
    """Reserve concurrency for a function; a negative number gives back what was reserved."""
    if executions >= 0:
        cloud.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=executions)
    else:
        cloud.lambda_.delete_function_concurrency(FunctionName=name)


def _configuration(cloud: Cloud, args: Request) -> dict[str, Any]:
    """What creating and changing a function take alike."""
    name, role = args["name"], args["role"]
    arn = f"arn:aws:lambda:{cloud.region}:{cloud.account_id}:function:{name}"
    require_trust(cloud, role, "lambda.amazonaws.com", arn)
    _check_layers(args.get("layers", []))
    given: dict[str, Any] = args.renamed(
        {
            "description": "Description",
            "handler": "Handler",
            "memorySize": "MemorySize",
            "runtime": "Runtime",
            "timeout": "Timeout",
        }
    )
    if "environment" in args:
        given["Environment"] = {"Variables": _environment(args["environment"], cloud.time_scale)}
    if "loggingConfig" in args:
        given["LoggingConfig"] = _logging(cloud, args.resource, role, args["loggingConfig"])
    if "tracingConfig" in args:
        given["TracingConfig"] = {"Mode": args["tracingConfig"]["mode"]}
    if "ephemeralStorage" in args:
        given["EphemeralStorage"] = {"Size": args["ephemeralStorage"]["size"]}
    if "deadLetterConfig" in args:
        given["DeadLetterConfig"] = {"TargetArn": args["deadLetterConfig"]["targetArn"]}
    return given


@deletes(_FUNCTION)
def delete_function(cloud: Cloud, made: Created) -> None:
    """Remove a function."""
    cloud.lambda_.delete_function(FunctionName=made.id)


@creates(_MAPPING, replaced_by=["eventSourceArn"])
def create_mapping(cloud: Cloud, args: Request) -> Created:
    """Connect a queue to a function, if the function's role may read it and its timeout fits the queue's."""
    function = cloud.lambda_.get_function_configuration(FunctionName=args["functionName"])
    _check_queue_fits(cloud, args.resource, args["eventSourceArn"], function)
    given = {_MAPPING_NAMES[name]: value for name, value in _mapping_settings(args).items()}
    if args.plain("tagsAll"):
        given["Tags"] = args.plain("tagsAll")
    made = cloud.lambda_.create_event_source_mapping(
        EventSourceArn=args["eventSourceArn"], FunctionName=args["functionName"], **given
    )
    uuid = made["UUID"]
    state = _settled_state(cloud, uuid)
    outputs = {
        "arn": f"arn:aws:lambda:{cloud.region}:{cloud.account_id}:event-source-mapping:{uuid}",
        "functionArn": made["FunctionArn"],
        "state": state,
        "uuid": uuid,
    }
    return Created(uuid, outputs)


@updates(_MAPPING)
def update_mapping(cloud: Cloud, args: Request, made: Created) -> Properties:
    """Change of a mapping what the program changed, and nothing that somebody else may have set meanwhile."""
    function = cloud.lambda_.get_function_configuration(FunctionName=args["functionName"])
    _check_queue_fits(cloud, args.resource, args["eventSourceArn"], function)
    settings = {**_mapping_settings(args), "functionName": args["functionName"]}
    names = {**_MAPPING_NAMES, "functionName": "FunctionName"}
    changes: dict[str, Any] = {names[name]: settings[name] for name in args.changed & settings.keys()}
    if taken_away := args.changed - settings.keys():
        raise SandboxError(f"the sandbox cannot take {', '.join(sorted(taken_away))} away from a mapping")
    _when_settled(cloud, made.id, lambda: cloud.lambda_.update_event_source_mapping(UUID=made.id, **changes))
    return {"functionArn": function["FunctionArn"], "state": _settled_state(cloud, made.id)}


def _mapping_settings(args: Request) -> dict[str, Any]:
    """Settings of a mapping as Lambda takes them, by the property they come from."""
    settings = {name: args.plain(name) for name in _MAPPING_NAMES if name in args}
    if "scalingConfig" in args:
        concurrency = args["scalingConfig"]["maximumConcurrency"]
        if not 2 <= concurrency <= 1000:
            raise SandboxError(f"scalingConfig.maximumConcurrency is {concurrency}; Lambda takes 2 to 1000")
        settings["scalingConfig"] = {"MaximumConcurrency": concurrency}
    if "filterCriteria" in args:
        patterns = [{"Pattern": f["pattern"]} for f in args["filterCriteria"]["filters"]]
        settings["filterCriteria"] = {"Filters": patterns}
    if "metricsConfig" in args:
        settings["metricsConfig"] = {"Metrics": args["metricsConfig"]["metrics"]}
    return settings


@deletes(_MAPPING)
def delete_mapping(cloud: Cloud, made: Created) -> None:
    """Disconnect the queue, once no change of the mapping is under way."""
    _when_settled(cloud, made.id, lambda: cloud.lambda_.delete_event_source_mapping(UUID=made.id))


@creates(_PERMISSION, replaced_by=[ANY])
def create_permission(cloud: Cloud, args: Request) -> Created:
    """Let a principal invoke a function."""
    statement = args.get("statementId", args.resource.name)
    given: dict[str, Any] = args.renamed(
        {"qualifier": "Qualifier", "sourceAccount": "SourceAccount", "sourceArn": "SourceArn"}
    )
    cloud.lambda_.add_permission(
        FunctionName=args["function"],
        StatementId=statement,
        Action=args["action"],
        Principal=args["principal"],
        **given,
    )
    return Created(statement, {"statementId": statement})


@deletes(_PERMISSION)
def delete_permission(cloud: Cloud, made: Created) -> None:
    """Take the permission back."""
    qualifier = {"Qualifier": made.outputs["qualifier"]} if made.outputs.get("qualifier") else {}
    cloud.lambda_.remove_permission(FunctionName=made.outputs["function"], StatementId=made.id, **qualifier)


@creates(_INVOCATION, replaced_by=["functionName", "qualifier"])
def create_invocation(cloud: Cloud, args: Request) -> Created:
    """Invoke a function, and with lifecycle scope CRUD again when this is deleted."""
    function, scope, given = args["functionName"], args.get("lifecycleScope", "CREATE_ONLY"), json.loads(args["input"])
    if scope not in ("CREATE_ONLY", "CRUD"):
        raise SandboxError(f"lifecycleScope is {scope!r}; it is CREATE_ONLY or CRUD")
    event = given if scope == "CREATE_ONLY" else {**given, "tf": {"action": "create", "prev_input": None}}
    id_ = arns.identifiers(_INVOCATION, args.resource.properties, cloud.region, cloud.account_id)["id"]
    return Created(id_, {"result": _invoke(cloud, function, event)})


@updates(_INVOCATION)
def update_invocation(cloud: Cloud, args: Request, made: Created) -> Properties:
    """Invoke the function again, with what it was given before; only lifecycle scope CRUD is updated in place."""
    if (made.outputs.get("lifecycleScope"), args["lifecycleScope"]) != ("CRUD", "CRUD"):
        raise SandboxError("the sandbox updates an invocation of lifecycleScope CRUD only")
    before = {"action": "update", "prev_input": json.loads(made.outputs["input"])}
    return {"result": _invoke(cloud, args["functionName"], {**json.loads(args["input"]), "tf": before})}


@deletes(_INVOCATION)
def delete_invocation(cloud: Cloud, made: Created) -> None:
    """Tell the function, which may refuse, if it was made with lifecycle scope CRUD."""
    if made.outputs.get("lifecycleScope") == "CRUD":
        given = json.loads(made.outputs["input"])
        _invoke(cloud, made.outputs["functionName"], {**given, "tf": {"action": "delete", "prev_input": given}})


def _invoke(cloud: Cloud, function: str, event: Properties) -> str:
    answer = cloud.lambda_.invoke(FunctionName=function, Payload=json.dumps(event))
    payload = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        raise SandboxError(f"Lambda function {function} answered with an error: {payload}")
    return payload


def require_function_access(
    cloud: Cloud, resource: Registration, function_arn: str, service: str, source_arn: str
) -> None:
    """Check that a function lets a service invoke it, by a permission that is made before the resource.

    Raises
    ------
    SandboxError
        Naming the function, the service and what to add.
    """
    name, _, qualifier = function_arn.partition(":function:")[2].partition(":")
    given = [made for made in cloud.made_before(resource, _PERMISSION) if _is_of(made, name, qualifier)]
    document: str | None = json.dumps({"Statement": [_statement(made, function_arn) for made in given]})
    if not any(made.id == name for made in cloud.made(_FUNCTION)) and not given:
        document = _policy(cloud, name, qualifier)
    remedy = f"give it a Permission that does, and let {resource.name} depend on it"
    require_service_access(document, service, "lambda:InvokeFunction", function_arn, source_arn, remedy)


def _is_of(permission: Registration, name: str, qualifier: str) -> bool:
    function = permission.properties["function"]
    same = name in {function, function.partition(":function:")[2]}
    return same and permission.properties.get("qualifier", "") == qualifier


def _statement(permission: Registration, function_arn: str) -> dict[str, Any]:
    given = permission.properties
    condition = {}
    if "sourceArn" in given:
        condition["ArnLike"] = {"aws:SourceArn": given["sourceArn"]}
    if "sourceAccount" in given:
        condition["StringEquals"] = {"aws:SourceAccount": given["sourceAccount"]}
    return {
        "Effect": "Allow",
        "Action": given["action"],
        "Resource": function_arn,
        "Principal": {"Service": given["principal"]},
        "Condition": condition,
    }


def _policy(cloud: Cloud, name: str, qualifier: str) -> str | None:
    """The policy of a function that this deployment has not made."""
    try:
        return cloud.lambda_.get_policy(FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))["Policy"]
    except cloud.lambda_.exceptions.ResourceNotFoundException:
        return None


def _environment(environment: Arguments, time_scale: float) -> dict[str, str]:
    variables: dict[str, str] = dict(environment.plain("variables", {}))
    size = sum(len(key.encode()) + len(value.encode()) for key, value in variables.items())
    if size > _LARGEST_ENVIRONMENT:
        raise SandboxError(f"the environment has {size} bytes; Lambda takes {_LARGEST_ENVIRONMENT}")
    if PACED_VARIABLE in variables:
        variables[PACED_VARIABLE] = f"{float(variables[PACED_VARIABLE]) / time_scale:g}"
    return variables


def _logging(cloud: Cloud, resource: Registration, role: str, config: Arguments) -> dict[str, str]:
    group = config.get("logGroup")
    if group:
        if not log_group_is_made(cloud, resource, group):
            raise SandboxError(f"log group {group} is not made before the function: let the function depend on it")
        arn = f"arn:aws:logs:{cloud.region}:{cloud.account_id}:log-group:{group}:log-stream:any"
        require_allowed(cloud, resource, role, _LOG_ACTIONS, arn, "the function's logging")
    return config.renamed(
        {
            "applicationLogLevel": "ApplicationLogLevel",
            "logFormat": "LogFormat",
            "logGroup": "LogGroup",
            "systemLogLevel": "SystemLogLevel",
        }
    )


def _check_layers(arns: list[str]) -> None:
    for arn in arns:
        if not _LAYER_ARN.fullmatch(arn):
            raise SandboxError(f"{arn!r} is not the ARN of a layer version")


def _check_queue_fits(cloud: Cloud, resource: Registration, queue_arn: str, function: Any) -> None:
    if queue_arn.split(":")[2] != "sqs":
        raise SandboxError(f"the sandbox maps SQS queues only, not {queue_arn}")
    require_allowed(cloud, resource, function["Role"], _QUEUE_ACTIONS, queue_arn, "the event source mapping")
    url = cloud.sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
    attributes = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    hidden = int(attributes["Attributes"]["VisibilityTimeout"])
    if hidden < function["Timeout"]:
        raise SandboxError(
            f"queue visibility timeout {hidden} s is less than the function's timeout {function['Timeout']} s"
        )


def _when_settled(cloud: Cloud, uuid: str, change: Callable[[], object]) -> None:
    """Change a mapping, again if the workflow was quicker: of two changes at once Lambda refuses the second."""
    for _ in range(_ATTEMPTS):
        _settled_state(cloud, uuid)
        with contextlib.suppress(cloud.lambda_.exceptions.ResourceInUseException):
            change()
            return
    raise SandboxError(f"event source mapping {uuid} is changed by somebody else all the time")


def _settled_state(cloud: Cloud, uuid: str) -> str:
    """Wait, as the provider does, until a mapping is neither being made nor changed."""
    poll_seconds = max(_LEAST_POLL_SECONDS, _SIMULATED_POLL_SECONDS * cloud.time_scale)
    for _ in range(int(_MAPPING_SECONDS / poll_seconds)):
        state = cloud.lambda_.get_event_source_mapping(UUID=uuid)["State"]
        if state in ("Enabled", "Disabled"):
            return state
        time.sleep(poll_seconds)
    raise SandboxError(f"event source mapping {uuid} is still {state} after {_MAPPING_SECONDS} s")


def _function_outputs(region: str, arn: str, version: str) -> Properties:
    def invoke_arn(target: str) -> str:
        return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{target}/invocations"

    return {
        "arn": arn,
        "invokeArn": invoke_arn(arn),
        "qualifiedArn": f"{arn}:{version}",
        "qualifiedInvokeArn": invoke_arn(f"{arn}:{version}"),
        "version": version,
    }
