"""Rules about calls that go wrong: what they say when they are wrong, and which calls they happen to."""

import re
from typing import Any

import pytest

from sandbox.api_calls import ApiCall
from sandbox.fault_rules import CallFaults

ERROR: dict[str, Any] = {"service": "s3", "operation": "CopyObject", "do": "error"}
ANALYZE = "arn:aws:sts::000000000000:assumed-role/batch-analyze-image-1234567/batch-analyze-image-7654321"


def copy(key: str = "line/1.jpg", operation: str = "CopyObject", service: str = "s3") -> ApiCall:
    return ApiCall(service, operation, "ASIAEXAMPLE", f"/final/images/{key}", "PUT")


def happens(rules: CallFaults, call: ApiCall, caller: str = ANALYZE, can_kill: bool = True) -> bool:
    return rules.pick(call, caller, can_kill) is not None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"calls": 1}, "calls is {'calls': 1}; allowed is a list of rules"),
        ([{**ERROR, "service": "s4"}], "service is 's4'; allowed are athena, cloudwatch, dynamodb"),
        ([{**ERROR, "operation": "CopyObjects"}], "operation is 'CopyObjects'; allowed are CopyObject,"),
        ([ERROR, {**ERROR, "do": "explode"}], "calls[1].do is 'explode': input should be 'error', 'kill' or 'delay'"),
        ([{**ERROR, "when": "later"}], "calls[0].when is 'later': input should be 'before' or 'after'"),
        ([{**ERROR, "share": 50}], "calls[0].share is 50: input should be less than or equal to 1"),
        ([{**ERROR, "times": 0}], "calls[0].times is 0: input should be greater than or equal to 1"),
        ([{**ERROR, "status": 200}], "calls[0].status is 200: input should be greater than or equal to 400"),
        ([{**ERROR, "times": "3"}], "calls[0].times is '3': input should be a valid integer"),
        ([{**ERROR, "code": ""}], "calls[0].code is '': string should have at least 1 character"),
        ([{**ERROR, "operations": "x"}], "calls[0].operations: there is no such name; allowed are service, operation,"),
        ([{"service": "s3"}], "calls[0].do is missing"),
        ([{**ERROR, "do": "delay"}], "a delay, and nothing else, needs seconds: a number above 0, of real seconds"),
        ([{**ERROR, "seconds": 2.0}], "a delay, and nothing else, needs seconds"),
        ([{**ERROR, "do": "kill", "code": "X"}], "code: only an error has them, and do is 'kill'"),
        (["kill"], "calls[0] is 'kill': input should be a valid dictionary"),
    ],
)
def test_a_wrong_rule_is_refused_by_its_value_and_what_is_allowed(wrong: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        CallFaults.from_json(wrong)


@pytest.mark.parametrize(
    ("narrower", "is_about"),
    [
        ({}, True),
        ({"caller": "analyze-image"}, True),
        ({"caller": "record-predictions"}, False),
        ({"contains": "line/1.jpg"}, True),
        ({"contains": "line/2.jpg"}, False),
    ],
)
def test_a_rule_is_about_the_calls_it_names(narrower: dict[str, str], is_about: bool) -> None:
    assert happens(CallFaults.from_json([{**ERROR, **narrower}]), copy()) is is_about


def test_a_rule_without_an_operation_is_about_its_whole_service() -> None:
    rules = CallFaults.from_json([{"service": "s3", "do": "error"}])

    assert happens(rules, copy(operation="DeleteObject"))
    assert not happens(rules, copy(operation="DeleteItem", service="dynamodb"))


def test_a_kill_is_about_functions_only() -> None:
    rules = CallFaults.from_json([{**ERROR, "do": "kill"}])

    assert not happens(rules, copy(), can_kill=False)
    assert happens(rules, copy(), can_kill=True)


def test_some_calls_pass_first_then_it_happens_so_often() -> None:
    rules = CallFaults.from_json([{**ERROR, "skip": 2, "times": 3}])

    assert [happens(rules, copy()) for _ in range(7)] == [False, False, True, True, True, False, False]


def test_a_share_of_the_calls_is_drawn_alike_in_every_run() -> None:
    drawn = [[happens(rules, copy()) for _ in range(1000)] for rules in map(CallFaults.from_json, [[half()]] * 2)]

    assert drawn[0] == drawn[1]
    assert 400 < sum(drawn[0]) < 600


def half() -> dict[str, Any]:
    return {**ERROR, "share": 0.5}


def test_the_first_rule_that_happens_wins_and_each_counts_what_it_met() -> None:
    rules = CallFaults.from_json([{**ERROR, "times": 1}, {"service": "s3", "do": "kill"}])

    picked = [rules.pick(copy(), ANALYZE, can_kill=True) for _ in range(2)]

    assert [fault.do for fault in picked if fault] == ["error", "kill"]
    assert rules.as_json() == [
        {**ERROR, "times": 1, "met": 2, "happened": 1},
        {"service": "s3", "do": "kill", "met": 1, "happened": 1},
    ]
