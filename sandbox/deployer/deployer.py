"""Deploys registered resources to an AWS endpoint as `pulumi up` would, and removes exactly what it created."""

import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.deployer import services  # noqa: F401 (registers every resource type)
from sandbox.deployer.arguments import Request
from sandbox.deployer.changes import Step, aliases, changed_properties, ignoring
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.invokes import answer
from sandbox.deployer.model import Created, Properties, Registration
from sandbox.deployer.naming import given_names, random_suffix
from sandbox.deployer.provider import AwsProvider
from sandbox.deployer.registry import creator_of, deleter_of, replacing, updater_of
from sandbox.deployer.schema import PROVIDER_TYPE
from sandbox.deployer.services.s3 import bucket_outputs
from sandbox.deployer.state import Entry, StateFile, described
from sandbox.deployer.tags import retag
from sandbox.errors import SandboxError

_BUCKET = "aws:s3/bucket:Bucket"

# Given to every resource by the provider or the engine; creators need not read them.
_NOT_FOR_THE_SERVICE = ("region", "tags", "timeouts")


@dataclass(frozen=True)
class Progress:
    """One step of a deployment: a resource about to be looked at, or done."""

    type: str
    name: str
    done: bool
    seconds: float = 0.0
    """Real seconds it took; 0 before it is done."""
    step: Step | None = None
    """What was done; None before it is."""
    changed: tuple[str, ...] = ()
    """The properties that changed, if it was updated or replaced."""


OnResource = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Report nothing."""


class Deployer:
    """A `ResourceCreator` for one endpoint: what a state file knows is updated, everything else is made."""

    def __init__(
        self, cloud: Cloud, config: Mapping[str, str], state: StateFile, on_resource: OnResource = silent
    ) -> None:
        """Deploy to a cloud, with a stack's `aws:*` settings, noting what is made in a state file."""
        self._cloud = cloud
        self._state = state
        self._on_resource = on_resource
        self._provider = AwsProvider(cloud.region, config, random_suffix)

    def create(self, resource: Registration) -> Created:
        """Make a resource, or bring the deployed one up to date, and answer with all the program may ask of it.

        Raises
        ------
        SandboxError
            For a type that is not known, an input that is wrong or that no one would act on, a change that no one
            can make, a requirement AWS has that is not met, and whatever the endpoint itself refuses.
        """
        if resource.type == PROVIDER_TYPE:
            return self._provider.register(resource)
        creator_of(resource.type)
        self._on_resource(Progress(resource.type, resource.name, done=False))
        started = time.perf_counter()
        deployed = self._state.find(aliases(resource))
        changed: frozenset[str] = frozenset()
        with _endpoint_errors_as_ours():
            if deployed is None:
                step = Step.CREATED
                self._make(resource, self._provider.prepare(resource))
            else:
                step, changed = self._bring_up_to_date(resource, deployed)
        seconds = time.perf_counter() - started
        self._on_resource(Progress(resource.type, resource.name, True, seconds, step, tuple(sorted(changed))))
        return Created(resource.id, resource.outputs)

    def remove_leftovers(self) -> None:
        """Remove what the program has registered no longer and what was replaced, last made first.

        Raises
        ------
        SandboxError
            Naming the resources that are protected, before anything is removed; or the first that the endpoint would
            not remove.
        """
        leftovers = self._state.leftovers()
        gone = [entry for entry in leftovers if not entry["replaced"]]
        _refuse_protected(gone)
        urns = {entry["urn"] for entry in gone}
        for entry in reversed(leftovers):
            if entry["replaced"]:
                # Told already, as one step of two.
                _remove(self._cloud, self._state, entry)
            else:
                _remove(self._cloud, self._state, entry, self._on_resource, urns)

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

    def _make(self, resource: Registration, properties: Properties) -> None:
        resource.properties = properties
        request = Request(resource)
        request.skip(*_NOT_FOR_THE_SERVICE)
        created = creator_of(resource.type)(self._cloud, request)
        self._is_there(resource, created.id, {**properties, **created.outputs})
        unread = list(request.unread())
        if unread:
            raise SandboxError(f"the sandbox does nothing with input {', '.join(unread)}; teach sandbox/deployer")

    def _bring_up_to_date(self, resource: Registration, deployed: Entry) -> tuple[Step, frozenset[str]]:
        resource.inputs = ignoring(resource, deployed["properties"])
        keeps_name = given_names(resource.type, resource.inputs) == deployed["givenNames"]
        properties = self._provider.prepare(resource, deployed["properties"] if keeps_name else None)
        changed = changed_properties(deployed["properties"], properties)
        if replacing(resource.type, changed) or changed & set(resource.options.replace_on_changes):
            self._replace(resource, deployed, keeps_name)
            return Step.REPLACED, changed
        resource.properties = properties
        added = deployed["outputs"] | (self._update(resource, deployed, changed) if changed else {})
        self._is_there(resource, deployed["id"], {**added, **properties}, instead_of=deployed)
        return (Step.UPDATED if changed else Step.UNCHANGED), changed

    def _replace(self, resource: Registration, deployed: Entry, keeps_name: bool) -> None:
        if resource.options.protect:
            # The engine lets one update take `protect` away and replace; it retains what was deployed to be retained
            # (pulumi/pulumi, step_generator.go: "we do allow unprotecting and replacing to happen in a single update").
            _refuse_protected([deployed])
        delete_first = resource.options.delete_before_replace
        if delete_first is None:
            # Two of one name cannot be there at once: so does the provider's bridge (tfbridge, Provider.Diff).
            delete_first = keeps_name and bool(deployed["givenNames"])
        if delete_first:
            _remove(self._cloud, self._state, deployed)
        self._make(resource, self._provider.prepare(resource))
        if not delete_first:
            self._state.mark_replaced(deployed)

    def _update(self, resource: Registration, deployed: Entry, changed: frozenset[str]) -> Properties:
        made = described(deployed)
        if "tagsAll" in changed:
            retag(self._cloud, resource.type, made, resource.properties["tagsAll"])
        request = Request(resource, changed - {"tagsAll"})
        if not request.changed:
            return {}
        request.skip(*_NOT_FOR_THE_SERVICE)
        outputs = updater_of(resource.type)(self._cloud, request, made) or {}
        if unknown := request.unread_changes():
            raise SandboxError(
                f"the sandbox cannot change {', '.join(sorted(unknown))} of a deployed {resource.type}; "
                "teach sandbox/deployer, or deploy the stack anew"
            )
        return outputs

    def _is_there(self, resource: Registration, id_: str, outputs: Properties, instead_of: Entry | None = None) -> None:
        resource.id, resource.outputs = id_, outputs
        self._cloud.registered[resource.urn] = resource
        self._state.put(resource, instead_of)


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
        Naming the resources that are protected, before anything is removed; or the first resource the endpoint would
        not remove: the state keeps it and the rest.
    """
    entries = state.read()["resources"]
    _refuse_protected(entries)
    urns = {entry["urn"] for entry in entries}
    return sum(_remove(cloud, state, entry, on_resource, urns) for entry in reversed(entries))


def _remove(
    cloud: Cloud,
    state: StateFile,
    entry: Entry,
    on_resource: OnResource = silent,
    with_it: Collection[str] = (),
) -> bool:
    """Remove and forget a resource, and tell whether it was removed.

    One to be retained is only forgotten; so is one whose `deleted_with` is among the URNs that go too, which takes it
    along.
    """
    name = entry["urn"].rpartition("::")[2]
    started = time.perf_counter()
    if not entry["retainOnDelete"] and entry["deletedWith"] not in with_it:
        with _endpoint_errors_as_ours(f"{entry['type']} {name!r}: ", gone_is_fine=True):
            deleter_of(entry["type"])(cloud, described(entry))
    state.remove(entry)
    step = Step.RETAINED if entry["retainOnDelete"] else Step.DELETED
    on_resource(Progress(entry["type"], name, True, time.perf_counter() - started, step))
    return not entry["retainOnDelete"]


def _refuse_protected(entries: Iterable[Entry]) -> None:
    protected = [f"{entry['type']} {entry['urn'].rpartition('::')[2]!r}" for entry in entries if entry["protect"]]
    if protected:
        raise SandboxError(
            f"{', '.join(protected)} {'is' if len(protected) == 1 else 'are'} protected: deploy without protect=True "
            "first, then remove or replace"
        )


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
