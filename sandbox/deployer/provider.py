"""What pulumi-aws does to a resource's inputs before it calls AWS: checks, auto-names, default tags."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.deployer.model import Created, Properties, Registration
from sandbox.deployer.naming import Suffix, physical_name
from sandbox.deployer.schema import PROVIDER_TYPE, check_inputs, takes_tags
from sandbox.errors import SandboxError

_DEFAULT = ""


class AwsProvider:
    """The default provider, configured by `aws:*` settings, and every explicit one."""

    def __init__(self, region: str, config: Mapping[str, str], suffix: Suffix) -> None:
        """Take the default provider's settings from a stack's configuration.

        Parameters
        ----------
        region
            The one region there is; a provider for another is refused.
        config
            Namespaced keys; those beginning with `aws:` count.
        suffix
            Makes the random end of auto-names.
        """
        self._region = region
        self._suffix = suffix
        self._default_tags: dict[str, dict[str, str]] = {}
        settings = {key.removeprefix("aws:"): value for key, value in config.items() if key.startswith("aws:")}
        self._configure(_DEFAULT, settings)

    def register(self, resource: Registration) -> Created:
        """Take note of an explicit provider the program made."""
        self._configure(resource.urn, resource.inputs)
        return Created(resource.name, resource.inputs)

    def prepare(self, resource: Registration, deployed: Properties | None = None) -> Properties:
        """Check a resource's inputs and add what the provider adds: its name and all its tags.

        Parameters
        ----------
        deployed
            Properties of the deployed resource, if it keeps its name.

        Raises
        ------
        SandboxError
            For an unknown key, a missing one, a wrong shape, or a name AWS refuses.
        """
        check_inputs(resource.type, resource.inputs)
        region = resource.inputs.get("region", self._region)
        if region != self._region:
            raise SandboxError(f"region {region}; the sandbox has {self._region} only.")
        name = physical_name(resource.type, resource.name, resource.urn, resource.inputs, self._suffix, deployed)
        properties = {"region": region, **resource.inputs, **name}
        properties = {key: value for key, value in properties.items() if value is not None}
        if takes_tags(resource.type):
            own = resource.inputs.get("tags", {})
            properties["tagsAll"] = {**self._tags_for(resource), **own}
        return properties

    def _tags_for(self, resource: Registration) -> dict[str, str]:
        urn = resource.options.provider.rpartition("::")[0]
        if urn not in self._default_tags:
            raise SandboxError(f"provider {urn} was never registered.")
        return self._default_tags[urn]

    def _configure(self, urn: str, inputs: Mapping[str, Any]) -> None:
        settings = {key: _decoded(value) for key, value in inputs.items() if key != "version"}
        check_inputs(PROVIDER_TYPE, settings)
        if settings.get("region", self._region) != self._region:
            raise SandboxError(f"region {settings['region']}; the sandbox has {self._region} only.")
        self._default_tags[urn] = (settings.get("defaultTags") or {}).get("tags") or {}


def _decoded(value: Any) -> Any:
    """Objects and lists reach a provider as JSON text."""
    if isinstance(value, str) and value[:1] in "[{":
        return json.loads(value)
    return value
