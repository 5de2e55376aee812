"""What deployments made and have not removed yet, in a file: the only things `destroy` may touch."""

import json
from pathlib import Path
from typing import Any

from sandbox.deployer.model import Registration


class StateFile:
    """A JSON file with the endpoint, the stack, and each resource in the order it was made."""

    def __init__(self, path: Path) -> None:
        """Use a file, which need not exist yet."""
        self.path = path

    def read(self) -> dict[str, Any]:
        """The state; without resources where there is no file."""
        if not self.path.exists():
            return {"endpointUrl": "", "stack": "", "resources": []}
        return dict(json.loads(self.path.read_text(encoding="utf-8")))

    def start(self, endpoint_url: str, project: str, stack: str) -> None:
        """Begin a new deployment's state, forgetting what was there."""
        self._write({"endpointUrl": endpoint_url, "project": project, "stack": stack, "resources": []})

    def add(self, resource: Registration) -> None:
        """Note a resource as soon as it is made, so that a deployment that fails can be removed."""
        state = self.read()
        state["resources"].append(
            {
                "urn": resource.urn,
                "type": resource.type,
                "id": resource.id,
                "outputs": resource.outputs,
                "retainOnDelete": resource.options.retain_on_delete,
            }
        )
        self._write(state)

    def remove(self, urn: str) -> None:
        """Forget a resource that was removed."""
        state = self.read()
        state["resources"] = [entry for entry in state["resources"] if entry["urn"] != urn]
        self._write(state)

    def _write(self, state: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".tmp")
        # Archives and other things JSON cannot hold are not needed to remove a resource.
        temporary.write_text(json.dumps(state, indent=1, default=lambda _value: None), encoding="utf-8")
        temporary.replace(self.path)
