"""How a resource a program registers differs from the one that is deployed, as Pulumi's engine compares them."""

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import pulumi

from sandbox.deployer.archives import zip_archive
from sandbox.deployer.model import Properties, Registration
from sandbox.errors import SandboxError


class Step(StrEnum):
    """What became of a resource, in `pulumi up`'s words."""

    CREATED = "created"
    UPDATED = "updated"
    REPLACED = "replaced"
    DELETED = "deleted"
    RETAINED = "retained"
    UNCHANGED = "unchanged"


_ENGINES_OWN = frozenset({"tags"})
"""Properties that stand in another one too: `tagsAll` holds the resource's own tags and the provider's."""


def comparable(value: Any) -> Any:
    """A value as the state keeps it: JSON, with what is in a file or an archive told by its hash."""
    if isinstance(value, Mapping):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [comparable(item) for item in value]
    if isinstance(value, pulumi.Archive):
        return {"sha256": hashlib.sha256(zip_archive(value)).hexdigest()}
    if isinstance(value, pulumi.Asset):
        return {"sha256": hashlib.sha256(zip_archive(pulumi.AssetArchive({"asset": value}))).hexdigest()}
    return value


def changed_properties(deployed: Mapping[str, Any], properties: Mapping[str, Any]) -> frozenset[str]:
    """Names of the properties that are others now, or are given no longer."""
    wanted = comparable(properties)
    names = (deployed.keys() | wanted.keys()) - _ENGINES_OWN
    return frozenset(name for name in names if deployed.get(name) != wanted.get(name))


def ignoring(resource: Registration, deployed: Properties) -> Properties:
    """The registered inputs, with `ignore_changes` honoured: what it names stays as it is deployed.

    Raises
    ------
    SandboxError
        For a path into a property, which this deployer does not know.
    """
    inputs = dict(resource.inputs)
    for name in resource.options.ignore_changes:
        if not name.isalnum():
            raise SandboxError(f"the sandbox knows whole properties in ignore_changes only, not {name!r}")
        inputs.pop(name, None)
        if name in deployed:
            inputs[name] = deployed[name]
    return inputs


def aliases(resource: Registration) -> Iterable[str]:
    """URNs a resource may be deployed under: its own, and those its aliases describe."""
    yield resource.urn
    for alias in resource.options.aliases:
        yield alias.get("urn") or _described(resource.urn, alias)


def _described(urn: str, alias: Mapping[str, str]) -> str:
    """The URN an alias describes by what differs from the resource's own."""
    head, stack, project, qualified, name = _parts(urn)
    parents, _, type_ = qualified.rpartition("$")
    if alias.get("noParent"):
        parents = ""
    elif alias.get("parentUrn"):
        parents = _parts(alias["parentUrn"])[3]
    qualified = "$".join(part for part in (parents, alias.get("type", type_)) if part)
    place = (alias.get("stack", stack), alias.get("project", project))
    return "::".join((f"{head}:{place[0]}", place[1], qualified, alias.get("name", name)))


def _parts(urn: str) -> tuple[str, str, str, str, str]:
    place, project, qualified, name = urn.split("::", 3)
    head, _, stack = place.rpartition(":")
    return head, stack, project, qualified, name
