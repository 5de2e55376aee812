"""A function's execution environment: what Lambda sets in it, and how a test begins a new one."""

import sys

import pytest

from tests.unit.functions.world import FINAL, PROJECT_ARN, RUNS, SOURCE, World

_PARTS = ("handler", "wiring", "observability", "analysis", "batch", "predictions_batch", "notifications", "recording")
"""What looks at the environment when it is imported, or keeps what has."""


def forget_the_functions() -> None:
    """Import them afresh the next time, as a new execution environment does."""
    for name in list(sys.modules):
        if name.startswith("custom_labels_batch.functions.") and name.rpartition(".")[2] in _PARTS:
            del sys.modules[name]


def set_analyze_image(monkeypatch: pytest.MonkeyPatch, world: World, **others: str) -> None:
    """The variables of analyze-image, with a schedule."""
    usual = {
        "TRIGGER": "schedule",
        "PROJECT_ARN": PROJECT_ARN,
        "MODEL_VERSION": "",
        "RUNS_TABLE_NAME": RUNS,
        "SOURCE_BUCKET_NAME": SOURCE,
        "FINAL_BUCKET_NAME": FINAL,
        "PREDICTIONS_TOPIC_ARN": world.topic_arn,
        "MIN_CONFIDENCE": "70",
        "LABEL_THRESHOLDS": "{}",
        "DETECT_CALLS_PER_SECOND": "1000",
        "DETECT_THREADS": "4",
    }
    for name, value in {**usual, **others}.items():
        monkeypatch.setenv(name, value)
