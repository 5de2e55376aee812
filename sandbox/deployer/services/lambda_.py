"""Lambda functions and event source mappings."""

import io
import json
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi

from sandbox.deployer.arguments import Arguments, Request
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.model import Created, Properties, Registration
from sandbox.deployer.permissions import require_allowed, require_service_access, require_trust
from sandbox.deployer.registry import creates, deletes
from sandbox.deployer.services.logs import log_group_is_made
from sandbox.errors import SandboxError

_FUNCTION = "aws:lambda/function:Function"
_MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
_PERMISSION = "aws:lambda/permission:Permission"

PACED_VARIABLE = "DETECT_CALLS_PER_SECOND"
"""The one environment variable the deployer changes, and the only thing it translates: a rate by the
clock. Where a simulated second lasts less than a real one, the model takes as many more calls in a
real second, and the function, which lives in real time, must be told so to use its share."""

_LAYER_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[a-zA-Z0-9_-]{1,140}:\d+")
_LARGEST_ENVIRONMENT = 4096
"""Bytes of all environment variables together (Lambda quotas)."""

_MAPPING_SECONDS = 30
_SIMULATED_POLL_SECONDS, _LEAST_POLL_SECONDS = 0.4, 0.05
"""Long enough, at real speed, for the sandbox to find that nothing is at work and to skip time."""

# The oldest time a zip archive can hold: the same files always make the same archive.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)

_QUEUE_ACTIONS = (
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ChangeMessageVisibility",
)
_LOG_ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")


@creates(_FUNCTION)
def create_function(cloud: Cloud, args: Request) -> Created:
    """Make a function from an archive; its layers are checked and left out."""
    args.skip("sourceCodeHash")
    name, role = args["name"], args["role"]
    arn = f"arn:aws:lambda:{cloud.region}:{cloud.account_id}:function:{name}"
    require_trust(cloud, role, "lambda.amazonaws.com", arn)
    _check_layers(args.get("layers", []))
    given: dict[str, Any] = args.renamed(
        {
            "architectures": "Architectures",
            "description": "Description",
            "handler": "Handler",
            "memorySize": "MemorySize",
            "packageType": "PackageType",
            "publish": "Publish",
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
    code = zip_archive(args["code"])
    made = cloud.lambda_.create_function(
        FunctionName=name, Role=role, Code={"ZipFile": code}, Tags=args.plain("tagsAll"), **given
    )
    if args.get("reservedConcurrentExecutions", -1) >= 0:
        cloud.lambda_.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=args["reservedConcurrentExecutions"]
        )
    return Created(name, _function_outputs(cloud.region, made["FunctionArn"], made.get("Version", "$LATEST")))


@deletes(_FUNCTION)
def delete_function(cloud: Cloud, made: Created) -> None:
    """Remove a function."""
    cloud.lambda_.delete_function(FunctionName=made.id)


@creates(_MAPPING)
def create_mapping(cloud: Cloud, args: Request) -> Created:
    """Connect a queue to a function, if the function's role may read it and its timeout fits the queue's."""
    function = cloud.lambda_.get_function_configuration(FunctionName=args["functionName"])
    _check_queue_fits(cloud, args.resource, args["eventSourceArn"], function)
    given: dict[str, Any] = args.renamed(
        {
            "batchSize": "BatchSize",
            "enabled": "Enabled",
            "functionResponseTypes": "FunctionResponseTypes",
            "maximumBatchingWindowInSeconds": "MaximumBatchingWindowInSeconds",
        }
    )
    if "scalingConfig" in args:
        concurrency = args["scalingConfig"]["maximumConcurrency"]
        if not 2 <= concurrency <= 1000:
            raise SandboxError(f"scalingConfig.maximumConcurrency is {concurrency}; Lambda takes 2 to 1000")
        given["ScalingConfig"] = {"MaximumConcurrency": concurrency}
    if "filterCriteria" in args:
        patterns = [{"Pattern": f["pattern"]} for f in args["filterCriteria"]["filters"]]
        given["FilterCriteria"] = {"Filters": patterns}
    if "metricsConfig" in args:
        given["MetricsConfig"] = {"Metrics": args["metricsConfig"]["metrics"]}
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


@deletes(_MAPPING)
def delete_mapping(cloud: Cloud, made: Created) -> None:
    """Disconnect the queue, once no change of the mapping is under way."""
    _settled_state(cloud, made.id)
    cloud.lambda_.delete_event_source_mapping(UUID=made.id)


@creates(_PERMISSION)
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


def zip_archive(archive: pulumi.Archive) -> bytes:
    """Pack an archive as Lambda takes it: sorted names, one fixed time, readable by all.

    Raises
    ------
    SandboxError
        For a remote archive, a file that is not there, or an archive with nothing in it.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path, content in sorted(_files(archive, "")):
            entry = zipfile.ZipInfo(path, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            bundle.writestr(entry, content)
        if not bundle.namelist():
            raise SandboxError("the function's archive holds no file")
    return buffer.getvalue()


def _files(asset: Any, path: str) -> Iterator[tuple[str, bytes]]:
    if isinstance(asset, pulumi.AssetArchive):
        for name, inner in asset.assets.items():
            yield from _files(inner, f"{path}/{name}".lstrip("/"))
    elif isinstance(asset, pulumi.StringAsset):
        yield path, asset.text.encode()
    elif isinstance(asset, pulumi.FileAsset):
        yield path, _read(Path(asset.path))
    elif isinstance(asset, pulumi.FileArchive) and Path(asset.path).is_dir():
        folder = Path(asset.path)
        for file in folder.rglob("*"):
            if file.is_file():
                yield f"{path}/{file.relative_to(folder).as_posix()}".lstrip("/"), _read(file)
    elif isinstance(asset, pulumi.FileArchive) and zipfile.is_zipfile(asset.path):
        with zipfile.ZipFile(asset.path) as bundle:
            for name in bundle.namelist():
                yield f"{path}/{name}".lstrip("/"), bundle.read(name)
    else:
        raise SandboxError(f"{type(asset).__name__} {path!r} is not a local file, folder, zip file or text")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SandboxError(f"file {file} of the archive cannot be read: {error.strerror}") from error


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
