"""A creator that creates nothing, and answers as AWS would have."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sandbox.deployer import arns
from sandbox.deployer.invokes import answer
from sandbox.deployer.model import Created, Properties, Registration
from sandbox.deployer.naming import RANDOM_HEX_DIGITS, Suffix
from sandbox.deployer.provider import AwsProvider
from sandbox.deployer.schema import PROVIDER_TYPE, output_types


class PreviewCreator:
    """Checks and names resources as a deployment does, and gives outputs of the right shape."""

    def __init__(self, account_id: str, region: str, config: Mapping[str, str], suffix: Suffix | None = None) -> None:
        """Stand in for one account and region, with a stack's `aws:*` settings; auto-names are always the same."""
        self._account_id = account_id
        self._region = region
        self._provider = AwsProvider(region, config, suffix or stable_suffix)

    def create(self, resource: Registration) -> Created:
        """Answer with inputs, name, tags, the identifiers AWS would give, and placeholders for the rest."""
        if resource.type == PROVIDER_TYPE:
            return self._provider.register(resource)
        resource.properties = self._provider.prepare(resource)
        identifiers = arns.identifiers(resource.type, resource.properties, self._region, self._account_id)
        placeholders = {
            name: f"<{resource.name}.{name}>" for name, kind in output_types(resource.type).items() if kind is str
        }
        outputs = {**placeholders, **resource.properties, **identifiers}
        return Created(str(outputs.pop("id", resource.name)), outputs)

    def read(self, resource: Registration) -> Created:
        """Answer a look-up with the id and a matching ARN."""
        properties: dict[str, Any] = {**resource.inputs, "bucket": resource.id, "name": resource.id}
        identifiers = arns.identifiers(resource.type, properties, self._region, self._account_id)
        outputs = {**properties, **identifiers}
        return Created(resource.id, {key: value for key, value in outputs.items() if key != "id"})

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Answer the functions a program may call."""
        return answer(token, arguments, self._region, self._account_id)


def stable_suffix(urn: str) -> str:
    """End of an auto-name in a preview: of one resource always the same."""
    return hashlib.sha256(urn.encode()).hexdigest()[:RANDOM_HEX_DIGITS]
