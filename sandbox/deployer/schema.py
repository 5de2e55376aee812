"""The pulumi-aws schema, read from pulumi_aws's own classes.

A misspelled key inside a nested dictionary passes Pulumi's Python runtime, its mocks and `preview`
without a word; here it is an error.
"""

import functools
import importlib
import inspect
import threading
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws
from pulumi import _types
from pulumi.runtime import rpc

from sandbox.errors import SandboxError

PROVIDER_TYPE = "pulumi:providers:aws"

_IMPORTING = threading.Lock()
"""pulumi_aws imports its modules lazily, in a way that before Python 3.12 is not safe where two threads ask at once."""


def check_inputs(resource_type: str, inputs: Mapping[str, Any]) -> None:
    """Check every input key, nested ones too, against the resource's type.

    Raises
    ------
    SandboxError
        Naming each unknown key, each missing one, and each value of the wrong shape (object,
        list or scalar).
    """
    problems = list(_object_problems(inputs, _args_class(resource_type), ""))
    if problems:
        raise SandboxError("; ".join(problems) + ".")


def takes_tags(resource_type: str) -> bool:
    """Whether a resource type has tags, and so gets the provider's default ones."""
    return "tags" in _property_types(_args_class(resource_type))


def output_types(resource_type: str) -> dict[str, type]:
    """Every output of a resource type the provider always reports, with its Python type."""
    cls = _resource_class(resource_type)
    names = _types.resource_py_to_pulumi_names(cls)
    found = {}
    for python_name, member in vars(cls).items():
        if isinstance(member, property) and python_name in names and member.fget is not None:
            (reported,) = typing.get_args(inspect.get_annotations(member.fget, eval_str=True)["return"])
            if type(None) not in typing.get_args(reported):
                found[names[python_name]] = reported
    return found


@functools.cache
def _resource_class(resource_type: str) -> type:
    if resource_type == PROVIDER_TYPE:
        return pulumi_aws.Provider
    package, _, rest = resource_type.partition(":")
    with _IMPORTING:
        module = rpc.get_resource_module(package, rest.partition(":")[0], "")
        known: dict[str, Any] = getattr(module, "mod_info", {"classes": {}})
        if resource_type not in known["classes"]:
            raise SandboxError(f"Resource type {resource_type} is not one pulumi-aws knows.")
        namespace = importlib.import_module(known["fqn"])
        return typing.cast(type, getattr(namespace, known["classes"][resource_type]))


@functools.cache
def _args_class(resource_type: str) -> type:
    # The resource's module exports two names; "...Args" may also be a nested type of another
    # resource, in which case the resource's own arguments are "...InitArgs".
    module: Any = inspect.getmodule(_resource_class(resource_type))
    (name,) = (name for name in module.__all__ if name.endswith("Args"))
    return typing.cast(type, getattr(module, name))


@functools.cache
def _property_types(cls: type) -> dict[str, Any]:
    return dict(_types.input_type_types(cls))


@functools.cache
def _required(cls: type) -> frozenset[str]:
    names = _types.input_type_py_to_pulumi_names(cls)
    parameters = inspect.signature(cls).parameters.values()
    return frozenset(names[p.name] for p in parameters if p.default is p.empty and p.name in names)


def _object_problems(value: Mapping[str, Any], cls: type, path: str) -> typing.Iterator[str]:
    known = _property_types(cls)
    for key in sorted(value.keys() - known.keys()):
        yield f"unknown input {path + key!r} (known here: {', '.join(sorted(known))})"
    for key in sorted(_required(cls) - value.keys()):
        yield f"input {path + key!r} is missing"
    for key in sorted(value.keys() & known.keys()):
        yield from _problems(value[key], known[key], path + key)


def _problems(value: Any, wanted: Any, path: str) -> typing.Iterator[str]:
    members = set(_members(wanted))
    if Any in members or value is None:
        return
    if isinstance(value, dict):
        yield from _mapping_problems(value, members, path)
    elif isinstance(value, list):
        yield from _list_problems(value, members, path)
    elif not any(_is_scalar(member) for member in members):
        yield f"input {path!r} must be an object or a list, not {value!r}"


def _mapping_problems(value: dict[str, Any], members: set[Any], path: str) -> typing.Iterator[str]:
    objects = [member for member in members if _types.is_input_type(member)]
    mappings = [member for member in members if typing.get_origin(member) in (dict, Mapping)]
    if objects:
        yield from _object_problems(value, objects[0], f"{path}.")
    elif mappings:
        for key, item in value.items():
            yield from _problems(item, typing.get_args(mappings[0])[1], f"{path}.{key}")
    else:
        yield f"input {path!r} cannot be an object"


def _list_problems(value: list[Any], members: set[Any], path: str) -> typing.Iterator[str]:
    lists = [member for member in members if typing.get_origin(member) in (list, Sequence)]
    if not lists:
        yield f"input {path!r} cannot be a list"
        return
    for index, item in enumerate(value):
        yield from _problems(item, typing.get_args(lists[0])[0], f"{path}[{index}]")


def _members(wanted: Any) -> typing.Iterator[Any]:
    """Flatten `Input[Optional[T]]` and unions to the types a resolved value may have."""
    origin = typing.get_origin(wanted)
    if origin in (typing.Union, types.UnionType):
        for member in typing.get_args(wanted):
            yield from _members(member)
    elif origin is not pulumi.Output and origin is not typing.get_origin(typing.Awaitable[Any]):
        yield wanted


def _is_scalar(member: Any) -> bool:
    return isinstance(member, type) and not _types.is_input_type(member) and member is not type(None)
