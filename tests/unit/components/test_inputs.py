"""Inputs that cannot be used."""

from typing import Any, NotRequired, TypedDict

import pulumi
import pytest

from custom_labels_batch.components.inputs import (
    InputError,
    check_names,
    in_apply,
    log_retention_days,
    number,
    whole_number,
)
from custom_labels_batch.rules.limits import Range

UNITS, TPS = Range(1, 1, 500), Range(5.0, 0.1, 100.0)


@pytest.mark.parametrize("value", [4, 4.0])
def test_a_whole_number_is_an_int_however_it_arrives(value: float) -> None:
    found = whole_number({"units": value}, "units", UNITS)

    assert (found, type(found)) == (4, int)


def test_what_is_not_given_is_the_default() -> None:
    assert whole_number({}, "units", UNITS) == 1
    assert number({}, "tps", TPS) == 5.0


@pytest.mark.parametrize("value", [0, 501, 1.5, "4", True, None, float("nan"), float("inf")])
def test_what_is_not_allowed_is_refused_with_what_is(value: Any) -> None:
    with pytest.raises(
        InputError, match=r"units is .*; allowed is a whole number from 1 to 500, such as 1$"
    ) as refused:
        whole_number({"units": value}, "units", UNITS)

    assert refused.value.name == "units"


@pytest.mark.parametrize("value", [0.05, 100.5, "5", False, float("nan")])
def test_a_number_out_of_range_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"tps is .*; allowed is a number from 0.1 to 100, such as 5$"):
        number({"tps": value}, "tps", TPS)


@pytest.mark.parametrize("value", [2, 30.5, "30", None])
def test_a_period_that_cloudwatch_logs_does_not_have_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"log_retention_days is .*; allowed is one of 1, 3, 5, .*, such as 30$"):
        log_retention_days({"log_retention_days": value})


def test_a_period_is_an_int_however_it_arrives() -> None:
    assert type(log_retention_days({"log_retention_days": 7.0})) is int


def test_a_check_within_an_apply_says_only_what_is_wrong() -> None:
    def check(value: str) -> str:
        raise ValueError(f"{value} is wrong")

    with pytest.raises(pulumi.RunError, match=r"^this is wrong$"):
        in_apply(check, "this")


def test_a_check_within_an_apply_answers_what_it_found() -> None:
    assert in_apply(max, 1, 2) == 2


class Wanted(TypedDict):
    """Inputs of some component."""

    topic_arn: str
    most_units: NotRequired[int]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"topic_arn": "t", "most_unit": 2}, r"there is no input most_unit; did you mean most_units\?$"),
        ({"topicArn": "t"}, r"there is no input topicArn; did you mean topic_arn\?$"),
        ({"topic_arn": "t", "colour": 2}, r"there is no input colour; the inputs are: most_units, topic_arn$"),
        ({"most_units": 2}, r"topic_arn is missing$"),
    ],
)
def test_an_unknown_or_missing_input_is_refused_by_its_name(args: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        check_names(args, Wanted)
