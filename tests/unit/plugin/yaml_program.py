"""Pulumi YAML programs that have nothing but components of the package, run against the plugin."""

import re
from typing import Any

from tests.unit.plugin.engine import PACKAGE, Constructed, Deployment, output

REFERENCE = re.compile(r"\$\{(\w+)(?:\.(\w+))?\}")


def references(options: list[str]) -> list[str]:
    """The resources that are named."""
    return [found[1] for option in options if (found := REFERENCE.fullmatch(option))]


def deploy(program: dict[str, Any], deployment: Deployment, config: dict[str, str]) -> dict[str, Any]:
    """Make every resource, in the order they are written in, and answer the outputs.

    A reference to a resource is an output of it, as in Pulumi; one to the configuration is a plain value.
    """
    made: dict[str, Constructed] = {}

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: resolved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [resolved(item) for item in value]
        if not (found := REFERENCE.fullmatch(str(value))):
            return value
        name, property_ = found.groups()
        if property_ is None:
            return config[name]
        return output(made[name].outputs[property_], *made[name].dependencies.get(property_, ()))

    for name, resource in program["resources"].items():
        package, component = resource["type"].split(":")
        assert package == PACKAGE
        after = [made[found].urn for found in references(resource.get("options", {}).get("dependsOn", []))]
        made[name] = deployment.construct(component, name, resolved(resource["properties"]), dependencies=after)
    return {name: resolved(value)["value"] for name, value in program["outputs"].items()}
