"""The function's environment variables."""

import pytest

from custom_labels_batch.functions.analyze_image.environment import AnalyzeImageEnvironment, Trigger
from custom_labels_batch.functions.analyze_image.model import ModelEnvironment
from custom_labels_batch.functions.shared.environment import WrongEnvironmentError, read_environment
from tests.unit.functions.world import PROJECT_ARN, VERSION_ARN

RIGHT = {
    "TRIGGER": "schedule",
    "PROJECT_ARN": PROJECT_ARN,
    "MODEL_VERSION": "",
    "RUNS_TABLE_NAME": "runs",
    "SOURCE_BUCKET_NAME": "photographs",
    "FINAL_BUCKET_NAME": "finished",
    "PREDICTIONS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:predictions",
    "MIN_CONFIDENCE": "70",
    "LABEL_THRESHOLDS": '{"brick": 80}',
    "DETECT_CALLS_PER_SECOND": "2.5",
    "DETECT_THREADS": "5",
    "PATH": "/bin",
}


def test_right_variables_come_out_typed() -> None:
    environment = read_environment(AnalyzeImageEnvironment, RIGHT)

    assert environment.trigger is Trigger.SCHEDULE
    assert environment.min_confidence == 70.0
    assert environment.label_thresholds == {"brick": 80.0}
    assert (environment.detect_calls_per_second, environment.detect_threads) == (2.5, 5)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("TRIGGER", "hourly", "schedule or upload"),
        ("RUNS_TABLE_NAME", "", "the name of the runs table while TRIGGER is schedule"),
        ("SOURCE_BUCKET_NAME", "", "the name of the source bucket"),
        ("FINAL_BUCKET_NAME", "", "the name of the final bucket"),
        ("PREDICTIONS_TOPIC_ARN", "predictions", "the ARN of the predictions topic"),
        ("MIN_CONFIDENCE", "100.1", "a number from 0 to 100"),
        ("LABEL_THRESHOLDS", '{"brick": "high"}', "a JSON object of label to threshold"),
        ("LABEL_THRESHOLDS", "brick=80", "a JSON object of label to threshold"),
        ("DETECT_CALLS_PER_SECOND", "0", "a number above 0"),
        ("DETECT_CALLS_PER_SECOND", "nan", "a number above 0"),
        ("DETECT_THREADS", "2.5", "a whole number from 1 to 64"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(WrongEnvironmentError) as error:
        read_environment(AnalyzeImageEnvironment, RIGHT | {name: value})

    assert str(error.value).startswith(f"{name} is {value!r}: it must be {allowed}")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PROJECT_ARN", VERSION_ARN, "a Rekognition project ARN"),
        ("MODEL_VERSION", VERSION_ARN, "the name of a model version"),
    ],
)
def test_a_wrong_name_of_the_model_is_named_too(name: str, value: str, allowed: str) -> None:
    with pytest.raises(WrongEnvironmentError) as error:
        read_environment(ModelEnvironment, RIGHT | {name: value})

    assert str(error.value).startswith(f"{name} is {value!r}: it must be {allowed}")


def test_all_wrong_variables_are_named_at_once() -> None:
    with pytest.raises(WrongEnvironmentError, match=r"TRIGGER is not set.*DETECT_THREADS is '0'"):
        read_environment(
            AnalyzeImageEnvironment,
            {name: value for name, value in RIGHT.items() if name != "TRIGGER"} | {"DETECT_THREADS": "0"},
        )


def test_no_runs_table_is_needed_for_uploads() -> None:
    environment = read_environment(AnalyzeImageEnvironment, RIGHT | {"TRIGGER": "upload", "RUNS_TABLE_NAME": ""})

    assert environment.trigger is Trigger.UPLOAD
