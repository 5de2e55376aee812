"""Which function makes which resource type. A new type is one decorated function (two, to destroy it)."""

from collections.abc import Callable

from sandbox.deployer.arguments import Request
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.model import Created
from sandbox.errors import SandboxError

Create = Callable[[Cloud, Request], Created]
Delete = Callable[[Cloud, Created], None]

_creators: dict[str, Create] = {}
_deleters: dict[str, Delete] = {}
_validated: set[str] = set()


def creates(type_: str, validated_only: bool = False) -> Callable[[Create], Create]:
    """Register the function that makes a resource type and returns its id and outputs.

    It gets the properties the provider prepared; every one must be read, or the deployment fails
    naming it.

    Parameters
    ----------
    validated_only
        The endpoint has no such service: the function checks what AWS would, and makes nothing.
    """

    def register(function: Create) -> Create:
        _creators[type_] = function
        if validated_only:
            _validated.add(type_)
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
