"""The simulation bills what the bench measured on the sandbox, within 10 %, on every workload of docs/bench.json."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from benchmarks.measure import Measurement
from benchmarks.results import PUBLISHED_FILE, read
from benchmarks.workloads import WORKLOADS
from custom_labels_batch.cli.arrivals import DAY, Arrivals
from custom_labels_batch.cli.reference_policies import PublishedSample
from custom_labels_batch.cli.scheduled_runs import ScheduledRuns
from custom_labels_batch.cli.simulation import Policy, simulate

TOLERANCE = 0.10

RESULTS = read(PUBLISHED_FILE)


def _config(measurement: Measurement) -> Mapping[str, Any]:
    """Settings of the stack that was measured."""
    workload = next(each for each in WORKLOADS if each.name == measurement.workload)
    return next(each.config for each in workload.policies if each.name == measurement.policy)


def _policy(measurement: Measurement) -> Policy:
    if measurement.is_baseline:
        return PublishedSample(RESULTS.model_start_minutes, RESULTS.tps)
    config = _config(measurement)
    return ScheduledRuns(
        start_minutes=RESULTS.model_start_minutes,
        tps_per_inference_unit=float(config["tpsPerInferenceUnit"]),
        max_inference_units=int(config["maxInferenceUnits"]),
        target_drain_minutes=int(config.get("targetDrainMinutes", 60)),
        min_batch_size=int(config.get("minBatchSize", 1)),
        max_queue_age_minutes=int(config.get("maxQueueAgeMinutes", 1440)),
        longest_pause=60 * RESULTS.tick_minutes,
    )


@pytest.mark.parametrize("measurement", RESULTS.measurements, ids=lambda each: f"{each.workload}, {each.policy}")
def test_a_simulated_workload_bills_what_was_measured(measurement: Measurement) -> None:
    minutes, images = zip(*measurement.arrivals, strict=True)
    ticks = np.arange(0, 2 * DAY, 60 * RESULTS.tick_minutes)
    simulation = simulate(_policy(measurement), Arrivals.at(np.multiply(minutes, 60), images), ticks)
    assert len(simulation.runs) == measurement.runs
    assert simulation.images_left == 0
    assert simulation.billed_minutes == pytest.approx(measurement.billed_minutes, rel=TOLERANCE)
    assert simulation.most_units == measurement.units


def test_both_policies_were_measured_on_every_workload() -> None:
    measured = {(each.workload, each.policy) for each in RESULTS.measurements}
    assert measured == {(workload.name, policy.name) for workload in WORKLOADS for policy in workload.policies}
