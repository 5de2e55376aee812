"""A bench's results: kept as JSON, read back as they were."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.measure import Measurement
from sandbox.deploy import REPOSITORY

RESULTS_FILE = REPOSITORY / "build" / "bench" / "batch_run.json"
PUBLISHED_FILE = REPOSITORY / "docs" / "bench.json"


@dataclass(frozen=True)
class Results:
    """One run of the bench.

    Attributes
    ----------
    labelled_a_second
        Images this machine labels in a real second when the model is no limit.
    """

    measured_on: date
    tps: float
    model_start_minutes: float
    model_stop_minutes: float
    tick_minutes: float
    labelled_a_second: float
    measurements: tuple[Measurement, ...]

    def baseline_of(self, measurement: Measurement) -> Measurement | None:
        """The published sample on the same workload."""
        same = (each for each in self.measurements if each.workload == measurement.workload and each.is_baseline)
        return next(same, None)

    def ratio_to_baseline(self, measurement: Measurement) -> float | None:
        """Billed minutes, as a share of the sample's."""
        baseline = self.baseline_of(measurement)
        return measurement.billed_minutes / baseline.billed_minutes if baseline else None

    @property
    def notes(self) -> list[str]:
        """What was measured smaller than planned."""
        scaled = {each.workload: each for each in self.measurements if each.images != each.planned_images}
        return [
            f"{name}: measured with {each.images:,} images; {each.planned_images:,} would have taken too long."
            for name, each in scaled.items()
        ]


_ADAPTER = TypeAdapter(Results)


def write(results: Results, file: Path) -> None:
    """Keep results."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_ADAPTER.dump_json(results, indent=1) + b"\n")


def read(file: Path) -> Results:
    """Results as they were written."""
    return _ADAPTER.validate_json(file.read_bytes())
