"""What deployments made and have not removed yet, in a file: the only things an update or `destroy` may touch."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandbox.deployer.changes import comparable
from sandbox.deployer.model import Created, Registration
from sandbox.deployer.naming import given_names

Entry = dict[str, Any]
"""One deployed resource: `urn`, `type`, `id`, `properties` as given to the provider, the `outputs` that it added, and
what is needed to compare and remove it."""


def described(entry: Entry) -> Created:
    """A deployed resource as its provider reported it."""
    return Created(entry["id"], {**entry["outputs"], **entry["properties"]})


class StateFile:
    """A JSON file with the endpoint, the stack, and its resources.

    As in Pulumi's own state, those the current deployment has registered come first, in their order, and the others
    after them: at its end these are what the program has no longer. Removing from the end is therefore always right.
    """

    def __init__(self, path: Path) -> None:
        """Use a file, which need not exist yet."""
        self.path = path
        self._registered = 0

    def read(self) -> Entry:
        """The state; without resources where there is no file."""
        if not self.path.exists():
            return {"endpointUrl": "", "project": "", "stack": "", "resources": []}
        return dict(json.loads(self.path.read_text(encoding="utf-8")))

    def start(self, endpoint_url: str, project: str, stack: str) -> None:
        """Begin a new stack's state, forgetting what was there."""
        self._registered = 0
        self._write({"endpointUrl": endpoint_url, "project": project, "stack": stack, "resources": []})

    def resume(self) -> None:
        """Begin another deployment of the same stack: nothing is registered yet."""
        self._registered = 0

    def find(self, urns: Iterable[str]) -> Entry | None:
        """The deployed resource of the first URN there is; not one that only waits to be removed."""
        known = {entry["urn"]: entry for entry in self.read()["resources"] if not entry["replaced"]}
        return next((known[urn] for urn in urns if urn in known), None)

    def leftovers(self) -> list[Entry]:
        """What this deployment has not registered, in the order it was made in."""
        return list(self.read()["resources"][self._registered :])

    def put(self, resource: Registration, instead_of: Entry | None = None) -> None:
        """Note a resource as soon as it is made or updated, so that a deployment that fails can go on or be removed.

        Parameters
        ----------
        instead_of
            The entry that described the same physical resource until now.
        """
        state = self.read()
        if instead_of is not None:
            state["resources"].remove(instead_of)
        properties = comparable(resource.properties)
        entry = {
            "urn": resource.urn,
            "type": resource.type,
            "id": resource.id,
            "givenNames": given_names(resource.type, resource.inputs),
            "properties": properties,
            "outputs": {key: value for key, value in comparable(resource.outputs).items() if key not in properties},
            "retainOnDelete": resource.options.retain_on_delete,
            "protect": resource.options.protect,
            "deletedWith": resource.options.deleted_with,
            "replaced": False,
        }
        state["resources"].insert(self._registered, entry)
        self._registered += 1
        self._write(state)

    def mark_replaced(self, entry: Entry) -> None:
        """Note that another resource stands for this one's URN by now, and that it is to be removed at the end."""
        state = self.read()
        state["resources"][state["resources"].index(entry)]["replaced"] = True
        self._write(state)

    def remove(self, entry: Entry) -> None:
        """Forget a resource that was removed."""
        state = self.read()
        state["resources"].remove(entry)
        self._write(state)

    def _write(self, state: Entry) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(state), encoding="utf-8")
        temporary.replace(self.path)
