"""A request to AWS, checked against AWS's own model of it, as botocore ships it."""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from sandbox.api_calls import service_model
from sandbox.errors import SandboxError


def check_request(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Check names, types and required parameters, and what botocore leaves to AWS: enums, patterns, greatest sizes.

    Raises
    ------
    SandboxError
        Naming each wrong parameter by its path.

    Example
    -------
    >>> check_request("sqs", "CreateQueue", {"QueueName": "images"})
    """
    shape: Any = service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise SandboxError(f"{operation}: {report.generate_report()}")
    if problems := list(_problems(parameters, shape, "")):
        raise SandboxError(f"{operation}: {'; '.join(problems)}")


def _problems(value: Any, shape: Shape, path: str) -> Iterator[str]:
    match shape:
        case StructureShape():
            for name, member in value.items():
                yield from _problems(member, shape.members[name], f"{path}.{name}".lstrip("."))
        case ListShape():
            yield from _size_problems(len(value), shape, path, "items")
            for index, item in enumerate(value):
                yield from _problems(item, shape.member, f"{path}[{index}]")
        case MapShape():
            yield from _size_problems(len(value), shape, path, "items")
            for key, item in value.items():
                yield from _problems(key, shape.key, path)
                yield from _problems(item, shape.value, f"{path}.{key}")
        case StringShape():
            yield from _text_problems(value, shape, path)
        case _ if shape.type_name in ("integer", "long", "float", "double"):
            yield from _size_problems(value, shape, path, "")


def _text_problems(text: str, shape: StringShape, path: str) -> Iterator[str]:
    yield from _size_problems(len(text), shape, path, "characters")
    if shape.enum and text not in shape.enum:
        yield f"{path} is {text!r}; allowed: {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not _pattern(pattern).fullmatch(text):
        yield f"{path} is {text!r}; it must match {pattern}"


def _size_problems(size: float, shape: Shape, path: str, unit: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and size < least) or (most is not None and size > most):
        yield f"{path} has {size} {unit}".rstrip() + f"; allowed: {least or 0} to {most}"


@functools.cache
def _pattern(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise SandboxError(f"the sandbox cannot read AWS's pattern {pattern}: {error}") from error
