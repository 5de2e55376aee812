"""Results as a bench might have left them."""

from dataclasses import replace
from datetime import date

from benchmarks.measure import PARTS, Measurement
from benchmarks.results import Results

OURS = Measurement(
    workload="100 at once",
    policy="ours",
    is_baseline=False,
    images=100,
    planned_images=100,
    arrivals=((0.0, 100),),
    units=1,
    time_scale=1.0,
    runs=1,
    billed_minutes=1.0,
    limit_minutes=1 / 3,
    throughput=0.98,
    throttled_share=0.01,
    median_minutes=10.2,
    p95_minutes=10.4,
    worst_minutes=10.5,
    last_result_minute=10.5,
    lambda_gb_seconds=20.0,
    state_transitions=190,
    messages=220,
    dollars=dict.fromkeys(PARTS, 0.01),
    real_seconds=40.0,
)
SAMPLE = replace(OURS, policy="sample", is_baseline=True, billed_minutes=64.0, throughput=None)
RESULTS = Results(
    measured_on=date(2026, 11, 22),
    tps=5.0,
    model_start_minutes=10.0,
    model_stop_minutes=1.0,
    tick_minutes=60.0,
    labelled_a_second=60.0,
    measurements=(OURS, SAMPLE),
)
