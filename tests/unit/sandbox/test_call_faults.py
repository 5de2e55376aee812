"""Calls that go wrong on request, on a running sandbox, for callers who know nothing of it."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from tests.unit.sandbox.mapped_function import Mapped
from tests.unit.sandbox.support import Sandbox, wait_until

pytestmark = pytest.mark.xdist_group("sandbox")

PUTS = """
import boto3, time
from botocore.config import Config
def handler(event, context):
    time.sleep(event["seconds"])
    s3 = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))
    for key in event["keys"]:
        s3.put_object(Bucket=event["bucket"], Key=key, Body=b"x")
    return "done"
"""


@pytest.fixture
def faulty(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, on which nothing goes wrong any more after the test."""
    yield sandbox
    sandbox.faults()


def put(sandbox: Sandbox, bucket: str, key: str) -> None:
    sandbox.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")


def keys(sandbox: Sandbox, bucket: str) -> list[str]:
    found = sandbox.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return [each["Key"] for each in found]


def rules(sandbox: Sandbox) -> list[dict[str, Any]]:
    with urlopen(f"{sandbox.endpoint}/_sandbox/faults") as answer:  # noqa: S310 - our own endpoint
        return list(json.load(answer)["calls"])


def putting_function(sandbox: Sandbox) -> tuple[str, str]:
    """A bucket, and a function that puts what it is told into it."""
    bucket = sandbox.bucket()
    role = sandbox.role("lambda.amazonaws.com", ("s3:PutObject", f"arn:aws:s3:::{bucket}/*"))
    return bucket, sandbox.function(role, PUTS, Timeout=20)


def invoke(sandbox: Sandbox, function: str, bucket: str, *told: str, seconds: float = 0) -> dict[str, Any]:
    """Let the function put these keys, after so many seconds."""
    payload = json.dumps({"bucket": bucket, "keys": told, "seconds": seconds})
    return dict(sandbox.client("lambda").invoke(FunctionName=function, Payload=payload))


def test_an_error_before_a_call_takes_its_place(faulty: Sandbox) -> None:
    bucket = faulty.bucket()
    call = {"service": "s3", "operation": "PutObject", "do": "error", "code": "Teapot", "status": 418, "times": 1}
    faulty.faults(calls=[call])

    with pytest.raises(ClientError, match="Teapot"):
        put(faulty, bucket, "a")

    assert keys(faulty, bucket) == []
    assert rules(faulty) == [{**call, "met": 1, "happened": 1}]


def test_an_error_after_a_call_is_an_answer_that_is_lost(faulty: Sandbox) -> None:
    bucket = faulty.bucket()
    call = {"service": "s3", "operation": "PutObject", "when": "after", "do": "error", "code": "Teapot", "status": 418}
    faulty.faults(calls=[call])

    with pytest.raises(ClientError, match="Teapot"):
        put(faulty, bucket, "a")

    assert keys(faulty, bucket) == ["a"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_delay_lasts_and_the_call_is_done(faulty: Sandbox, when: str) -> None:
    bucket = faulty.bucket()
    faulty.faults(calls=[{"service": "s3", "operation": "PutObject", "do": "delay", "seconds": 0.5, "when": when}])
    began = time.monotonic()

    put(faulty, bucket, "a")

    assert time.monotonic() - began >= 0.5
    assert keys(faulty, bucket) == ["a"]


@pytest.mark.parametrize(("when", "left"), [("before", ["first"]), ("after", ["first", "second"])])
def test_a_function_is_killed_at_a_call_and_its_next_invocation_works(
    faulty: Sandbox, when: str, left: list[str]
) -> None:
    bucket, function = putting_function(faulty)
    faulty.faults(
        calls=[{"service": "s3", "contains": "second", "when": when, "do": "kill", "caller": function, "times": 1}]
    )

    killed = invoke(faulty, function, bucket, "first", "second", "third")

    assert killed["FunctionError"] == "Unhandled"
    assert keys(faulty, bucket) == left
    assert json.loads(invoke(faulty, function, bucket, "d")["Payload"].read()) == "done"


def test_a_kill_ends_the_process_that_calls_and_no_other(faulty: Sandbox) -> None:
    (bucket, function), (other_bucket, other) = putting_function(faulty), putting_function(faulty)
    for each, its_bucket in ((function, bucket), (other, other_bucket)):
        invoke(faulty, each, its_bucket, "warm")
    faulty.faults(calls=[{"service": "s3", "do": "kill", "caller": function}])

    assert "FunctionError" not in invoke(faulty, other, other_bucket, "a")
    assert invoke(faulty, function, bucket, "a")["FunctionError"] == "Unhandled"


def test_of_two_processes_of_one_function_the_one_that_calls_is_killed(faulty: Sandbox) -> None:
    bucket, function = putting_function(faulty)
    faulty.faults(calls=[{"service": "s3", "contains": "doomed", "do": "kill"}])

    with ThreadPoolExecutor() as both:
        doomed = both.submit(invoke, faulty, function, bucket, "doomed", seconds=1)
        spared = both.submit(invoke, faulty, function, bucket, "spared", seconds=2)

    assert doomed.result()["FunctionError"] == "Unhandled"
    assert "FunctionError" not in spared.result()
    assert keys(faulty, bucket) == ["spared"]


def test_nobody_but_a_function_is_killed(faulty: Sandbox) -> None:
    bucket = faulty.bucket()
    faulty.faults(calls=[{"service": "s3", "do": "kill"}])

    put(faulty, bucket, "a")

    assert rules(faulty)[0]["met"] == 0


@pytest.mark.parametrize(("when", "times_called"), [("before", 1), ("after", 2)])
def test_a_batch_whose_function_dies_comes_again(faulty: Sandbox, when: str, times_called: int) -> None:
    mapped = Mapped(faulty, visibility=3)
    arn_end = faulty.client("lambda").get_event_source_mapping(UUID=mapped.uuid)["FunctionArn"]
    faulty.faults(
        calls=[
            {"service": "lambda", "operation": "Invoke", "contains": arn_end, "when": when, "do": "kill", "times": 1}
        ]
    )

    mapped.send(1)

    assert mapped.called(times_called) == [1] * times_called
    wait_until(lambda: mapped.counts() == (0, 0))


def test_a_wrong_rule_is_refused_and_the_old_ones_stay(faulty: Sandbox) -> None:
    call = {"service": "s3", "operation": "PutObject", "do": "error"}
    faulty.faults(calls=[call], neverStarts=True)

    with pytest.raises(HTTPError) as refused:
        faulty.faults(calls=[{**call, "do": "explode"}])

    assert refused.value.code == 400
    assert "calls[0].do is 'explode'" in refused.value.read().decode()
    assert [rule["do"] for rule in rules(faulty)] == ["error"]


def test_rules_end_with_delete(faulty: Sandbox) -> None:
    bucket = faulty.bucket()
    faulty.faults(calls=[{"service": "s3", "do": "error", "status": 418}])
    request = Request(f"{faulty.endpoint}/_sandbox/faults", method="DELETE")  # noqa: S310 - our own endpoint
    urlopen(request).close()  # noqa: S310

    put(faulty, bucket, "a")

    assert rules(faulty) == []
