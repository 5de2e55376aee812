"""Creates registered resources in an AWS endpoint, and removes exactly what it created."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.deployer import services  # noqa: F401 (registers every resource type)
from sandbox.deployer.arguments import Request
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.invokes import answer
from sandbox.deployer.model import Created, Properties, Registration
from sandbox.deployer.naming import random_suffix
from sandbox.deployer.provider import AwsProvider
from sandbox.deployer.registry import creator_of, deleter_of
from sandbox.deployer.schema import PROVIDER_TYPE
from sandbox.deployer.services.s3 import bucket_outputs
from sandbox.deployer.state import StateFile
from sandbox.errors import SandboxError

_BUCKET = "aws:s3/bucket:Bucket"

# Given to every resource by the provider or the engine; creators need not read them.
_NOT_FOR_THE_SERVICE = ("region", "tags", "timeouts")


@dataclass(frozen=True)
class Progress:
    """One step of a deployment: a resource about to be made, or made."""

    type: str
    name: str
    done: bool
    seconds: float = 0.0
    """Real seconds it took; 0 before it is made."""


OnResource = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Report nothing."""


class Deployer:
    """A `ResourceCreator` for one endpoint."""

    def __init__(
        self, cloud: Cloud, config: Mapping[str, str], state: StateFile, on_resource: OnResource = silent
    ) -> None:
        """Deploy to a cloud, with a stack's `aws:*` settings, noting what is made in a state file."""
        self._cloud = cloud
        self._state = state
        self._on_resource = on_resource
        self._provider = AwsProvider(cloud.region, config, random_suffix)

    def create(self, resource: Registration) -> Created:
        """Make a resource and answer with everything the program may ask of it.

        Raises
        ------
        SandboxError
            For a type that is not known, an input that is wrong or that no one would act on, a
            requirement AWS has that is not met, and whatever the endpoint itself refuses.
        """
        if resource.type == PROVIDER_TYPE:
            return self._provider.register(resource)
        make = creator_of(resource.type)
        resource.properties = self._provider.prepare(resource)
        self._on_resource(Progress(resource.type, resource.name, done=False))
        started = time.perf_counter()
        request = Request(resource)
        request.skip(*_NOT_FOR_THE_SERVICE)
        with _endpoint_errors_as_ours():
            created = make(self._cloud, request)
        created = Created(created.id, {**resource.properties, **created.outputs})
        resource.id, resource.outputs = created.id, created.outputs
        self._cloud.registered[resource.urn] = resource
        self._state.add(resource)
        unread = list(request.unread())
        if unread:
            raise SandboxError(f"the sandbox does nothing with input {', '.join(unread)}; teach sandbox/deployer")
        seconds = time.perf_counter() - started
        self._on_resource(Progress(resource.type, resource.name, done=True, seconds=seconds))
        return created

    def read(self, resource: Registration) -> Created:
        """Look up an existing bucket; other types are not looked up yet."""
        if resource.type != _BUCKET:
            raise SandboxError(f"the sandbox cannot look up an existing {resource.type}")
        with _endpoint_errors_as_ours():
            self._cloud.s3.head_bucket(Bucket=resource.id)
        outputs = {**bucket_outputs(resource.id, self._cloud.region), "tagsAll": {}}
        return Created(resource.id, outputs)

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Answer the functions a program may call."""
        return answer(token, arguments, self._cloud.region, self._cloud.account_id)


def destroy_recorded(cloud: Cloud, state: StateFile, on_resource: OnResource = silent) -> int:
    """Remove what the state file lists, last made first, and nothing else.

    Returns
    -------
    int
        How many resources were removed. One that is gone already counts; one to be retained is
        left and forgotten.

    Raises
    ------
    SandboxError
        Naming the first resource the endpoint would not remove; the state keeps it and the rest.
    """
    removed = 0
    for entry in reversed(state.read()["resources"]):
        name = entry["urn"].rpartition("::")[2]
        if not entry["retainOnDelete"]:
            with _endpoint_errors_as_ours(f"{entry['type']} {name!r}: ", gone_is_fine=True):
                deleter_of(entry["type"])(cloud, Created(entry["id"], entry["outputs"]))
            removed += 1
        state.remove(entry["urn"])
        on_resource(Progress(entry["type"], name, done=True))
    return removed


@contextlib.contextmanager
def _endpoint_errors_as_ours(label: str = "", gone_is_fine: bool = False) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if gone_is_fine and error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
            return
        raise SandboxError(f"{label}{error}") from error
    except BotoCoreError as error:
        raise SandboxError(f"{label}{error}") from error
