"""What listens to the predictions topic: when it has heard everything."""

import time
from collections.abc import Mapping
from typing import Any

from custom_labels_batch.cli.queues import depth
from sandbox.deployer.cloud import Cloud
from sandbox.errors import SandboxError

_QUEUES = ("notificationQueueUrl", "analyticsQueueUrl")
_LOOK_SECONDS = 0.2


def wait_for_listeners(cloud: Cloud, outputs: Mapping[str, Any], seconds: float = 60) -> None:
    """Wait until no prediction waits for notify-labels or record-predictions, or is in their hands.

    Raises
    ------
    SandboxError
        They have not finished after so many real seconds; the queues and what is left are named.
    """
    deadline = time.monotonic() + seconds
    while left := {name: count for name in _QUEUES if (count := backlog(cloud, outputs[name]))}:
        if time.monotonic() > deadline:
            told = ", ".join(f"{count} in {name}" for name, count in left.items())
            raise SandboxError(f"Predictions are still waiting after {seconds:.0f} seconds: {told}")
        time.sleep(_LOOK_SECONDS)


def backlog(cloud: Cloud, queue_url: str) -> int:
    """Messages in a queue, in flight or waiting; the sandbox counts exactly."""
    return depth(cloud.sqs, queue_url).total
