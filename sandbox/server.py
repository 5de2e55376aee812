"""`python -m sandbox serve`: the emulated AWS in this process, until Ctrl-C, SIGTERM or its parent's end."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from typing import Any

from sandbox.errors import SandboxError
from sandbox.settings import HOST, SandboxSettings

_PARENT_POLL_SECONDS = 0.5


def main(until_parent_ends: bool = False) -> int:
    """Serve until asked to stop.

    Parameters
    ----------
    until_parent_ends
        Stop as well when the process that started this one is gone.
    """
    settings = SandboxSettings.from_environment()
    _check_port(settings)
    parent = os.getppid()
    from sandbox.emulator.process import prepare_environment

    prepare_environment(settings)
    from sandbox.emulator.gateway import Gateway  # imports ministack, which reads the environment then

    gateway = Gateway(settings)
    code = 0
    try:
        asyncio.run(_serve(gateway, settings, parent if until_parent_ends else None))
    except Exception as error:
        print(f"sandbox: the emulator ended: {type(error).__name__}: {error}", file=sys.stderr)
        code = 1
    gateway.stop_workers()
    sys.stdout.flush()
    sys.stderr.flush()
    # Emulator threads that wait in long polls would keep the interpreter alive.
    os._exit(code)


def _check_port(settings: SandboxSettings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, settings.port))
        except OSError as error:
            raise SandboxError(
                f"Port {settings.port} on {HOST} cannot be used ({error.strerror}); "
                "if a sandbox is up there, `.venv/bin/python -m sandbox deploy` applies changes to it, and Ctrl-C in "
                "its terminal ends it; for another beside it, set SANDBOX_PORT to another port"
            ) from None


async def _serve(gateway: Any, settings: SandboxSettings, parent: int | None) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, stop.set)
    config = Config()
    config.bind = [f"{HOST}:{settings.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    config.loglevel = "WARNING"
    tasks = [asyncio.create_task(serve(gateway.application, config, shutdown_trigger=stop.wait))]
    if parent is not None:
        tasks.append(asyncio.create_task(_watch_parent(parent, stop)))
    tasks.append(asyncio.create_task(_say_when_ready(settings)))
    await tasks[0]
    for task in tasks[1:]:
        task.cancel()


async def _watch_parent(parent: int, stop: asyncio.Event) -> None:
    while os.getppid() == parent:
        await asyncio.sleep(_PARENT_POLL_SECONDS)
    stop.set()


async def _say_when_ready(settings: SandboxSettings) -> None:
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, settings.port)
            writer.close()
            print(json.dumps({"ready": settings.endpoint_url}), flush=True)
            return
        await asyncio.sleep(0.02)
