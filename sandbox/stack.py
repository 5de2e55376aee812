"""The emulated AWS with a program deployed in it, for as long as somebody uses it."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from botocore.exceptions import BotoCoreError
from rich.console import Console

from sandbox.deploy import BUILD, DEFAULT_STACK, REPOSITORY, deploy
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.deployer import Progress as Deployment
from sandbox.deployer.registry import validated_types
from sandbox.errors import SandboxError
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings

console = Console(highlight=False)


@dataclass(frozen=True)
class Stack:
    """The deployed stack and the emulator it lives in."""

    server: ServerProcess
    cloud: Cloud
    outputs: Mapping[str, Any]
    settings: SandboxSettings


@contextmanager
def running_stack(
    program: Path = REPOSITORY, stack: str = DEFAULT_STACK, config: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Stack]:
    """Start the emulator and deploy a program into it, this repository's by default."""
    settings = SandboxSettings.from_environment()
    minute = 60 * settings.time_scale
    console.print("[bold]Custom Labels batch, on this machine[/bold]: the real program, functions and workflows")
    console.print(f"[dim]Minutes are simulated, and take {minute:.3g} seconds each; seconds are real.[/dim]\n")
    with ExitStack() as cleanup:
        with step("Starting an emulated AWS and training its model"):
            server = cleanup.enter_context(ServerProcess(settings, BUILD))
        with step("Deploying the Pulumi program") as say:
            outputs = _deploy(program, stack, config, settings, say)
        cloud = Cloud.of(settings)
        try:
            yield Stack(server, cloud, outputs, settings)
        except (BotoCoreError, SandboxError) as error:
            server.check(within_seconds=1)  # if the emulator is gone, that is what to say
            raise SandboxError(str(error)) from error


def _deploy(
    program: Path, stack: str, config: Mapping[str, str], settings: SandboxSettings, say: Callable[[str], None]
) -> dict[str, Any]:
    made: Counter[str] = Counter()

    def count(deployment: Deployment) -> None:
        made.update([deployment.type] if deployment.done else [])
        say(f"Deploying the Pulumi program: {made.total()} resources, {deployment.name}")

    outputs = deploy(program, stack, config, settings, count)
    validated = sum(made[type_] for type_ in validated_types())
    unmade = f", {validated} of them validated and not made (QuickSight)" if validated else ""
    say(f"Deployed the Pulumi program: {made.total()} resources of {len(made)} types{unmade}")
    return outputs


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """A line that spins while the step goes on and stays, with its time, when it is done."""
    began = time.monotonic()
    text = [title]
    with console.status(title) as status:

        def update(line: str) -> None:
            text[0] = line
            status.update(line)

        yield update
    console.print(f"[green]✓[/green] {text[0]} [dim]({time.monotonic() - began:.1f} s)[/dim]")
