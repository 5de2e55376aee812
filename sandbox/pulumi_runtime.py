"""Run a Pulumi program under Pulumi's own Python runtime, without the Pulumi CLI.

The program talks to a resource monitor as it does under `pulumi up`; here the monitor is ours, in
the same process. It records every registration with its dependencies and options, and asks a
`ResourceCreator` to make the resource: the deployer creates it in the emulator, a preview only
answers with plausible outputs.
"""

import asyncio
import contextlib
import contextvars
import logging
import os
import runpy
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pulumi
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime import mocks, rpc, stack
from pulumi.runtime import settings as pulumi_settings
from pulumi.runtime.config import set_all_config
from pulumi.runtime.proto import resource_pb2

from sandbox.deployer.model import (
    STACK_TYPE,
    Created,
    Options,
    Properties,
    Registration,
    ResourceCreator,
    dependency_closure,
)
from sandbox.deployer.preview import PreviewCreator
from sandbox.deployer.project import as_text, read_project
from sandbox.errors import SandboxError

Program = Path | Callable[[], object]
"""A folder with a `__main__.py`, or a function that registers resources."""

DEFAULT_TIMEOUT_SECONDS = 120.0
PREVIEW_TIMEOUT_SECONDS = 60.0

# A program owns the process while it runs: working directory, import path, environment.
_one_program_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Result:
    """What a program left behind: its stack outputs, and every resource in creation order."""

    outputs: Properties
    resources: tuple[Registration, ...]

    def of_type(self, type_: str) -> list[Registration]:
        """Every resource of a type token, such as `aws:sqs/queue:Queue`."""
        return [resource for resource in self.resources if resource.type == type_]

    def named(self, name: str, type_: str | None = None) -> Registration:
        """The one resource with a logical name (and a type, where one name has several).

        Raises
        ------
        LookupError
            When there is none, or more than one.
        """
        found = [r for r in self.resources if r.name == name and type_ in (None, r.type)]
        if len(found) != 1:
            known = ", ".join(sorted(r.name for r in self.resources if type_ in (None, r.type)))
            raise LookupError(f"{len(found)} resources are named {name!r}; there are: {known}")
        return found[0]

    def by_urn(self, urn: str) -> Registration:
        """The resource with a URN."""
        return next(resource for resource in self.resources if resource.urn == urn)

    def created_before(self, resource: Registration) -> frozenset[str]:
        """URNs the engine is sure to have created before a resource: its dependencies, and theirs."""
        return dependency_closure(resource, {known.urn: known for known in self.resources})


def run_program(
    program: Program,
    *,
    project: str,
    stack: str,
    config: Mapping[str, str],
    creator: ResourceCreator,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
) -> Result:
    """Run a program to its end.

    Parameters
    ----------
    program
        A folder, run as `python <folder>` would from inside it, or a function.
    config
        Values as the engine passes them: text, lists and objects as JSON. A key without a
        namespace belongs to the project.
    timeout
        Seconds after which a program that has not ended is given up.

    Raises
    ------
    SandboxError
        One line: the first resource that could not be made, the program's own error, or the
        timeout. The original exception is its `__cause__`.
    """
    monitor = _RecordingMonitor(creator, project, stack)
    namespaced = {key if ":" in key else f"{project}:{key}": value for key, value in config.items()}
    with _one_program_at_a_time, _as_the_cli_runs_it(program):
        run = _Run(program, monitor, project, stack, namespaced)
        run.wait(timeout)
    return Result(monitor.stack_outputs, tuple(monitor.registered.values()))


def record_program(
    program: Program,
    *,
    project: str | None = None,
    stack: str = "test",
    config: Mapping[str, Any] | None = None,
    timeout: float = PREVIEW_TIMEOUT_SECONDS,
    region: str = "us-east-1",
    account_id: str = "123456789012",
) -> Result:
    """Run a program and create nothing: for looking at the graph of resources it registers.

    Names, tags and input keys are checked as in a deployment; outputs have the shape AWS gives
    them, auto-names are the same in every run. For a folder, `Pulumi.yaml` and
    `Pulumi.<stack>.yaml` are read, and `config` overrides them.

    Example
    -------
    >>> def program():
    ...     aws.sqs.Queue("images", sqs_managed_sse_enabled=True)
    >>> record_program(program).named("images").inputs
    {'sqsManagedSseEnabled': True}
    """
    if isinstance(program, Path):
        declared = read_project(program, stack, config or {})
        project, values = project or declared.name, declared.config
        program = declared.main
    else:
        project, values = project or "project", {key: as_text(value) for key, value in (config or {}).items()}
    creator = PreviewCreator(account_id=account_id, region=region, config=values)
    return run_program(program, project=project, stack=stack, config=values, creator=creator, timeout=timeout)


class _RecordingMonitor(mocks.MockMonitor):
    """The engine's end of the conversation: registers, creates, and refuses what the engine refuses."""

    def __init__(self, creator: ResourceCreator, project: str, stack_name: str) -> None:
        # Every method that would ask the mocks is ours.
        super().__init__(mocks=cast(mocks.Mocks, None))
        self.registered: dict[str, Registration] = {}
        self.stack_outputs: Properties = {}
        self.failure: BaseException | None = None
        self.busy_with = "nothing"
        self._creator = creator
        self._project = project
        self._stack = stack_name
        self._lock = threading.Lock()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Build a URN as the engine does: the types of all parents but the stack, then the own type."""
        parent_type = parent.split("::")[2] if parent else STACK_TYPE
        qualified = type_ if parent_type == STACK_TYPE else f"{parent_type}${type_}"
        return f"urn:pulumi:{self._stack}::{self._project}::{qualified}::{name}"

    def GetDeploymentInfo(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        # A resource among the outputs then arrives as its id, not as a reference that
        # reading would resolve by asking us again.
        info = super().GetDeploymentInfo(request)  # type: ignore[no-untyped-call]
        info.supportedFeatures.remove(resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES)
        return info

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        if request.type == STACK_TYPE:
            urn = self.make_urn("", request.type, request.name)
            return resource_pb2.RegisterResourceResponse(urn=urn)
        resource = self._registration(request)
        created = self._answer(resource, self._create)
        return resource_pb2.RegisterResourceResponse(
            urn=resource.urn,
            id=created.id,
            object=_to_wire(created.outputs),
            # An output the creator did not report is unknown, never silently None.
            unknown=resource.custom,
        )

    def ReadResource(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        inputs, secrets = _from_wire(request.properties)
        resource = Registration(
            urn=self.make_urn(request.parent, request.type, request.name),
            type=request.type,
            name=request.name,
            parent=request.parent,
            custom=True,
            inputs=inputs,
            secret_inputs=secrets,
            dependencies=frozenset(request.dependencies),
            id=request.id,
        )
        created = self._answer(resource, self._creator.read)
        return resource_pb2.ReadResourceResponse(urn=resource.urn, properties=_to_wire(created.outputs))

    def Invoke(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        arguments, _ = _from_wire(request.args)
        with self._lock, self._noting_failure(f"call of {request.tok}"):
            answer = self._creator.invoke(request.tok, arguments)
        return resource_pb2.ResourceInvokeResponse(**{"return": _to_wire(answer)})

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        with self._noting_failure("stack outputs"):
            outputs, _ = _from_wire(request.outputs)
            if request.urn in self.registered:
                self.registered[request.urn].outputs = outputs
            else:
                self.stack_outputs = outputs
                _refuse_unknown(outputs, "stack output")
        return empty_pb2.Empty()

    def _registration(self, request: Any) -> Registration:
        inputs, secrets = _from_wire(request.object)
        return Registration(
            urn=self.make_urn(request.parent, request.type, request.name),
            type=request.type,
            name=request.name,
            parent=request.parent,
            custom=request.custom,
            inputs=inputs,
            secret_inputs=secrets,
            options=_options(request),
            dependencies=frozenset(request.dependencies),
            property_dependencies={name: frozenset(urns.urns) for name, urns in request.propertyDependencies.items()},
        )

    def _create(self, resource: Registration) -> Created:
        if not resource.custom:
            return Created("", {})
        _refuse_unknown(resource.inputs, f"input of {resource.label}")
        return self._creator.create(resource)

    def _answer(self, resource: Registration, make: Callable[[Registration], Created]) -> Created:
        # One at a time: the runtime calls from several threads, and creators keep state.
        with self._lock, self._noting_failure(resource.label):
            if resource.urn in self.registered:
                raise SandboxError(f"Duplicate resource URN {resource.urn!r}; try giving it a unique name")
            created = make(resource)
            resource.id, resource.outputs = created.id, created.outputs
            self.registered[resource.urn] = resource
            return created

    @contextlib.contextmanager
    def _noting_failure(self, doing: str) -> Iterator[None]:
        if self.failure is not None:
            raise SandboxError("stopped after an earlier error")
        self.busy_with = doing
        try:
            yield
        except Exception as error:
            self.failure = error
            error.add_note(doing)
            raise
        self.busy_with = "the program itself"


class _Run:
    """One program on a thread of its own, so that its context is fresh and it can be given up."""

    def __init__(
        self,
        program: Program,
        monitor: _RecordingMonitor,
        project: str,
        stack_name: str,
        config: Mapping[str, str],
    ) -> None:
        self._program = program
        self._monitor = monitor
        self._project = project
        self._stack = stack_name
        self._config = config
        self._error: BaseException | None = None
        # Pulumi keeps its state in context variables: an empty context is a fresh runtime.
        context = contextvars.Context()
        self._thread = threading.Thread(target=context.run, args=(self._run,), name="pulumi", daemon=True)

    def wait(self, timeout: float) -> None:
        """Start, and return when the program has ended well; raise SandboxError when it has not."""
        self._thread.start()
        try:
            self._thread.join(timeout)
        except BaseException:
            self._monitor.failure = SandboxError("interrupted")
            raise
        if self._thread.is_alive():
            busy_with = self._monitor.busy_with
            self._monitor.failure = SandboxError("timed out")
            raise SandboxError(f"The Pulumi program did not end within {timeout:g} s; busy with {busy_with}.")
        failure = self._monitor.failure or self._error
        if failure is not None:
            raise SandboxError(_message(failure)) from failure

    def _run(self) -> None:
        # The loop comes before the settings: a loop made after them hangs.
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        # A failed resource fails every task that waits for it; the first error says it all.
        loop.set_exception_handler(lambda _loop, _context: None)
        try:
            pulumi_settings.configure(
                pulumi_settings.Settings(
                    monitor=self._monitor,
                    engine=mocks.MockEngine(logging.getLogger("pulumi")),
                    project=self._project,
                    stack=self._stack,
                    organization="organization",
                    dry_run=False,
                )
            )
            set_all_config(dict(self._config))
            loop.run_until_complete(stack.run_in_stack(self._start))
        except BaseException as error:  # SystemExit too: the waiting thread reports it
            self._error = error
        finally:
            _close(loop)

    async def _start(self) -> None:
        if isinstance(self._program, Path):
            runpy.run_path(str(self._program), run_name="__main__")
        else:
            self._program()
        # The runtime looks at all unfinished outputs whenever one is finished: few should be left then.
        if outputs := set(pulumi_settings.SETTINGS.outputs):
            await asyncio.wait(outputs, return_when=asyncio.FIRST_EXCEPTION)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    loop.close()
    asyncio.set_event_loop(None)


@contextlib.contextmanager
def _as_the_cli_runs_it(program: Program) -> Iterator[None]:
    """Make Outputs in text an error; for a folder, also start inside it, with no other folder's modules."""
    before = os.environ.get("PULUMI_ERROR_OUTPUT_STRING")
    os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "true"
    try:
        if isinstance(program, Path):
            if not (program / "__main__.py").is_file():
                raise SandboxError(f"There is no Pulumi program in {program}: no __main__.py.")
            with contextlib.chdir(program), _own_modules(program):
                yield
        else:
            yield
    finally:
        if before is None:
            del os.environ["PULUMI_ERROR_OUTPUT_STRING"]
        else:
            os.environ["PULUMI_ERROR_OUTPUT_STRING"] = before


@contextlib.contextmanager
def _own_modules(folder: Path) -> Iterator[None]:
    """Let a program import its own modules, and no other program's of the same names, nor leave its own."""
    folder = folder.resolve()
    paths = [*folder.glob("*.py"), *folder.glob("*/*.py")]
    local = {path.relative_to(folder).with_suffix("").parts[0] for path in paths} - {"__main__"}
    before = _modules_of(local)
    aside = {name: module for name, module in before.items() if not _is_from(module, folder)}
    for name in aside:
        del sys.modules[name]
    try:
        yield
    finally:
        if folder not in {Path(entry).resolve() for entry in sys.path}:
            for name in _modules_of(local).keys() - (before.keys() - aside.keys()):
                del sys.modules[name]
        sys.modules.update(aside)


def _modules_of(top_level: set[str]) -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in top_level}


def _is_from(module: ModuleType, folder: Path) -> bool:
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", [])]
    return any(place and Path(place).resolve().is_relative_to(folder) for place in places)


def _options(request: Any) -> Options:
    timeouts = request.customTimeouts
    return Options(
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=tuple(_alias(alias) for alias in request.aliases),
        custom_timeouts={part.name: value for part, value in timeouts.ListFields()},
        deleted_with=request.deletedWith,
        import_id=request.importId,
        provider=request.provider,
        providers=dict(request.providers),
    )


def _alias(alias: Any) -> dict[str, str]:
    if alias.urn:
        return {"urn": alias.urn}
    return {part.name: str(value) for part, value in alias.spec.ListFields()}


def _from_wire(properties: Any) -> tuple[Properties, frozenset[str]]:
    """Plain values of a protobuf structure, and the names of those that were secret."""
    values = rpc.deserialize_properties(properties, keep_unknowns=True)
    secrets = frozenset(name for name, value in values.items() if rpc.is_rpc_secret(value))
    return {name: _plain(value) for name, value in values.items()}, secrets


def _plain(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    # The wire knows only floating-point numbers.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _refuse_unknown(properties: Any, where: str, path: str = "") -> None:
    if isinstance(properties, pulumi.output.Unknown):
        raise SandboxError(f"{where} {path.lstrip('.')!r} comes from an output which the sandbox does not provide.")
    if isinstance(properties, dict):
        for key, value in properties.items():
            _refuse_unknown(value, where, f"{path}.{key}")
    if isinstance(properties, list):
        for index, value in enumerate(properties):
            _refuse_unknown(value, where, f"{path}[{index}]")


def _to_wire(properties: Properties) -> Any:
    """A protobuf structure of plain values, for which nothing has to be waited: no event loop is made for it."""
    try:
        rpc.serialize_properties(properties, {}).send(None)
    except StopIteration as done:
        return done.value
    raise SandboxError(f"outputs are plain values, and one of {', '.join(properties)} is not")


def _message(error: BaseException) -> str:
    """What was being done, what went wrong, and for a mistake in the program also where."""
    doing = "".join(f"{note}: " for note in getattr(error, "__notes__", []))
    text = str(error).strip() or type(error).__name__
    if isinstance(error, pulumi.RunError) or _is_own_error(error):
        return f"{doing}{text}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_program_code(frame.filename)]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{doing}{type(error).__name__}: {text}{where}"


def _is_own_error(error: BaseException) -> bool:
    """Whether a program raised an error class of its own, whose text is then meant for the user."""
    package = type(error).__module__.partition(".")[0]
    return package not in sys.stdlib_module_names and package not in ("pulumi", "pulumi_aws")


def _is_program_code(filename: str) -> bool:
    return "site-packages" not in filename and not filename.startswith(("<", sys.base_prefix)) and filename != __file__
