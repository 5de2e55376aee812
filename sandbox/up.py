"""`python -m sandbox up`: a stack to play with, this repository's program by default, until Ctrl-C."""

import argparse
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.deploy import BUILD, OUTPUTS_FILE, REPOSITORY, add_program, pairs, part_file, parts
from sandbox.photographs import photographs
from sandbox.stack import Stack, console, running_stack

SAMPLES = BUILD / "photographs"
_NO_COMMANDS = "  (Where a program exports what examples/minimal does, `clb` works here too.)\n"


def main(argv: Sequence[str] = ()) -> int:
    """Deploy the stack, say how to use it, and keep it up."""
    parser = argparse.ArgumentParser(prog="python -m sandbox up", description=__doc__)
    add_program(parser)
    arguments = parser.parse_args(argv)
    program: Path = arguments.program
    with running_stack(program, arguments.stack, pairs(arguments.config)) as stack:
        is_ours = program.resolve() == REPOSITORY
        return _keep_up(stack, _how_to_use(stack) if is_ours else _how_to_use_another(stack, program))


def _keep_up(stack: Stack, how_to_use: str) -> int:
    _write_samples(SAMPLES)
    # Not by KeyboardInterrupt, which is lost where it strikes inside a destructor.
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    console.print(how_to_use, markup=False, soft_wrap=True)
    while not stopped.wait(1):
        stack.server.check()
    console.print("\nStopped; nothing is left running.")
    return 0


def _write_samples(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, (label, body) in enumerate(photographs(12, seed=7)):
        (folder / f"{label}-{number}.jpg").write_bytes(body)


def _how_to_use(stack: Stack) -> str:
    outputs, endpoint = stack.outputs, stack.settings.endpoint_url
    samples = SAMPLES.relative_to(REPOSITORY)
    return f"""
The stack is up at {endpoint} until Ctrl-C. Its outputs are in {OUTPUTS_FILE.relative_to(REPOSITORY)}.

Its hourly schedule runs every {3600 * stack.settings.time_scale:.0f} seconds.

In another terminal, in this folder:

  .venv/bin/clb upload {samples}
  .venv/bin/clb run --wait
  .venv/bin/clb status
  .venv/bin/clb results
  .venv/bin/clb report --open

Change Pulumi.sandbox.yaml, and apply it as `pulumi up` would:

  .venv/bin/python -m sandbox deploy

The same with the AWS CLI (version 2):

  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={stack.settings.region} AWS_DEFAULT_REGION={stack.settings.region}
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  aws s3 cp --recursive {samples}/ s3://{outputs["sourceBucketName"]}/
  aws stepfunctions start-execution --state-machine-arn {outputs["stateMachineArn"]}

About 30 seconds later, when the model has started, labelled and stopped:

  aws s3 ls --recursive s3://{outputs["finalBucketName"]}/
  curl {endpoint}/_sandbox/model
  curl {endpoint}/_sandbox/inboxes
  id=$(aws athena start-query-execution --work-group {outputs["athenaWorkgroup"]} \\
    --query-execution-context Database={outputs["athenaDatabase"]} --query QueryExecutionId --output text \\
    --query-string "SELECT image, label, confidence FROM {outputs["athenaTable"]} LIMIT 10"); sleep 2
  aws athena get-query-results --query-execution-id $id --output text

The same with boto3 ({samples}/ holds photographs to upload):

  import boto3, json
  outputs = json.load(open("{OUTPUTS_FILE.relative_to(REPOSITORY)}"))
  session = boto3.Session("test", "test", region_name=outputs["region"])
  s3 = session.client("s3", endpoint_url=outputs["endpointUrl"])
  s3.upload_file("{samples}/brick-0.jpg", outputs["sourceBucketName"], "brick-0.jpg")
"""  # noqa: S608 (printed, not run)


def _commands(outputs: Mapping[str, Any], samples: Path, which: str = "") -> str:
    """What `clb` can do with these outputs."""
    commands = [f"upload {samples}"] if outputs.get("imageQueueUrl") else []
    commands += ["run --wait", "status"] if commands and outputs.get("stateMachineArn") else []
    commands += ["results"] if commands and outputs.get("athenaTable") else []
    return "".join(f"  .venv/bin/clb {command}{which}\n" for command in commands)


def _how_to_use_another(stack: Stack, program: Path) -> str:
    """What to do with a program that need not export what this repository's does."""
    endpoint, region = stack.settings.endpoint_url, stack.settings.region
    samples = SAMPLES.relative_to(REPOSITORY)
    folder = BUILD.relative_to(REPOSITORY)
    used = [
        _commands(stack.outputs[part], samples, f" --outputs {folder / part_file(part)}")
        for part in parts(stack.outputs)
    ]
    use = "\n".join(used) or _commands(stack.outputs, samples) or _NO_COMMANDS
    source, final = (stack.outputs.get(f"{bucket}BucketName") for bucket in ("source", "final"))
    copy = f"  aws s3 cp --recursive {samples}/ s3://{source}/\n" if source else ""
    copy += (
        f"  aws s3 ls --recursive s3://{final}/    # after a run: images, and a JSON document with the labels of each\n"
        if final
        else ""
    )
    return f"""
The stack is up at {endpoint} until Ctrl-C. Its outputs are in {OUTPUTS_FILE.relative_to(REPOSITORY)}.

In another terminal, in this folder ({samples}/ holds photographs to upload):

{use}
  .venv/bin/python -m sandbox deploy {os.path.relpath(program)}    # after a change, as `pulumi up`

The AWS CLI (version 2) and SDKs find it with:

  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region}
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
{copy}"""
