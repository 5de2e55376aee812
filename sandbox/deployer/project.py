"""What `Pulumi.yaml` and `Pulumi.<stack>.yaml` say, read as the Pulumi CLI reads them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from sandbox.errors import SandboxError

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str, int, float, bool),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


@dataclass(frozen=True)
class Project:
    """A project's name, the folder of its program, and one stack's configuration.

    `config` keys carry their namespace (`custom-labels-batch:schedule`); values are text, with
    lists and objects as JSON, as the engine passes them.
    """

    name: str
    main: Path
    config: Mapping[str, str]


def read_project(
    folder: Path, stack: str, overrides: Mapping[str, Any], fallback: Mapping[str, Any] | None = None
) -> Project:
    """Read a program folder's project file and one stack's settings file, if that exists.

    Parameters
    ----------
    overrides
        Values as `pulumi config set` would leave them; they win over the stack's file.
    fallback
        Values for what neither the file nor `overrides` set.

    Raises
    ------
    SandboxError
        For a missing or unreadable project file, a declared key that is missing or of the wrong
        type, or an encrypted value, which only the CLI can read.
    """
    folder = folder.resolve()
    project_file = folder / "Pulumi.yaml"
    if not project_file.is_file():
        raise SandboxError(f"There is no Pulumi project in {folder}: no Pulumi.yaml.")
    declared = _mapping(project_file)
    name = declared.get("name")
    if not isinstance(name, str):
        raise SandboxError(f"{project_file}: 'name' is missing.")
    stack_file = folder / f"Pulumi.{stack}.yaml"
    given = _mapping(stack_file).get("config") or {} if stack_file.is_file() else {}
    layers = (fallback or {}, given, overrides)
    values = {_namespaced(key, name): value for layer in layers for key, value in layer.items()}
    _refuse_encrypted(values)
    for key, declaration in (declared.get("config") or {}).items():
        _apply_declaration(values, _namespaced(key, name), declaration, stack)
    return Project(
        name=name,
        main=folder / str(declared.get("main", ".")),
        config={key: as_text(value) for key, value in values.items()},
    )


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SandboxError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content or {}, dict):
        raise SandboxError(f"{path} must hold a YAML mapping.")
    return content or {}


def _refuse_encrypted(values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and set(value) == {"secure"}:
            raise SandboxError(f"Configuration value '{key}' is encrypted; give it in plain text here.")


def _namespaced(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _apply_declaration(values: dict[str, Any], key: str, declaration: Any, stack: str) -> None:
    """Fill in a declared key's default, and check presence and type."""
    if not isinstance(declaration, dict):
        declaration = {"default": declaration}
    default = declaration.get("value", declaration.get("default"))
    if key not in values and default is not None:
        values[key] = default
    if key not in values:
        description = declaration.get("description")
        raise SandboxError(
            f"Stack '{stack}' is missing configuration value '{key}'"
            + (f" ({' '.join(description.split())})" if description else "")
        )
    wanted = declaration.get("type")
    if wanted is not None and not _has_type(values[key], wanted):
        raise SandboxError(f"Stack '{stack}' with configuration key '{key}' must be of type '{wanted}'")


def _has_type(value: Any, wanted: str) -> bool:
    if wanted not in _PYTHON_TYPES:
        raise SandboxError(f"Pulumi.yaml: {wanted!r} is not a type Pulumi knows: {', '.join(_PYTHON_TYPES)}.")
    if isinstance(value, str) and wanted != "string":
        # `pulumi config set` stores text, which is parsed by the declared type.
        try:
            value = json.loads(value)
        except ValueError:
            return False
    return isinstance(value, _PYTHON_TYPES[wanted]) and not (wanted == "integer" and isinstance(value, bool))


def as_text(value: Any) -> str:
    """A configuration value as the engine passes it to a program."""
    if isinstance(value, str):
        return value
    # Also what turns true into "true" and 5 into "5".
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
