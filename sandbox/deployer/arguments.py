"""Reading a resource's properties so that none is overlooked."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sandbox.deployer.model import Registration


class Arguments:
    """A resource's properties, which remembers those that were never read.

    A creator that does not read an input would leave it out of the resource it makes, and what the
    sandbox then shows would not be what AWS does. `unread` names such inputs.

    Example
    -------
    >>> arguments = Arguments({"name": "images", "ttl": {"enabled": True, "attributeName": "expiresAt"}})
    >>> arguments["name"], arguments["ttl"]["enabled"]
    ('images', True)
    >>> list(arguments.unread())
    ['ttl.attributeName']
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Wrap plain values; objects inside become `Arguments` when they are read."""
        self._values = dict(values)
        self._read: dict[str, Any] = {}
        self._read_whole: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        """Read a property that must be there."""
        if key not in self._read:
            self._read[key] = _wrapped(self._values[key])
        return self._read[key]

    def __contains__(self, key: str) -> bool:
        """Whether a property is given; one that is not counts as read."""
        if key not in self._values:
            self._read_whole.add(key)
        return key in self._values

    def get(self, key: str, default: Any = None) -> Any:
        """Read a property that may be missing."""
        if key not in self:
            return default
        return self[key]

    def plain(self, key: str, default: Any = None) -> Any:
        """Read a property as it is, with everything inside."""
        self._read_whole.add(key)
        return self._values.get(key, default)

    def skip(self, *keys: str) -> None:
        """Count properties as read that have no meaning for a fresh resource in the sandbox."""
        self._read_whole.update(keys)

    def renamed(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Read the given properties, as far as they are there, under other names."""
        return {new: self.plain(old) for old, new in names.items() if old in self}

    def unread(self) -> Iterator[str]:
        """Paths of the properties nobody read."""
        for key in self._values:
            if key in self._read_whole:
                continue
            if key not in self._read:
                yield key
            else:
                yield from _unread_inside(self._read[key], key)


class Request(Arguments):
    """All properties of one resource that is to be made or updated, and the resource itself.

    `changed` names the properties that are others than those of the deployed resource, also those that are given no
    longer; it is empty for a new one.
    """

    def __init__(self, resource: Registration, changed: Iterable[str] = ()) -> None:
        """Take the properties the provider prepared."""
        super().__init__(resource.properties)
        self.resource = resource
        self.changed = frozenset(changed)

    def unread_changes(self) -> frozenset[str]:
        """Changed properties that nobody looked at, in whole or in part."""
        looked_at = self._read.keys() | self._read_whole
        unread = {re.split(r"[.\[]", path)[0] for path in self.unread()}
        return (self.changed - looked_at) | (self.changed & unread)


def _wrapped(value: Any) -> Any:
    if isinstance(value, dict):
        return Arguments(value)
    if isinstance(value, list):
        return [_wrapped(item) for item in value]
    return value


def _unread_inside(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Arguments):
        for inner in value.unread():
            yield f"{path}.{inner}"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unread_inside(item, f"{path}[{index}]")
