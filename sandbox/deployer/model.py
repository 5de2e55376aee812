"""What a Pulumi program registers, as the engine's side sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Properties = dict[str, Any]
"""Property names as Pulumi's wire has them (camelCase) and plain values: no Output, no secret wrapper."""

STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Options:
    """The resource options a program set, as the engine receives them.

    `ignore_changes` and `replace_on_changes` hold camelCase paths; `aliases` are mappings of an
    alias' parts (`urn`, or `name`, `type`, `parentUrn` ...); `custom_timeouts` are durations such
    as "5m".
    """

    protect: bool = False
    retain_on_delete: bool = False
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[Mapping[str, str], ...] = ()
    custom_timeouts: Mapping[str, str] = field(default_factory=dict)
    deleted_with: str = ""
    import_id: str = ""
    provider: str = ""
    """URN and id of an explicit provider, joined by "::"; empty for the default one."""
    providers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Registration:
    """One resource a program registered, and what came of it.

    `inputs` are exactly what the program gave; `properties` what the provider makes of them
    (auto-name, all tags); `outputs` what the program gets back.
    """

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: Properties
    options: Options = field(default_factory=Options)
    dependencies: frozenset[str] = frozenset()
    property_dependencies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    secret_inputs: frozenset[str] = frozenset()
    properties: Properties = field(default_factory=dict)
    id: str = ""
    outputs: Properties = field(default_factory=dict)

    @property
    def explicit_dependencies(self) -> frozenset[str]:
        """URNs that come from `depends_on` alone and from no input."""
        return self.dependencies.difference(*self.property_dependencies.values())

    @property
    def label(self) -> str:
        """How messages name the resource."""
        return f"{self.type} {self.name!r}"


def dependency_closure(resource: Registration, registered: Mapping[str, Registration]) -> frozenset[str]:
    """URNs of everything a resource waits for, directly or through others."""
    seen: set[str] = set()
    waiting = [resource]
    while waiting:
        current = waiting.pop()
        provider_urn = current.options.provider.rpartition("::")[0]
        for urn in {*current.dependencies, current.parent, provider_urn} - seen:
            if urn in registered:
                seen.add(urn)
                waiting.append(registered[urn])
    return frozenset(seen)


@dataclass(frozen=True)
class Created:
    """A resource's physical id and the outputs its provider reports."""

    id: str
    outputs: Properties


class ResourceCreator(Protocol):
    """What the runtime asks to make resources and to answer look-ups."""

    def create(self, resource: Registration) -> Created:
        """Make the resource; called in dependency order, one at a time.

        Raises
        ------
        SandboxError
            When it cannot be made; ends the program.
        """
        ...

    def read(self, resource: Registration) -> Created:
        """Look up an existing resource (`Resource.get`), whose id is `resource.id`."""
        ...

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Answer a provider function such as `aws:index/getRegion:getRegion`."""
        ...
