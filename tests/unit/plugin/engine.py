"""The engine's side of a component package: starts the plugin as the engine does, and records what it registers."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from google.protobuf.json_format import MessageToDict, ParseDict  # type: ignore[import-untyped]
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from pulumi.runtime import rpc
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    errors_pb2,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
    status_pb2,
)

from sandbox.deploy import REPOSITORY
from sandbox.deployer.model import Created, Registration
from sandbox.deployer.preview import PreviewCreator
from sandbox.pulumi_runtime import Result, _RecordingMonitor

PLUGIN = REPOSITORY / "plugin"
PACKAGE = "custom-labels-batch"
START_SECONDS = 60
CALL_SECONDS = 120
STACK_URN = "urn:pulumi:test::project::pulumi:pulumi:Stack::project-test"


def secret(value: Any) -> dict[str, Any]:
    """A secret, as the engine sends it."""
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


def output(value: Any, *dependencies: str, is_secret: bool = False) -> dict[str, Any]:
    """An output of other resources; without a value it is known only once they are there."""
    sent = {rpc._special_sig_key: rpc._special_output_value_sig, "secret": is_secret, "dependencies": [*dependencies]}
    return sent if value is None else {**sent, "value": value}


class ConstructError(Exception):
    """A component that was not made.

    Attributes
    ----------
    properties
        What is wrong with which input.
    """

    def __init__(self, error: grpc.RpcError) -> None:
        super().__init__(error.details())
        self.properties: dict[str, str] = {}
        for key, value in error.trailing_metadata():
            if key == "grpc-status-details-bin":
                for detail in status_pb2.Status.FromString(value).details:
                    found = errors_pb2.InputPropertiesError()
                    detail.Unpack(found)
                    self.properties |= {problem.property_path: problem.reason for problem in found.errors}


class Log(engine_pb2_grpc.EngineServicer):
    """The warnings and errors that the plugin tells the user."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def Log(self, request: engine_pb2.LogRequest, _context: Any) -> Any:  # noqa: N802 (the protocol's name)
        if request.severity >= engine_pb2.WARNING:
            self.messages.append(request.message)
        return empty_pb2.Empty()


class Preview(_RecordingMonitor):
    """Registers as a deployment would; where an input is not known yet, no output is either."""

    def Invoke(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        if request.tok != "pulumi:pulumi:getResource":
            return super().Invoke(request)
        # How the runtime looks at a provider that the program made.
        urn = request.args["urn"]
        answer = {"urn": urn, "id": self.registered[urn].id, "state": {}}
        return resource_pb2.ResourceInvokeResponse(**{"return": ParseDict(answer, Struct())})

    def _create(self, resource: Registration) -> Created:
        if rpc.contains_unknowns(resource.inputs):
            return Created("", {})
        return super()._create(resource)


class Monitor:
    """The sandbox's monitor behind a socket."""

    def __init__(self) -> None:
        self.recorder = Preview(PreviewCreator("123456789012", "us-east-1", {}), "project", "test")

    def __getattr__(self, method: str) -> Any:
        return lambda request, _context: getattr(self.recorder, method)(request)


@dataclass(frozen=True)
class Constructed:
    """What a program gets back for a component."""

    urn: str
    outputs: dict[str, Any]
    dependencies: dict[str, set[str]]
    graph: Result


class Deployment:
    """One deployment: what every component in it registered."""

    def __init__(self, stub: provider_pb2_grpc.ResourceProviderStub, address: str, recorder: Preview) -> None:
        self._stub = stub
        self._address = address
        self._recorder = recorder

    @property
    def graph(self) -> Result:
        """Every resource, in the order of registration."""
        return Result({}, tuple(self._recorder.registered.values()))

    def aws_provider(self, name: str) -> str:
        """Register a provider as the user's program would; answers the reference that options hold."""
        request = resource_pb2.RegisterResourceRequest(
            type="pulumi:providers:aws", name=name, parent=STACK_URN, custom=True, object=Struct()
        )
        made = self._recorder.RegisterResource(request)
        return f"{made.urn}::{made.id}"

    def construct(self, component: str, name: str, inputs: dict[str, Any], **options: Any) -> Constructed:
        """Make a component, as the engine does when a program of another language registers it.

        Parameters
        ----------
        options
            Fields of `ConstructRequest`: the resource's options, `dryRun`.

        Raises
        ------
        ConstructError
            The plugin refused.
        """
        request = provider_pb2.ConstructRequest(
            project="project",
            stack="test",
            organization="organization",
            parallel=4,
            monitorEndpoint=self._address,
            type=f"{PACKAGE}:index:{component}",
            name=name,
            inputs=ParseDict(inputs, Struct()),
            accepts_output_values=True,
            **{"parent": STACK_URN, **options},
        )
        try:
            made = self._stub.Construct(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            raise ConstructError(error) from None
        dependencies = {key: {*found.urns} for key, found in made.stateDependencies.items()}
        return Constructed(made.urn, MessageToDict(made.state), dependencies, self.graph)


class Plugin:
    """The running plugin."""

    def __init__(self, channel: grpc.Channel, log: Log) -> None:
        self._stub = provider_pb2_grpc.ResourceProviderStub(channel)
        self._log = log

    def schema(self) -> dict[str, Any]:
        """The schema that `pulumi package add` generates an SDK from."""
        answer = self._stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=CALL_SECONDS)
        found: dict[str, Any] = json.loads(answer.schema)
        return found

    def version(self) -> str:
        """The version the plugin says it is."""
        return str(self._stub.GetPluginInfo(empty_pb2.Empty(), timeout=CALL_SECONDS).version)

    def messages(self) -> list[str]:
        """What the user was told since the last call."""
        found, self._log.messages[:] = [*self._log.messages], []
        return found

    @contextlib.contextmanager
    def deployment(self) -> Iterator[Deployment]:
        """A deployment of its own, with nothing in it."""
        monitor: Any = Monitor()
        with _served(lambda server: resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)) as port:
            yield Deployment(self._stub, f"127.0.0.1:{port}", monitor.recorder)


@contextlib.contextmanager
def _served(add: Any) -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(8))
    add(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(1).wait()


@contextlib.contextmanager
def started_plugin(folder: Path, working_directory: Path) -> Iterator[Plugin]:
    """Run `python <folder> <engine's address>`, which prints its port, somewhere else than in the repository."""
    log = Log()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    # An output that is turned to text is an error then.
    environment["PULUMI_ERROR_OUTPUT_STRING"] = "true"
    with _served(lambda server: engine_pb2_grpc.add_EngineServicer_to_server(log, server)) as engine:
        process = subprocess.Popen(
            [sys.executable, str(folder), f"127.0.0.1:{engine}"],
            cwd=working_directory,
            env=environment,
            stdout=subprocess.PIPE,
            # Pulumi's runtime writes its own account of every refused component.
            stderr=(working_directory / "stderr.txt").open("w"),
            text=True,
        )
        try:
            timer = threading.Timer(START_SECONDS, process.kill)
            timer.start()
            assert process.stdout
            port = process.stdout.readline().strip()
            timer.cancel()
            assert port, "the plugin ended, or did not start in time"
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield Plugin(channel, log)
        finally:
            process.kill()
            process.wait()
