"""Plays a workload to one policy, on an emulated AWS of its own, and keeps what is needed to measure it."""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.workloads import (
    MODEL_START_MINUTES,
    MODEL_STOP_MINUTES,
    TICK_MINUTES,
    TPS,
    Policy,
    Workload,
)
from custom_labels_batch.cli.schedule import switch_off
from custom_labels_batch.cli.stack import Stack
from sandbox.deploy import deploy
from sandbox.deployer.cloud import Cloud
from sandbox.endpoint import newest_version, read_json
from sandbox.errors import SandboxError
from sandbox.listeners import backlog
from sandbox.photographs import photographs
from sandbox.server_process import ServerProcess
from sandbox.settings import SandboxSettings

_PHOTOGRAPHS = 60
"""Different pictures; more images than that are the same pictures under other keys."""

_LONGEST_MINUTES = 24 * 60
"""Simulated minutes after the last arrival in which everything must be labelled."""

_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Moment:
    """Where a run is, for whoever watches."""

    minute: float
    uploaded: int
    labelled: int
    model: str


@dataclass
class Played:
    """One workload under one policy, when everything is labelled and the model is stopped.

    Attributes
    ----------
    uploaded, written
        Image key -> when it was uploaded, and when its labels were written, in minutes since the workload's start.
    ticks
        Runs the bench started, as the schedule would.
    model, usage
        The sandbox's ledger of the model version, and its counters of everything else.
    """

    workload: Workload
    policy: Policy
    time_scale: float
    uploaded: dict[str, float] = field(default_factory=dict)
    written: dict[str, float] = field(default_factory=dict)
    ticks: int = 0
    model: dict[str, Any] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)
    upload_real_seconds: float = 0.0
    real_seconds: float = 0.0


Watch = Callable[[Moment], None]


def play(workload: Workload, policy: Policy, port: int, time_scale: float, build: Path, watch: Watch) -> Played:
    """Serve, deploy, upload what arrives when it arrives, tick every hour, and wait until all is done.

    Raises
    ------
    SandboxError
        An image has no result, or more than one, or is lost; or it takes for ever.
    """
    settings = SandboxSettings(
        port=port,
        time_scale=time_scale,
        model_start_minutes=MODEL_START_MINUTES,
        model_stop_minutes=MODEL_STOP_MINUTES,
        tps_per_unit=TPS,
    )
    began = time.monotonic()
    build.mkdir(parents=True, exist_ok=True)
    with ServerProcess(settings, build) as server:
        run = _Run(workload, policy, settings, server, _deployed(policy, settings, build), watch)
        switch_schedule_off(run.outputs)
        run.to_the_end()
        played = run.read()
    played.real_seconds = time.monotonic() - began
    return played


def _deployed(policy: Policy, settings: SandboxSettings, build: Path) -> dict[str, Any]:
    version = {"modelVersionArn": newest_version(settings)["projectVersionArn"]} if policy.is_baseline else {}
    return deploy(policy.program, "bench", {**policy.config, **version}, settings, build=build)


def switch_schedule_off(outputs: Mapping[str, Any]) -> None:
    """Leave it to the bench when a run starts, so that every policy ticks at the same moments."""
    if "scheduleArn" in outputs:
        switch_off(Stack("the bench", outputs))


class _Run:
    def __init__(
        self,
        workload: Workload,
        policy: Policy,
        settings: SandboxSettings,
        server: ServerProcess,
        outputs: Mapping[str, Any],
        watch: Watch,
    ) -> None:
        self._workload, self._settings, self._server, self.outputs = workload, settings, server, outputs
        self._watch = watch
        self.cloud = Cloud.of(settings)
        self._played = Played(workload, policy, settings.time_scale)
        self._photographs = [body for _, body in photographs(_PHOTOGRAPHS, seed=4)]
        self._coming = list(workload.arrivals)
        self._started = datetime.now(UTC)

    def to_the_end(self) -> None:
        """Everything in order of time; where nothing works, time is skipped."""
        self._upload_first()
        deadline = max(arrival.minute for arrival in self._workload.arrivals) + _LONGEST_MINUTES
        while (minute := self._minute()) < deadline:
            self._server.check()
            self._arrive(minute)
            self._tick(minute)
            if self._is_done(minute):
                return
            self._skip()
        raise SandboxError(f"{self._name()}: not done within {deadline:.0f} simulated minutes")

    def read(self) -> Played:
        """What came of it, checked."""
        played = self._played
        played.model, played.usage = newest_version(self._settings), read_json(self._settings, "usage")
        prefix = f"{self.outputs['finalBucketName']}/images/"
        for path, moment in read_json(self._settings, "usage/writes").items():
            key = path.removeprefix(prefix).removesuffix(".json")
            if path == f"{prefix}{key}.json":
                played.written[key] = self._minutes(moment)
        self._check()
        return played

    def _upload_first(self) -> None:
        """What is there at minute 0 is uploaded before it, however long that takes here."""
        first = self._coming.pop(0).images if self._coming[0].minute == 0 else 0
        began = time.monotonic()
        keys = self._put(first)
        while backlog(self.cloud, self.outputs["imageQueueUrl"]) < first:
            time.sleep(_LOOK_SECONDS)
        self._played.upload_real_seconds = time.monotonic() - began
        self._started = self._now()
        self._played.uploaded = dict.fromkeys(keys, 0.0)

    def _arrive(self, minute: float) -> None:
        while self._coming and self._coming[0].minute <= minute:
            for key in self._put(self._coming.pop(0).images):
                self._played.uploaded[key] = minute

    def _put(self, images: int) -> list[str]:
        number = len(self._played.uploaded)
        keys = [f"image-{index:05}.jpg" for index in range(number, number + images)]
        for index, key in enumerate(keys, number):
            body = self._photographs[index % _PHOTOGRAPHS]
            self.cloud.s3.put_object(Bucket=self.outputs["sourceBucketName"], Key=key, Body=body)
        return keys

    def _tick(self, minute: float) -> None:
        if minute >= self._played.ticks * TICK_MINUTES:
            self._played.ticks += 1
            self.cloud.stepfunctions.start_execution(stateMachineArn=self.outputs["stateMachineArn"])

    def _is_done(self, minute: float) -> bool:
        model = newest_version(self._settings)
        labelled, uploaded = model["calls"]["ok"], len(self._played.uploaded)
        self._watch(Moment(minute, uploaded, labelled, model["status"]))
        if self._coming or labelled < uploaded or model["status"] != "STOPPED":
            return False
        running = self.cloud.stepfunctions.list_executions(
            stateMachineArn=self.outputs["stateMachineArn"], statusFilter="RUNNING"
        )
        return not running["executions"]

    def _skip(self) -> None:
        """Jump to whatever happens next; while something is at work, the sandbox waits for it a moment instead."""
        ahead = [self._played.ticks * TICK_MINUTES, *(arrival.minute for arrival in self._coming[:1])]
        until = self._started + timedelta(minutes=min(ahead))
        request = urllib.request.Request(  # noqa: S310 - our own endpoint
            f"{self._settings.endpoint_url}/_sandbox/clock/skip", json.dumps({"until": until.isoformat()}).encode()
        )
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310
            pass

    def _now(self) -> datetime:
        return datetime.fromisoformat(read_json(self._settings, "model")["now"])

    def _minute(self) -> float:
        return (self._now() - self._started).total_seconds() / 60

    def _minutes(self, moment: str) -> float:
        return (datetime.fromisoformat(moment) - self._started).total_seconds() / 60

    def _check(self) -> None:
        """Every image has one result, and nothing is left anywhere."""
        final, source = self.outputs["finalBucketName"], self.outputs["sourceBucketName"]
        versions = self.cloud.s3.get_paginator("list_object_versions").paginate(Bucket=final)
        # As a set: the emulator's pages overlap by one object where a bucket keeps no versions.
        found = {(each["Key"], each["VersionId"]) for page in versions for each in page.get("Versions", [])}
        results = sorted(key for key, _ in found)
        expected = sorted(f"images/{key}{end}" for key in self._played.uploaded for end in ("", ".json"))
        left = self.cloud.s3.list_objects_v2(Bucket=source)["KeyCount"]
        dead = backlog(self.cloud, self.outputs["imageDeadLetterQueueUrl"])
        if results != expected or left or dead or set(self._played.written) != set(self._played.uploaded):
            missing = list(islice((each for each in expected if each not in set(results)), 3))
            raise SandboxError(
                f"{self._name()}: {len(results)} objects in the final bucket, {len(expected)} expected; {left} images "
                f"left in the source bucket, {dead} in the dead-letter queue; missing: {', '.join(missing) or 'none'}"
            )

    def _name(self) -> str:
        return f"{self._workload.name}, {self._played.policy.name}"
