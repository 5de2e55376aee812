"""The components for programs in every Pulumi language: `pulumi package add <repository>.git/plugin@<version>`.

The engine clones the whole repository and runs `python <this folder>`, which finds the components beside it.
plugin/schema.json is a copy of the schema that the engine gets; `make docs` renews it.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (the engine takes the first Python it finds)
    sys.exit(f"The package custom-labels-batch needs Python 3.11 or newer; this is {sys.version.split()[0]}")

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi import InputPropertiesError, InputPropertyError, Inputs, Output, ResourceOptions
from pulumi.output import Unknown
from pulumi.provider import ConstructResult, main
from pulumi.provider.experimental.analyzer import ComponentDefinition, PropertyDefinition, PropertyType
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from custom_labels_batch import Analytics, BatchInference, DestroyGuard, Monitoring, Notification  # noqa: E402
from custom_labels_batch.components.inputs import InputError  # noqa: E402

PACKAGE = "custom-labels-batch"

ANYTHING = "pulumi.json#/Any"

ON_THE_WIRE: Mapping[PropertyType | None, tuple[type[Any], str]] = {
    PropertyType.STRING: (str, "text"),
    PropertyType.BOOLEAN: (bool, "true or false"),
    PropertyType.INTEGER: (float, "a whole number"),
    PropertyType.NUMBER: (float, "a number"),
    PropertyType.ARRAY: (list, "a list"),
    PropertyType.OBJECT: (dict, "a map"),
}
"""Type in the schema -> what arrives for it, and how people call it. Every number arrives as a float."""


class Components(ComponentProvider):
    """Takes inputs as the schema has them, and says what is wrong with one by its name, without a traceback."""

    def __init__(self, project: Mapping[str, str]) -> None:
        components = [BatchInference, Notification, Analytics, Monitoring, DestroyGuard]
        super().__init__(components, PACKAGE, version=project["version"])
        schema = json.loads(self.schema or "", object_hook=self._describe)
        self.schema = json.dumps({**schema, "description": project["description"], "license": project["license"]})

    def construct(
        self, name: str, resource_type: str, inputs: Inputs, options: ResourceOptions | None = None
    ) -> ConstructResult:
        """Make a component.

        Raises
        ------
        InputPropertyError, InputPropertiesError
            An input that cannot be used; the engine shows either as a problem of the user's program.
        """
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if not isinstance(error.inner, InputError):
                raise
            problem, property_ = self._renamed(str(error.inner)), self._renamed(error.inner.name or "")
            if not property_:
                raise InputPropertiesError(problem, []) from None
            raise InputPropertyError(property_, problem) from None

    def map_inputs(self, inputs: Inputs, component_def: ComponentDefinition) -> Inputs:
        """Refuse what is not in the schema, or not of its type there, instead of dropping or passing it on."""
        for name in inputs:
            if name not in component_def.inputs:
                raise InputPropertyError(name, f"{component_def.name} has no such input")
        checked = {name: self._checked(value, component_def.inputs[name], name) for name, value in inputs.items()}
        return super().map_inputs(checked, component_def)

    def _checked(self, value: Any, wanted: PropertyDefinition, path: str) -> Any:
        """A value of the schema's type, with its whole numbers as such."""
        is_output = isinstance(value, Output | Unknown) or (wanted.ref == ANYTHING and _has_output(value))
        if is_output and wanted.plain:
            raise InputPropertyError(path, "it decides what is created, so it can be no output and no secret")
        if value is None or is_output:
            return value
        if wanted.ref:
            return self._checked_structure(value, wanted, path)
        kind, told = ON_THE_WIRE[wanted.type]
        is_whole = wanted.type is PropertyType.INTEGER
        if not isinstance(value, kind) or (is_whole and not value.is_integer()):
            raise InputPropertyError(path, f"{value!r} is not {told}")
        if wanted.items:
            return [self._checked(item, wanted.items, f"{path}[{index}]") for index, item in enumerate(value)]
        if inside := wanted.additional_properties:
            return {key: self._checked(item, inside, f"{path}.{key}") for key, item in value.items()}
        return int(value) if is_whole else value

    def _checked_structure(self, value: Any, wanted: PropertyDefinition, path: str) -> Any:
        definition = self.get_type_definition(wanted)
        if definition is None:
            return value
        if not isinstance(value, dict):
            raise InputPropertyError(path, f"{value!r} is not a map")
        for key in value:
            if key not in definition.properties:
                raise InputPropertyError(f"{path}.{key}", f"{definition.name} has no such key")
        return {key: self._checked(item, definition.properties[key], f"{path}.{key}") for key, item in value.items()}

    def _describe(self, part: dict[str, Any]) -> dict[str, Any]:
        """A part of the schema, its description on one line and in the schema's names."""
        text = part.get("description")
        return {**part, "description": " ".join(self._renamed(text).split())} if isinstance(text, str) else part

    def _renamed(self, text: str) -> str:
        """What is said in Python's names of inputs, in the schema's."""
        inputs = [definition.inputs_mapping for definition in self._component_defs.values()]
        names = {python: schema for mapping in inputs for schema, python in mapping.items()}
        return re.sub(r"[a-z]+(?:_[a-z]+)+", lambda found: names.get(found[0], found[0]), text)


def _has_output(value: Any) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, Output | Unknown) or any(map(_has_output, inside))


def project() -> dict[str, str]:
    """What pyproject.toml says of the project: its version is the package's too."""
    found: dict[str, str] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def schema() -> str:
    """What plugin/schema.json has."""
    return json.dumps(json.loads(Components(project()).schema or ""), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main(Components(project()), sys.argv[1:])
