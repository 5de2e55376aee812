"""The one application on the sandbox's port: ministack with the strict layer, and the sandbox's own paths."""

import json
import logging
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import lambda_runtime

from sandbox.classifier import Classifier
from sandbox.clock import SimulatedClock
from sandbox.emulator import (
    access,
    alarms,
    athena,
    custom_labels,
    deliveries,
    mappings,
    queues,
    redrive,
    storage,
    tags,
    topics,
    workflows,
)
from sandbox.emulator.faults import FaultyCalls, Message, Receive, Send, read_body
from sandbox.emulator.integrations import Integrations
from sandbox.emulator.patching import require
from sandbox.emulator.skipping import Skipping
from sandbox.emulator.usage import Usage
from sandbox.emulator.workers import Workers
from sandbox.fault_rules import CallFaults
from sandbox.model import Faults
from sandbox.rekognition import Project, Rekognition
from sandbox.settings import SandboxSettings


class Gateway:
    """ministack and the model, ready to be served."""

    def __init__(self, settings: SandboxSettings) -> None:
        logging.getLogger("lambda").addFilter(_is_worth_saying)
        clock = SimulatedClock(settings.time_scale)
        self._activity = clock.activity
        classifier = Classifier()
        self._accuracy = classifier.held_out_accuracy
        self._projects = [Project(settings, clock, name=name) for name in settings.projects.split(",")]
        athena.install()
        custom_labels.install(Rekognition(self._projects, classifier, custom_labels.read_object_as_caller))
        access.install()
        storage.install()
        queues.install(clock)
        alarms.install(clock)
        redrive.install()
        tags.install()
        self._inboxes = topics.install()
        self._skipping = Skipping(clock, next_tick=deliveries.install(clock), has_messages=mappings.install(clock))
        workflows.install(Integrations(settings, clock), clock)
        self._usage = Usage(clock)
        self._usage.install()
        workers = Workers()
        self._emulator = FaultyCalls(require(app, "app"), workers)
        workers.install(lambda: self._emulator.rules)
        self._told: dict[str, Callable[[], Any]] = {
            "/_sandbox/model": lambda: self._projects[0].ledger(self._accuracy),
            **{f"/_sandbox/model/{project.name}": self._ledger_of(project) for project in self._projects},
            "/_sandbox/inboxes": self._inboxes.as_json,
            "/_sandbox/usage": self._usage.as_json,
            "/_sandbox/usage/writes": self._usage.writes_as_json,
            "/_sandbox/faults": lambda: {**self._projects[0].faults.as_json(), "calls": self._emulator.rules.as_json()},
        }

    async def application(self, scope: Message, receive: Receive, send: Send) -> None:
        """ASGI: `/_sandbox/...` is answered here, everything else by the emulator."""
        if scope["type"] != "http":
            await self._emulator(scope, receive, send)
        elif scope["path"].startswith("/_sandbox/"):
            await self._own_path(scope, receive, send)
        else:
            with self._activity.going_on():
                await self._emulator(_over_tls(scope), receive, send)

    def _ledger_of(self, project: Project) -> Callable[[], dict[str, Any]]:
        return lambda: project.ledger(self._accuracy)

    def stop_workers(self) -> None:
        """End every Lambda worker process."""
        require(lambda_runtime, "reset")()

    async def _own_path(self, scope: Message, receive: Receive, send: Send) -> None:
        status, document = await self._answer(scope["method"], scope["path"], await read_body(receive))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(document, indent=2).encode()})

    async def _answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        try:
            match method, path:
                case "GET", _ if path in self._told:
                    return 200, self._told[path]()
                case "POST", "/_sandbox/faults":
                    self._set_faults(json.loads(body))
                    return 200, {}
                case "DELETE", "/_sandbox/faults":
                    self._set_faults({})
                    for project in self._projects:
                        project.mend()
                    return 200, {}
                case "POST", "/_sandbox/clock/skip":
                    return 200, await self._skipping.skip(json.loads(body))
        except (ValueError, AttributeError) as error:
            return 400, {"message": str(error)}
        return 404, {"message": f"The sandbox has no {method} {path}"}

    def _set_faults(self, document: Any) -> None:
        """Let these faults take the place of those there were; ValueError if one is wrong, and nothing changes."""
        if not isinstance(document, dict):
            raise ValueError(f"faults are an object by their names, not {type(document).__name__}")
        rest = {name: value for name, value in document.items() if name != "calls"}
        model, calls = Faults.from_json(rest), CallFaults.from_json(document.get("calls", []))
        for project in self._projects:
            project.set_faults(model)
        self._emulator.rules = calls


def _is_worth_saying(record: logging.LogRecord) -> bool:
    """All but one warning: a public layer is never here, and this Python already has what it holds."""
    return "is not held by MiniStack" not in record.getMessage()


def _over_tls(scope: Message) -> Message:
    """AWS is reached over TLS only; the loopback connection stands for it, unless a caller says otherwise.

    Without this, a bucket policy that refuses plain HTTP would refuse everything here.
    """
    if any(name == b"x-forwarded-proto" for name, _ in scope["headers"]):
        return scope
    return {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
