"""Which function makes, updates and removes which resource type.

A new type is one decorated function, one to remove it, and one to update it unless creating overwrites.
"""

from collections.abc import Callable, Iterable

from sandbox.deployer.arguments import Request
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.model import Created, Properties
from sandbox.deployer.naming import name_properties
from sandbox.errors import SandboxError

Create = Callable[[Cloud, Request], Created]
Update = Callable[[Cloud, Request, Created], Properties | None]
Delete = Callable[[Cloud, Created], None]

ANY = "*"
"""Stands for every property in `replaced_by`: the provider updates nothing of the type."""

_creators: dict[str, Create] = {}
_updaters: dict[str, Update] = {}
_deleters: dict[str, Delete] = {}
_validated: set[str] = set()
_replacing: dict[str, frozenset[str]] = {}


def creates(
    type_: str, *, replaced_by: Iterable[str] = (), overwrites: bool = False, validated_only: bool = False
) -> Callable[[Create], Create]:
    """Register the function that makes a resource type and returns its id and outputs.

    It gets the properties the provider prepared; every one must be read, or the deployment fails
    naming it.

    Parameters
    ----------
    replaced_by
        Properties of which a change makes another resource, beside the physical name: those that are ForceNew in
        the type's schema in terraform-provider-aws, which pulumi-aws takes over. What is installed of pulumi-aws
        does not hold its schema.
    overwrites
        Creating overwrites what is there: an update is the same call again.
    validated_only
        The endpoint has no such service: the function checks what AWS would, and makes nothing.
    """

    def register(function: Create) -> Create:
        _creators[type_] = function
        _replacing[type_] = frozenset(replaced_by) | name_properties(type_)
        if overwrites or validated_only:
            _updaters[type_] = lambda cloud, args, _made: function(cloud, args).outputs
        if validated_only:
            _validated.add(type_)
        return function

    return register


def updates(type_: str) -> Callable[[Update], Update]:
    """Register the function that updates a resource in place.

    It gets the new properties, with the names of those that changed, and what was made; it returns the outputs that
    are others now. A changed property that it does not read fails the deployment.
    """

    def register(function: Update) -> Update:
        _updaters[type_] = function
        return function

    return register


def deletes(type_: str) -> Callable[[Delete], Delete]:
    """Register the function that removes what was made."""

    def register(function: Delete) -> Delete:
        _deleters[type_] = function
        return function

    return register


def creator_of(type_: str) -> Create:
    """Find the function that makes a type.

    Raises
    ------
    SandboxError
        Naming the type, when there is none.
    """
    if type_ not in _creators:
        raise SandboxError(
            f"resource type {type_} has no creator in sandbox/deployer; it is not in the sandbox's AWS yet"
        )
    return _creators[type_]


def updater_of(type_: str) -> Update:
    """Find the function that updates a type; for a type that nothing is known of, one that reads no property."""
    return _updaters.get(type_, lambda _cloud, _args, _made: None)


def replacing(type_: str, changed: Iterable[str]) -> frozenset[str]:
    """Which of the changed properties make another resource of it."""
    forcing = _replacing[type_]
    return frozenset(name for name in changed if name in forcing or ANY in forcing)


def deleter_of(type_: str) -> Delete:
    """Find the function that removes a type."""
    return _deleters[type_]


def known_types() -> frozenset[str]:
    """Every type that can be made."""
    return frozenset(_creators)


def validated_types() -> frozenset[str]:
    """Types of which nothing is made: what is registered is validated as AWS would, and no more."""
    return frozenset(_validated)


def undeletable_types() -> frozenset[str]:
    """Types that can be made and not removed: there must be none."""
    return frozenset(_creators.keys() - _deleters.keys())
