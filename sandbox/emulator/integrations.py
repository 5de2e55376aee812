"""Step Functions' service integrations, through the real boto3 client and the state machine's own role.

Names follow the Step Functions developer guide ("AWS SDK service integrations"): fields in PascalCase of
plain words (`Uuid`, `KmsKeyId`), errors as `<Service>.<Name>Exception`, an error the service's model does
not know as `<Service>.<Service>Exception`. The optimized integrations keep the API's own field names.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from sandbox.api_calls import new_session, service_model
from sandbox.asl import StateError
from sandbox.clock import SimulatedClock, iso
from sandbox.emulator.access import session_of_service
from sandbox.settings import SandboxSettings

_BOTO_NAMES = {"sfn": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs"}
# Service in the Resource ARN: boto3 name, prefix of its errors, error of what its model does not know.
_OPTIMIZED = {
    "dynamodb": ("dynamodb", "DynamoDB", "DynamoDB.AmazonDynamoDBException"),
    "sqs": ("sqs", "SQS", "SQS.AmazonSQSException"),
    "sns": ("sns", "SNS", "SNS.AmazonSNSException"),
    "events": ("events", "EventBridge", "EventBridge.AmazonEventBridgeException"),
}
_OPTIMIZED_ACTIONS = {
    "dynamodb": {"getItem", "putItem", "updateItem", "deleteItem"},
    "sqs": {"sendMessage"},
    "sns": {"publish"},
    "events": {"putEvents"},
}
_JAVA_NAMES = {"NULL": "Nul"}

Rename = Callable[[str], str]


class Integrations:
    """Calls AWS for the Task states of one sandbox."""

    def __init__(self, settings: SandboxSettings, clock: SimulatedClock) -> None:
        self._settings, self._clock = settings, clock
        self._client = lru_cache(maxsize=256)(self.new_client)

    def call(self, role_arn: str, resource: str, arguments: Any) -> Any:
        """Do what a Task's Resource says, signed by the role.

        Raises
        ------
        StateError
            Named as AWS names it; `States.Runtime` for what Step Functions would not accept.
        """
        service, action = _parse(resource)
        if resource.startswith("arn:aws:states:::aws-sdk:"):
            return self._call_sdk(role_arn, service, action, arguments)
        return self._call_optimized(role_arn, service, action, arguments)

    def _call_sdk(self, role_arn: str, service: str, action: str, arguments: Any) -> Any:
        boto_name = _BOTO_NAMES.get(service, service)
        model = _model(boto_name, service)
        prefix = pascal(model.service_id)
        return self._send(role_arn, boto_name, action, arguments, pascal, prefix, f"{prefix}.{prefix}Exception")

    def _call_optimized(self, role_arn: str, service: str, action: str, arguments: Any) -> Any:
        if action not in _OPTIMIZED_ACTIONS.get(service, ()):
            raise StateError("States.Runtime", f"The sandbox has no optimized integration {service}:{action}")
        boto_name, prefix, unknown = _OPTIMIZED[service]
        if service == "sqs" and isinstance(arguments, dict) and isinstance(arguments.get("MessageBody"), (dict, list)):
            arguments = {**arguments, "MessageBody": json.dumps(arguments["MessageBody"])}
        if service == "events":
            arguments = _with_details_as_text(arguments)
        answer = self._send(role_arn, boto_name, action, arguments, str, prefix, unknown)
        if service == "events" and answer["FailedEntryCount"]:
            raise StateError("EventBridge.FailedEntry", json.dumps(answer))
        return answer

    def _send(
        self, role_arn: str, boto_name: str, action: str, arguments: Any, rename: Rename, prefix: str, unknown: str
    ) -> Any:
        model = _model(boto_name)
        operation = _operation(model, action)
        request = _request(operation.input_shape, arguments, rename)
        try:
            client = self._client(role_arn, boto_name)
            answer = client._make_api_call(operation.name, request)
        except ClientError as error:
            raise _named_error(model, error, prefix, unknown) from None
        except BotoCoreError as error:
            raise StateError(f"{prefix}.SdkClientException", str(error)) from None
        moment = self._clock.at if boto_name == "stepfunctions" else float
        return _document(operation.output_shape, answer, rename, moment)

    def new_client(self, role_arn: str, boto_name: str) -> Any:
        """A boto3 client of a service that signs as the role; tests put their own world behind it."""
        # Any: the type stubs know each service by its literal name only.
        as_role: Any = new_session(*session_of_service(role_arn, "states"), region=self._settings.region)
        return as_role.client(
            boto_name,
            endpoint_url=self._settings.endpoint_url,
            # Only the service judges values here, as it does behind Step Functions; types were checked before.
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False, max_pool_connections=50),
        )


def _with_details_as_text(arguments: Any) -> Any:
    """Each entry with its Detail as EventBridge takes it; a workflow may give it as an object."""
    if not isinstance(arguments, dict) or not isinstance(arguments.get("Entries"), list):
        return arguments
    entries = [
        {**entry, "Detail": json.dumps(entry["Detail"])}
        if isinstance(entry, dict) and isinstance(entry.get("Detail"), dict)
        else entry
        for entry in arguments["Entries"]
    ]
    return {**arguments, "Entries": entries}


def pascal(name: str) -> str:
    """A name of the AWS API as the Java SDK, and so Step Functions, writes it.

    Example
    -------
    >>> pascal("UUID"), pascal("KMSKeyId"), pascal("queueUrl"), pascal("InvalidS3ObjectException")
    ('Uuid', 'KmsKeyId', 'QueueUrl', 'InvalidS3ObjectException')
    """
    if name in _JAVA_NAMES:
        return _JAVA_NAMES[name]
    spaced = re.sub(r"[^A-Za-z0-9]+", " ", name)
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-zA-Z0-9])", " ", spaced)
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", spaced)
    spaced = re.sub(r"([0-9])([a-zA-Z])", r"\1 \2", spaced)
    return "".join(word[0].upper() + word[1:].lower() for word in spaced.split())


def error_name(shape_name: str) -> str:
    """The name of an error shape with the suffix Step Functions always adds."""
    base = re.sub(r"(Fault|Exception)$", "", shape_name)
    return f"{pascal(base)}Exception"


def _named_error(model: ServiceModel, error: ClientError, prefix: str, unknown: str) -> StateError:
    details = error.response["Error"]
    code = details.get("Code", "")
    # A service that once spoke the Query protocol has an old code for the wire beside its model's name.
    candidates = (details.get("QueryErrorCode", ""), code, code.rpartition(".")[2])
    shape = next((shapes[each] for each in candidates if each in (shapes := _error_shapes(model))), None)
    name = f"{prefix}.{error_name(shape)}" if shape else unknown
    metadata: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    cause = (
        f"{details.get('Message', code)} (Service: {prefix}, Status Code: {metadata.get('HTTPStatusCode')}, "
        f"Request ID: {metadata.get('RequestId')})"
    )
    return StateError(name, cause)


@cache
def _model(boto_name: str, sdk_name: str | None = None) -> ServiceModel:
    try:
        model = service_model(boto_name)
    except BotoCoreError:
        raise StateError("States.Runtime", f"There is no SDK service {sdk_name or boto_name}") from None
    if sdk_name is not None and model.service_id.replace(" ", "").lower() != sdk_name:
        raise StateError("States.Runtime", f"There is no SDK service {sdk_name}; AWS calls it {model.service_id}")
    return model


@cache
def _error_shapes(model: ServiceModel) -> dict[str, str]:
    """Error codes on the wire and bare shape names to shape names."""
    found: dict[str, str] = {}
    for shape in model.error_shapes:
        found[shape.name] = shape.name
        code = shape.metadata.get("error", {}).get("code")
        if code:
            found[code] = shape.name
    return found


def _parse(resource: str) -> tuple[str, str]:
    """Service and action of `arn:aws:states:::[aws-sdk:]service:action`."""
    match = re.fullmatch(r"arn:aws:states:::(?:aws-sdk:)?([a-z0-9]+):([a-z][A-Za-z0-9]+)", resource)
    if match is None:
        raise StateError("States.Runtime", f"The sandbox does not know the resource {resource}")
    return match[1], match[2]


def _operation(model: ServiceModel, action: str) -> OperationModel:
    name = action[0].upper() + action[1:]
    if name not in model.operation_names:
        raise StateError("States.Runtime", f"{model.service_id} has no API action {action}")
    return model.operation_model(name)


def _request(shape: Shape | None, value: Any, rename: Rename, path: str = "") -> Any:
    """A Task's Arguments in the names and types boto3 expects."""
    if isinstance(shape, StructureShape):
        return _structure(shape, value, rename, path)
    if shape is not None and shape.type_name in {"integer", "long"} and isinstance(value, float) and value.is_integer():
        return int(value)  # JSONata has one kind of number
    _check_type(shape, value, path)
    if isinstance(shape, ListShape):
        return [_request(shape.member, item, rename, f"{path}[{i}]") for i, item in enumerate(value)]
    if isinstance(shape, MapShape):
        return {key: _request(shape.value, item, rename, f"{path}.{key}") for key, item in value.items()}
    return value


_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
}


def _check_type(shape: Shape | None, value: Any, path: str) -> None:
    expected = _JSON_TYPES.get(shape.type_name if shape else "", (object,))
    wrong_boolean = isinstance(value, bool) and bool not in expected and object not in expected
    if not isinstance(value, expected) or wrong_boolean:
        kind = shape.type_name if shape else "nothing"
        raise StateError("States.Runtime", f"The value of '{path or 'Arguments'}' must be a {kind}, not {value!r}")


def _structure(shape: StructureShape, value: Any, rename: Rename, path: str) -> dict[str, Any]:
    _check_type(shape, value, path)
    known = {rename(name): name for name in shape.members}
    request = {}
    for field, item in value.items():
        where = f"{path}.{field}" if path else field
        if field not in known:
            allowed = ", ".join(sorted(known))
            raise StateError(
                "States.Runtime", f"The field '{where}' is not supported by Step Functions; it knows {allowed}"
            )
        request[known[field]] = _request(shape.members[known[field]], item, rename, where)
    for name in shape.required_members:
        if rename(name) not in value:
            raise StateError("States.Runtime", f"The field '{rename(name)}' is required in '{path or 'Arguments'}'")
    return request


def _document(shape: Shape | None, value: Any, rename: Rename, moment: Callable[[float], float]) -> Any:
    """An API's answer as the JSON a workflow sees; `{}` for one that has no answer."""
    if shape is None:
        return {}
    if isinstance(shape, StructureShape):
        members = {name: member for name, member in shape.members.items() if value.get(name) is not None}
        return {rename(name): _document(member, value[name], rename, moment) for name, member in members.items()}
    if isinstance(shape, ListShape):
        return [_document(shape.member, item, rename, moment) for item in value]
    if isinstance(shape, MapShape):
        return {key: _document(shape.value, item, rename, moment) for key, item in value.items()}
    if isinstance(value, datetime):
        return iso(moment(value.timestamp()))
    if hasattr(value, "read"):
        value = value.read()
    return value.decode() if isinstance(value, (bytes, bytearray)) else value
