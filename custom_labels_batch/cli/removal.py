"""What takes a stack's resources away in the end: Pulumi, or on a sandbox the deployer that made them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from custom_labels_batch.cli.errors import InputError
from custom_labels_batch.cli.stack import Stack, ask_pulumi

_BUCKET = "aws:s3/bucket:Bucket"


class Fate(Enum):
    """What becomes of a bucket, as it is deployed."""

    NOT_OURS = auto()
    RETAINED = auto()
    DELETED_IF_EMPTY = auto()
    DELETED_WITH_OBJECTS = auto()


@dataclass(frozen=True)
class Removal:
    """A command that destroys the stack.

    Attributes
    ----------
    command
        To run in the current directory.
    resources
        Of the stack, as its state file lists them.
    environment
        Variables it needs beside the current ones.
    """

    command: Sequence[str]
    resources: Sequence[Mapping[str, Any]]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """The command, as people type it."""
        return " ".join(["python" if part == sys.executable else part for part in self.command])

    def fate_of(self, bucket: str) -> Fate:
        """What it does with a bucket, by the options and settings that were deployed last."""
        found = [r for r in self.resources if r["type"] == _BUCKET and r["outputs"].get("bucket") == bucket]
        if not found:
            return Fate.NOT_OURS
        if found[0].get("retainOnDelete"):
            return Fate.RETAINED
        return Fate.DELETED_WITH_OBJECTS if found[0]["outputs"].get("forceDestroy") else Fate.DELETED_IF_EMPTY

    @property
    def protected(self) -> list[str]:
        """Resources at which Pulumi refuses: buckets by their names, which stand for their settings too."""
        found = [r for r in self.resources if r.get("protect")]
        buckets = {r["outputs"].get("bucket") for r in found if r["type"] == _BUCKET}
        others = [
            r["urn"].rpartition("::")[2]
            for r in found
            if r["type"] != _BUCKET and r["outputs"].get("bucket") not in buckets
        ]
        return [*sorted(map(str, buckets)), *sorted(others)]

    def run(self) -> int:
        """Run it to its end, with its output as it comes; its exit code. It is Ctrl-C's only reader."""
        with _deaf_to_ctrl_c():
            return subprocess.run(self.command, env={**os.environ, **self.environment}, check=False).returncode  # noqa: S603


def find_removal(stack: Stack) -> Removal:
    """How this very stack is destroyed.

    Raises
    ------
    InputError
        The current directory's Pulumi stack is another one, or there is none.
    """
    return _of_sandbox(stack) if stack.endpoint_url else _of_pulumi(stack)


def _of_pulumi(stack: Stack) -> Removal:
    name = stack.pulumi_name or ask_pulumi("stack", "--show-name").strip()
    outputs = json.loads(ask_pulumi("stack", "output", "--json", "--stack", name))
    if outputs.get("imageQueueUrl") != stack.output("imageQueueUrl"):
        raise InputError(
            f"the Pulumi stack {name} of this directory is not {stack.name}; go to the project's directory, and choose "
            "what Pulumi is to destroy with --stack NAME"
        )
    exported = json.loads(ask_pulumi("stack", "export", "--stack", name))
    resources = [{"outputs": {}, **found} for found in exported.get("deployment", {}).get("resources", [])]
    return Removal(["pulumi", "destroy", "--stack", name, "--yes"], resources)


def _of_sandbox(stack: Stack) -> Removal:
    if stack.file is None:
        raise InputError(f"{stack.name} is known without its folder; name its outputs.json with --outputs FILE")
    folder = stack.file.resolve().parent
    command = [sys.executable, "-m", "sandbox", "deploy", "--destroy", "--build", str(folder)]
    port = str(urlsplit(stack.endpoint_url).port)
    return Removal(command, _recorded(folder / "state.json"), {"SANDBOX_PORT": port})


def _recorded(state: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(state.read_text(encoding="utf-8"))["resources"]
    except OSError:
        raise InputError(f"{state} is not there, so nobody knows what the sandbox was given; end it instead") from None
    # Of what was made its state keeps apart what was asked for and what came out; Pulumi's outputs are both.
    return [{**resource, "outputs": {**resource["properties"], **resource["outputs"]}} for resource in found]


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Pulumi ends tidily at Ctrl-C; whoever waits for it must not kill it meanwhile."""
    # Not SIG_IGN, which the command would inherit.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
