"""`python -m sandbox deploy`: a Pulumi program, this repository's by default, made real in the sandbox and kept so."""

import argparse
import json
import socket
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from sandbox.deployer.changes import Step
from sandbox.deployer.cloud import Cloud
from sandbox.deployer.deployer import Deployer, OnResource, Progress, destroy_recorded, silent
from sandbox.deployer.project import read_project
from sandbox.deployer.state import StateFile
from sandbox.errors import SandboxError
from sandbox.pulumi_runtime import run_program
from sandbox.settings import PROJECT_ARN, SandboxSettings

REPOSITORY = Path(__file__).resolve().parent.parent
BUILD = REPOSITORY / "build" / "sandbox"
OUTPUTS_FILE = BUILD / "outputs.json"
STATE_FILE = BUILD / "state.json"

DEFAULT_STACK = "sandbox"


def deploy(
    program_folder: Path,
    stack: str,
    config: Mapping[str, Any],
    settings: SandboxSettings,
    on_resource: OnResource = silent,
    build: Path = BUILD,
) -> dict[str, Any]:
    """Deploy a Pulumi program folder to the sandbox, or update what is up there of it, and write down its outputs.

    Parameters
    ----------
    config
        Stack configuration, over what `Pulumi.<stack>.yaml` says. `projectArn` defaults to the
        sandbox's own project.
    on_resource
        Told before and after each resource.
    build
        Where `outputs.json` and `state.json` go.

    Returns
    -------
    dict
        The stack's outputs, with `endpointUrl` and `region`.

    Raises
    ------
    SandboxError
        One line; among others when another stack is up that this build folder knows.
    """
    _require_endpoint(settings)
    state = StateFile(build / STATE_FILE.name)
    cloud = Cloud.of(settings)
    default = {"projectArn": PROJECT_ARN}
    project = read_project(program_folder, stack, config, fallback=default)
    if _is_up(cloud, state):
        _refuse_other_stack(state, project.name, stack)
        state.resume()
    else:
        state.start(settings.endpoint_url, project.name, stack)
    deployer = Deployer(cloud, project.config, state, on_resource)
    result = run_program(
        project.main,
        project=project.name,
        stack=stack,
        config=project.config,
        creator=deployer,
    )
    deployer.remove_leftovers()
    outputs = {**result.outputs, "endpointUrl": settings.endpoint_url, "region": settings.region}
    outputs_file = build / OUTPUTS_FILE.name
    _write(outputs_file, outputs)
    for name in parts(outputs):
        place = {"endpointUrl": settings.endpoint_url, "region": settings.region}
        _write(build / part_file(name), {**outputs[name], **place})
    return outputs


def parts(outputs: Mapping[str, Any]) -> list[str]:
    """Outputs that are themselves the outputs of a `BatchInference`, where a program has several."""
    return sorted(name for name, value in outputs.items() if isinstance(value, dict) and "imageQueueUrl" in value)


def part_file(name: str) -> str:
    """Where, in the build folder, `clb` finds such an output."""
    return f"outputs-{name}.json"


def _write(file: Path, outputs: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(outputs, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def destroy(settings: SandboxSettings, on_resource: OnResource = silent, build: Path = BUILD) -> int:
    """Remove what `deploy` made, and return how many resources that were."""
    _require_endpoint(settings)
    state = StateFile(build / STATE_FILE.name)
    recorded = state.read()
    if recorded["resources"] and recorded["endpointUrl"] != settings.endpoint_url:
        raise SandboxError(f"The last deployment went to {recorded['endpointUrl']}, not to {settings.endpoint_url}.")
    removed = destroy_recorded(Cloud.of(settings), state, on_resource)
    for file in (build / OUTPUTS_FILE.name, *build.glob(part_file("*"))):
        file.unlink(missing_ok=True)
    return removed


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; errors are `SandboxError`s for the caller to print."""
    arguments = _parser().parse_args(argv)
    settings = SandboxSettings.from_environment()
    steps: Counter[Step] = Counter()

    def tell(progress: Progress) -> None:
        steps.update([progress.step] if progress.step else [])
        _print(progress)

    if arguments.destroy:
        removed = destroy(settings, tell, arguments.build)
        retained = f", left {steps[Step.RETAINED]} that are to be retained" if steps[Step.RETAINED] else ""
        print(f"Removed {removed} resources{retained}. The emulated AWS is still up: Ctrl-C in its terminal ends it.")
        return 0
    build: Path = arguments.build
    outputs = deploy(arguments.program, arguments.stack, pairs(arguments.config), settings, tell, build)
    print(f"Resources: {', '.join(f'{steps[step]} {step}' for step in Step if steps[step])}.")
    for name, value in sorted(outputs.items()):
        print(f"{name}: {value}")
    print(f"Written to {build / OUTPUTS_FILE.name}.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox deploy", description=__doc__)
    add_program(parser)
    parser.add_argument("--build", type=Path, default=BUILD, metavar="FOLDER", help="where outputs and state are kept")
    parser.add_argument("--destroy", action="store_true", help="remove what the deployments made")
    return parser


def add_program(parser: argparse.ArgumentParser) -> None:
    """Let a command line say which program is deployed, as which stack, with what settings."""
    parser.add_argument("program", nargs="?", type=Path, default=REPOSITORY, help="folder with a Pulumi.yaml")
    parser.add_argument("--stack", default=DEFAULT_STACK, help=f"stack name (default {DEFAULT_STACK})")
    parser.add_argument(
        "--config", action="append", default=[], metavar="KEY=VALUE", help="a stack setting; may be repeated"
    )


def pairs(settings: Sequence[str]) -> dict[str, str]:
    """What `--config` was given, by key; SandboxError for one without a value."""
    wrong = [setting for setting in settings if "=" not in setting]
    if wrong:
        raise SandboxError(f"--config takes KEY=VALUE, not {', '.join(wrong)}.")
    return dict(setting.split("=", 1) for setting in settings)


_SIGNS = {Step.CREATED: "+", Step.UPDATED: "~", Step.REPLACED: "+-", Step.DELETED: "-", Step.RETAINED: "="}


def _print(progress: Progress) -> None:
    """A line for each resource that is not what it was, marked as `pulumi up` marks it."""
    if progress.step in _SIGNS:
        line = f" {_SIGNS[progress.step]:<2} {progress.type:<60} {progress.name:<40} {progress.step:<8}"
        changed = f" [{', '.join(progress.changed)}]" if progress.changed else ""
        print(f"{line} {progress.seconds:5.2f} s{changed}", file=sys.stderr)


def _require_endpoint(settings: SandboxSettings) -> None:
    address = urlsplit(settings.endpoint_url)
    try:
        socket.create_connection((address.hostname, address.port), timeout=5).close()
    except OSError:
        raise SandboxError(
            f"Nothing answers at {settings.endpoint_url}: start it with `python -m sandbox serve`."
        ) from None


def _is_up(cloud: Cloud, state: StateFile) -> bool:
    """Whether the recorded stack is still there: auto-names are random, so one resource of that name proves it."""
    recorded = state.read()
    here = recorded["endpointUrl"] == cloud.endpoint_url
    return here and any(_is_alive(cloud, entry) for entry in recorded["resources"])


def _refuse_other_stack(state: StateFile, project: str, stack: str) -> None:
    """An update removes what the program no longer has: of another stack that would be everything."""
    recorded = state.read()
    if (recorded["project"], recorded["stack"]) != (project, stack):
        raise SandboxError(
            f"Stack {recorded['stack']} of {recorded['project']} is up at {recorded['endpointUrl']}: deploy that one,"
            " keep this one beside it with --build FOLDER, or run `python -m sandbox deploy --destroy` first."
        )


def _is_alive(cloud: Cloud, entry: Mapping[str, Any]) -> bool:
    try:
        match entry["type"]:
            case "aws:iam/role:Role":
                cloud.iam.get_role(RoleName=entry["id"])
            case "aws:s3/bucket:Bucket":
                cloud.s3.head_bucket(Bucket=entry["id"])
            case "aws:sns/topic:Topic":
                cloud.sns.get_topic_attributes(TopicArn=entry["id"])
            case "aws:sqs/queue:Queue":
                cloud.sqs.get_queue_attributes(QueueUrl=entry["id"])
            case _:
                return False
    except ClientError:
        return False
    return True
