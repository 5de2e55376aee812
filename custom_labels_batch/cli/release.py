"""release_model, started by an operator and followed until the lock is gone."""

import json
import time
from collections.abc import Iterator

from custom_labels_batch.cli.errors import OperationError
from custom_labels_batch.cli.model import version_name, version_status
from custom_labels_batch.cli.runs import Lock, end_run, execution_status, read_lock
from custom_labels_batch.cli.stack import Stack

_LOOK_SECONDS = 3.0
_MOST_RELEASES = 3


class Release:
    """Sees to it that the model is released, however often it is told to.

    Parameters
    ----------
    ended
        Runs that were ended just now: DescribeExecution may not know it yet.
    """

    def __init__(self, stack: Stack, ended: set[str]) -> None:
        self._stack, self._ended = stack, ended
        self._started: list[str] = []
        self._began = time.monotonic()
        self.was_needed = False

    @property
    def minutes(self) -> float:
        """It has taken; simulated ones on a sandbox."""
        return (time.monotonic() - self._began) / 60 / self._stack.time_scale

    def follow(self) -> Iterator[str]:
        """Go on until the lock is gone; after each look, how far it is in words.

        Raises
        ------
        OperationError
            The model could not be released.
        """
        while lock := read_lock(self._stack):
            self.was_needed = True
            self._go_on(lock)
            yield f"{self._model(lock)}, minute {self.minutes:.1f}"
            time.sleep(self._stack.look_seconds(_LOOK_SECONDS))

    def _go_on(self, lock: Lock) -> None:
        if self._started and self._mine_is_at_work():
            return
        if not lock.is_released and lock.execution_arn not in self._ended:
            end_run(self._stack, lock.execution_arn)  # it began since
            self._ended.add(lock.execution_arn)
        if lock.is_released and execution_status(self._stack, lock.execution_arn) == "RUNNING":
            return
        if len(self._started) >= _MOST_RELEASES:
            raise OperationError(
                f"{_MOST_RELEASES} releases left the lock of {lock.execution_arn} where it is; look at them in the "
                "Step Functions console, and stop the model in the Rekognition console if it runs"
            )
        self._start(lock)

    def _start(self, lock: Lock) -> None:
        ended = {"endedExecutionArn": lock.run_execution_arn, "endedStatus": "ABORTED"}
        started = self._stack.stepfunctions.start_execution(
            stateMachineArn=self._stack.output("releaseStateMachineArn"), input=json.dumps(ended)
        )
        self._started.append(started["executionArn"])

    def _mine_is_at_work(self) -> bool:
        execution = self._stack.stepfunctions.describe_execution(executionArn=self._started[-1])
        if execution["status"] not in ("RUNNING", "SUCCEEDED"):
            cause = execution.get("cause") or "no cause is given"
            raise OperationError(f"the release {execution['name']} {execution['status']}: {cause}")
        return execution["status"] == "RUNNING"

    def _model(self, lock: Lock) -> str:
        if not lock.project_version_arn:
            return "no model was chosen"
        status = version_status(self._stack, lock.project_arn, lock.project_version_arn)
        return f"{version_name(lock.project_version_arn)} {status}"
